// A shop that is about to be empty, on a cassette that a person wrote: docs/how-to/mock.md. The second argument is `run` or `prepare`.
import { createRequire } from 'node:module';

const odbc = createRequire(`${process.env.ODBC_PACKAGE}/`)('odbc');
const [, , string, how] = process.argv;
const connection = await odbc.connect(string);
const query = 'select name, price from fruit where price < ?';
let rows;
if (how === 'prepare') {
  const statement = await connection.createStatement();
  await statement.prepare(query);
  await statement.bind([5]);
  rows = await statement.execute();
  await statement.close();
} else {
  rows = await connection.query(query, [5]);
}
console.log('columns:', JSON.stringify(rows.columns.map((column) => [column.name, column.dataType, column.columnSize])));
for (const row of rows) {
  console.log('row:', JSON.stringify(row));
}
console.log('gone:', (await connection.query('delete from fruit')).count);
try {
  await connection.query('select nothing');
} catch (error) {
  console.log('error:', error.odbcErrors[0].state, error.odbcErrors[0].message);
}
await connection.close();
console.log('done: everything was asked');
