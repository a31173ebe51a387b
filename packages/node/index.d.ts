/** `once`, which it is otherwise; `none` (or `replay`), `record` (or `all`, `rewrite`), or `off`. */
export type Mode = 'once' | 'none' | 'replay' | 'record' | 'all' | 'rewrite' | 'off';

/** The mode, and super8's settings without their prefix: `order: 'connection'` is `Super8Order=connection`. */
export interface Options {
  mode?: Mode;
  [setting: string]: string | number | boolean | undefined;
}

/** super8 cannot do what it is asked for: a misspelt setting, a recording that cannot be written. */
export class Super8Error extends Error {}

/** The program did something else than was recorded, or left recorded commands out. The message is super8's report. */
export class NotAsRecorded extends Error {}

/** A cassette for the connections that are made while it is inserted. `useCassette` inserts and ejects one. */
export class Cassette {
  constructor(name: string, options?: Options);
  readonly name: string;
  readonly mode: string;
  /** How many recorded commands were not played so far; 0 if it is not replayed. */
  readonly unplayed: number;
  insert(): void;
  eject(): void;
  discard(): void;
}

/** What holds where a call does not say it. */
export const configuration: { directory: string; mode: Mode; settings: Options };

/** The path of super8's command. */
export const COMMAND: string;

/** Puts super8 before every ODBC driver. Call it before the first connection of the process; further calls do nothing. */
export function start(): void;

/** The name of a test's cassette: its file's, and those of the groups that it is in. */
export function nameOf(file: string, titles: string[], id: unknown): string;

/** Says in super8's report how to record again: a command's words. */
export function recordAgain(...words: string[]): void;

/** Adds to the message of an error of the package odbc what super8 says. */
export function explain(error: unknown): void;

/** Connections that are made until the body returns, or its promise is settled, record or replay this cassette. */
export function useCassette<T>(name: string, body: (cassette: Cassette) => T): T;
export function useCassette<T>(name: string, options: Options, body: (cassette: Cassette) => T): T;
