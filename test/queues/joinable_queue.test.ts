import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'mocha';
import { JoinableQueue, Process, Queue } from 'posix-multiprocessing';

const closed = { code: 'ERR_MP_CLOSED' };

describe('JoinableQueue', () => {
  it('join waits until taskDone was called for every value, whoever took it', async () => {
    using queue = new JoinableQueue<number>();
    assert.ok(queue instanceof Queue);
    assert.equal(await queue.join(), true);
    assert.equal(queue.joinSync(), true);
    const work = async (): Promise<void> => {
      for await (const _ of queue) queue.taskDone();
    };
    const children = await Promise.all([0, 1].map(() => new Process({ target: work }).start()));
    for (let i = 0; i < 500; i += 1) await queue.put(i);
    assert.equal(await queue.join({ timeout: 60_000 }), true);
    assert.equal(queue.size, 0);
    for (let i = 0; i < 100; i += 1) queue.putSync(i);
    assert.equal(queue.joinSync({ timeout: 60_000 }), true);
    queue.end();
    for (const child of children) {
      await child.join();
      assert.equal(child.exitCode, 0);
      child.close();
    }
  });

  it('is false on time-out, not before its time, and rejects when aborted', async () => {
    using queue = new JoinableQueue<number>();
    queue.putNowait(1);
    assert.equal(await queue.join({ timeout: 0 }), false);
    assert.equal(queue.joinSync({ timeout: -1 }), false);
    const started = performance.now();
    assert.equal(await queue.join({ timeout: 30 }), false);
    assert.equal(queue.joinSync({ timeout: 30 }), false);
    assert.ok(performance.now() - started >= 58);
    const reason = new Error('enough');
    const controller = new AbortController();
    const joins = [queue.join({ signal: controller.signal }), queue.join()];
    controller.abort(reason);
    await assert.rejects(joins[0] as Promise<boolean>, reason);
    queue.getNowait();
    queue.taskDone();
    assert.equal(await joins[1], true);
  });

  it('taskDone more often than put is an error, and changes nothing', async () => {
    using queue = new JoinableQueue<number>();
    const tooOften = { code: 'ERR_MP_OVER_RELEASE' };
    assert.throws(() => queue.taskDone(), tooOften);
    queue.putNowait(1);
    queue.taskDone();
    assert.throws(() => queue.taskDone(), tooOften);
    queue.putNowait(2);
    assert.equal(await queue.join({ timeout: 0 }), false);
  });

  it('a value that is refused is not counted', async () => {
    using queue = new JoinableQueue();
    assert.throws(() => queue.putNowait(() => {}), { code: 'ERR_MP_SERIALIZE' });
    assert.equal(await queue.join(), true);
  });

  it('after close() every call throws ERR_MP_CLOSED, those that wait too', async () => {
    const queue = new JoinableQueue<number>();
    queue.putNowait(1);
    const joining = queue.join();
    queue.close();
    await assert.rejects(joining, closed);
    await assert.rejects(queue.join(), closed);
    assert.throws(() => queue.joinSync(), closed);
    assert.throws(() => queue.taskDone(), closed);
  });
});
