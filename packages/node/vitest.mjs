// For vitest's setupFiles: gives each test a cassette, named after its file, its groups and its title.

import { afterEach, beforeEach } from 'vitest';
import super8 from './index.js';

// Before the package odbc is loaded, because the driver manager reads its configuration then.
super8.start();

const cassettes = new Map();

beforeEach(({ task }) => {
  const titles = [];
  for (let at = task; at && at !== task.file; at = at.suite) titles.unshift(at.name);
  const cassette = new super8.Cassette(super8.nameOf(task.file.filepath, titles, task.id));
  super8.recordAgain('npx', 'vitest', 'run', task.file.name);
  cassette.insert();
  cassettes.set(task.id, cassette);
});

afterEach(({ task }) => {
  const cassette = cassettes.get(task.id);
  cassettes.delete(task.id);
  if (task.result?.state === 'fail') {
    cassette?.discard();
    task.result.errors?.forEach(super8.explain);
  } else cassette?.eject();
});
