import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { Pipe, ShareableList, type ShareableValue, SharedMemory } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { freshName } from './segments.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

const everything: readonly ShareableValue[] = [
  0,
  -1,
  Number.MAX_SAFE_INTEGER,
  -0,
  0.1,
  2 ** 60,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  5n,
  -(2n ** 63n),
  2n ** 63n - 1n,
  true,
  false,
  null,
  '',
  'abcdefgh',
  'naïve €uro 😀 text, longer than it has characters',
  'zeros at the end\0\0',
  '\0',
  new Uint8Array(),
  Uint8Array.of(1, 0, 0),
  new Uint8Array(1000).fill(7),
];

function withList(values: Iterable<ShareableValue>, body: (list: ShareableList) => void): void {
  using list = ShareableList.create(values);
  try {
    body(list);
  } finally {
    list.unlink();
  }
}

describe('ShareableList', () => {
  it('gives back every value exactly, here, opened by name, and in a child', async () => {
    using list = ShareableList.create(everything);
    assert.equal(list.length, everything.length);
    assert.deepEqual(list.toArray(), everything);
    using same = ShareableList.open(list.sharedMemory.name);
    assert.deepEqual([...same], everything);
    same.set(0, 'written');
    assert.equal(await inChild(() => list.get(0)), 'written');
    list.unlink();
  });

  it('takes another type in a slot, as long as it has the room; else the old value stays', () => {
    withList([1, 'four', null, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)], (list) => {
      list.set(0, '12345678');
      list.set(1, 8n);
      list.set(2, Uint8Array.of(0, 0));
      list.set(3, 'sixteen bytes ok');
      assert.deepEqual(list.toArray(), ['12345678', 8n, Uint8Array.of(0, 0), 'sixteen bytes ok']);
      for (const [index, value] of [
        [0, '123456789'],
        [0, '€€€'],
        [2, new Uint8Array(9)],
        [3, 'seventeen bytes!!'],
        [1, 2n ** 63n],
      ] as const) {
        assert.throws(() => list.set(index, value), outOfRange);
      }
      for (const value of [undefined, {}, [], () => 1, new Date(), new Uint16Array(1)]) {
        assert.throws(() => list.set(0, value as unknown as null), wrongType);
      }
      assert.deepEqual(list.toArray(), ['12345678', 8n, Uint8Array.of(0, 0), 'sixteen bytes ok']);
    });
  });

  it('refuses indexes that it has not', () => {
    withList([1, 2], (list) => {
      for (const index of [-1, 2, 0.5, Number.NaN, 2 ** 40]) {
        assert.throws(() => list.get(index), outOfRange);
        assert.throws(() => list.set(index, 1), outOfRange);
      }
      assert.throws(() => list.get('0' as unknown as number), wrongType);
    });
    withList([], (list) => {
      assert.deepEqual([list.length, list.toArray()], [0, []]);
      assert.throws(() => list.get(0), outOfRange);
    });
  });

  it('finds values as an array does', () => {
    withList([1, Number.NaN, 'a', 1n, 1, Uint8Array.of(1)], (list) => {
      assert.deepEqual(
        [1, Number.NaN, 'a', 1n, Uint8Array.of(1), Uint8Array.of(2), null].map((value) => list.indexOf(value)),
        [0, 1, 2, 3, 5, -1, -1],
      );
      assert.deepEqual(
        [1, 1n, Number.NaN, 'b'].map((value) => list.count(value)),
        [2, 1, 1, 0],
      );
    });
  });

  it('has the name asked for, refuses a taken one and wrong values before anything is made', () => {
    const name = freshName();
    using list = ShareableList.create([1], { name });
    assert.equal(inspect(list), `ShareableList '${name}' <1 slots>`);
    assert.throws(() => ShareableList.create([1], { name }), { code: 'EEXIST' });
    list.unlink();
    assert.throws(() => ShareableList.create([1, undefined as unknown as null], { name }), wrongType);
    assert.throws(() => ShareableList.create([2n ** 64n], { name }), outOfRange);
    assert.throws(() => ShareableList.create(5 as unknown as []), wrongType);
    assert.throws(() => Reflect.construct(ShareableList, []), TypeError);
    assert.equal(existsSync(`/dev/shm/${name}`), false);
  });

  it('is closed for good, and says so', () => {
    const list = ShareableList.create(['x']);
    list.close();
    list.close();
    list.unlink();
    assert.match(inspect(list), /<closed>/);
    assert.throws(() => list.get(0), { code: 'ERR_MP_CLOSED' });
    assert.throws(() => list.set(0, 1), { code: 'ERR_MP_CLOSED' });
  });

  it('is not seen in memory that holds none', () => {
    using memory = SharedMemory.create({ size: 64 });
    const { name } = memory;
    const words = new BigInt64Array(memory.buffer);
    for (const header of [
      [-1n],
      [1000n],
      [2n ** 62n],
      [1n, 8n, 16n],
      [1n, 0n, -8n],
      [1n, 0n, 1000n],
      [2n, 0n, 16n, 8n],
      [1n, 0n, 2n ** 60n],
    ]) {
      words.fill(0n);
      words.set(header);
      assert.throws(() => ShareableList.open(name), { code: 'ERR_INVALID_ARG_VALUE' }, String(header));
    }
    memory.unlink();
    assert.throws(() => ShareableList.open(name), { code: 'ENOENT' });
  });

  it('travels in messages', async () => {
    const [here, there] = Pipe<ShareableList>();
    using list = ShareableList.create(['a', 2]);
    await here.send(list);
    using received = await there.recv();
    received.set(1, 3);
    assert.deepEqual(list.toArray(), ['a', 3]);
    list.unlink();
    here.close();
    there.close();
  });
});

