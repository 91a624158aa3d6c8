import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'mocha';
import { SharedMemory } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { runScript } from '../support/run_script.js';
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

  it('goes with the process that created it, however that ends by itself', async () => {
    for (const last of ['', 'process.exit(3);', "throw new Error('on purpose');"]) {
      const name = await run(`SharedMemory.create({ name, size: 1 }).close(); done(); ${last}`);
      assert.equal(existsSync(file(name)), false, last);
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
    assert.equal(existsSync(file(name)), false);
  });

  it('goes with the child that created it', async () => {
    const name = await inChild(() => SharedMemory.create({ size: 1 }).name);
    assert.equal(existsSync(file(name)), false);
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
