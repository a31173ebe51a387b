// For vitest's setupFiles: gives each test a cassette, named after its file, its groups and its title.

import { beforeEach } from 'vitest';
import super8 from './index.js';

// Before the package odbc is loaded, because the driver manager reads its configuration then.
super8.start();

// vitest ends its processes with SIGTERM, whatever became of the tests. One that is not isolated runs several files, and loads this for each.
const run = (globalThis[Symbol.for('super8 run')] ??= { files: new Set(), begun: 0 });
if (run.begun++ === 0) {
  process.once('SIGTERM', () => process.exit());
  super8.judgeEnd(() => {
    const states = [...run.files].map((file) => file.result?.state);
    if (states.includes('fail')) return 1;
    return states.length === run.begun && states.every((state) => state === 'pass') ? 0 : undefined;
  });
}

beforeEach(({ task, onTestFinished }) => {
  run.files.add(task.file);
  const titles = [];
  for (let at = task; at && at !== task.file; at = at.suite) titles.unshift(at.name);
  const cassette = new super8.Cassette(super8.nameOf(task.file.filepath, titles, task.id));
  super8.recordAgain('npx', 'vitest', 'run', task.file.name);
  cassette.insert();
  // Behind every afterEach, also one that fails, and behind the end of fixtures, which close their connections there.
  onTestFinished(() => {
    const failed = task.result?.state === 'fail';
    if (failed !== Boolean(task.fails)) {
      cassette.discard();
      task.result.errors?.forEach(super8.explain);
      return;
    }
    try {
      cassette.eject();
    } catch (error) {
      // `test.fails` expects the test to fail, but not this way.
      task.fails = false;
      throw error;
    }
  });
});
