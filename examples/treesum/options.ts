/** The command line. */

import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuCount } from 'posix-multiprocessing';

export const USAGE = `usage: npm start [-- [DIR] [--workers N] [--manifest FILE]]

Writes the SHA-256 of every regular file below DIR, as sha256sum does, with N worker processes.

  DIR              default: this project's node_modules
  --workers N      1 to 1024; default: the CPUs that this process may use
  --manifest FILE  where the sums go; default: treesum.sha256 in this project's out/, or in the directory for temporary
                   files if out/ is below DIR
  --help           this text

Exit status: 0 if all files were summed, 1 if some could not be read, 2 if nothing was done, 130 after Ctrl-C, 143
after SIGTERM.
`;

const MAX_WORKERS = 1024;
/** Compiled, this file is in out/examples/treesum/. */
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** The command line makes no sense. */
export class UsageError extends Error {}

/** It does, but what it names can't be used. */
export class InputError extends Error {}

export interface Options {
  /** Absolute, so that the manifest can be checked from anywhere. */
  directory: string;
  workers: number;
  /** Absolute. */
  manifest: string;
}

/** @throws UsageError */
export function parseOptions(args: string[]): Options | 'help' {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  if (positionals.length > 1) throw new UsageError(`one directory at a time, not ${positionals.length}`);
  const directory = path.resolve(positionals[0] ?? path.join(PROJECT, 'node_modules'));
  return {
    directory,
    workers: values.workers === undefined ? cpuCount() : parseWorkers(values.workers),
    manifest: path.resolve(values.manifest ?? path.join(harmlessPlace(directory), 'treesum.sha256')),
  };
}

/** @throws InputError */
export function checkDirectory(directory: string): void {
  const stats = statSync(directory, { throwIfNoEntry: false });
  if (stats === undefined) throw new InputError(`${directory}: no such directory`);
  if (!stats.isDirectory()) throw new InputError(`${directory}: not a directory`);
}

/** What `file` is called below `directory`, links or not; undefined if it is elsewhere. */
export function nameBelow(directory: string, file: string): string | undefined {
  const relative = path.relative(directory, file);
  return relative === '..' || relative.startsWith('../') ? undefined : relative;
}

function parse(args: string[]): {
  values: { workers?: string; manifest?: string; help?: boolean };
  positionals: string[];
} {
  const options = { workers: { type: 'string' }, manifest: { type: 'string' }, help: { type: 'boolean' } } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function parseWorkers(text: string): number {
  const workers = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (workers >= 1 && workers <= MAX_WORKERS) return workers;
  throw new UsageError(`--workers must be a number from 1 to ${MAX_WORKERS}, not '${text}'`);
}

/** A directory that is neither versioned nor to be summed. */
function harmlessPlace(directory: string): string {
  const out = path.join(PROJECT, 'out');
  return nameBelow(directory, out) === undefined ? out : tmpdir();
}
