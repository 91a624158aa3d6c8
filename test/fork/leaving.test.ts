import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { Process } from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

async function endOf(target: () => unknown): Promise<number | undefined> {
  const child = await new Process({ target }).start();
  await child.join();
  const { exitCode } = child;
  child.close();
  return exitCode;
}

/** Optimised, so that V8 has tasks for its threads. */
function warm(calls: number): number {
  let sum = 0;
  const hot = new Function('n', 'let s = 1; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s;') as (
    n: number,
  ) => number;
  for (let call = 0; call < calls; call++) sum ^= hot(20_000);
  return sum;
}

/** Each of the ways to leave, and the code that it gives. */
const ways: [string, () => unknown, number][] = [
  ['return', () => {}, 0],
  ['throw', () => assert.fail('on purpose'), 1],
  ['rejection', async () => assert.fail('on purpose'), 1],
  ['exit', () => process.exit(7), 7],
  ['exit(256)', () => process.exit(256), 0],
  ['exit in a microtask', () => Promise.resolve().then(() => process.exit(8)), 8],
  ['exit in a tick', () => new Promise(() => process.nextTick(() => process.exit(9))), 9],
  ['reallyExit', () => (process as unknown as { reallyExit: (code: number) => void }).reallyExit(10), 10],
  ['exitCode', () => Object.assign(process, { exitCode: 11 }), 11],
  ['SIGTERM', () => new Promise(() => process.kill(process.pid, 'SIGTERM')), -15],
  ['SIGKILL', () => new Promise(() => process.kill(process.pid, 'SIGKILL')), -9],
  ['abort', () => process.abort(), -6],
];

