// The program makes an id, a code and a time of its own, and asks with a list in an order of its own. It may run again on the same
// database. `other` asks for another id than it wrote.
import { randomInt, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

const odbc = createRequire(`${process.env.ODBC_PACKAGE}/`)('odbc');
const [, , string, mode] = process.argv;
const [made, code, moment] = [randomUUID(), randomInt(1e8, 1e9), new Date().toISOString()];
const asked = mode === 'other' ? randomUUID() : made;

function tell(what, found, wrote) {
  const same = JSON.stringify(found) === JSON.stringify(wrote);
  console.log(`${what}:`, same ? 'what it wrote' : `${JSON.stringify(found)} instead of ${JSON.stringify(wrote)}`);
}

const connection = await odbc.connect(string);
await connection.query('create table if not exists r (id char(36), code integer, at varchar(40))');
await connection.query('insert into r values (?, ?, ?)', [made, code, moment]);
const [row] = await connection.query('select code, at from r where id = ?', [asked]);
tell('code and time', [row?.code, row?.at], [code, moment]);
const [found] = await connection.query(`select id from r where code = ${code}`);
tell('id', found?.id, made);
const listed = [1, 2, 3, 4, 5, 6, 7, 8].sort(() => Math.random() - 0.5);
const counted = await connection.query(`select count(*) as n from r where code in (${listed.join(', ')})`);
console.log('by literals:', Number(counted[0].n));
await connection.close();
console.log('done: everything was asked');
