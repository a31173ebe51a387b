// Runs super8-odbc/vitest's hooks around two tests, as vitest does: with the task, whose result is known after the test. vitest itself is
// in no package of Debian's; node_modules/vitest stands in for it.
import path from 'node:path';
import { hooks } from 'vitest';
import 'super8-odbc/vitest';
import odbc from 'odbc';

const file = { name: 'fruit.test.js', filepath: path.resolve('fruit.test.js') };
const suite = { name: 'a shop', suite: file };

for (const name of ['has pears', 'has plums', 'uses no database']) {
  const task = { id: name, name, suite, file, result: { state: 'run' } };
  for (const hook of hooks.before) await hook({ task });
  task.result.state = process.env.FAILS === name ? 'fail' : 'pass';
  if (!name.startsWith('uses')) {
    try {
      const connection = await odbc.connect(process.env.SOURCE ?? 'DSN=shop');
      await connection.query(`select ${process.env.ANSWER ?? 4} where ? = ''`, [name]);
      await connection.close();
    } catch (error) {
      task.result = { state: 'fail', errors: [error] };
    }
  }
  try {
    for (const hook of hooks.after) await hook({ task });
  } catch (error) {
    console.log(error.name, error.message);
  }
  console.log(task.result.state, name);
  for (const error of task.result.errors ?? []) console.log(error.message);
}
