/**
 * Python's subprocess.call(): runs a program with this one's standard output. It is node:child_process in Node; other programs
 * are no business of multiprocessing.
 */

import { spawnSync } from 'node:child_process';

function call(command: string, ...args: string[]): void {
  console.log(`$ ${[command, ...args].join(' ')}`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error === undefined) console.log(`Exit code: ${status}`);
  else console.log((error as NodeJS.ErrnoException).code);
}

call('uname', '-s');
call('no-such-program', 'www.python.org');
