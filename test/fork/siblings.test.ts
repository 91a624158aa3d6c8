import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'mocha';
import { Pipe, Process } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { descriptorsOf } from '../support/processes.js';

const held = (kind: RegExp): number => [...descriptorsOf('self').values()].filter((what) => kind.test(what)).length;

describe('a child that has siblings', function () {
  this.timeout(60_000);

  it('holds none of their pidfds, nor anything else by which the parent knows them', async () => {
    const [quiet, end] = Pipe({ duplex: false });
    const before = await inChild(() => [descriptorsOf('self').size, held(/pidfd/)]);
    const siblings = await Promise.all(
      Array.from({ length: 10 }, () => new Process({ target: () => quiet.recv() }).start()),
    );
    const joins = siblings.map((sibling) => sibling.join()); // the loop watches for their ends
    assert.ok(held(/pidfd/) >= 10);
    const after = await inChild(() => [descriptorsOf('self').size, held(/pidfd/)]);
    assert.deepEqual(after, before);
    for (const sibling of siblings) sibling.kill();
    await Promise.all(joins);
    for (const sibling of siblings) sibling.close();
    quiet.close();
    end.close();
  });

  it('does not keep them from seeing the end of what their parent closes', async () => {
    const [receiver, sender] = Pipe({ duplex: false });
    const reader = await new Process({
      target: async () => {
        sender.close();
        process.exit((await receiver.recv().catch((error: { code: string }) => error.code)) === 'ERR_MP_EOF' ? 3 : 4);
      },
    }).start();
    // Whoever has inherited the end that writes closes it, as in every Unix program.
    const other = await new Process({
      target: () => {
        sender.close();
        setInterval(() => {}, 1000);
        return new Promise(() => {});
      },
    }).start();
    sender.close();
    await reader.join();
    assert.equal(reader.exitCode, 3);
    other.terminate();
    await other.join();
    for (const child of [reader, other]) child.close();
    receiver.close();
  });

  it('ends as it should while small jobs go through libuv without pause, each answered once', async () => {
    let asked = 0;
    let answered = 0;
    let busy = true;
    const owner = process.pid;
    const ask = (): void => {
      asked += 1;
      fs.stat('/', () => {
        answered += 1;
        if (process.pid !== owner) process.exit(9);
        if (busy) ask();
      });
    };
    for (let jobs = 0; jobs < 16; jobs++) ask();
    for (let round = 0; round < 150; round++) {
      const children = await Promise.all(
        [1, 2].map((code) => new Process({ target: () => process.exit(code) }).start()),
      );
      for (const [index, child] of children.entries()) {
        await child.join();
        assert.equal(child.exitCode, index + 1);
        child.close();
      }
    }
    busy = false;
    while (answered < asked) await new Promise(setImmediate);
    assert.equal(answered, asked);
    assert.ok(asked > 300);
  });
});
