import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';

/** True for a pid that is no process, or one that only waits to be reaped by init. */
const gone = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').startsWith('Z');
  } catch {
    return true;
  }
};

const preamble = `
  import { Process } from 'posix-multiprocessing';
  const forEver = () => new Promise(() => setInterval(() => {}, 1000));
  const after = (milliseconds, act) => () => new Promise((resolve) => setTimeout(() => { act(); resolve(); }, milliseconds));
`;

describe('the end of the parent', () => {
  it('waits for children that nobody joined', async () => {
    const { stdout, code } = await runScript(`${preamble}
      await new Process({ target: after(100, () => console.log('child ends')) }).start();
      process.on('exit', () => console.log('parent ends'));
    `);
    assert.equal(code, 0);
    assert.equal(stdout, 'child ends\nparent ends\n');
  });

  it('waits for them after process.exit() too, and keeps its code', async () => {
    const { stdout, code } = await runScript(`${preamble}
      await new Process({ target: after(100, () => console.log('child ends')) }).start();
      process.exit(5);
    `);
    assert.equal(code, 5);
    assert.equal(stdout, 'child ends\n');
  });

  it('keeps the names of shared memory until the children it waits for have ended', async () => {
    const { stdout, code } = await runScript(`${preamble}
      import { SharedMemory } from 'posix-multiprocessing';
      const memory = SharedMemory.create({ size: 16 });
      const look = () => { SharedMemory.open(memory.name).close(); console.log('still there'); };
      await new Process({ target: after(100, look) }).start();
      process.exit(5);
    `);
    assert.equal(stdout, 'still there\n');
    assert.equal(code, 5);
  });

  it('stops daemons, and a daemon does not keep the parent alive', async () => {
    const { stdout, code, timedOut } = await runScript(`${preamble}
      const daemon = new Process({ target: forEver, daemon: true });
      await daemon.start();
      console.log(daemon.pid);
    `);
    assert.equal(timedOut, false);
    assert.equal(code, 0);
    assert.ok(gone(Number(stdout)));
  });

  it('lets daemons clean up on SIGTERM, and kills those that will not end', async () => {
    const { stdout, code, timedOut } = await runScript(`${preamble}
      const polite = new Process({ daemon: true, target: () => {
        process.on('SIGTERM', () => { console.log('cleaned up'); process.exit(); });
        return forEver();
      } });
      const stubborn = new Process({ daemon: true, target: () => { process.on('SIGTERM', () => {}); return forEver(); } });
      await polite.start();
      await stubborn.start();
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log(stubborn.pid);
    `);
    assert.equal(timedOut, false);
    assert.equal(code, 0);
    const [pid, cleanUp] = stdout.trim().split('\n');
    assert.equal(cleanUp, 'cleaned up');
    assert.ok(gone(Number(pid)));
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`stops daemons and all that descends from them when it dies of ${signal}`, async () => {
      const { stdout, signal: ended } = await runScript(`${preamble}
        const daemon = new Process({ daemon: true, target: async () => {
          const grandchild = await new Process({ target: forEver, daemon: false }).start();
          console.log(process.pid + ' ' + grandchild.pid);
          await forEver();
        } });
        await daemon.start();
        process.stdin.resume();
        await new Promise((resolve) => setTimeout(resolve, 300));
        process.kill(process.pid, '${signal}');
      `);
      assert.equal(ended, signal);
      const pids = stdout.trim().split(' ').map(Number);
      assert.equal(pids.length, 2);
      // runScript() resolves when everybody has closed stdout: they are dead, or about to be reaped by init.
      await waitFor('the daemons are gone', () => pids.every(gone));
    });
  }

  it('is noticed by a child: parentProcess() ends and join() resolves', async () => {
    const { stdout } = await runScript(`
      import { parentProcess, Process } from 'posix-multiprocessing';
      const child = new Process({ target: async () => {
        const before = parentProcess().isAlive();
        process.kill(parentProcess().pid, 'SIGKILL');
        console.log(before, await parentProcess().join(), parentProcess().isAlive(), parentProcess().joinSync());
      } });
      await child.start();
      await new Promise(() => setInterval(() => {}, 1000));
    `);
    assert.equal(stdout, 'true true false true\n');
  });
});

describe('the end of a child with children', () => {
  it('waits for its children and stops its daemons', async () => {
    const { stdout, code, timedOut } = await runScript(`${preamble}
      const child = new Process({ target: async () => {
        await new Process({ target: forEver, daemon: true }).start();
        await new Process({ target: after(50, () => console.log('grandchild ends')) }).start();
      } });
      await child.start();
      await child.join();
      console.log('child ended with ' + child.exitCode);
    `);
    assert.equal(timedOut, false);
    assert.equal(code, 0);
    assert.equal(stdout, 'grandchild ends\nchild ended with 0\n');
  });
});
