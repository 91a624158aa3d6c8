import assert from 'node:assert/strict';
import { constants } from 'node:buffer';
import { describe, it } from 'mocha';
import { type Loan, Process, Queue } from 'posix-multiprocessing';

const MIB = 2 ** 20;

async function run(target: () => unknown): Promise<Process> {
  return new Process({ target }).start();
}

describe('Loan', () => {
  it('is written in place by one process and read in place by another', async () => {
    using queue = new Queue();
    const child = await run(async () => {
      for (let round = 0; round < 20; round += 1) {
        const loan = round % 2 === 0 ? await queue.lend(MIB) : queue.lendSync(MIB);
        loan.bytes.fill(round);
        if (round % 2 === 0) await loan.put(MIB - round);
        else loan.putSync(MIB - round);
        assert.equal(loan.bytes.length, 0);
      }
    });
    for (let round = 0; round < 20; round += 1) {
      using loan: Loan = round % 3 === 0 ? await queue.getLoan() : queue.getLoanSync();
      assert.equal(loan.bytes.length, MIB - round);
      assert.ok(loan.bytes.every((byte) => byte === round));
      const view = loan.bytes.subarray(5);
      loan.giveBack();
      loan.giveBack();
      assert.equal(view.length, 0);
    }
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
  });

  it('is given back unused, waits for room, and is refused when it is over', async () => {
    using queue = new Queue(1);
    const first = queue.lendSync(100);
    const second = await queue.lend(100);
    assert.equal(queue.size, 0);
    first.putSync();
    assert.throws(() => second.putSync(50, { timeout: 5 }), { code: 'ERR_MP_QUEUE_FULL' });
    const waiting = second.put(50);
    using got = await queue.getLoan();
    await waiting;
    await assert.rejects(second.put(), { code: 'ERR_MP_CLOSED' });
    assert.throws(() => first.putSync(), { code: 'ERR_MP_CLOSED' });
    using rest = queue.getLoanSync();
    assert.deepEqual([got.bytes.length, rest.bytes.length], [100, 50]);
    using unused = queue.lendSync(10);
    await assert.rejects(unused.put(11), { code: 'ERR_OUT_OF_RANGE' });
    unused.giveBack();
    assert.equal(unused.bytes.length, 0);
    await assert.rejects(queue.lend(-1), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(queue.lend(constants.MAX_LENGTH + 1), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(queue.getLoan({ timeout: 5 }), { code: 'ERR_MP_QUEUE_EMPTY' });
    queue.end();
    const late = queue.lendSync(1);
    await assert.rejects(late.put(), { code: 'ERR_MP_CLOSED' });
    late.giveBack();
    await assert.rejects(queue.getLoan(), { code: 'ERR_MP_EOF' });
  });

  it('256 at a time, and the next one when one is given back', async () => {
    using queue = new Queue();
    const loans = Array.from({ length: 256 }, () => queue.lendSync(1));
    assert.throws(() => queue.lendSync(1, { timeout: 0 }), { code: 'ERR_MP_QUEUE_FULL' });
    const next = queue.lend(1);
    loans.pop()?.giveBack();
    (await next).giveBack();
    for (const loan of loans) loan.giveBack();
  });

  it('of a process that was killed is the queue’s again', async () => {
    using queue = new Queue();
    const children = await Promise.all(
      [0, 1, 2, 3].map(() =>
        run(() => {
          for (let i = 0; i < 64; i += 1) queue.lendSync(MIB);
          process.kill(process.pid, 'SIGKILL');
        }),
      ),
    );
    for (const child of children) {
      await child.join();
      assert.equal(child.exitCode, -9);
      child.close();
    }
    const loans = Array.from({ length: 256 }, () => queue.lendSync(1));
    for (const loan of loans) loan.giveBack();
  });

  it('keeps its memory when the queue is closed', () => {
    const queue = new Queue();
    const loan = queue.lendSync(MIB);
    loan.bytes.fill(7);
    queue.close();
    assert.equal(loan.bytes[MIB - 1], 7);
    assert.throws(() => loan.putSync(), { code: 'ERR_MP_CLOSED' });
    loan.giveBack();
  });

  it('a forked child can neither put nor give back what its parent has', async () => {
    using queue = new Queue();
    const loan = queue.lendSync(100);
    const child = await run(() => {
      assert.throws(() => loan.putSync(), { code: 'ERR_MP_CLOSED' });
      loan.giveBack();
    });
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
    loan.putSync();
    queue.getLoanSync().giveBack();
  });
});
