import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { forkSupport } from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';

async function run(name: string): Promise<string[]> {
  const { code, stdout, stderr, facts } = await runScript(new URL(`../../examples/pool/${name}.js`, import.meta.url));
  assert.equal(code, 0, stderr + facts);
  return stdout.trim().split('\n');
}

describe('examples/pool', function () {
  this.timeout(60_000);

  before(function () {
    if (!forkSupport().supported) this.skip();
  });

  it('closures: what was captured is there', async () => {
    assert.deepEqual(await run('closures'), ['3328335000000']);
  });

  it('progress: every step is told', async () => {
    const lines = await run('progress');
    assert.deepEqual(
      lines.slice(0, -1),
      Array.from({ length: 20 }, (_, index) => `${index + 1} of 20`),
    );
    assert.equal(lines.at(-1), '9592 primes below 100000');
  });

  it('abort: the first answer is enough', async () => {
    assert.deepEqual(await run('abort'), ['the quick one', 'rejected', 'rejected', 'fulfilled']);
  });

  it('streaming: the generator waits for the reader', async () => {
    assert.deepEqual(await run('streaming'), ['249500250000 from 1000 numbers', 'few were generated for nothing']);
  });
});
