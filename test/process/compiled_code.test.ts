/** Spawned processes that take over what V8 has compiled of the library. */

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

/** Each child sends the name of its program and its descriptors. */
const child = `data:text/javascript,${encodeURIComponent(`
  import { readdirSync, readlinkSync } from 'node:fs';
  import { basename } from 'node:path';
  const linksTo = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
  export default async (out) => {
    const { currentProcess } = await import(process.env.MP_TEST_LIBRARY);
    await out.send({
      program: basename(process.mainModule.filename),
      name: currentProcess().name,
      code: readdirSync('/proc/self/fd').map(linksTo).filter((link) => link.includes('posix-multiprocessing code')),
    });
  };`)}`;

const parent = `
  import { Pipe, Process } from 'posix-multiprocessing';
  process.env.MP_TEST_LIBRARY = import.meta.resolve('posix-multiprocessing');
  for (let round = 0; round < 3; round += 1) {
    if (round === 2 && process.argv[1] !== undefined) process.env.NODE_OPTIONS = process.argv[1];
    const [mine, its] = Pipe();
    const child = new Process({ target: ${JSON.stringify(child)}, args: [its], startMethod: 'spawn' });
    if (round === 1) child.startSync(); else await child.start();
    its.close();
    const { program, name, code } = await mine.recv();
    await child.join();
    console.log(program, name, child.exitCode, code.length);
  }`;

const expected = ['fresh_main.cjs', 'compiled_main.cjs', 'compiled_main.cjs'].map(
  (program, index) => `${program} Process-${index + 1} 0 0\n`,
);

describe('what V8 has compiled, in a spawned process', () => {
  it('is there from the second one on, which has no descriptor of it left', async () => {
    const { stdout, stderr } = await runScript(parent);
    assert.deepEqual([stdout, stderr], [expected.join(''), '']);
  });

  it('is refused by V8 where that has other flags, which changes nothing', async () => {
    const { stdout, stderr } = await runScript(parent, { args: ['--interpreted-frames-native-stack'] });
    assert.deepEqual([stdout, stderr], [expected.join(''), '']);
  });

  it('is not handed on where stacks are told by source map', async () => {
    const { stdout, stderr } = await runScript(parent, { nodeFlags: ['--enable-source-maps'] });
    assert.deepEqual([stdout, stderr], [expected.join('').replaceAll('compiled', 'fresh'), '']);
  });

  it('is not handed on where there is no room for it', async () => {
    // A limit for files is one for memory files, too.
    const limit = `import { getrlimit, setrlimit } from 'posix-multiprocessing/posix';
      process.on('SIGXFSZ', () => {});
      setrlimit('fsize', { ...getrlimit('fsize'), soft: 1000 });`;
    const { stdout, stderr } = await runScript(`${limit}${parent}`);
    assert.deepEqual([stdout, stderr], [expected.join('').replaceAll('compiled', 'fresh'), '']);
  });
});
