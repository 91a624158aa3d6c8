/**
 * What V8 has compiled of core.cjs goes along to spawned processes: each of them would compile it once more. It is made
 * once a program spawns for the second time, and V8 refuses it where the other process has other flags: that one compiles.
 */

import { closeSync, readFileSync, writeSync } from 'node:fs';
import Module from 'node:module';
import { fileURLToPath } from 'node:url';
import { builtin } from '../internal/builtins.js';
import { native, packageFile } from '../native/load.js';

const FIRST = 2;

let wanted = 0;
let code: Buffer | undefined;

/** Stacks by source map, and coverage, are of what Node's loader has compiled. */
function isOfUse(): boolean {
  return !process.sourceMapsEnabled && process.env['NODE_V8_COVERAGE'] === undefined;
}

function compile(): Buffer {
  const filename = fileURLToPath(packageFile('core.cjs'));
  const source = Module.wrap(readFileSync(filename, 'utf8'));
  return new (builtin.vm().Script)(source, { filename }).createCachedData();
}

/** Calls with a descriptor to hand on, or without one where that is of no use. */
export function withCompiledCode<R>(begin: (fd: number | undefined) => R): R {
  wanted += 1;
  if (wanted < FIRST || !isOfUse()) return begin(undefined);
  code ??= compile();
  const fd = native.memfdCreate('posix-multiprocessing code');
  try {
    writeSync(fd, code);
    return begin(fd);
  } finally {
    closeSync(fd);
  }
}
