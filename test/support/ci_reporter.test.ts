import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { runScript } from './run_script.js';

/** Runs one suite of such tests under the reporter; `skip` is a test without a body. */
function report(...tests: ('pass' | 'fail' | 'skip' | 'hang')[]): ReturnType<typeof runScript> {
  const reporter = JSON.stringify(new URL('../../../test/support/ci_reporter.mjs', import.meta.url).href);
  const text = `
    import Mocha from 'mocha';
    import Reporter from ${reporter};
    const mocha = new Mocha({ reporter: Reporter });
    const suite = Mocha.Suite.create(mocha.suite, 'suite');
    const bodies = {
      pass: () => {}, fail: () => { throw new Error('broken'); }, skip: undefined,
      hang: () => { for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
    };
    for (const kind of process.argv.slice(1)) suite.addTest(new Mocha.Test(kind, bodies[kind]));
    mocha.run();`;
  const hangs = tests.includes('hang');
  const env = { MP_TEST_PROGRESS: join(tmpdir(), `mp-progress-${process.pid}`) };
  return runScript(text, { args: tests, env, ...(hangs && { timeout: 8_000 }) });
}

function progress(): unknown {
  const file = join(tmpdir(), `mp-progress-${process.pid}`);
  const state: unknown = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(file);
  return state;
}

describe('the CI reporter', () => {
  it('closes with the counts alone on the last line', async () => {
    const { stdout } = await report('pass', 'fail', 'pass');
    assert.match(stdout, /\n2 passed, 1 failed\n$/);
    assert.deepEqual(progress(), { passed: 2, failed: 1, skipped: 0 });
  });

  it('counts skipped tests when there are any', async () => {
    const { stdout } = await report('pass', 'skip');
    assert.match(stdout, /\n1 passed, 0 failed, 1 skipped\n$/);
    assert.deepEqual(progress(), { passed: 1, failed: 0, skipped: 1 });
  });

  it('leaves the title of a test that hangs, and the counts before it', async () => {
    const { timedOut, stdout } = await report('pass', 'hang');
    assert.equal(timedOut, true);
    assert.doesNotMatch(stdout, /passed,/);
    assert.deepEqual(progress(), { passed: 1, failed: 0, skipped: 0, running: 'suite hang' });
  });
});
