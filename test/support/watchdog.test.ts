import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { describeProcess, withEnvironment } from './processes.js';
import { waitFor } from './watchdog.js';

describe('waitFor', () => {
  it('resolves with the first value that is neither undefined nor false', async () => {
    const answers = [undefined, false as const, 0, 1];
    assert.equal(await waitFor('a number', () => answers.shift()), 0);
    assert.deepEqual(answers, [1]);
  });

  it('asks an asynchronous condition', async () => {
    assert.equal(await waitFor('a word', async () => 'word'), 'word');
  });

  it('passes an exception of the condition on', async () => {
    await assert.rejects(
      waitFor('nothing', () => {
        throw new RangeError('no');
      }),
      RangeError,
    );
  });

  it('rejects in the end with what the children do', async () => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    try {
      await once(child, 'spawn');
      await assert.rejects(
        waitFor('the impossible', () => false, 20),
        (error: Error) => {
          assert.match(error.message, /^waited 20 ms in vain: the impossible\n/);
          assert.match(error.message, new RegExp(`process ${child.pid}: sleep 600\\n {2}State: S`));
          assert.match(error.message, /descriptors: 0 \/dev\/null, 1 \/dev\/null/);
          return true;
        },
      );
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });

  it('says so when there is no child', async () => {
    await assert.rejects(
      waitFor('the impossible', () => undefined, 0),
      /process \d+ has no children$/,
    );
  });
});

describe('the facts of a process', () => {
  it('stand for one that is gone as well', () => {
    assert.match(describeProcess(2 ** 22 + 1), /\(gone\)/);
  });

  it('find a process by a variable of its environment', async () => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore', env: { MP_TEST_MARK: 'x y' } });
    await once(child, 'spawn');
    // Until exec is through, the child still has our own environment.
    await waitFor('exec', () => withEnvironment('MP_TEST_MARK=x y').length === 1);
    assert.deepEqual(
      withEnvironment('MP_TEST_MARK=x y').map(({ pid }) => pid),
      [child.pid],
    );
    assert.deepEqual(withEnvironment('MP_TEST_MARK=x'), []);
    child.kill();
    await once(child, 'exit');
  });
});
