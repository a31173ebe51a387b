// The pool of the package odbc: which connection a job gets, and when the pool opens another one, is decided by who is free. Set how
// many jobs run at once, and change what they do, with variables.
import { createRequire } from 'node:module';

const odbc = createRequire(`${process.env.ODBC_PACKAGE}/`)('odbc');
const [, , connectionString] = process.argv;
const { CHANGED, LEFT_OUT, EXTRA, WORKERS } = process.env;
const numbers = [...Array(20).keys()].filter((number) => !(LEFT_OUT && number === 6)).concat(EXTRA ? [20] : []);
const jobs = numbers.map((number) => [Math.random(), number]).sort(([one], [other]) => one - other);
const answers = [];

const pool = await odbc.pool({ connectionString, initialSize: 2, incrementSize: 1, maxSize: 4 });

async function job(number) {
  await new Promise((resolve) => setTimeout(resolve, 10 * Math.random()));
  const parameter = number + (CHANGED && number === 4 ? 1 : 0);
  if (number % 3 === 0) {
    // a transaction on a connection of the pool's
    const connection = await pool.connect();
    await connection.beginTransaction();
    await connection.query('insert into stock values (?, ?)', [number, 7 * number]);
    await connection.query('update stock set amount = amount + 1 where id = ?', [number]);
    await connection.commit();
    await connection.close();
  } else {
    const [row] = await pool.query('select amount + ? as total from given', [parameter]);
    answers.push([number, Number(row.total)]);
  }
}

async function worker() {
  for (let next = jobs.pop(); next; next = jobs.pop()) {
    await job(next[1]);
  }
}

const setup = await odbc.connect(connectionString);
for (const table of ['stock (id integer primary key, amount integer)', 'given (amount integer)']) {
  await setup.query(`create table ${table}`);
}
await setup.query('insert into given values (1000)');
await Promise.all([...Array(Number(WORKERS ?? 4))].map(worker));
console.log('answers:', JSON.stringify(answers.sort(([one], [other]) => one - other)));
console.log('most:', JSON.stringify(await setup.query('select max(amount) as most from stock')));
await setup.close();
await pool.close();
console.log('done: everything was asked');
