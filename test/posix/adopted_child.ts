/**
 * Children that node:child_process knows nothing of, so that nobody else reaps them: a shell starts one and ends, and
 * this process, as subreaper, adopts the orphan.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';
import { SHELL_ENVIRONMENT } from './shell_environment.js';

/** To be called in a describe(): adopts orphans while its tests run. */
export function adoptOrphans(): void {
  before(() => posix.setChildSubreaper(true));
  after(() => posix.setChildSubreaper(false));
}

/** A child that runs a shell script; killed and reaped when it goes out of scope. */
export class AdoptedChild {
  readonly pid: number;

  constructor(script: string) {
    // It waits for a line until the shell has ended: an orphan that ends earlier is reaped by the shell.
    const { readEnd, writeEnd } = posix.pipe();
    const starter = 'exec sh -c "read line <&3; $1" >/dev/null 2>&1 & echo $!';
    const { stdout } = spawnSync('sh', ['-c', starter, 'sh', script], {
      stdio: ['ignore', 'pipe', 'inherit', readEnd],
      encoding: 'utf8',
      env: SHELL_ENVIRONMENT,
    });
    posix.write(writeEnd, Buffer.from('\n'));
    posix.close(readEnd);
    posix.close(writeEnd);
    this.pid = Number(stdout);
    assert.ok(this.pid > 0);
  }

  [Symbol.dispose](): void {
    try {
      posix.kill(this.pid, 'SIGKILL');
      posix.waitpid(this.pid);
    } catch {
      // The test has reaped it.
    }
  }
}
