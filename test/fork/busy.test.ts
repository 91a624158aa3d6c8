import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

/**
 * A process whose V8 threads compile WebAssembly for long, with the optimising compiler and all functions at once. What they
 * have begun ends with the last function only.
 */
const compiling = `
  import { performance } from 'node:perf_hooks';
  import { forkSupport, onFork, Process } from 'posix-multiprocessing';
  import { fork, waitpid } from 'posix-multiprocessing/posix';

  const leb = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)]);
  const section = (id, bytes) => Buffer.concat([Buffer.from([id, ...leb(bytes.length)]), bytes]);
  const vector = (items) => Buffer.concat([Buffer.from(leb(items.length)), ...items]);
  const operations = Array.from({ length: 2000 }, () => [65, 3, 108, 32, 0, 106]).flat(); // n * 3 + first
  const body = Buffer.from([0, 32, 0, ...operations, 11]);
  const one = Buffer.from([...leb(body.length), ...body]);
  const wasmModule = (functions) => Buffer.concat([
    Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]),
    section(1, Buffer.from([1, 96, 1, 127, 1, 127])),
    section(3, vector(Array.from({ length: functions }, () => Buffer.alloc(1)))),
    section(10, vector(Array.from({ length: functions }, () => one))),
  ]);
  const alive = setInterval(() => {}, 1000);
  const compile = (functions) => {
    const compiled = { over: false };
    compiled.end = WebAssembly.compile(wasmModule(functions)).then(() => { compiled.over = true; });
    return compiled;
  };
  if (!forkSupport().supported) throw new Error('no fork here');
  const endWith7 = async () => {
    const child = await new Process({ target: () => process.exit(7), startMethod: 'fork' }).start();
    await child.join();
    return child.exitCode;
  };`;
const flags = ['--no-liftoff', '--no-wasm-lazy-compilation'];

describe("while V8's threads are at work for long", function () {
  this.timeout(150_000);

  it('a fork waits for them, and the event loop turns meanwhile', async () => {
    const { code, stdout, stderr, facts } = await runScript(
      `${compiling}
      for (let functions = 50; ; functions *= 2) {
        const compiled = compile(functions);
        let turns = 0;
        let attempts = 0;
        const count = () => { turns += 1; turning = setImmediate(count); };
        let turning = setImmediate(count);
        let turnsBefore = 0;
        const hook = onFork({ before: () => { attempts += 1; turnsBefore = turns; } });
        let exitCode = 7;
        while (!compiled.over && attempts < 5 && exitCode === 7) {
          attempts = turns = 0;
          exitCode = await endWith7();
        }
        hook[Symbol.dispose]();
        clearImmediate(turning);
        await compiled.end;
        if (exitCode === 7 && attempts < 5) continue; // it was too quick
        console.log(exitCode, turnsBefore >= attempts - 1);
        break;
      }
      clearInterval(alive);`,
      { nodeFlags: flags, timeout: 120_000 },
    );
    assert.equal(code, 0, stdout + stderr + facts);
    assert.equal(stdout, '7 true\n', stderr);
  });

  it('a fork is refused in the end, with a reason, whichever way it is asked for; and works later', async () => {
    const { code, stdout, stderr, facts } = await runScript(
      `${compiling}
      // Patience is ten seconds of this clock.
      const now = performance.now.bind(performance);
      performance.now = () => now() * 30;
      const child = () => new Process({ target: () => process.exit(1), startMethod: 'fork' });
      const ways = {
        start: async () => (await child().start()).join(),
        startSync: async () => child().startSync().join(),
        fork: async () => waitpid(fork() || process.exit(1)),
      };
      for (const [way, ask] of Object.entries(ways)) {
        let refused;
        for (let functions = 100; refused === undefined; functions *= 2) {
          const compiled = compile(functions);
          // A turn of the loop or two go by before V8's threads have what to compile.
          while (refused === undefined && !compiled.over) {
            await ask().catch((error) => { refused = error; });
            await new Promise(setImmediate);
          }
          await compiled.end;
          if (refused !== undefined) console.log(way, refused.code, refused.message);
        }
      }
      console.log(await endWith7());
      clearInterval(alive);`,
      { nodeFlags: flags, timeout: 120_000 },
    );
    assert.equal(code, 0, stdout + stderr + facts);
    const line = (way: string): string =>
      `${way} ERR_MP_START_METHOD [^\\n]*V8's background threads did not come to rest[^\\n]*Remedy: [^\\n]*\\n`;
    assert.match(stdout, new RegExp(`^${line('start')}${line('startSync')}${line('fork')}7\\n$`));
  });
});
