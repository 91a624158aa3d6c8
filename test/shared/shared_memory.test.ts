import assert from 'node:assert/strict';
import { constants } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { Pipe, Process, SharedMemory } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { inChild } from '../support/in_child.js';
import { ownNames } from '../support/processes.js';
import { runScript } from '../support/run_script.js';
import { freshName } from './segments.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const wrongValue = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const PAGE = 4096;

const file = (name: string): string => `/dev/shm/${name}`;

function withMemory(size: number, body: (memory: SharedMemory) => void): void {
  const memory = SharedMemory.create({ size });
  try {
    body(memory);
  } finally {
    memory.close();
    memory.unlink();
  }
}

describe('SharedMemory.create', () => {
  it('makes a segment of exactly that size, all zero, its space reserved', () => {
    for (const size of [1, PAGE - 1, PAGE, 100_001]) {
      withMemory(size, (memory) => {
        const { size: length, blocks } = statSync(file(memory.name));
        assert.equal(length, size);
        assert.ok(blocks * 512 >= size);
        assert.equal(memory.size, size);
        assert.equal(memory.buffer.byteLength, size);
        assert.equal(memory.bytes.length, size);
        assert.ok(memory.bytes.every((byte) => byte === 0));
      });
    }
  });

  it('gives it the name asked for, with or without the slash, and the mode less the umask', () => {
    const name = freshName();
    const memory = SharedMemory.create({ size: 1, name: `/${name}`, mode: 0o664 });
    assert.equal(memory.name, name);
    assert.equal(statSync(file(name)).mode & 0o777, 0o664 & ~process.umask());
    assert.throws(() => SharedMemory.create({ size: 1, name }), { code: 'EEXIST', syscall: 'linkat' });
    memory.close();
    memory.unlink();
    withMemory(1, (nameless) => assert.equal(statSync(file(nameless.name)).mode & 0o777, 0o600));
  });

  it('makes up a name that nobody has', () => {
    const before = new Set(readdirSync('/dev/shm'));
    const all = Array.from({ length: 100 }, () => SharedMemory.create({ size: 1 }));
    for (const memory of all) {
      assert.match(memory.name, new RegExp(`^mp-${process.pid}-[0-9a-z]{8}$`));
      assert.ok(!before.has(memory.name));
      memory.close();
      memory.unlink();
    }
    assert.equal(new Set(all.map(({ name }) => name)).size, 100);
  });

  it('fails with ENOSPC for what does not fit, and leaves nothing behind', () => {
    const name = freshName();
    const before = ownNames();
    const { f_blocks: blocks, f_bsize: blockSize } = spaceOfSharedMemory();
    const size = blocks * blockSize + PAGE;
    const error = size > constants.MAX_LENGTH ? outOfRange : { code: 'ENOSPC', syscall: 'posix_fallocate' };
    assert.throws(() => SharedMemory.create({ size, name }), error);
    assert.throws(() => SharedMemory.create({ size }), error);
    assert.equal(existsSync(file(name)), false);
    assert.deepEqual(ownNames(), before);
  });

  it('refuses wrong sizes, names and options before anything is made', () => {
    const before = ownNames();
    for (const size of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 60)]) {
      assert.throws(() => SharedMemory.create({ size }), outOfRange, String(size));
    }
    for (const size of ['1', null, undefined, {}, 1n]) {
      assert.throws(() => SharedMemory.create({ size: size as number }), wrongType);
    }
    for (const options of [undefined, null, 5, 'size']) {
      assert.throws(() => SharedMemory.create(options as unknown as { size: number }), wrongType);
    }
    for (const name of ['', '/', 'a/b', '/a/', '//a', 'a\0', '.', '..', 'x'.repeat(256), '€'.repeat(86)]) {
      assert.throws(() => SharedMemory.create({ size: 1, name }), wrongValue, name);
      assert.throws(() => SharedMemory.open(name), wrongValue, name);
    }
    assert.throws(() => SharedMemory.create({ size: 1, name: 5 as unknown as string }), wrongType);
    assert.throws(() => SharedMemory.open(undefined as unknown as string), wrongType);
    assert.throws(() => SharedMemory.create({ size: 1, mode: 0o1000 }), outOfRange);
    assert.throws(() => SharedMemory.create({ size: 1, mode: '600' as unknown as number }), wrongType);
    assert.throws(() => SharedMemory.create({ size: 1, persist: 'yes' as unknown as boolean }), wrongType);
    assert.throws(() => SharedMemory.open('x', { readOnly: 1 as unknown as boolean }), wrongType);
    assert.throws(() => Reflect.construct(SharedMemory, []), TypeError);
    assert.deepEqual(ownNames(), before);
  });
});

