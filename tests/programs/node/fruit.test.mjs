// Tests with a cassette each. The environment says what they do otherwise than recorded.
import assert from 'node:assert';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { NotAsRecorded, Super8Error, useCassette } from 'super8-odbc';
import { withCassette } from 'super8-odbc/node-test';
import odbc from 'odbc';

const asks = (name) => (process.env.OTHERWISE ?? '').includes(name);

async function price(name, sql = "select 4 as price where ? = 'pear'") {
  const connection = await odbc.connect(asks('misspelt') ? 'DSN=shpo' : 'DSN=shop');
  const [row] = await connection.query(sql, [name]);
  await connection.close();
  return row?.price;
}

test('has pears', withCassette(async () => {
  assert.strictEqual(await price('pear', asks('pears') ? "select 5 as price where ? = 'pear'" : undefined), 4);
}));

test('has no plums: 100%', withCassette({ order: 'connection' }, async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.strictEqual(await price('plum'), undefined);
}));

test('uses no database', withCassette(() => {}));

test('swallows an error', withCassette(async () => {
  try {
    await price('pear', asks('swallowed') ? 'select 7, ?' : 'select 6, ?');
  } catch {}
}));

test('may fail', withCassette(async () => {
  assert.strictEqual(await price('pear', `select ${asks('fail') ? 8 : 9} as price where ? = 'pear'`), 9);
}));

test('leaves out', withCassette(async () => {
  await price('pear');
  if (!asks('left out')) await price('apple');
}));

test('names its cassettes itself', async () => {
  const inner = await useCassette('by name/outer', async (cassette) => {
    const inner = await useCassette('by name/inner', { mode: 'once' }, () => price('pear'));
    assert.strictEqual(await price('pear'), 4);
    assert.strictEqual(cassette.unplayed, 0);
    return inner;
  });
  assert.strictEqual(inner, 4);
  assert.throws(() => useCassette('by name/outer', { oder: 'connection' }, () => {}), Super8Error);
  assert.throws(() => useCassette('by name/outer', { mode: 'off' }, () => { throw new RangeError(); }), RangeError);
  if (process.env.SUPER8_MODE !== 'record' && !process.env.RECORDS) {
    assert.throws(() => useCassette('by name/outer', { mode: 'none' }, () => {}), NotAsRecorded);
  }
});

test('is not for threads', async () => {
  const worker = new Worker("require('super8-odbc').start()", { eval: true });
  await assert.rejects(new Promise((_, reject) => worker.once('error', reject)), /pool: 'forks'/);
});
