import type { Options } from './index.js';

/** The function of a test of node:test with a cassette of its own. */
export function withCassette<T, R>(body: (t: T) => R): (t: T) => R;
export function withCassette<T, R>(options: Options, body: (t: T) => R): (t: T) => R;