/** statfs of /dev/shm. */
function spaceOfSharedMemory(): { f_blocks: number; f_bsize: number } {
  const { stdout } = spawnSync('stat', ['-f', '-c', '%b %S', '/dev/shm'], { encoding: 'utf8' });
  const [f_blocks = 0, f_bsize = 0] = stdout.split(' ').map(Number);
  return { f_blocks, f_bsize };
}

describe('SharedMemory.open', () => {
  it('finds the segment by its name, as large as it is', () => {
    withMemory(100, (memory) => {
      const same = SharedMemory.open(memory.name);
      assert.deepEqual([same.name, same.size], [memory.name, 100]);
      memory.bytes[99] = 7;
      assert.equal(same.bytes[99], 7);
      same.bytes[0] = 8;
      assert.equal(memory.bytes[0], 8);
      same.close();
      assert.equal(memory.bytes[99], 7);
    });
  });

  it('fails with ENOENT when there is none, with EINVAL when it is empty', () => {
    const name = freshName();
    assert.throws(() => SharedMemory.open(name), { code: 'ENOENT', syscall: 'shm_open' });
    closeSync(posix.shmOpen(`/${name}`, { create: true }));
    assert.throws(() => SharedMemory.open(name), { code: 'EINVAL' });
    posix.shmUnlink(`/${name}`);
  });

  it('with readOnly lets no write out, and shows what others write', () => {
    withMemory(3 * PAGE, (memory) => {
      memory.bytes.fill(1);
      const reader = SharedMemory.open(memory.name, { readOnly: true });
      const view = new Uint8Array(reader.buffer);
      reader.bytes[0] = 99;
      view.fill(98, PAGE, PAGE + 10);
      assert.ok(memory.bytes.every((byte) => byte === 1));
      assert.ok(reader.bytes.every((byte) => byte === 1));
      memory.bytes.fill(2);
      assert.ok(view.every((byte) => byte === 2));
      reader.close();
      assert.equal(view.length, 0);
    });
  });

  it('with readOnly needs no permission to write', () => {
    const name = freshName();
    const memory = SharedMemory.create({ size: 10, name, mode: 0o400 });
    memory.bytes[5] = 5;
    const reader = SharedMemory.open(name, { readOnly: true });
    assert.equal(reader.bytes[5], 5);
    reader.close();
    memory.close();
    memory.unlink();
  });
});

describe('SharedMemory', () => {
  it('is the same memory in forked children', async () => {
    using memory = SharedMemory.create({ size: 16 });
    const counter = new BigInt64Array(memory.buffer);
    const add = (): void => {
      for (let i = 0; i < 1000; i += 1) Atomics.add(counter, 1, 1n);
    };
    const children = [1, 2, 3].map(() => new Process({ target: add }));
    for (const child of children) await child.start();
    for (const child of children) {
      await child.join();
      child.close();
    }
    assert.equal(counter[1], 3000n);
    memory.unlink();
  });

  it('is opened by its name in a child, whose close does not matter here', async () => {
    using memory = SharedMemory.create({ size: 100 });
    const seen = await inChild(() => {
      const same = SharedMemory.open(memory.name);
      same.bytes[1] = 11;
      same.close();
      memory.close();
      return [same.bytes.length, memory.bytes.length];
    });
    assert.deepEqual(seen, [0, 0]);
    assert.equal(memory.bytes[1], 11);
    memory.unlink();
  });

  it('travels in a message by its name, and opens there', async () => {
    const [here, there] = Pipe<SharedMemory>();
    const child = new Process({
      target: async () => {
        const memory = await there.recv();
        memory.bytes[2] = memory.size;
        await there.send(memory);
      },
    });
    await child.start();
    using memory = SharedMemory.create({ size: 33 });
    await here.send(memory);
    using back = await here.recv();
    assert.deepEqual([back.name, back.bytes[2], memory.bytes[2]], [memory.name, 33, 33]);
    using reader = SharedMemory.open(memory.name, { readOnly: true });
    await here.send(reader);
    await there.recv().then((received) => {
      received.bytes[2] = 1;
      received.close();
    });
    assert.equal(memory.bytes[2], 33);
    await here.send(memory);
    memory.unlink();
    await assert.rejects(there.recv(), { code: 'ENOENT' });
    await here.send(memory);
    using other = SharedMemory.create({ name: memory.name, size: 1 });
    await assert.rejects(there.recv(), { code: 'ENOENT' });
    other.unlink();
    memory.close();
    await assert.rejects(here.send(memory), { code: 'ERR_MP_SERIALIZE', message: /is a closed SharedMemory/ });
    await child.join();
    child.close();
    here.close();
    there.close();
  });

  it('shows itself when inspected', () => {
    withMemory(5, (memory) => {
      assert.equal(inspect(memory), `SharedMemory '${memory.name}' <5 bytes>`);
      memory.close();
      assert.equal(inspect(memory), `SharedMemory '${memory.name}' <closed>`);
    });
  });
});

