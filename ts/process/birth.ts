/** What a fresh process is told to become a Process: in two messages, for the second may need the module of the first. */

import type { Place } from './importable.js';
import type { StartMethod } from './start_method.js';

/** Who it is, and where its code is. */
export interface Birth {
  readonly name: string;
  readonly path: string;
  readonly daemon: boolean;
  readonly insideDaemon: boolean;
  readonly authKey: Uint8Array;
  readonly startMethod: StartMethod | undefined;
  /** Who called start(). */
  readonly creator: number;
  readonly creatorName: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  /** A subclass of Process; undefined for Process itself. */
  readonly type: Place | undefined;
  readonly target: Place | undefined;
}

/** What it works on: read once its modules are there, which may know classes that travel in a way of their own. */
export interface Load {
  readonly args: readonly unknown[];
  /** Own properties of an instance of a subclass. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The last message: now somebody has the child's pid and waits for it. Without it the child ends. */
export const GO = 'go';

/** Who is to be born, and with what. */
export interface Newborn {
  readonly birth: Birth;
  readonly load: Load;
}

/** The environment, without variables that have no value. */
export function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
