import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { expectNoGrowth, growth, takeCensus } from './census.js';
import { childrenOf } from './processes.js';
import { runScript } from './run_script.js';
import { waitFor } from './watchdog.js';

describe('census', () => {
  it('finds nothing where nothing is left', async () => {
    const before = takeCensus();
    closeSync(openSync('/dev/null', 'r'));
    assert.deepEqual(growth(before, takeCensus()), []);
    await expectNoGrowth(before);
  });

  it('names a descriptor that is left open', async () => {
    const before = takeCensus();
    const fd = openSync('/dev/zero', 'r');
    try {
      assert.deepEqual(growth(before, takeCensus()), [`descriptor ${fd}: /dev/zero`]);
      await assert.rejects(expectNoGrowth(before, 0), /left behind:\n {2}descriptor \d+: \/dev\/zero$/);
    } finally {
      closeSync(fd);
    }
  });

  it('takes one descriptor for another of its kind', () => {
    const first = openSync('/dev/zero', 'r');
    const before = takeCensus();
    const second = openSync('/dev/zero', 'r');
    closeSync(first);
    assert.deepEqual(growth(before, takeCensus()), []);
    closeSync(second);
  });

  it('names a child that runs and waits for one that is ending', async () => {
    const before = takeCensus();
    const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    assert.ok(growth(before, takeCensus()).some((entry) => entry.startsWith(`child ${child.pid} (`)));
    child.stdin.end();
    await expectNoGrowth(before);
  });

  it('names a zombie', async () => {
    // sh becomes sleep, which never waits for the child that sh had.
    const parent = spawn('sh', ['-c', 'true & exec sleep 60'], { stdio: 'ignore' });
    const [zombie] = await waitFor('a zombie', () => {
      const zombies = childrenOf(parent.pid as number).filter(({ state }) => state === 'Z');
      return zombies.length > 0 && zombies;
    });
    assert.equal(zombie?.parent, parent.pid);
    parent.kill();
    await once(parent, 'exit');
  });

  it("names a kernel object of ours, not a living stranger's", () => {
    const before = takeCensus();
    const ours = [`/dev/shm/mp-${process.pid}-census`, `/dev/shm/sem.mp-${process.pid}-census`];
    const strangers = ['/dev/shm/mp-1-census', '/dev/shm/mp-test-1-census'];
    for (const name of [...ours, ...strangers]) writeFileSync(name, '');
    try {
      assert.deepEqual(growth(before, takeCensus()).sort(), ours);
    } finally {
      for (const name of [...ours, ...strangers]) rmSync(name);
    }
  });

  it('fails the suite that leaves something, and only that one', async () => {
    const hooks = JSON.stringify(new URL('./census.js', import.meta.url).href);
    const { stdout, timedOut } = await runScript(`
      import { openSync } from 'node:fs';
      import Mocha from 'mocha';
      import { mochaHooks } from ${hooks};
      const mocha = new Mocha({ reporter: 'json' });
      mocha.rootHooks(mochaHooks);
      for (const [title, body] of [['clean', () => {}], ['leaky', () => openSync('/dev/zero')], ['after it', () => {}]]) {
        const suite = Mocha.Suite.create(mocha.suite, title);
        suite.addTest(new Mocha.Test('does its work', body));
      }
      mocha.run();
    `);
    assert.equal(timedOut, false);
    const report = JSON.parse(stdout) as {
      passes: unknown[];
      failures: { fullTitle: string; err: { message: string } }[];
    };
    assert.equal(report.passes.length, 3);
    assert.deepEqual(
      report.failures.map(({ fullTitle }) => fullTitle),
      ['leaky "after all" hook: leaves nothing behind for "does its work"'],
    );
    assert.match(report.failures[0]?.err.message ?? '', /descriptor \d+: \/dev\/zero/);
  });
});
