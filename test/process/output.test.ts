import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Ways to leave right after printing a megabyte. */
const ways: [string, string, number][] = [
  ['return', '', 0],
  ['throw', "throw new Error('on purpose')", 1],
  ['rejection', "return Promise.reject(new Error('on purpose'))", 1],
  ['process.exit', 'process.exit(3)', 3],
  ['an uncaught error', "setTimeout(() => { throw new Error('on purpose') }, 1); return new Promise(() => {})", 1],
  ['a signal', "process.kill(process.pid, 'SIGKILL')", -9],
];

const script = (leave: string): string => `
  import { Process } from 'posix-multiprocessing';
  console.log('parent, before');
  const child = new Process({ target: () => {
    process.stdout.write('x'.repeat(1 << 20) + '\\n');
    ${leave}
  } });
  await child.start();
  await child.join();
  console.log('parent, after: ' + child.exitCode);
`;

function assertWhole(stdout: string, exitCode: number): void {
  const [before, middle, after, rest] = stdout.split('\n');
  assert.equal(before, 'parent, before');
  assert.equal(middle?.length, 1 << 20);
  assert.equal(after, `parent, after: ${exitCode}`);
  assert.equal(rest, '');
}

describe('what a child prints', () => {
  for (const [way, leave, exitCode] of ways) {
    it(`arrives whole and once through a pipe: ${way}`, async () => {
      const { stdout, stderr, code } = await runScript(script(leave));
      assert.equal(code, 0, stderr);
      assertWhole(stdout, exitCode);
    });

    it(`arrives whole and once in a file: ${way}`, () => {
      const folder = fs.mkdtempSync(join(tmpdir(), 'mp-output-'));
      const file = join(folder, 'out');
      const fd = fs.openSync(file, 'a');
      try {
        execFileSync(process.execPath, ['--input-type=module', '--eval', script(leave)], {
          cwd: root,
          stdio: ['ignore', fd, 'pipe'], // the message of a failure then has its stderr
        });
        assertWhole(fs.readFileSync(file, 'utf8'), exitCode);
      } finally {
        fs.closeSync(fd);
        fs.rmSync(folder, { recursive: true });
      }
    });
  }

  it('arrives whole on a terminal', async () => {
    const { stdout, code } = await runScript(
      `import { execFileSync } from 'node:child_process';
       import fs from 'node:fs';
       fs.writeFileSync(process.argv[1], ${JSON.stringify(script('process.exit(3)'))});
       execFileSync('script', ['-qec', process.execPath + ' ' + process.argv[1], '/dev/null'], { stdio: ['ignore', 'inherit', 'inherit'] });
       fs.rmSync(process.argv[1]);`,
      { args: [join(root, 'out', `terminal-${process.pid}.mjs`)] },
    );
    assert.equal(code, 0);
    assertWhole(stdout.replaceAll('\r', ''), 3);
  });

  it('is not doubled with what the parent has yet to write', async () => {
    const { stdout, code } = await runScript(`
      import { Process } from 'posix-multiprocessing';
      process.stdout.write('p'.repeat(1 << 20)); // a pipe takes 64 KiB at once
      const children = Array.from({ length: 3 }, (_, index) => new Process({ target: () => console.log('<child ' + index + '>') }));
      for (const child of children) await child.start();
      for (const child of children) await child.join();
      console.log('<end>');
    `);
    assert.equal(code, 0);
    assert.equal(stdout.match(/p/g)?.length, 1 << 20);
    for (const word of ['<child 0>', '<child 1>', '<child 2>', '<end>'])
      assert.equal(stdout.split(word).length, 2, word);
  });

  it('goes to standard error whole: the stack of an uncaught error with its cause and its properties', async () => {
    const { stderr } = await runScript(`
      import { Process } from 'posix-multiprocessing';
      const deep = () => { throw Object.assign(new Error('outer', { cause: new TypeError('inner') }), { detail: 'kept' }) };
      const child = await new Process({ target: deep, name: 'unlucky' }).start();
      await child.join();
    `);
    for (const part of ['unlucky', 'Error: outer', 'at deep', 'TypeError: inner', "detail: 'kept'"]) {
      assert.ok(stderr.includes(part), `${part} in ${stderr}`);
    }
  });
});

describe('what a child reads', () => {
  it('is nothing: its standard input is /dev/null, and the parent goes on reading its own', async () => {
    const { stdout, code, stderr } = await runScript(
      `
      import { Process } from 'posix-multiprocessing';
      import { execFileSync } from 'node:child_process';
      import fs from 'node:fs';
      process.stdin.setEncoding('utf8');
      let text = '';
      process.stdin.on('data', (part) => { text += part; });
      const child = await new Process({ target: async () => {
        let own = '';
        for await (const part of process.stdin) own += part;
        console.log('child read ' + own.length + ' ' + fs.readFileSync(0).length + ' ' + execFileSync('cat', { stdio: [0, 'pipe', 'inherit'] }).length);
      } }).start();
      await child.join();
      if (!process.stdin.readableEnded) await new Promise((resolve) => process.stdin.on('end', resolve));
      console.log('parent read ' + text.length);
    `,
      { input: 'i'.repeat(200_000) },
    );
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'child read 0 0 0\nparent read 200000\n');
  });
});
