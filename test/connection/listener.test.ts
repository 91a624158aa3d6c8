import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'mocha';
import { type Address, Connection, connect, Listener, Process } from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';

const key = Buffer.from('the key');
const wrongKey = { code: 'ERR_MP_AUTH' };

function pathIn(folder: string): string {
  return join(folder, 'socket');
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'listener-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function expectConversation(one: Connection, other: Connection): Promise<void> {
  await one.send({ hello: [1, 2n] });
  assert.deepEqual(await other.recv(), { hello: [1, 2n] });
  other.sendSync('back');
  assert.equal(one.recvSync(), 'back');
}

const abstractName = (): Address => ({ path: `\0mp-test-${process.pid}-${randomBytes(6).toString('hex')}` });
const addresses: [string, () => Address | undefined][] = [
  ['the default address', () => undefined],
  ['an abstract name', abstractName],
  ['TCP', () => ({ host: '127.0.0.1', port: 0 })],
];

for (const [name, makeAddress] of addresses) {
  describe(`Listener at ${name}`, () => {
    for (const authKey of [undefined, key, new Uint8Array()]) {
      it(`accepts what connects, ${authKey === undefined ? 'without' : `with a ${authKey.length}-byte`} key`, async () => {
        const options = authKey === undefined ? {} : { authKey };
        using listener = await Listener.listen(makeAddress(), options);
        for (let i = 0; i < 3; i += 1) {
          const [accepted, connected] = await Promise.all([listener.accept(), connect(listener.address, options)]);
          using one = accepted;
          using other = connected;
          await expectConversation(one, other);
          await expectConversation(other, one);
        }
      });
    }

    it('a wrong key is refused on both sides, and the listener goes on', async () => {
      using listener = await Listener.listen(makeAddress(), { authKey: key });
      const [accepted, connected] = await Promise.allSettled([
        listener.accept(),
        connect(listener.address, { authKey: Buffer.from('another') }),
      ]);
      assert.equal((accepted as PromiseRejectedResult).reason.code, 'ERR_MP_AUTH');
      assert.equal((connected as PromiseRejectedResult).reason.code, 'ERR_MP_AUTH');
      const [one, other] = await Promise.all([listener.accept(), connect(listener.address, { authKey: key })]);
      await expectConversation(one, other);
      one.close();
      other.close();
    });

    it('reaches a child, forked or not related', async () => {
      using listener = await Listener.listen(makeAddress(), { authKey: key });
      const { address } = listener;
      const child = await new Process({
        target: async () => {
          using connection = await connect(address, { authKey: key });
          await connection.send(`${await connection.recv()} from the child`);
        },
      }).start();
      using connection = await listener.accept();
      await connection.send('hello');
      assert.equal(await connection.recv(), 'hello from the child');
      await child.join();
      assert.equal(child.exitCode, 0);
      child.close();
      const script = runScript(`
        import { connect } from 'posix-multiprocessing';
        const connection = await connect(${JSON.stringify(address)}, { authKey: Buffer.from('the key') });
        await connection.send((await connection.recv()) * 2);
      `);
      using stranger = await listener.accept();
      await stranger.send(21);
      assert.equal(await stranger.recv(), 42);
      stranger.close();
      const { code, stderr } = await script;
      assert.equal(code, 0, stderr);
    });

    it('time-outs and aborts lose no connection', async () => {
      for (const options of [{}, { authKey: key }]) {
        using listener = await Listener.listen(makeAddress(), options);
        await assert.rejects(listener.accept({ timeout: 0 }), { code: 'ERR_MP_TIMEOUT' });
        await assert.rejects(listener.accept({ timeout: 20 }), { code: 'ERR_MP_TIMEOUT' });
        const reason = new Error('enough');
        const controller = new AbortController();
        const waiting = [
          listener.accept({ signal: controller.signal }),
          listener.accept({ signal: controller.signal }),
        ];
        const staying = listener.accept();
        controller.abort(reason);
        for (const wait of waiting) await assert.rejects(wait, reason);
        using connected = await connect(listener.address, options);
        using accepted = await staying;
        await expectConversation(accepted, connected);
      }
    });

    it('close() ends what waits, may be repeated, and leaves connections alone', async () => {
      for (const options of [{}, { authKey: key }]) {
        const listener = await Listener.listen(makeAddress(), options);
        const [accepted, connected] = await Promise.all([listener.accept(), connect(listener.address, options)]);
        const waiting = listener.accept();
        await new Promise(setImmediate);
        listener.close();
        listener.close();
        await assert.rejects(waiting, { code: 'ERR_MP_CLOSED' });
        await assert.rejects(listener.accept(), { code: 'ERR_MP_CLOSED' });
        await assert.rejects(connect(listener.address), (error: NodeJS.ErrnoException) =>
          ['ECONNREFUSED', 'ENOENT'].includes(error.code ?? ''),
        );
        await expectConversation(accepted, connected);
        accepted.close();
        connected.close();
      }
    });
  });
}

