/** The command `posix-multiprocessing`. */

import { parseArgs } from 'node:util';
import { leftovers } from './internal/tree_names.js';

const USAGE = `usage: posix-multiprocessing clean [--dry-run]

Removes what programs of this library have left in /dev/shm: the names of shared memory and semaphores that were to go
with their processes, when all of these have ended and their tracker was killed too. Nothing else: no name of a program
that runs, none that persists, no other user's. Prints each path. With --dry-run it only prints.
`;

function parse(): { command: string | undefined; dryRun: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({ options: { 'dry-run': { type: 'boolean' } }, allowPositionals: true });
    return positionals.length === 1 ? { command: positionals[0], dryRun: values['dry-run'] === true } : undefined;
  } catch {
    return undefined;
  }
}

export function main(): void {
  const asked = parse();
  if (asked?.command === 'clean') {
    for (const path of leftovers({ remove: !asked.dryRun })) process.stdout.write(`${path}\n`);
  } else {
    process.stderr.write(USAGE);
    process.exitCode = 2;
  }
}
