import type { Options } from './index.js';

/** Wraps the function of a test of node:test, so that the test has a cassette. */
export function withCassette<T, R>(body: (t: T) => R): (t: T) => R;
export function withCassette<T, R>(options: Options, body: (t: T) => R): (t: T) => R;
