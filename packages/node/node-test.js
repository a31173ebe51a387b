'use strict';

const path = require('node:path');
const { nameOf, recordAgain, start, useCassette } = require('./index.js');

// Before anything connects: the driver manager reads its configuration then.
start();

/**
 * The function of a test of node:test with a cassette of its own: test('title', withCassette(async (t) => ...)). It is named after the
 * file and the test; options are those of useCassette.
 */
function withCassette(options, body) {
  if (typeof options === 'function') return withCassette({}, options);
  const id = Symbol('test');
  return (t) => {
    // `node --test` runs each file in a process.
    const file = path.relative(process.cwd(), t.filePath ?? process.argv[1]);
    // Not its groups: an older Node does not tell them, and cassettes keep their names.
    const name = nameOf(file, [t.name], id);
    recordAgain('node', '--test', file);
    return useCassette(name, options, () => body(t));
  };
}

module.exports = { withCassette };
