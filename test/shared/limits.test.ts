/** What happens when there is no more: /dev/shm full, no descriptor left. */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

const root: string = fileURLToPath(new URL('../../..', import.meta.url));
const ownShm: readonly string[] = ['-m', 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$@"', 'sh'];

// Needs leave to mount.
if (spawnSync('unshare', [...ownShm, 'true']).status === 0) {
  describe('in a full /dev/shm', () => {
    it('creating fails with ENOSPC, nothing is left of it, and what exists goes on', async () => {
      const script = `
        import { readdirSync } from 'node:fs';
        import { Manager, ShareableList, SharedArray, SharedMemory, Value } from 'posix-multiprocessing';
        const names = () => readdirSync('/dev/shm').filter((name) => !name.startsWith('mp-names-')).length;
        const code = (run) => { try { run(); return 'none'; } catch (error) { return error.code; } };
        const memory = SharedMemory.create({ size: 900_000 });
        console.log(code(() => SharedMemory.create({ size: 200_000 })), names());
        console.log(code(() => ShareableList.create(['x'.repeat(200_000)])), names());
        const small = [];
        console.log(code(() => { for (;;) small.push(SharedMemory.create({ size: 1 })); }), small.length > 5);
        memory.bytes.fill(1);
        for (const one of small) one.bytes[0] = 1;
        console.log(code(() => SharedMemory.open(memory.name).close()));
        new Value('i32', 1, { lock: false });
        new SharedArray('f64', 100_000, { lock: false }).array.fill(1);
        for (const one of small) {
          one.unlink();
          one.close();
        }
        console.log(code(() => SharedMemory.create({ size: 5000 }).unlink()), names());
        process.kill(process.pid, 'SIGKILL');`;
      const program = [process.execPath, '--input-type=module', '--eval', script];
      const ran = promisify(execFile)('unshare', [...ownShm, ...program], { cwd: root });
      const { stdout, signal, stderr } = (await ran.catch((error: unknown) => error)) as {
        stdout: string;
        stderr: string;
        signal?: string;
      };
      assert.equal(stdout, 'ENOSPC 1\nENOSPC 1\nENOSPC true\nnone\nnone 1\n', stderr);
      assert.equal(signal, 'SIGKILL');
    });

    it('the first name of a tree is refused where its registry finds no room', async () => {
      const script = `
        import { openSync, writeSync } from 'node:fs';
        const fd = openSync('/dev/shm/filler', 'w');
        try { for (;;) writeSync(fd, Buffer.alloc(4096)); } catch {}
        const { SharedMemory } = await import('posix-multiprocessing');
        try { SharedMemory.create({ size: 1 }); } catch ({ code }) { console.log(code); }`;
      const program = [process.execPath, '--input-type=module', '--eval', script];
      const { stdout } = await promisify(execFile)('unshare', [...ownShm, ...program], { cwd: root });
      assert.equal(stdout, 'ENOSPC\n');
    });
  });
}

describe('with a full descriptor table', () => {
  it('creating fails with EMFILE, nothing is left of it, and all works once there is room again', async () => {
    const { stdout, stderr, facts } = await runScript(`
      import { closeSync, openSync, readdirSync } from 'node:fs';
      import { Manager, ShareableList, SharedArray, SharedMemory, Value, waitForChange } from 'posix-multiprocessing';
      import * as posix from 'posix-multiprocessing/posix';
      const own = () => readdirSync('/dev/shm').filter((name) => name.startsWith('mp-' + process.pid + '-')).length;
      const code = (run) => { try { run(); return 'none'; } catch (error) { return error.code; } };
      const memory = SharedMemory.create({ size: 10 });
      const words = new Int32Array(memory.buffer, 0, 1);
      const before = own();
      const fds = [];
      const full = () => { try { for (;;) fds.push(openSync('/dev/null')); } catch {} };
      posix.setrlimit('nofile', { ...posix.getrlimit('nofile'), soft: 100 });
      full();
      const codes = [
        code(() => SharedMemory.create({ size: 10 })),
        code(() => SharedMemory.open(memory.name)),
        code(() => ShareableList.create([1])),
        code(() => new Value('i32', 1, { lock: false })),
        code(() => new SharedArray('i32', 1, { lock: false })),
        await waitForChange(words, 0, 0).catch((error) => error.code),
        await Manager().catch((error) => error.code),
      ];
      for (const fd of fds.splice(0)) closeSync(fd);
      console.log(new Set(codes), before, [...readdirSync('/dev/shm')].filter((name) => name.startsWith('mp-' + process.pid + '-')).length);
      new Value('i32', 1, { lock: false }).close();
      SharedMemory.create({ size: 10 }).unlink();
      const manager = await Manager();
      console.log(await (await manager.list([1])).length());
      await manager.shutdown();`);
    assert.equal(stdout, "Set(1) { 'EMFILE' } 1 1\n1\n", stderr + facts);
  });
});
