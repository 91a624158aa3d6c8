import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withEnvironment } from './processes.js';
import { runScript } from './run_script.js';

describe('runScript', () => {
  it('reports code, both outputs, arguments and input of a text', async () => {
    const result = await runScript(
      `import { readFileSync } from 'node:fs';
       process.stdout.write(readFileSync(0, 'utf8') + process.argv.slice(1) + process.env.WHO);
       process.stderr.write('oops');
       process.exitCode = 7;`,
      { args: ['--a', 'b'], input: 'in ', env: { WHO: ' me' } },
    );
    assert.deepEqual(result, {
      code: 7,
      signal: null,
      stdout: 'in --a,b me',
      stderr: 'oops',
      timedOut: false,
      facts: '',
    });
  });

  it('runs a file', async () => {
    const { code, stdout } = await runScript(new URL('./processes.js', import.meta.url));
    assert.deepEqual([code, stdout], [0, '']);
  });

  it('finds the package by its name', async () => {
    const { code, stderr } = await runScript(`import 'posix-multiprocessing';`);
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('reports the signal that ended it', async () => {
    const { code, signal, timedOut } = await runScript(
      `process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 9);`,
    );
    assert.deepEqual([code, signal, timedOut], [null, 'SIGTERM', false]);
  });

  it('hands the pid out while it runs', async () => {
    const { signal, timedOut } = await runScript('setInterval(() => {}, 9);', {
      onStart: (pid) => void process.kill(pid, 'SIGUSR2'),
    });
    assert.deepEqual([signal, timedOut], ['SIGUSR2', false]);
  });

  it('kills what hangs, with the children that it left to others, and tells what they did', async () => {
    const result = await runScript(
      `import { spawn } from 'node:child_process';
       const shell = spawn('sh', ['-c', 'sleep 600 & echo started'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
       setInterval(() => {}, 1000);`,
      { timeout: 8_000 },
    );
    assert.equal(result.timedOut, true);
    assert.equal(result.signal, 'SIGKILL');
    assert.equal(result.stdout, 'started\n');
    assert.match(result.facts, /sleep 600\n {2}State: S/);
    assert.match(result.facts, /thread \d+ \([^)]+\): wchan \w+/);
    assert.deepEqual(withEnvironment('MP_TEST_SCRIPT=none'), []);
  });

  it('rejects when node itself cannot be run', async () => {
    await assert.rejects(runScript('', { node: '/nonexistent/node' }), { code: 'ENOENT' });
  });
});
