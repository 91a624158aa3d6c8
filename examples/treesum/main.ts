/** npm start: the command line around treesum(). See README.md beside this file. */

import { constants } from 'node:os';
import { inspect } from 'node:util';
import { InputError, parseOptions, USAGE, UsageError } from './options.js';
import { treesum } from './treesum.js';

const EXIT = { complete: 0, incomplete: 1, trouble: 2 } as const;

class Interrupted extends Error {
  /** As a shell shows it. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.exitCode = 128 + constants.signals[signal];
  }
}

async function main(args: string[]): Promise<number> {
  const stop = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => stop.abort(new Interrupted(signal));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  // Nobody reads on (`npm start | head`): as if by the signal that Node ignores.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interrupt('SIGPIPE'));
  try {
    const options = parseOptions(args);
    if (options === 'help') {
      process.stdout.write(USAGE);
      return EXIT.complete;
    }
    return (await treesum(options, stop)) === 0 ? EXIT.complete : EXIT.incomplete;
  } catch (error) {
    if (stop.signal.reason instanceof Interrupted) return stop.signal.reason.exitCode;
    process.stderr.write(explain(error));
    return EXIT.trouble;
  }
}

function explain(error: unknown): string {
  if (error instanceof UsageError) return `treesum: ${error.message}\n\n${USAGE}`;
  // What the system refuses is the user's to mend; anything else is a bug, and wants its stack.
  if (error instanceof InputError || isSystemError(error)) return `treesum: ${error.message}\n`;
  return `treesum: ${inspect(error)}\n`;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
