import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'mocha';
import { SharedMemory } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import { freshName } from './segments.js';

const file = (name: string): string => `/dev/shm/${name}`;

describe('the name of a SharedMemory', () => {
  const run = async (body: string): Promise<string> => {
    const name = freshName();
    const { stdout, stderr, facts } = await runScript(`
      import { existsSync } from 'node:fs';
      import { Process, SharedMemory } from 'posix-multiprocessing';
      const name = '${name}';
      const done = () => console.log(existsSync('/dev/shm/' + name) ? 'done' : 'too early');
      ${body}`);
    assert.equal(stdout, 'done\n', stderr + facts);
    return name;
  };

  it('goes with the process that created it, however that ends', async () => {
    for (const last of [
      '',
      'process.exit(3);',
      "throw new Error('on purpose');",
      "process.kill(process.pid, 'SIGKILL');",
    ]) {
      const name = await run(`SharedMemory.create({ name, size: 1 }).close(); done(); ${last}`);
      await waitFor(`the name goes after '${last}'`, () => !existsSync(file(name)));
    }
  });

  it('stays when it is to persist', async () => {
    const name = await run('SharedMemory.create({ name, size: 1, persist: true }).bytes[0] = 6; done();');
    using memory = SharedMemory.open(name);
    assert.equal(memory.bytes[0], 6);
    memory.unlink();
  });

  it('stays when a child of its creator ends, and when somebody ends who opened it', async () => {
    const name = await run(`
      SharedMemory.create({ name, size: 1 });
      const target = () => {
        SharedMemory.open(name).close();
        SharedMemory.create({ size: 1 });
      };
      const child = await new Process({ target }).start();
      await child.join();
      done();`);
    await waitFor('the name goes', () => !existsSync(file(name)));
  });

  it('stays when the child that created it ends: it goes with the tree', async () => {
    const name = await inChild(() => SharedMemory.create({ size: 1 }).name);
    using memory = SharedMemory.open(name);
    memory.unlink();
    const childs = await run(`
      await (await new Process({ target: () => { SharedMemory.create({ name, size: 1 }); } }).start()).join();
      SharedMemory.open(name).close();
      done();`);
    await waitFor('the name goes', () => !existsSync(file(childs)));
  });

  it("is not touched when it is somebody else's by the end", async () => {
    const name = await run(`
      SharedMemory.create({ name, size: 1 });
      const other = await new Process({
        target: () => {
          SharedMemory.open(name).unlink();
          SharedMemory.create({ name, size: 2, persist: true });
        },
      }).start();
      await other.join();
      done();`);
    using memory = SharedMemory.open(name);
    assert.equal(memory.size, 2);
    memory.unlink();
  });
});