describe('a child that leaves', function () {
  this.timeout(120_000);

  for (const tasks of [0, 1, 4, 50]) {
    it(`gives its code whatever V8's threads do: ${tasks} hot functions before the fork`, async () => {
      for (const [way, leave, code] of ways) {
        for (let task = 0; task < tasks; task++) warm(50);
        assert.equal(await endOf(leave), code, way);
        assert.equal(
          await endOf(() => {
            warm(100);
            return leave();
          }),
          code,
          `${way}, with tasks of its own`,
        );
      }
    });
  }

  it('runs its own exit listeners once, however it leaves, and those of the parent never', async () => {
    const { stdout, code, stderr } = await runScript(`
      import fs from 'node:fs';
      import { Process } from 'posix-multiprocessing';
      process.on('exit', () => fs.writeSync(1, 'P'));
      process.on('beforeExit', () => fs.writeSync(1, 'B'));
      const ways = [() => {}, () => process.exit(3), () => { throw new Error('on purpose') }, () => new Promise(() => {}),
        () => Promise.reject(new Error('on purpose')), () => new Promise(() => setTimeout(() => { throw new Error('late') }, 1))];
      for (const leave of ways) {
        const child = await new Process({ target: () => { process.on('exit', (code) => fs.writeSync(1, String(code))); return leave(); } }).start();
        await child.join();
        fs.writeSync(1, ' ');
      }
      for (const leave of ways.slice(0, 3)) {
        new Process({ target: () => { process.on('exit', (code) => fs.writeSync(1, String(code))); return leave(); } }).startSync().joinSync();
        fs.writeSync(1, ' ');
      }
    `);
    assert.equal(code, 0);
    assert.equal(stdout, '0 3 1 13 1 1 0 3 1 BP', stderr);
  });

  it('at the limit of its heap dies alone: of SIGABRT, with what V8 says about it', async () => {
    const { stdout, stderr, code } = await runScript(
      `
      import { Process } from 'posix-multiprocessing';
      const child = await new Process({ target: () => { const kept = []; for (;;) kept.push(new Array(10_000).fill(kept.length)); } }).start();
      await child.join();
      const next = await new Process({ target: () => process.exit(5) }).start();
      await next.join();
      console.log(child.exitCode, next.exitCode);
    `,
      { nodeFlags: ['--max-old-space-size=40'] },
    );
    assert.equal(code, 0);
    assert.equal(stdout, '-6 5\n');
    assert.match(stderr, /heap limit|heap out of memory/);
  });

  /** 1 MB and a line, in the child; a line before and after, in the parent. */
  const printing = (leave: string): string => `
    import { Process } from 'posix-multiprocessing';
    console.log('before');
    const child = new Process({ target: () => {
      process.stdout.write('x'.repeat(1 << 20) + '\\n');
      process.stderr.write('y'.repeat(1 << 20) + '\\n');
      ${leave}
    } });
    await child.start();
    await child.join();
    console.log('after ' + child.exitCode);
  `;
  for (const [leave, exitCode] of [
    ['', 0],
    ['process.exit(3)', 3],
    ['process.abort()', -6],
    ["process.kill(process.pid, 'SIGKILL')", -9],
  ] as const) {
    it(`has printed a megabyte on a terminal and to files, once: ${leave || 'return'}`, () => {
      const folder = fs.mkdtempSync(join(tmpdir(), 'mp-print-'));
      try {
        const script = join(root, 'out', `printing-${process.pid}.mjs`);
        fs.writeFileSync(script, printing(leave));
        const whole = (text: string): void => {
          const [before, middle, after, rest] = text.replaceAll('\r', '').split('\n');
          assert.deepEqual([before, middle?.length, after, rest], ['before', 1 << 20, `after ${exitCode}`, '']);
        };
        const command = `${process.execPath} ${script} 2> ${folder}/terminal.err`;
        const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
          cwd: root,
          stdio: ['ignore', 'pipe', 'ignore'],
          encoding: 'utf8',
          maxBuffer: 1 << 26,
        });
        whole(stdout);
        spawnSync('sh', ['-c', `${process.execPath} ${script} > ${folder}/out 2> ${folder}/err`], { cwd: root });
        whole(fs.readFileSync(join(folder, 'out'), 'utf8'));
        for (const file of ['err', 'terminal.err']) {
          // Node adds a native stack trace to an abort.
          assert.deepEqual(
            fs
              .readFileSync(join(folder, file), 'utf8')
              .match(/y{9,}/g)
              ?.map(({ length }) => length),
            [1 << 20],
          );
        }
        fs.rmSync(script);
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    });
  }

  it('is counted by NODE_V8_COVERAGE: what only children have run, however they leave', async () => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'mp-coverage-'));
    try {
      const module = join(folder, 'covered.mjs');
      fs.writeFileSync(
        module,
        ['returns', 'exits', 'throws', 'stays', 'nobody']
          .map((name) => `export function ${name}() { return '${name}'; }\n`)
          .join(''),
      );
      const { code, stderr } = await runScript(
        `
        import { Process } from 'posix-multiprocessing';
        const covered = await import(process.argv[1]);
        const ways = [
          () => { covered.returns(); },
          () => { covered.exits(); process.exit(3); },
          () => { covered.throws(); throw new Error('on purpose'); },
          () => { covered.stays(); return new Promise(() => {}); },
        ];
        for (const target of ways) await (await new Process({ target }).start()).join();
      `,
        { args: [module], env: { NODE_V8_COVERAGE: join(folder, 'coverage') } },
      );
      assert.equal(code, 0, stderr);
      const counts = new Map<string, number>();
      const files = fs.readdirSync(join(folder, 'coverage'));
      assert.ok(files.length >= 5, files.join());
      for (const file of files) {
        const { result } = JSON.parse(fs.readFileSync(join(folder, 'coverage', file), 'utf8')) as {
          result: { url: string; functions: { functionName: string; ranges: { count: number }[] }[] }[];
        };
        for (const { url, functions } of result) {
          if (!url.endsWith('covered.mjs')) continue;
          for (const { functionName, ranges } of functions) {
            counts.set(functionName, (counts.get(functionName) ?? 0) + (ranges[0]?.count ?? 0));
          }
        }
      }
      for (const name of ['returns', 'exits', 'throws', 'stays']) assert.equal(counts.get(name), 1, name);
      assert.equal(counts.get('nobody') ?? 0, 0);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
