import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'mocha';
import { SharedMemory } from 'posix-multiprocessing';
import { freshName } from './segments.js';

/** Runs a Python script with the name as its argument. Python before 3.13 would remove a segment that it only opened. */
function python(name: string, ...lines: string[]): void {
  const script = [
    'import sys',
    'from multiprocessing import resource_tracker, shared_memory',
    'name = sys.argv[1]',
    ...lines,
    "resource_tracker.unregister(memory._name, 'shared_memory')",
    'memory.close()',
  ];
  const { status, stderr } = spawnSync('python3', ['-c', script.join('\n'), name], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

if (spawnSync('python3', ['-c', 'import multiprocessing.shared_memory']).status === 0) {
  describe("a SharedMemory and Python's", () => {
    it('are the same memory, whoever makes it', () => {
      const name = freshName();
      python(name, 'memory = shared_memory.SharedMemory(name, create=True, size=100)', "memory.buf[95:] = b'hello'");
      const memory = SharedMemory.open(name);
      assert.equal(memory.size, 100);
      assert.equal(Buffer.from(memory.bytes.subarray(95)).toString(), 'hello');
      python(name, 'memory = shared_memory.SharedMemory(name)', 'memory.buf[0] = memory.size');
      assert.equal(memory.bytes[0], 100);
      memory.unlink();
      memory.close();

      const own = SharedMemory.create({ name, size: 33 });
      own.bytes[32] = 9;
      python(name, 'memory = shared_memory.SharedMemory(name)', 'assert memory.size == 33 and memory.buf[32] == 9');
      own.unlink();
      own.close();
    });
  });
}
