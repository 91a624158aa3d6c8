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

/** A memory file with it; undefined where the system has none to give: it only saves time. The caller closes it. */
function compiledFile(): number | undefined {
  code ??= compile();
  let fd: number | undefined;
  try {
    fd = native.memfdCreate('posix-multiprocessing code');
    if (writeSync(fd, code) === code.length) return fd;
  } catch {
    // As below.
  }
  if (fd !== undefined) closeSync(fd);
  return undefined;
}

/** Calls with a descriptor to hand on, or without one where that is of no use. */
export function withCompiledCode<R>(begin: (fd: number | undefined) => R): R {
  wanted += 1;
  const fd = wanted < FIRST || !isOfUse() ? undefined : compiledFile();
  try {
    return begin(fd);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
