/** A fresh Node that runs a program of this library's: descriptor 3 is its end of a connection, 0 is /dev/null. */

import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Connection } from '../connection/connection.js';
import { inheritableNames } from '../internal/tree_names.js';
import { native } from '../native/load.js';
import { environment } from './birth.js';
import { ChildHandle } from './child_handle.js';

/** The number of its end, there. */
export const CONNECTION = 3;
/** The number of the registry of the tree's names, there. */
const NAMES = 4;
/** The number of what V8 has compiled, there; see compiled_main.ts. */
const CODE = 5;

/** Where this program began: what its options name (--import ./loader.mjs) is found from there. */
const home = whereThisIs();

function whereThisIs(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined; // the folder is gone
  }
}

/** The folder for a fresh node, which goes to where it is wanted by itself; undefined: this process's own. */
function startingFolder(): string | undefined {
  return home === whereThisIs() || home === undefined || !existsSync(home) ? undefined : home;
}

/** Options that say what this process runs, or that can be used once only. */
const OWN_OPTIONS =
  /^(-e|--eval|-p|--print|-pe|-i|--interactive|-c|--check|--test|--watch|--input-type|--inspect.*)(=|$)/;
const WITH_VALUE = /^(-e|--eval|-p|--print|-pe)$/;

/** The options of this node that a fresh one takes over: loaders, conditions, flags of V8. */
export function inheritedOptions(options: readonly string[]): string[] {
  return options.filter((option, index) => {
    const previous = options[index - 1];
    return !OWN_OPTIONS.test(option) && !(previous !== undefined && WITH_VALUE.test(previous));
  });
}

/**
 * Starts it, whatever the size of this process, in as good as no time; it is up some 40 ms later. `theirs` is its end of
 * the connection, and `code` what compiled_main.ts takes; both stay the caller's here. @throws as execve(2)
 */
export function startFreshNode(program: URL, theirs: Connection, code?: number): ChildHandle {
  const nothing = openSync('/dev/null', 'r');
  try {
    const args = [process.execPath, ...inheritedOptions(process.execArgv), fileURLToPath(program)];
    const names = inheritableNames(NAMES);
    const variables = Object.entries({ ...environment(), ...names?.environment }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const compiled = code === undefined ? [] : [code, CODE];
    // Node makes its own standard streams close-on-exec.
    const registry = names === undefined ? [] : [names.fd, NAMES];
    const descriptors = Int32Array.of(nothing, 0, 1, 1, 2, 2, theirs.fd, CONNECTION, ...registry, ...compiled);
    const { pid, pidfd } = native.spawn(process.execPath, args, variables, startingFolder(), descriptors);
    return new ChildHandle(pid, pidfd);
  } finally {
    closeSync(nothing);
  }
}