/** Runs a Python script with the name as its argument, `values` imported; Python before 3.13 would remove the segment. */
function python(name: string, ...lines: string[]): string {
  const script = [
    'import sys',
    'from multiprocessing import resource_tracker, shared_memory',
    'name = sys.argv[1]',
    ...lines,
    "resource_tracker.unregister(values.shm._name, 'shared_memory')",
    'values.shm.close()',
  ];
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script.join('\n'), name], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

if (spawnSync('python3', ['-c', 'import multiprocessing.shared_memory']).status === 0) {
  describe("a ShareableList and Python's", () => {
    const open = 'values = shared_memory.ShareableList(name=name)';

    it('are the same list when Python made it', () => {
      const name = freshName();
      python(
        name,
        "values = shared_memory.ShareableList([1, -2**62, 0.5, True, None, 'text', b'bytes', ''], name=name)",
      );
      using list = ShareableList.open(name);
      assert.deepEqual(list.toArray(), [
        1,
        -(2n ** 62n),
        0.5,
        true,
        null,
        'text',
        Uint8Array.from(Buffer.from('bytes')),
        '',
      ]);
      list.set(0, 'eight ch');
      list.set(5, 7);
      list.set(3, false);
      list.set(6, '€');
      assert.equal(
        python(name, open, 'print(ascii(list(values)))'),
        `['eight ch', ${-(2n ** 62n)}, 0.5, False, None, 7, '\\u20ac', '']`,
      );
      list.unlink();
    });

    it('are the same list when it was made here, whoever writes', () => {
      const name = freshName();
      using list = ShareableList.create(['long text', 5, 5n, 2.5, true, null, Uint8Array.of(1, 2), 'x\0'], { name });
      assert.equal(
        python(name, open, 'print(list(values))'),
        "['long text', 5, 5, 2.5, True, None, b'\\x01\\x02', 'x']",
      );
      python(
        name,
        open,
        "values[0] = 'short'",
        'values[1] = 2.5',
        'values[2] = 6',
        'values[5] = "now text"',
        "values[7] = 'xyz'",
      );
      assert.deepEqual(list.toArray(), ['short', 2.5, 6, 2.5, true, 'now text', Uint8Array.of(1, 2), 'xyz']);
      list.unlink();
    });
  });
}
