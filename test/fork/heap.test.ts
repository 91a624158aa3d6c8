import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'mocha';
import { runScript, type ScriptResult } from '../support/run_script.js';

const THP = '/sys/kernel/mm/transparent_hugepage/enabled';

/** Whether the kernel backs private memory with huge pages where it is asked to. */
function hugePages(): boolean {
  return fs.existsSync(THP) && /\[(madvise|always)\]/.test(fs.readFileSync(THP, 'utf8'));
}

/** Times that the kernel had no huge page to give, in the whole system. */
function fallbacks(): number {
  return Number(/^thp_fault_fallback (\d+)$/m.exec(fs.readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
}

function succeeded({ code, signal, stdout, stderr, facts }: ScriptResult): string {
  assert.deepEqual([code, signal], [0, null], stdout + stderr + facts);
  return stdout;
}

/** Mappings with the flag of MADV_HUGEPAGE, in the order of their addresses; sizes in bytes. proc_pid_smaps(5) */
const advised = `
  const advised = () => fs.readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter((mapping) => /^VmFlags:.* hg( |$)/m.test(mapping))
    .map((mapping) => {
      const [, begin, end] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(mapping);
      return { begin: parseInt(begin, 16), end: parseInt(end, 16), huge: 1024 * Number(/^AnonHugePages: +(\\d+) kB/m.exec(mapping)[1]) };
    });`;

describe('the heap', function () {
  this.timeout(120_000);

  it('grows in one place, on huge pages where the kernel has them, after the library was imported', async function () {
    if (!hugePages()) this.skip();
    const before = fallbacks();
    const stdout = succeeded(
      await runScript(`
        import fs from 'node:fs';
        import 'posix-multiprocessing';
        ${advised}
        const kept = Array.from({ length: 1_000_000 }, (_, index) => ({ index, pair: [index, index + 1] }));
        const used = process.memoryUsage().heapUsed;
        const mappings = advised();
        console.log(JSON.stringify({
          used,
          kept: kept.length,
          size: mappings.reduce((sum, { begin, end }) => sum + end - begin, 0),
          span: mappings.length === 0 ? 0 : mappings.at(-1).end - mappings[0].begin,
          huge: mappings.reduce((sum, { huge }) => sum + huge, 0),
        }));`),
    );
    const { used, size, span, huge } = JSON.parse(stdout) as Record<'used' | 'size' | 'span' | 'huge', number>;
    // What Node had before the import is elsewhere, and so are objects that have a mapping of their own.
    assert.ok(size > used / 2, stdout);
    // Only what was freed in between is missing: V8 by itself has its pages all over the address space.
    assert.ok(span < 4 * size, stdout);
    assert.ok(huge > size / 2 || fallbacks() > before, stdout);
  });

  it('is as huge in a child, which shares it, and splits what it writes to', async function () {
    if (!hugePages()) this.skip();
    const stdout = succeeded(
      await runScript(
        `
        import fs from 'node:fs';
        import { Process } from 'posix-multiprocessing';
        ${advised}
        const kept = Array.from({ length: 1_000_000 }, (_, index) => ({ index, pair: [index, index + 1] }));
        globalThis.gc();
        const here = advised().reduce((sum, { begin, end }) => sum + end - begin, 0);
        const child = await new Process({ target: () => {
          let sum = 0;
          for (const { pair } of kept) sum += pair[1];
          for (let index = 0; index < kept.length; index += 1000) kept[index].index = -1;
          const there = advised().reduce((sum, { begin, end }) => sum + end - begin, 0);
          // Some pages are new, for what this child has allocated, and some it may have given back.
          process.exit(sum === 500_000_500_000 && there > here / 2 ? 6 : 7);
        } }).start();
        await child.join();
        console.log(child.exitCode, kept[1000].index);`,
        { nodeFlags: ['--expose-gc'] },
      ),
    );
    assert.equal(stdout, '6 1000\n');
  });

  it('of 500 MB with code, WebAssembly and large buffers is whole in a child', async () => {
    const stdout = succeeded(
      await runScript(
        `
        import { Process } from 'posix-multiprocessing';
        const buffers = Array.from({ length: 8 }, (_, index) => new Uint8Array(24 << 20).fill(index + 1));
        const memory = new WebAssembly.Memory({ initial: 1000 });
        new Uint8Array(memory.buffer).fill(9);
        const functions = Array.from({ length: 500 }, (_, index) => new Function('n', 'let s = ' + index + '; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s;'));
        const objects = [];
        const isFull = () => process.memoryUsage().heapUsed > 260 * 2 ** 20;
        // What is left after a collection counts.
        while (!isFull() || (globalThis.gc(), !isFull())) {
          for (let count = 0; count < 10_000; count++) objects.push({ id: objects.length, text: 'text ' + objects.length, list: [objects.length] });
        }
        const sumOf = (bytes) => { let sum = 0; for (let at = 0; at < bytes.length; at += 97) sum = (sum * 31 + bytes[at]) | 0; return sum; };
        const checksum = () => {
          let sum = buffers.reduce((sum, bytes) => (sum * 31 + sumOf(bytes)) | 0, sumOf(new Uint8Array(memory.buffer)));
          for (const compute of functions) sum = (sum * 31 + compute(300)) | 0;
          for (const { id, text, list } of objects) sum = (sum * 31 + id + text.length + list[0]) | 0;
          return sum;
        };
        const expected = checksum();
        for (let round = 0; round < 3; round++) {
          const child = await new Process({ target: () => {
            const inherited = checksum() === expected;
            globalThis.gc();
            process.exit(inherited && checksum() === expected ? 5 : 6);
          } }).start();
          await child.join();
          const { heapUsed, arrayBuffers } = process.memoryUsage();
          console.log(child.exitCode, checksum() === expected, heapUsed + arrayBuffers > 440 * 2 ** 20);
        }`,
        { nodeFlags: ['--expose-gc', '--max-old-space-size=1500'], timeout: 100_000 },
      ),
    );
    assert.equal(stdout, '5 true true\n'.repeat(3));
  });

  it('grows to 500 MB in a child and in its child, which leave the parent as it was', async () => {
    const stdout = succeeded(
      await runScript(
        `
        import { Process } from 'posix-multiprocessing';
        const inherited = Array.from({ length: 100_000 }, (_, index) => ({ index }));
        const grow = () => {
          const kept = [];
          while (process.memoryUsage().heapUsed < 500 * 2 ** 20) {
            for (let count = 0; count < 20_000; count++) kept.push({ count, text: 'text ' + count, list: [count, kept.length] });
          }
          let sum = 0;
          for (const { count, text, list } of kept) sum += Number(text.slice(5)) - count + list[0] - count;
          for (const [index, object] of inherited.entries()) sum += object.index - index;
          return sum === 0;
        };
        const child = await new Process({ target: async () => {
          if (!grow()) process.exit(3);
          const grandchild = await new Process({ target: () => process.exit(grow() ? 4 : 5) }).start();
          await grandchild.join();
          process.exit(grandchild.exitCode);
        } }).start();
        await child.join();
        console.log(child.exitCode, process.memoryUsage().heapUsed < 100 * 2 ** 20);`,
        { nodeFlags: ['--max-old-space-size=1500'], timeout: 100_000 },
      ),
    );
    assert.equal(stdout, '4 true\n');
  });
});
