'use strict';

const path = require('node:path');
const { nameOf, recordAgain, start, useCassette } = require('./index.js');

// Before the package odbc is loaded, because the driver manager reads its configuration then.
start();

/**
 * Wraps the function of a test of node:test, so that the test has a cassette: test('title', withCassette(async (t) => ...)). The
 * cassette is named after the file and the test; options are those of useCassette.
 */
function withCassette(options, body) {
  if (typeof options === 'function') return withCassette({}, options);
  const id = Symbol('test');
  return (t) => {
    // `node --test` runs each file in a process.
    const file = path.relative(process.cwd(), t.filePath ?? process.argv[1]);
    // Without the test's groups: an older Node does not tell them, and a newer one must give cassettes the same names.
    const name = nameOf(file, [t.name], id);
    recordAgain('node', '--test', file);
    return useCassette(name, options, () => body(t));
  };
}

module.exports = { withCassette };
