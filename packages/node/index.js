'use strict';

// Records what a program asks of a database through ODBC, and replays it without driver and database.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');

const COMMAND = path.join(__dirname, 'bin', 'super8');

// The results of super8_eject, as in shim/include/super8.h.
const [OK, UNPLAYED, MISMATCH, UNUSED, NOT_REPLAYED] = [0, 1, 2, 3, 4];

// What VCR calls super8's modes.
const MODES = { none: 'replay', all: 'record', rewrite: 'record' };

// SUPER8_MODE=record node --test: overrides the mode of every cassette. It is removed from the environment, because it
// must not apply to connects without a cassette.
let overriding;
if (process.env.SUPER8_MODE && !process.env.SUPER8_CASSETTE) {
  overriding = process.env.SUPER8_MODE;
  delete process.env.SUPER8_MODE;
}

/** super8 cannot do what it was asked to do: a misspelt setting, a recording that cannot be written. */
class Super8Error extends Error {
  name = 'Super8Error';
}

/** The program did something else than was recorded, or left out recorded commands. The message is super8's report. */
class NotAsRecorded extends Error {
  name = 'NotAsRecorded';
}

/** The defaults for calls. */
const configuration = { directory: 'cassettes', mode: 'once', settings: {} };

let addon;
let library;
let recorded;

/**
 * Puts super8 in front of every ODBC driver, for this process and those that it starts. Call it before the package odbc is loaded,
 * because the driver manager reads its configuration then. Further calls do nothing.
 */
function start() {
  if (library !== undefined) return;
  if (!isMainThread) {
    throw new Super8Error("a cassette is the whole process's, and this is one of its threads: run tests in processes (vitest: pool: 'forks')");
  }
  // The package odbc allocates its environment when it is loaded, and then the driver manager has read its files.
  if (Object.keys(require.cache).some((file) => path.basename(file) === 'odbc.node')) {
    throw new Super8Error('the package odbc was loaded before super8: import super8-odbc/node-test, or call start(), before odbc');
  }
  const prepared = prepare(path.resolve(configuration.directory));
  Object.assign(process.env, prepared.environment);
  recorded = prepared.recorded;
  addon = require('./bin/super8.node');
  library = addon.open(prepared.library);
}

