import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { exec, fork, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import dgram from 'node:dgram';
import dns from 'node:dns/promises';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import inspector from 'node:inspector';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import timers from 'node:timers/promises';
import { promisify } from 'node:util';
import v8 from 'node:v8';
import { runInThisContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import zlib from 'node:zlib';
import { describe, it } from 'mocha';
import { Process } from 'posix-multiprocessing';
import { certificate } from '../support/certificate.js';
import { inChild } from '../support/in_child.js';
import { runScript } from '../support/run_script.js';
import { PATIENCE } from '../support/watchdog.js';

async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/** (module (func (export "twice") (param i32) (result i32) local.get 0 i32.const 2 i32.mul)) */
const twice = Uint8Array.from(
  [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 7, 9, 1, 5, 116, 119, 105, 99, 101, 0, 0,
  ].concat([10, 9, 1, 7, 0, 32, 0, 65, 2, 108, 11]),
);

/** Each is run in a child, and in a child of a child; it returns true. */
const abilities: Record<string, () => unknown> = {
  async 'timers of every kind'() {
    const begun = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await timers.setTimeout(1);
    await timers.setImmediate();
    await new Promise((resolve) => process.nextTick(resolve));
    let ticks = 0;
    for await (const _ of timers.setInterval(1)) if (++ticks === 3) break;
    return performance.now() - begun >= 20;
  },
  async 'files: callbacks, promises, streams, watchers'() {
    const folder = fs.mkdtempSync(join(tmpdir(), 'mp-child-'));
    const file = join(folder, 'file');
    await fs.promises.writeFile(file, 'written');
    const watcher = fs.watch(folder);
    const noticed = once(watcher, 'change');
    await pipeline(Readable.from(['by a stream']), fs.createWriteStream(join(folder, 'other')));
    await noticed;
    watcher.close();
    const text = await promisify(fs.readFile)(file, 'utf8');
    let streamed = '';
    for await (const part of fs.createReadStream(join(folder, 'other'), 'utf8')) streamed += part;
    fs.rmSync(folder, { recursive: true });
    return text === 'written' && streamed === 'by a stream';
  },
  async 'dns.lookup'() {
    const found = await Promise.all(Array.from({ length: 20 }, () => dns.lookup('localhost')));
    return found.every(({ family }) => family > 0);
  },
  async 'dns.resolve'() {
    const server = dgram.createSocket('udp4', (query, { port }) => {
      const answer = Buffer.from(query);
      answer[2] = 0x84; // authoritative answer
      answer[3] = 3; // no such name
      server.send(answer, port, '127.0.0.1');
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    dns.setServers([`127.0.0.1:${server.address().port}`]);
    const error = (await dns.resolve4('nobody.example').catch((reason: unknown) => reason)) as { code: string };
    server.close();
    return error.code === 'ENOTFOUND';
  },
  async 'servers and sockets'() {
    const server = net.createServer((socket) => socket.pipe(socket));
    const socket = net.connect(await listen(server), '127.0.0.1');
    socket.end('x'.repeat(100_000));
    let length = 0;
    for await (const chunk of socket) length += (chunk as Buffer).byteLength;
    server.close();
    return length === 100_000;
  },
  async 'http and fetch'() {
    const server = http.createServer((_, response) => response.end('pong'));
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const agent = new http.Agent({ keepAlive: true });
    const get = async (): Promise<string> => {
      const [response] = (await once(http.get(url, { agent }), 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part;
      return text;
    };
    const answers = [await get(), await get(), await (await fetch(url)).text()];
    agent.destroy();
    server.close();
    server.closeAllConnections();
    return answers.every((answer) => answer === 'pong');
  },
  async https() {
    const server = https.createServer(certificate(), (_, response) => response.end('pong'));
    const port = await listen(server);
    const request = https.get({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += part;
    server.close();
    return text === 'pong';
  },
  async zlib() {
    const packed = await promisify(zlib.gzip)('squeezed'.repeat(10_000));
    return String(await promisify(zlib.gunzip)(packed)) === 'squeezed'.repeat(10_000);
  },
  async crypto() {
    const { privateKey, publicKey } = await promisify(crypto.generateKeyPair)('ec', { namedCurve: 'P-256' });
    const signature = crypto.sign('sha256', Buffer.from('text'), privateKey);
    const hash = await crypto.subtle.digest('SHA-256', Buffer.from('text'));
    const secret = (await promisify(crypto.scrypt)('secret', 'salt', 16)) as Buffer;
    const right = crypto.verify('sha256', Buffer.from('text'), publicKey, signature);
    return right && hash.byteLength === 32 && secret.byteLength === 16;
  },
  async 'import() and require() of modules, built in and on disk, new to the process'() {
    const folder = fs.mkdtempSync(join(tmpdir(), 'mp-child-'));
    fs.writeFileSync(join(folder, 'new.mjs'), 'export default await Promise.resolve(6);');
    fs.writeFileSync(join(folder, 'new.cjs'), 'module.exports = 7;');
    const { default: six } = (await import(join(folder, 'new.mjs'))) as { default: number };
    const seven = createRequire(import.meta.url)(join(folder, 'new.cjs')) as number;
    fs.rmSync(folder, { recursive: true });
    return six * seven === 42 && typeof (await import('node:repl')).start === 'function';
  },
  async WebAssembly() {
    // The types of Node 20 have none.
    const { WebAssembly } = globalThis as unknown as {
      WebAssembly: { instantiate(code: Uint8Array): Promise<{ instance: { exports: Record<string, unknown> } }> };
    };
    const { instance } = await WebAssembly.instantiate(twice);
    const call = instance.exports['twice'] as (n: number) => number;
    let sum = 0;
    for (let n = 0; n < 100_000; n++) sum += call(n);
    return sum === 99_999 * 100_000;
  },
  async Worker() {
    const run = (): Promise<unknown[]> =>
      once(
        new Worker('require("node:worker_threads").parentPort.postMessage(6 * 7)', { eval: true, execArgv: [] }),
        'message',
      );
    const [[first], [second]] = await Promise.all([run(), run()]);
    return first === 42 && second === 42;
  },
  async 'child_process: exec, spawnSync, fork'() {
    const file = join(tmpdir(), `mp-forked-${process.pid}.cjs`);
    fs.writeFileSync(file, 'process.on("message", (n) => process.send(n * 2, () => process.disconnect()));');
    const other = fork(file, { execArgv: [] });
    other.send(21);
    const [answer] = (await once(other, 'message')) as [number];
    const [code] = (await once(other, 'exit')) as [number];
    fs.rmSync(file);
    const { stdout } = await promisify(exec)('echo from the shell');
    return answer === 42 && code === 0 && stdout === 'from the shell\n' && spawnSync('false').status === 1;
  },
  async 'signals of its own'() {
    let count = 0;
    process.on('SIGHUP', () => {
      count += 1;
    });
    for (let round = 1; round <= 5; round++) {
      process.kill(process.pid, 'SIGHUP');
      while (count < round) await timers.setImmediate();
    }
    return count === 5;
  },
  async 'messages between its own ports'() {
    const { port1, port2 } = new MessageChannel();
    const heard = once(port2, 'message') as Promise<[{ data: unknown }]>;
    port1.postMessage({ deep: new Map([[1, 2]]) });
    const [message] = await heard;
    port1.close();
    return message !== undefined && structuredClone(new Map([[3, 4]])).get(3) === 4;
  },
  async 'a heap snapshot'() {
    let text = '';
    for await (const part of v8.getHeapSnapshot().setEncoding('utf8')) text += part;
    return (JSON.parse(text) as { snapshot: { node_count: number } }).snapshot.node_count > 1000;
  },
  async 'a CPU profile'() {
    const session = new inspector.Session();
    session.connect();
    const post = promisify(session.post.bind(session)) as (method: string) => Promise<unknown>;
    await post('Profiler.enable');
    // The thread that takes the samples gets to it when the machine lets it.
    for (let milliseconds = 30; milliseconds < PATIENCE / 4; milliseconds *= 2) {
      await post('Profiler.start');
      const until = performance.now() + milliseconds;
      while (performance.now() < until) JSON.stringify(Array.from({ length: 1000 }, Math.random));
      const { profile } = (await post('Profiler.stop')) as { profile: inspector.Profiler.Profile };
      if (profile.nodes.length <= 3 || (profile.samples?.length ?? 0) <= 3) continue;
      session.disconnect();
      return true;
    }
    return false;
  },
  async 'performance marks, garbage collection and weak references'() {
    const seen = new Promise((resolve) => new PerformanceObserver(resolve).observe({ entryTypes: ['measure'] }));
    performance.mark('here');
    performance.measure('from here', 'here');
    await seen;
    let freed = 0;
    const registry = new FinalizationRegistry(() => {
      freed += 1;
    });
    (() => registry.register({ garbage: true }, undefined))();
    while (freed === 0) {
      globalThis.gc?.();
      await timers.setImmediate();
    }
    return true;
  },
  async 'readline and abort signals'() {
    const lines: string[] = [];
    for await (const line of createInterface({ input: Readable.from(['one\ntwo\n']) })) lines.push(line);
    const signal = AbortSignal.timeout(1); // does not keep a process alive
    while (!signal.aborted) await timers.setTimeout(1);
    return lines.join() === 'one,two';
  },
  async 'code compiled at run time and made hot'() {
    const sum = runInThisContext(
      '(n) => { let s = 0; for (let i = 0; i < n; i++) s = (s + i * i) | 0; return s; }',
    ) as (n: number) => number;
    const first = sum(1_000);
    for (let round = 0; round < 2_000; round++) if (sum(1_000) !== first) return false;
    return true;
  },
};

describe('a forked child can do what a fresh process can:', function () {
  this.timeout(120_000);
  for (const [what, able] of Object.entries(abilities)) {
    it(what, async () => {
      assert.equal(await inChild(able), true);
      assert.equal(await inChild(() => inChild(able)), true);
    });
  }

  it('all of it at once, while the parent does it too', async () => {
    const all = (): Promise<unknown[]> => Promise.all(Object.values(abilities).map((able) => able()));
    const [parent, child] = await Promise.all([all(), inChild(all)]);
    for (const done of [parent, child]) assert.ok(done.every((right) => right === true));
  });

  it('resolve names while the parent waits for an answer that does not come', async () => {
    const server = dgram.createSocket('udp4', (query, { port }) => {
      if (query.includes('silence')) return;
      const answer = Buffer.from(query);
      answer[2] = 0x84; // authoritative answer
      answer[3] = 3; // no such name
      server.send(answer, port, '127.0.0.1');
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const before = dns.getServers();
    dns.setServers([`127.0.0.1:${server.address().port}`]);
    const asked = once(server, 'message');
    const resolver = new dns.Resolver();
    resolver.setServers(dns.getServers());
    const silence = Promise.all([resolver.resolve4('silence.example'), dns.resolve4('nobody.example')]).catch(() => {});
    await asked;
    const code = inChild(() => dns.resolve4('nobody.example').catch((reason: { code: string }) => reason.code));
    assert.equal(await code, 'ENOTFOUND');
    resolver.cancel();
    await silence;
    dns.setServers(before);
    server.close();
  });

  it('serve over http with the date of its own time, and observe its own performance', async () => {
    const server = http.createServer((_, response) => response.end());
    const date = async (): Promise<string | null> => {
      const port = server.listening ? (server.address() as net.AddressInfo).port : await listen(server);
      return (await fetch(`http://127.0.0.1:${port}/`)).headers.get('date');
    };
    await date();
    const owner = process.pid;
    const observer = new PerformanceObserver((list) => {
      const theirs = list.getEntries().some(({ name }) => name === 'of the parent');
      if (theirs && process.pid !== owner) process.exit(3);
    });
    observer.observe({ entryTypes: ['measure'] });
    performance.measure('of the parent');
    const measured = await inChild(async () => {
      const own = new Promise<string[]>((resolve) =>
        new PerformanceObserver((list) => resolve(list.getEntries().map(({ name }) => name))).observe({
          entryTypes: ['measure'],
        }),
      );
      performance.measure('of the child');
      return own;
    });
    assert.deepEqual(measured, ['of the child']);
    observer.disconnect();
    const moved = await inChild(async () => {
      const other = http.createServer((_, response) => response.end());
      const url = `http://127.0.0.1:${await listen(other)}/`;
      const first = (await fetch(url)).headers.get('date');
      for (;;) {
        const next = (await fetch(url)).headers.get('date');
        if (next !== first) return true;
        await timers.setTimeout(20);
      }
    });
    assert.ok(moved);
    server.close();
    server.closeAllConnections();
  });

  it('fork in turn, five deep, after having used Workers and the pool', async () => {
    const depth = async (level: number): Promise<number> => {
      await abilities['Worker']?.();
      await abilities['crypto']?.();
      return level === 0 ? 0 : 1 + (await inChild(() => depth(level - 1)));
    };
    assert.equal(await depth(5), 5);
  });

  it('keep the AsyncLocalStorage context of start(), through timers and promises', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen = await storage.run('of the caller', () =>
      inChild(async () => {
        await timers.setTimeout(1);
        const inTimer = await new Promise((resolve) => setTimeout(() => resolve(storage.getStore()), 1));
        const inside = await storage.run('own', async () => {
          await timers.setImmediate();
          return storage.getStore();
        });
        return [inTimer, inside, storage.getStore()];
      }),
    );
    assert.deepEqual(seen, ['of the caller', 'own', 'of the caller']);
    assert.equal(storage.getStore(), undefined);
  });

  it('map the stack of an error to the source it was compiled from', async () => {
    const folder = fs.mkdtempSync(join(process.cwd(), 'out', 'mp-map-'));
    // Line 1 of the output is line 3 of the source.
    const map = { version: 3, sources: ['original.ts'], names: [], mappings: 'AAEA' };
    const url = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
    fs.writeFileSync(join(folder, 'late.mjs'), `throw new Error('mapped');\n//# sourceMappingURL=${url}\n`);
    const { stderr } = await runScript(
      `import { Process } from 'posix-multiprocessing';
       await new Process({ target: () => import(process.argv[1]) }).start();`,
      { args: [join(folder, 'late.mjs')], nodeFlags: ['--enable-source-maps'] },
    );
    fs.rmSync(folder, { recursive: true });
    assert.match(stderr, /original\.ts:3/);
  });

  it('start many abreast: a hundred children of one parent live at once', async () => {
    const children = Array.from({ length: 100 }, () => new Process({ target: () => timers.setTimeout(100) }));
    await Promise.all(children.map((child) => child.start()));
    await Promise.all(children.map((child) => child.join()));
    assert.ok(children.every(({ exitCode }) => exitCode === 0));
    for (const child of children) child.close();
  });
});
