// Tests under super8-odbc/vitest. The environment says what they do otherwise than recorded.
import odbc from 'odbc';
import { afterEach, describe, expect, test } from 'vitest';

const asks = (name) => (process.env.OTHERWISE ?? '').includes(name);

async function price(name, sql = "select 4 as price where ? = 'pear'") {
  const connection = await odbc.connect(asks('misspelt') ? 'DSN=shpo' : 'DSN=shop');
  const [row] = await connection.query(sql, [name]);
  await connection.close();
  return row?.price;
}

describe('a shop', () => {
  test('has pears', async () => {
    expect(await price('pear', asks('pears') ? "select 5 as price where ? = 'pear'" : undefined)).toBe(4);
  });

  test.each([10, 20])('has no plums: %i%%', async (percent) => {
    expect(await price(`plum ${percent}`)).toBe(undefined);
  });
});

test('uses no database', () => {});

test('swallows an error', async () => {
  try {
    await price('pear', asks('swallowed') ? 'select 7, ?' : 'select 6, ?');
  } catch {}
});

test('leaves out', async () => {
  await price('pear');
  if (!asks('left out')) await price('apple');
});

test('may fail', async () => {
  expect(await price('pear', `select ${asks('fail') ? 8 : 9} as price where ? = 'pear'`)).toBe(9);
});

test.fails('is expected to fail', async () => {
  expect(await price('pear', asks('expected') ? "select 3 as price where ? = 'pear'" : undefined)).toBe(5);
});

test.fails('is expected to swallow', async () => {
  try {
    await price('pear', asks('unseen') ? 'select 7, ?' : 'select 6, ?');
  } catch {}
  expect(1).toBe(2);
});

let attempts = 0;
test('succeeds when it is repeated', { retry: 1 }, async () => {
  attempts += 1;
  expect(await price('pear')).toBe(attempts === 1 ? 5 : 4);
});

// The connection is closed behind the test's last afterEach.
const withConnection = test.extend({
  connection: async ({}, use) => {
    const connection = await odbc.connect('DSN=shop');
    await use(connection);
    await connection.query('select 7');
    await connection.close();
  },
});
withConnection('has a fixture', async ({ connection }) => {
  const [row] = await connection.query('select 6 as six');
  expect(row.six).toBe(6);
});

describe('with a hook', () => {
  afterEach(() => {
    if (asks('hook')) throw new Error('the hook fails');
  });
  test('before another test', async () => {
    await price('pear');
  });
});

test('after the hook', async () => {
  expect(await price('pear')).toBe(4);
});
