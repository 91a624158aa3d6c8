/** Programs as people write them, each under every start method that can work there. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

const root: string = fileURLToPath(new URL('../../..', import.meta.url));

/** A folder inside the package, from where programs import it by its name. */
async function withFiles(files: Record<string, string>, body: (folder: string) => Promise<void>): Promise<void> {
  mkdirSync(join(root, 'out'), { recursive: true });
  const folder = mkdtempSync(join(root, 'out/callers-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Starts one process in each way that can work here and one without saying how; prints what they answer. */
const rounds = `
  for (const startMethod of ['fork', 'forkserver', 'spawn', undefined] as const) {
    if (startMethod === 'fork' && !forkSupport().supported) continue;
    const answers = new Queue<string>();
    try {
      const child = await new Process({ target: double, args: [21, answers], startMethod }).start();
      await child.join();
      console.log(startMethod, child.exitCode === 0 ? answers.getNowait() : child.exitCode);
    } catch (error) {
      console.log(startMethod, (error as { code: string }).code);
    }
  }`;

const typescript = {
  'tasks.ts': `
    import { currentProcess, importable, type Queue } from 'posix-multiprocessing';
    interface Pair { readonly whole: number; readonly half: number }
    const pairOf = (half: number): Pair => ({ half, whole: 2 * half });
    export const { double } = importable(import.meta, {
      double: (half: number, answers: Queue<string>): void =>
        answers.putSync(pairOf(half).whole + ' ' + currentProcess().name.replace(/\\d/, 'n')),
    });`,
  'answer.ts': `
    import { importable } from 'posix-multiprocessing';
    export const { answer } = importable(import.meta, { answer: (half: number): number => 2 * half });`,
  'main.ts': `
    import { forkSupport, Process, Queue } from 'posix-multiprocessing';
    import { double } from './tasks.ts';
    ${rounds}`,
};

const poolAndManager = `
  import { Manager, Pool } from 'posix-multiprocessing';
  import { answer } from './answer.ts';
  const pool = new Pool(2);
  console.log(await pool.map(answer, [21, 22], { chunkSize: 1 }));
  pool.close();
  await pool.join();
  const manager = await Manager();
  const dict = await manager.dict({ a: 1 });
  console.log(await dict.get('a'));
  await manager.shutdown();`;

const commonjs = {
  'tasks.cjs': `
    const { currentProcess, importable } = require('posix-multiprocessing');
    module.exports = importable(module, {
      double(half, answers) { answers.putSync(2 * half + ' ' + currentProcess().name.replace(/\\d/, 'n')); },
    });`,
  'main.cjs': `
    const { forkSupport, Process, Queue } = require('posix-multiprocessing');
    const { double } = require('./tasks.cjs');
    void (async () => { ${rounds.replaceAll(/<string>| as const| as \{ code: string \}/g, '')} })();`,
};

const all = 'fork 42 Process-n\nforkserver 42 Process-n\nspawn 42 Process-n\nundefined 42 Process-n\n';

describe('a program', () => {
  it('in TypeScript runs with tsx', () =>
    withFiles(typescript, async (folder) => {
      const program = pathToFileURL(join(folder, 'main.ts'));
      const { stdout, stderr, code } = await runScript(program, { nodeFlags: ['--import', 'tsx'] });
      assert.equal(code, 0, stderr);
      // Some versions of Node and tsx keep a thread for it: then nothing forks where it runs, in the fork server neither.
      const [last, spawned, ...others] = stdout.trimEnd().split('\n').reverse();
      assert.equal(last, 'undefined 42 Process-n');
      assert.equal(spawned, 'spawn 42 Process-n');
      for (const line of others)
        assert.match(line, /^fork 42 Process-n$|^forkserver (42 Process-n|ERR_MP_START_METHOD)$/);
    }));

  // Some versions of Node and tsx keep a thread, with which neither the program forks nor its fork server.
  it('in TypeScript has pools and managers with tsx', () =>
    withFiles({ ...typescript, 'main.ts': poolAndManager }, async (folder) => {
      const program = pathToFileURL(join(folder, 'main.ts'));
      const { stdout, stderr, timedOut, facts } = await runScript(program, { nodeFlags: ['--import', 'tsx'] });
      assert(!timedOut, facts);
      assert.equal(stdout, '[ 42, 44 ]\n1\n', stderr);
    }));

  it("in TypeScript runs with Node's own type stripping", function () {
    if (!('typescript' in process.features) || process.features.typescript === false) this.skip();
    return withFiles(typescript, async (folder) => {
      const { stdout, stderr } = await runScript(pathToFileURL(join(folder, 'main.ts')));
      assert.equal(stdout, all, stderr);
    });
  });

  it('in CommonJS registers its functions with its module', () =>
    withFiles(commonjs, async (folder) => {
      const { stdout, stderr } = await runScript(pathToFileURL(join(folder, 'main.cjs')));
      assert.equal(stdout, all, stderr);
    }));

  it('meets one copy of the library, by import, by require and in a fresh process', async () => {
    const same = `
      import { createRequire } from 'node:module';
      import * as imported from 'posix-multiprocessing';
      const required = createRequire(import.meta.url)('posix-multiprocessing');
      export default () => console.log(imported.Process === required.Process, imported.currentProcess().name,
        required.currentProcess() === imported.currentProcess());`;
    await withFiles({ 'same.mjs': same }, async (folder) => {
      const target = JSON.stringify(join(folder, 'same.mjs'));
      const { stdout, stderr } = await runScript(`
        import { Process } from 'posix-multiprocessing';
        for (const startMethod of ['fork', 'forkserver', 'spawn']) {
          const child = await new Process({ target: ${target}, name: 'unique', startMethod }).start();
          await child.join();
        }`);
      assert.equal(stdout, 'true unique true\n'.repeat(3), stderr);
    });
  });

  it("reads the names of the library's sources in the stack of an error", async () => {
    const { stdout } = await runScript(
      `import { Lock } from 'posix-multiprocessing';
       try { new Lock().release(); } catch ({ stack }) { console.log(stack); }`,
      { nodeFlags: ['--enable-source-maps'] },
    );
    assert.match(stdout, /\bts\/sync\/\w+\.ts:\d+:\d+/);
  });

  it('in a Worker has fork servers and spawned processes, and is told why it can not fork', async () => {
    const worker = `
      import { Process, getStartMethod } from 'posix-multiprocessing';
      console.log(getStartMethod());
      for (const startMethod of ['fork', 'forkserver', 'spawn', undefined]) {
        const target = 'data:text/javascript,export default () => process.exit(7)';
        const child = new Process({ target, startMethod });
        await child.start().then(() => child.join()).catch(({ code }) => console.log(code));
        console.log(startMethod, child.exitCode);
      }`;
    await withFiles({ 'worker.mjs': worker }, async (folder) => {
      const { stdout, stderr, code } = await runScript(`
        import { once } from 'node:events';
        import { readFileSync } from 'node:fs';
        import { Worker } from 'node:worker_threads';
        await once(new Worker(${JSON.stringify(join(folder, 'worker.mjs'))}, { execArgv: [] }), 'exit');
        // Its fork server has ended with it.
        console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8') === '');`);
      assert.equal(
        stdout,
        'forkserver\nERR_MP_START_METHOD\nfork undefined\nforkserver 7\nspawn 7\nundefined 7\ntrue\n',
        stderr,
      );
      assert.equal(code, 0);
    });
  });
});
