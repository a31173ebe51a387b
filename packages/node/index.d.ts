/** `once` (the default), `none` (or `replay`), `record` (or `all`, `rewrite`), or `off`. */
export type Mode = 'once' | 'none' | 'replay' | 'record' | 'all' | 'rewrite' | 'off';

/** The mode, and super8's settings without their prefix: `order: 'connection'` is `Super8Order=connection`. */
export interface Options {
  mode?: Mode;
  [setting: string]: string | number | boolean | undefined;
}

/** super8 cannot do what it was asked to do: a misspelt setting, a recording that cannot be written. */
export class Super8Error extends Error {}

/** The program did something else than was recorded, or left out recorded commands. The message is super8's report. */
export class NotAsRecorded extends Error {}

/** A cassette for the connections that are made while it is inserted. `useCassette` inserts and ejects one. */
export class Cassette {
  constructor(name: string, options?: Options);
  readonly name: string;
  readonly mode: string;
  /** The number of recorded commands that were not played so far; 0 if it is not replayed. */
  readonly unplayed: number;
  insert(): void;
  eject(): void;
  discard(): void;
}

/** The defaults for calls. */
export const configuration: { directory: string; mode: Mode; settings: Options };

/** The path of super8's command. */
export const COMMAND: string;

/** Puts super8 in front of every ODBC driver. Call it before the package odbc is loaded; further calls do nothing. */
export function start(): void;

/** Returns the name of a test's cassette: its file, its groups and its title. */
export function nameOf(file: string, titles: string[], id: unknown): string;

/** Sets the command line, word by word, that super8's report shows for recording again. */
export function recordAgain(...words: string[]): void;

/** Adds super8's text to the message of an error of the package odbc. */
export function explain(error: unknown): void;

/** Makes connections record or replay this cassette, until the body returns or its promise is settled. */
export function useCassette<T>(name: string, body: (cassette: Cassette) => T): T;
export function useCassette<T>(name: string, options: Options, body: (cassette: Cassette) => T): T;
