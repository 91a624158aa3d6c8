import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

/** Everything that may be on its way to a listener when a fork happens, each marked with what it is. */
const armed = `
  import child_process from 'node:child_process';
  import crypto from 'node:crypto';
  import dgram from 'node:dgram';
  import dns from 'node:dns';
  import { EventEmitter, once } from 'node:events';
  import fs from 'node:fs';
  import net from 'node:net';
  import timers from 'node:timers/promises';
  import zlib from 'node:zlib';
  import { onFork, Process } from 'posix-multiprocessing';

  const parent = process.pid;
  const seen = new Set();
  const mark = (what) => () => {
    if (process.pid !== parent) fs.writeSync(1, 'ghost: ' + what + '\\n');
    seen.add(what);
  };
  const server = net.createServer((socket) => {
    mark('connection')();
    socket.on('close', mark('close of a served socket')).on('end', mark('end')).resume();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const connect = async () => {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const watched = process.argv[1];
  fs.writeFileSync(watched, '');
  process.on('exit', () => fs.rmSync(watched, { force: true }));
  const udp = dgram.createSocket('udp4');
  await new Promise((resolve) => udp.bind(0, '127.0.0.1', resolve));
  udp.on('message', mark('datagram'));
  const channel = new MessageChannel();
  channel.port2.on('message', mark('message'));
  const [speaker, listener] = [new BroadcastChannel('x'), new BroadcastChannel('x')];
  listener.onmessage = mark('broadcast');
  fs.watch(watched, mark('watch'));
  fs.watchFile(watched, { interval: 5 }, mark('watchFile'));
  const reader = child_process.spawn('sh', ['-c', 'while sleep 0.01; do echo x; done']);
  reader.stdout.on('data', mark('output of a child process'));
  const interval = new AbortController();
  void (async () => { for await (const _ of timers.setInterval(5, 0, { signal: interval.signal })) mark('timers/promises')(); })().catch(() => {});
  process.on('SIGUSR2', mark('signal'));
  onFork({
    before() {
      process.nextTick(mark('tick of a hook'));
      void Promise.resolve().then(mark('microtask of a hook'));
    },
  });

  function arm(closing, ending, writing) {
    closing.on('close', mark('close'));
    closing.destroy();
    ending.on('finish', mark('finish')).on('close', mark('close after end'));
    ending.end();
    writing.on('drain', mark('drain'));
    writing.write(Buffer.alloc(4 << 20), mark('written'));
    net.connect(port, '127.0.0.1').on('connect', mark('connect'));
    channel.port1.postMessage(1);
    speaker.postMessage(1);
    udp.send('x', udp.address().port, '127.0.0.1', mark('datagram sent'));
    fs.stat('/', mark('stat'));
    fs.promises.readFile(watched).then(mark('readFile'));
    fs.writeFileSync(watched, String(Math.random()));
    dns.lookup('localhost', mark('lookup'));
    crypto.randomBytes(10, mark('randomBytes'));
    zlib.gzip('a'.repeat(1e5), mark('gzip'));
    child_process.exec('true', mark('exec'));
    AbortSignal.timeout(3).onabort = mark('abort');
    setTimeout(mark('timeout'), 2);
    setImmediate(mark('immediate'));
    process.nextTick(mark('tick'));
    queueMicrotask(mark('microtask'));
    process.kill(process.pid, 'SIGUSR2');
    void (async () => { for (let turn = 0; turn < 20; turn++) await null; mark('await')(); })();
  }
  // From a promise's continuation, from an immediate and from a callback of the poll phase.
  const phases = [(go) => go(), setImmediate, (go) => fs.stat('/', go)];
  const children = [];
  for (let round = 0; round < 9; round++) {
    const sockets = [await connect(), await connect(), await connect()];
    const child = new Process({ target: () => new Promise((resolve) => setTimeout(resolve, 60)) });
    children.push(child);
    await new Promise((resolve) => phases[round % 3](() => {
      const started = child.start();
      arm(...sockets);
      setImmediate(() => arm(...sockets));
      resolve(started);
    }));
    mark('after start')();
  }
  for (const child of children) await child.join();
  console.log('exit codes: ' + children.map(({ exitCode }) => exitCode));
  for (const what of ['close', 'finish', 'drain', 'message', 'broadcast', 'datagram', 'watch', 'signal', 'abort', 'exec', 'lookup', 'after start'])
    if (!seen.has(what)) console.log('not seen in the parent: ' + what);
  process.exit();
`;

describe('in a forked child', () => {
  it('nothing that is on its way to a listener of the parent arrives', async () => {
    const file = `out/ghosts-${process.pid}`;
    const { code, signal, stdout, stderr, facts } = await runScript(armed, { args: [file] });
    assert.equal(stdout, `exit codes: ${Array.from({ length: 9 }, () => 0)}\n`, stderr + facts);
    assert.deepEqual([code, signal], [0, null], stderr + facts);
  });

  it("a promise that never settles ends it, whatever requests of the parent's are pending", async () => {
    const { stdout, stderr, facts } = await runScript(
      `
      import fs from 'node:fs';
      import dns from 'node:dns';
      import { execFileSync } from 'node:child_process';
      import { Process } from 'posix-multiprocessing';
      execFileSync('mkfifo', [process.argv[1]]);
      fs.readFile(process.argv[1], () => fs.rmSync(process.argv[1]));
      dns.lookup('localhost', () => {});
      const child = await new Process({ target: () => new Promise(() => {}) }).start();
      await child.join();
      console.log(child.exitCode);
      fs.writeFileSync(process.argv[1], 'at last');
    `,
      { args: [`out/fifo-${process.pid}`] },
    );
    assert.equal(stdout, '13\n', stderr + facts);
  });
});
