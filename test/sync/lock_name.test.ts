import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'mocha';
import { Lock } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import { freshName } from './locks.js';

describe('the name of a Lock', () => {
  const file = (name: string): string => `/dev/shm/sem.${name}`;
  const run = async (body: string): Promise<string> => {
    const name = freshName();
    const script = `
      import { existsSync } from 'node:fs';
      import { Lock, Process } from 'posix-multiprocessing';
      import { semOpen, semUnlink } from 'posix-multiprocessing/posix';
      const name = '${name}';
      ${body}`;
    const { stderr, stdout, facts } = await runScript(script);
    assert.equal(stdout, 'done\n', stderr + facts);
    return name;
  };

  it('goes with the process that created it, however that ends by itself', async () => {
    for (const last of ['', 'process.exit(3);', "throw new Error('on purpose');"]) {
      const name = await run(
        `new Lock({ name }); console.log(existsSync('/dev/shm/sem.' + name) ? 'done' : '?'); ${last}`,
      );
      await waitFor(`the name goes after '${last}'`, () => !existsSync(file(name)));
    }
  });

  it('stays when it is to persist', async () => {
    const name = await run("new Lock({ name, persist: true }); console.log('done');");
    assert.equal(existsSync(file(name)), true);
    const lock = new Lock({ name });
    lock.unlink();
    lock.close();
  });

  it('stays when a process ends that only opened it, or was forked', async () => {
    const name = freshName();
    const lock = new Lock({ name });
    const { stdout } = await runScript(`
      import { Lock } from 'posix-multiprocessing';
      console.log(new Lock({ name: '${name}' }).locked);`);
    assert.equal(stdout, 'false\n');
    assert.equal(await inChild(() => lock.locked), false);
    assert.equal(existsSync(file(name)), true);
    lock.unlink();
    lock.close();
  });

  it("is not touched when it is somebody else's by the end", async () => {
    const name = await run(`
      new Lock({ name });
      semUnlink('/' + name);
      semOpen('/' + name, { create: true });
      console.log('done');`);
    assert.equal(existsSync(file(name)), true);
    const lock = new Lock({ name });
    lock.unlink();
    lock.close();
  });
});
