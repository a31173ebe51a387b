// What a program on the package odbc does with one connection: statements with and without parameters, a cursor, the catalog,
// transactions, errors.
import { createRequire } from 'node:module';

const odbc = createRequire(`${process.env.ODBC_PACKAGE}/`)('odbc');
const [, , string] = process.argv;
const connection = await odbc.connect(string);

function tell(what, value) {
  const plain = (_, cell) => (typeof cell === 'bigint' ? `${cell}n` : typeof cell === 'string' && cell.length > 100 ? cell.length : cell);
  console.log(`${what}:`, JSON.stringify(value, plain));
}

async function failing(what, body) {
  try {
    await body();
    console.log(`${what}: no error`);
  } catch (error) {
    tell(what, error.odbcErrors);
  }
}

await connection.query('create table node_item (id integer, name varchar(20), price double precision, day date, note varchar(9000))');
const first = "insert into node_item values (1, 'apple', 1.5, '2026-11-21', 'short')";
tell('inserted', (await connection.query(first)).count);
const insert = await connection.createStatement();
await insert.prepare('insert into node_item values (?, ?, ?, ?, ?)');
for (const row of [[2, 'pear', 0.25, '2025-01-01', 'x'.repeat(8000)], [3, null, null, null, null], [4, 'Käse', -1e20, null, '']]) {
  await insert.bind(row);
  tell('rows', (await insert.execute()).count);
}
await insert.close();

const all = await connection.query('select * from node_item order by id');
for (const column of all.columns) tell('column', column);
for (const row of all) tell('row', row);
tell('none', [...(await connection.query('select id from node_item where id > ?', [99]))]);

const cursor = await connection.query('select id, name from node_item order by id', { cursor: true, fetchSize: 3 });
while (!cursor.noData) tell('some', [...(await cursor.fetch())]);
await cursor.close();

for (const table of await connection.tables(null, null, 'node_item', null)) tell('table', [table.TABLE_NAME, table.TABLE_TYPE]);
for (const column of await connection.columns(null, null, 'node_item', null)) tell('its column', [column.COLUMN_NAME, column.TYPE_NAME]);
await failing('no table', () => connection.query('select * from nothing'));
await failing('no value', () => connection.query('insert into node_item (id) values (1, 2)'));

const left = async () => Number((await connection.query('select count(*) as amount from node_item'))[0].amount);
await connection.beginTransaction();
await connection.query('delete from node_item where id = 1');
await connection.rollback();
tell('still there', await left());
await connection.beginTransaction();
await connection.query('delete from node_item where id = 1');
await connection.commit();
tell('gone', await left());
await connection.close();
console.log('done: everything was asked');
