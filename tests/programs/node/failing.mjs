// Moves fruit from one shelf to another in a transaction. What it does with an error is the mode: `passes`, `retries`, `swallows`,
// `commits` or `crashes`.
import { createRequire } from 'node:module';

const odbc = createRequire(`${process.env.ODBC_PACKAGE}/`)('odbc');
const [, , string, mode] = process.argv;

async function move() {
  const connection = await odbc.connect(string);
  try {
    await connection.beginTransaction();
    await connection.query("update shelf set amount = amount - 3 where name = 'upper'");
    try {
      await connection.query("update shelf set amount = amount + 3 where name = 'lower'");
    } catch (error) {
      if (mode === 'crashes') process.abort();
      if (mode === 'swallows') return;
      if (mode !== 'commits') throw error;
    }
    await connection.commit();
    for (const row of await connection.query('select name, amount from shelf order by name')) {
      console.log(JSON.stringify(row));
    }
  } finally {
    await connection.close();
  }
}

for (let left = mode === 'retries' ? 3 : 1; left > 0; left--) {
  try {
    await move();
    break;
  } catch (error) {
    console.error(error.message, JSON.stringify(error.odbcErrors));
    if (left === 1) process.exit(1);
  }
}
console.log('done: everything was asked');
