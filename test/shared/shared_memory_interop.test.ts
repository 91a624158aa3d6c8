import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Opens or makes a segment as any C program does, and adds one to its last byte. */
const program = `
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int count, char** words) {
  int fd = shm_open(words[1], O_CREAT | O_RDWR, 0600);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return 1;
  if (status.st_size == 0 && (status.st_size = 77, ftruncate(fd, 77)) != 0) return 2;
  unsigned char* bytes = mmap(0, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (bytes == MAP_FAILED) return 3;
  bytes[status.st_size - 1] += 1;
  return 0;
}`;

if (spawnSync('cc', ['--version']).status === 0) {
  describe('a SharedMemory and shm_open in C', () => {
    it('are the same memory, whoever makes it', () => {
      const folder = mkdtempSync(join(tmpdir(), 'mp-interop-'));
      const binary = join(folder, 'add');
      const compiled = spawnSync('cc', ['-x', 'c', '-', '-o', binary], { input: program, encoding: 'utf8' });
      assert.equal(compiled.status, 0, compiled.stderr);
      const name = freshName();
      assert.equal(spawnSync(binary, [`/${name}`]).status, 0);
      const memory = SharedMemory.open(name);
      assert.deepEqual([memory.size, memory.bytes[76]], [77, 1]);
      assert.equal(spawnSync(binary, [`/${name}`]).status, 0);
      assert.equal(memory.bytes[76], 2);
      memory.unlink();
      memory.close();

      using own = SharedMemory.create({ name, size: 5000 });
      own.bytes[4999] = 9;
      assert.equal(spawnSync(binary, [`/${name}`]).status, 0);
      assert.equal(own.bytes[4999], 10);
      own.unlink();
      rmSync(folder, { recursive: true });
    });
  });
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