describe('a segment that another program has cut', () => {
  it('reads as zeros past its end, and kills nobody, for writers, readers and children', async () => {
    using memory = SharedMemory.create({ size: 4 * PAGE });
    memory.bytes.fill(7);
    using reader = SharedMemory.open(memory.name, { readOnly: true });
    using other = SharedMemory.open(memory.name);
    assert.equal(other.bytes[3 * PAGE], 7);
    truncateSync(file(memory.name), PAGE);
    assert.deepEqual([memory.bytes[PAGE - 1], memory.bytes[PAGE], memory.bytes[4 * PAGE - 1]], [7, 0, 0]);
    memory.bytes.fill(8);
    assert.deepEqual([other.bytes[0], other.bytes[PAGE], reader.bytes[0], reader.bytes[2 * PAGE]], [8, 0, 8, 0]);
    assert.equal(await inChild(() => memory.bytes.subarray(3 * PAGE).reduce((sum, byte) => sum + byte)), 8 * PAGE);
    using empty = SharedMemory.create({ size: PAGE });
    truncateSync(file(empty.name), 0);
    assert.equal(await inChild(() => Buffer.from(empty.bytes).every((byte) => byte === 0)), true);
    memory.unlink();
    empty.unlink();
  });

  it('does not keep other bus errors from ending the process', async () => {
    const { signal } = await runScript(`
      import { SharedMemory } from 'posix-multiprocessing';
      import * as posix from 'posix-multiprocessing/posix';
      const guarded = SharedMemory.create({ size: 1 });
      const fd = posix.memfdCreate('cut');
      posix.ftruncate(fd, 1);
      const bytes = new Uint8Array(posix.mmap(fd, 1));
      posix.ftruncate(fd, 0);
      console.log(bytes[0]);`);
    assert.equal(signal, 'SIGBUS');
  });
});

describe('SharedMemory.close', () => {
  it('leaves every view with length 0, as often as called', () => {
    withMemory(64, (memory) => {
      const { buffer, bytes } = memory;
      const floats = new Float64Array(buffer, 8, 2);
      memory.close();
      memory.close();
      memory[Symbol.dispose]();
      assert.deepEqual([buffer.byteLength, bytes.length, floats.length], [0, 0, 0]);
      assert.deepEqual([memory.buffer.byteLength, memory.bytes.length, memory.size], [0, 0, 64]);
      floats[0] = 1;
      assert.equal(floats[0], undefined);
      assert.equal(bytes[63], undefined);
    });
  });

  it('survives that somebody has transferred the buffer', () => {
    withMemory(64, (memory) => {
      const moved = (memory.buffer as ArrayBuffer & { transfer?: () => ArrayBuffer }).transfer?.(); // Node 22
      memory.close();
      if (moved === undefined) return;
      new Uint8Array(moved).fill(3);
      const same = SharedMemory.open(memory.name);
      assert.equal(same.bytes[63], 3);
      same.close();
    });
  });
});

describe('SharedMemory.unlink', () => {
  it('removes the name and leaves the memory, before or after close; the second time fails with ENOENT', () => {
    const memory = SharedMemory.create({ size: 10 });
    const same = SharedMemory.open(memory.name);
    memory.unlink();
    assert.throws(() => SharedMemory.open(memory.name), { code: 'ENOENT' });
    memory.bytes[0] = 4;
    assert.equal(same.bytes[0], 4);
    assert.throws(() => same.unlink(), { code: 'ENOENT', syscall: 'shm_unlink' });
    memory.close();
    assert.throws(() => memory.unlink(), { code: 'ENOENT' });
    same.close();

    const other = SharedMemory.create({ size: 10 });
    other.close();
    other.unlink();
    assert.throws(() => other.unlink(), { code: 'ENOENT' });
  });
});