// Returns what `super8 run --print-environment` prints on one line. The command keeps the configuration until this
// process closes the pipe, or ends.
function prepare(cassettes) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'super8-'));
  const [output, errors] = ['output', 'errors'].map((name) => fs.openSync(path.join(directory, name), 'w+'));
  fs.rmSync(directory, { recursive: true });
  const words = ['run', '--print-environment', '--cassettes', cassettes];
  // `node --test` and vitest run each file in a process, and the parent's run is the whole one
  if (process.env.NODE_TEST_CONTEXT || process.env.VITEST) words.push('--of', String(process.ppid));
  const child = spawn(COMMAND, words, { stdio: ['pipe', output, errors] });
  child.on('error', () => {}); // reported below
  child.stdin.on('error', () => {});
  child.unref();
  child.stdin.unref();
  try {
    // Waits here instead of using events, because the program that imports this may connect on the next line.
    for (;;) {
      const ended = !isRunning(child.pid);
      const [line, rest] = contents(output).split('\n');
      if (rest !== undefined) {
        process.on('exit', (code) => tellEnd(child, judge(code)));
        return JSON.parse(line);
      }
      if (ended) throw new Super8Error(contents(errors).trim() || `cannot run ${COMMAND}`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  } finally {
    fs.closeSync(output);
    fs.closeSync(errors);
  }
}

// What a run's end is called, of which a process is told an exit code.
let judge = (code) => code;

/** For a test runner whose processes end otherwise than its run: the code to tell in the place of theirs, or undefined if it is not known. */
function judgeEnd(by) {
  judge = by;
}

// Tells how the program ends, for `super8 unused` and the page of a folder of cassettes, and waits until that is kept.
function tellEnd(child, code) {
  if (code === undefined) return;
  try {
    fs.writeSync(child.stdin._handle.fd, `ended ${code}\n`);
    fs.closeSync(child.stdin._handle.fd);
    for (let times = 0; times < 500 && isRunning(child.pid); times += 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  } catch {
    // ignored: then `super8 unused` knows less about this run
  }
}

function isRunning(pid) {
  if (pid === undefined) return false;
  try {
    // The state is behind the program's name. A process that has ended is a zombie, which Node waits for later.
    return !/\) [ZX] [^)]*$/.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

function contents(file) {
  const buffer = Buffer.alloc(fs.fstatSync(file).size);
  return buffer.toString('utf8', 0, fs.readSync(file, buffer, 0, buffer.length, 0));
}

/** A cassette for the connections that are made while it is inserted. useCassette inserts and ejects one. */
class Cassette {
  constructor(name, { mode, ...settings } = {}) {
    this.name = path.resolve(configuration.directory, name).replaceAll('%', '%%');
    this.mode = String(overriding ?? mode ?? configuration.mode);
    this.options = Object.entries({ ...configuration.settings, ...settings })
      .filter(([, value]) => value !== undefined)
      .map(([setting, value]) => `Super8${setting[0].toUpperCase()}${setting.slice(1)}={${String(value).replaceAll('}', '}}')}};`)
      .join('');
  }

  /** Makes connections record or replay this cassette from now on. */
  insert() {
    start();
    const { name, mode, options } = this;
    if (addon.call(library, 'super8_insert', name, MODES[mode] ?? mode, options) !== OK) throw new Super8Error(addon.lastError(library));
  }

  /** Ends this cassette. Fails if it was not played as it was recorded, or could not be written. */
  eject() {
    const code = addon.call(library, 'super8_eject', this.name);
    if ([MISMATCH, UNPLAYED, NOT_REPLAYED].includes(code)) throw new NotAsRecorded(addon.lastError(library));
    if (![OK, UNUSED].includes(code)) throw new Super8Error(addon.lastError(library));
  }

  /** Ends it for a test that failed: its recording goes to the directory NAME.failed, and the earlier cassette stays. */
  discard() {
    if (addon.call(library, 'super8_discard', this.name) !== OK) throw new Super8Error(addon.lastError(library));
  }

  /** The number of recorded commands that were not played so far; 0 if it is not replayed. */
  get unplayed() {
    return Math.max(0, addon.call(library, 'super8_unplayed', this.name));
  }
}

/**
 * Makes connections record or replay the cassette of this name in the directory of cassettes, until the body returns or its promise is
 * settled. If the body fails, the recording is set aside, and the earlier cassette stays.
 */
function useCassette(name, options, body) {
  if (typeof options === 'function') return useCassette(name, {}, options);
  const cassette = new Cassette(name, options);
  cassette.insert();
  const succeed = (result) => {
    cassette.eject();
    return result;
  };
  const fail = (error) => {
    cassette.discard();
    explain(error);
    throw error;
  };
  let result;
  try {
    result = body(cassette);
  } catch (error) {
    return fail(error);
  }
  return typeof result?.then === 'function' ? result.then(succeed, fail) : succeed(result);
}

/** Adds super8's text to the message of an error: the package odbc has it in odbcErrors, which test runners do not show. */
function explain(error) {
  const errors = Array.isArray(error?.odbcErrors) ? error.odbcErrors : [];
  const said = errors.map(({ message }) => message).filter((message) => message.includes('[super8]'));
  if (recorded !== undefined && errors.some(({ state }) => state === 'IM002')) said.push(`super8: ${recorded}`);
  if (said.length > 0) error.message = [error.message, ...said].join('\n');
}

const owners = new Map();

/** Returns the name of a test's cassette: its file, its groups and its title. The id tells a repeated test from another one. */
function nameOf(file, titles, id) {
  const plain = (title) => title.replace(/[^\p{L}\p{N}_.,-]+/gu, '_').replace(/^\./, '_');
  const name = path.join(path.relative(process.cwd(), file).replaceAll('..', '_'), ...titles.map(plain));
  if (owners.has(name) && owners.get(name) !== id) {
    throw new Super8Error(`another test has the cassette ${name}, too: give one of the two another title, or call useCassette in it`);
  }
  owners.set(name, id);
  return name;
}

const advises = !process.env.SUPER8_RECORD_AGAIN; // `super8 replay` has its own advice

/** Sets the command line that super8's report shows for recording again. */
function recordAgain(...words) {
  if (advises) process.env.SUPER8_RECORD_AGAIN = ['SUPER8_MODE=record', ...words].join('\x1f');
}

module.exports = { COMMAND, Cassette, NotAsRecorded, Super8Error, configuration, explain, judgeEnd, nameOf, recordAgain, start, useCassette };
