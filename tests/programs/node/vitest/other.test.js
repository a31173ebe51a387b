// A second file, whose tests use another cassette, whether it has a process of its own or not.
import odbc from 'odbc';
import { expect, test } from 'vitest';

test('has apples', async () => {
  const connection = await odbc.connect('DSN=shop');
  const [row] = await connection.query('select price from fruit where name = ?', ['apple']);
  expect(row.price).toBe(3);
  await connection.close();
});