describe('Listener', () => {
  it('clients that keep silent, talk nonsense or leave do not hold up the others', async () => {
    using listener = await Listener.listen(undefined, { authKey: key });
    const { path } = listener.address as { path: string };
    const silent = netConnect(path);
    await once(silent, 'connect');
    const hasty = netConnect(path);
    await once(hasty, 'connect');
    hasty.destroy();
    const first = listener.accept();
    const [one, other] = await Promise.all([first, connect(listener.address, { authKey: key })]);
    await expectConversation(one, other);
    one.close();
    other.close();
    const confused = netConnect(path);
    confused.write('GET / HTTP/1.1\r\n\r\n');
    await assert.rejects(listener.accept(), wrongKey);
    for (const socket of [silent, confused]) {
      socket.on('error', () => {});
      socket.destroy();
    }
  });

  it('a key on one side only is no key', async () => {
    using open = await Listener.listen();
    const both = await Promise.allSettled([
      open.accept().then((connection) => connection.close()),
      connect(open.address, { authKey: key }),
    ]);
    assert.equal((both[1] as PromiseRejectedResult).reason.code, 'ERR_MP_AUTH');
    using guarded = await Listener.listen(undefined, { authKey: key });
    const accepting = guarded.accept();
    using naive = await connect(guarded.address);
    naive.sendSync('no response');
    await assert.rejects(accepting, wrongKey);
  });

  it('by default lives in a folder of its own that nobody else may enter, gone at close', async () => {
    const listener = await Listener.listen();
    const { path } = listener.address as { path: string };
    assert.ok(statSync(path).isSocket());
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    listener.close();
    assert.equal(existsSync(dirname(path)), false);
  });

  it('the file is gone when its process ends, and stays when a forked child does', async () => {
    // process.exit() leaves V8's heap as it is: a checker of leaks, which can't see into it, would take all for lost.
    const env = { ASAN_OPTIONS: 'detect_leaks=0' };
    const { stdout, code } = await runScript(
      `
      import { Listener, Process } from 'posix-multiprocessing';
      import { existsSync } from 'node:fs';
      const listener = await Listener.listen();
      const child = await new Process({ target: () => process.exit(0) }).start();
      await child.join();
      console.log(existsSync(listener.address.path), listener.address.path);
      process.exit(0);
    `,
      { env },
    );
    assert.equal(code, 0);
    const [, wasThere, path] = /^(\w+) (\/.*)\n$/.exec(stdout) ?? [];
    assert.equal(wasThere, 'true');
    assert.equal(existsSync(dirname(path as string)), false);
  });

  it('replaces the file of a killed process, not one that is in use or no socket', async () => {
    await inFolder(async (folder) => {
      const address = { path: pathIn(folder) };
      const victim = await new Process({
        target: async () => {
          await Listener.listen(address);
          await new Promise((resolve) => setTimeout(resolve, 60_000));
        },
      }).start();
      await waitFor('the victim to listen', async () =>
        connect(address).then(
          (connection) => {
            connection.close();
            return true;
          },
          () => false,
        ),
      );
      await assert.rejects(Listener.listen(address), { code: 'EADDRINUSE' });
      victim.kill();
      await victim.join();
      victim.close();
      assert.ok(existsSync(address.path));
      await assert.rejects(connect(address), { code: 'ECONNREFUSED' });
      using listener = await Listener.listen(address);
      const [one, other] = await Promise.all([listener.accept(), connect(address)]);
      await expectConversation(one, other);
      one.close();
      other.close();
      const file = join(folder, 'file');
      writeFileSync(file, 'precious');
      await assert.rejects(Listener.listen({ path: file }), { code: 'EADDRINUSE' });
      assert.ok(existsSync(file));
    });
  });

  it('the next default listener sweeps up what a killed one has left', async () => {
    const victim = spawn(process.execPath, [
      '--input-type=module',
      '--eval',
      `import { Listener } from 'posix-multiprocessing';
       const listener = await Listener.listen();
       console.log(listener.address.path);
       setInterval(() => {}, 1000);`,
    ], { stdio: ['ignore', 'pipe', 'inherit'] }); // biome-ignore format: a script
    const [line] = (await once(victim.stdout, 'data')) as [Buffer];
    const folder = dirname(line.toString().trim());
    victim.kill('SIGKILL');
    await once(victim, 'close');
    assert.deepEqual(readdirSync(folder), ['listener']);
    using _listener = await Listener.listen();
    assert.equal(existsSync(folder), false);
  });

  it('two listeners at one address: EADDRINUSE', async () => {
    for (const address of [abstractName(), { host: '127.0.0.1', port: 0 }]) {
      using first = await Listener.listen(address);
      await assert.rejects(Listener.listen(first.address), { code: 'EADDRINUSE' });
    }
  });

  it('a client waits while the backlog is full, and may give up', async () => {
    using listener = await Listener.listen(undefined, { backlog: 0 });
    const filler: Connection[] = [];
    for (;;) {
      const outcome = await connect(listener.address, { timeout: 20 }).catch((error: { code: string }) => error);
      if (outcome instanceof Connection) filler.push(outcome);
      else {
        assert.equal(outcome.code, 'ERR_MP_TIMEOUT');
        break;
      }
    }
    const waiting = connect(listener.address);
    for (const _ of filler) (await listener.accept()).close();
    using accepted = await listener.accept();
    using connected = await waiting;
    await expectConversation(accepted, connected);
    for (const connection of filler) connection.close();
  });

  it('refuses wrong arguments before anything is made', async () => {
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    const range = { code: 'ERR_OUT_OF_RANGE' };
    const bad = (address: unknown): Address => address as Address;
    await assert.rejects(Listener.listen(bad('path')), type);
    await assert.rejects(Listener.listen(bad({ host: 'localhost' })), type);
    await assert.rejects(Listener.listen({ host: 'localhost', port: 65_536 }), range);
    await assert.rejects(Listener.listen({ path: '' }), { code: 'ERR_INVALID_ARG_VALUE' });
    await assert.rejects(Listener.listen({ path: `/${'x'.repeat(108)}` }), { code: 'ERR_INVALID_ARG_VALUE' });
    await assert.rejects(Listener.listen(undefined, { backlog: -1 }), range);
    await assert.rejects(Listener.listen(undefined, { authKey: 'text' as unknown as Uint8Array }), type);
    await assert.rejects(connect(bad(undefined)), type);
    await assert.rejects(connect({ path: '/nowhere/at/all' }), { code: 'ENOENT' });
    await assert.rejects(connect({ path: '/x' }, { authKey: 'text' as unknown as Uint8Array }), type);
    await assert.rejects(connect({ path: '/x' }, { signal: AbortSignal.abort(new Error('no')) }), /no/);
    await assert.rejects(Listener.listen({ path: '/nowhere/at/all' }), { code: 'ENOENT' });
  });
});

describe('a CPython peer', () => {
  it('connects and is connected to', async function () {
    const probe = spawn('python3', ['-c', ''], { stdio: 'ignore' });
    const [code] = (await Promise.race([once(probe, 'exit'), once(probe, 'error').then(() => [1])])) as [number];
    if (code !== 0) this.skip();
    using listener = await Listener.listen();
    const { path } = listener.address as { path: string };
    const script = `
import sys
from multiprocessing.connection import Client
with Client(sys.argv[1]) as c: c.send_bytes(c.recv_bytes().upper())`;
    const client = spawn('python3', ['-c', script, path], { stdio: 'inherit' });
    using connection = await listener.accept();
    await connection.sendBytes(Buffer.from('bytes'));
    assert.equal(Buffer.from(await connection.recvBytes()).toString(), 'BYTES');
    await once(client, 'exit');
  });
});
