import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';
import { runScript } from '../support/run_script.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

/** The names beside the kernel's labels in /proc/self/limits. */
const LABELS: Record<posix.ResourceName, string> = {
  as: 'Max address space',
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
};

describe('posix getrlimit', () => {
  it('returns by name and by number what the kernel has', async () => {
    // A soft limit of its own for each resource, so that none can be taken for another.
    const { stdout } = await runScript(
      `import { readFileSync } from 'node:fs';
      import { constants, getrlimit, setrlimit } from 'posix-multiprocessing/posix';
      const names = process.argv.slice(1);
      names.forEach((name, index) => {
        const { hard } = getrlimit(name);
        const soft = hard === Infinity ? 2 ** 52 + 4096 * index : Math.max(0, hard - index);
        setrlimit(name, { soft, hard });
      });
      const read = (resource) => Object.values(getrlimit(resource)).map(String);
      console.log(JSON.stringify({
        kernel: readFileSync('/proc/self/limits', 'utf8').replaceAll('unlimited', 'Infinity').split('\\n'),
        byName: names.map(read),
        byNumber: names.map((name) => read(constants['RLIMIT_' + name.toUpperCase()])),
      }));`,
      { args: Object.keys(LABELS) },
    );
    const { kernel, byName, byNumber } = JSON.parse(stdout) as Record<'byName' | 'byNumber', string[][]> & {
      kernel: string[];
    };
    const expected = Object.values(LABELS).map((label) => {
      const line = kernel.find((text) => text.startsWith(label)) ?? '';
      return line.slice(label.length).trim().split(/\s+/).slice(0, 2);
    });
    assert.deepEqual(byName, expected);
    assert.deepEqual(byNumber, expected);
  });

  it('refuses what is no resource', () => {
    assert.throws(() => posix.getrlimit('files' as never), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => posix.getrlimit('toString' as never), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => posix.getrlimit(undefined as never), wrongType);
    assert.throws(() => posix.getrlimit(16), outOfRange);
    assert.throws(() => posix.getrlimit(-1), outOfRange);
  });
});

describe('posix setrlimit', () => {
  it('sets both limits, Infinity included', async () => {
    const { stdout } = await runScript(`
      import { getrlimit, setrlimit } from 'posix-multiprocessing/posix';
      const seen = [];
      setrlimit('nofile', { soft: 64, hard: 128 });
      seen.push(getrlimit('nofile'));
      const { hard } = getrlimit('fsize');
      setrlimit('fsize', { soft: 2 ** 40, hard });
      seen.push(getrlimit('fsize').soft);
      setrlimit('fsize', { soft: hard, hard });
      seen.push(getrlimit('fsize').soft === hard);
      console.log(JSON.stringify(seen));`);
    assert.deepEqual(JSON.parse(stdout), [{ soft: 64, hard: 128 }, 2 ** 40, true]);
  });

  it('throws EINVAL in the shape of Node for a soft limit above the hard one', () => {
    assert.throws(() => posix.setrlimit('core', { soft: 2, hard: 1 }), {
      code: 'EINVAL',
      errno: -22,
      syscall: 'setrlimit',
    });
  });

  it('refuses wrong limits and changes nothing', () => {
    const before = posix.getrlimit('core');
    assert.throws(() => posix.setrlimit('core', undefined as never), wrongType);
    assert.throws(() => posix.setrlimit('core', [0, 0] as never), wrongType);
    assert.throws(() => posix.setrlimit('core', { soft: 0 } as never), wrongType);
    assert.throws(() => posix.setrlimit('core', { soft: '0', hard: 0 } as never), wrongType);
    for (const soft of [-1, 0.5, Number.NaN, 2 ** 64]) {
      assert.throws(() => posix.setrlimit('core', { soft, hard: Number.POSITIVE_INFINITY }), outOfRange);
    }
    assert.deepEqual(posix.getrlimit('core'), before);
  });
});
