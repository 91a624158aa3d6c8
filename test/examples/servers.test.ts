import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { before, describe, it } from 'mocha';
import { forkSupport } from 'posix-multiprocessing';
import { Load } from '../../examples/servers/load.js';
import { childrenOf } from '../support/processes.js';
import { PATIENCE, waitFor } from '../support/watchdog.js';
import { Job } from './job.js';

const RECORDS = 20_000;
const WORKERS = 2;

const commandOf = (program: string): string[] => [
  process.execPath,
  fileURLToPath(new URL(`../../examples/servers/${program}.js`, import.meta.url)),
  ...['--port', '0', '--workers', String(WORKERS), '--records', String(RECORDS)],
];

interface Server {
  readonly job: Job;
  readonly port: number;
}

/** Up, with all of its workers: a trial child and the like are gone by then. */
async function start(): Promise<Server & Disposable> {
  const job = new Job(commandOf('main'));
  await job.printed(/listening on/);
  const port = Number(/:(\d+)\//.exec(job.stdout)?.[1]);
  const seen = new Set<string>();
  await waitFor('an answer of each worker', async () => {
    seen.add(String((await get(port, '/items/1')).headers['x-worker']));
    return seen.size === WORKERS;
  });
  return { job, port, [Symbol.dispose]: () => job[Symbol.dispose]() };
}

async function get(port: number, path: string): Promise<http.IncomingMessage & { body: string }> {
  const request = http.get({ host: '127.0.0.1', port, path, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return Object.assign(response, { body: await text(response) });
}

/** A request whose body is still to come. Resolves when a worker has accepted it. */
async function beginTotal(port: number): Promise<http.ClientRequest> {
  const headers = { expect: '100-continue' };
  const request = http.request({ host: '127.0.0.1', port, path: '/total', method: 'POST', headers, agent: false });
  request.flushHeaders();
  await once(request, 'continue');
  return request;
}

/** Ends it and resolves with the answer. */
async function finishTotal(request: http.ClientRequest, ids: readonly number[]): Promise<unknown> {
  request.end(ids.join('\n'));
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return JSON.parse(await text(response));
}

async function isRefused(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

const reportedDeaths = (job: Job): number =>
  job.stderr.match(/^worker \d+ has ended with -9 and is replaced$/gm)?.length ?? 0;

describe('examples/servers', function () {
  this.timeout(2 * PATIENCE);

  before(function () {
    if (!forkSupport().supported) this.skip();
  });

  it('answers, and says what is not there', async () => {
    using server = await start();
    const found = await get(server.port, '/items/7');
    assert.deepEqual(JSON.parse(found.body), { id: 7, name: 'item 7', price: 5433, tags: ['group 7', 'shelf 7'] });
    assert.equal((await get(server.port, `/items/${RECORDS + 1}`)).statusCode, 404);
    assert.deepEqual(await finishTotal(await beginTotal(server.port), [7, 7]), { items: 2, total: 10_866 });
    process.kill(server.job.pid, 'SIGTERM');
    assert.deepEqual({ ...(await server.job.end()), stdout: '' }, { code: 0, stdout: '', stderr: '' });
  });

  for (const keepAlive of [false, true]) {
    it(`loses no request while workers are killed, ${keepAlive ? 'kept connections' : 'a connection each'}`, async () => {
      const KILLS = 12;
      const CLIENTS = 8;
      using server = await start();
      const killed = new Set<number>();
      const killOne = (): void => {
        const victim = server.job.children.find((pid) => !killed.has(pid));
        if (victim === undefined) return; // its successor is not there yet
        process.kill(victim, 'SIGKILL');
        killed.add(victim);
      };
      const load = await new Load({
        port: server.port,
        records: RECORDS,
        clients: CLIENTS,
        requests: 3000,
        keepAlive,
        onAnswer: (answered) => void (answered % 200 === 0 && killed.size < KILLS && killOne()),
      }).run();
      assert.equal(load.answered, 3000);
      assert.ok(killed.size > KILLS / 2, `${killed.size} killed`);
      // A client has one request under way at a time, so that a kill can break one of each at most.
      assert.ok(load.repeated <= killed.size * CLIENTS, `${load.repeated} repeated, ${killed.size} killed`);
      await waitFor('a report of each death', () => reportedDeaths(server.job) === killed.size);
      await waitFor('as many workers as before', () => server.job.children.length === WORKERS);
      process.kill(server.job.pid, 'SIGTERM');
      const { code, stderr } = await server.job.end();
      assert.equal(code, 0, stderr);
      assert.equal(reportedDeaths(server.job), killed.size, stderr);
    });
  }

  it('connections that wait while all workers die are answered by their successors', async () => {
    using server = await start();
    const first = server.job.children;
    for (const pid of first) process.kill(pid, 'SIGSTOP');
    await waitFor('workers that stand still', () => childrenOf(server.job.pid).every(({ state }) => state === 'T'));
    const waiting = Array.from({ length: 20 }, () => net.connect(server.port, '127.0.0.1'));
    await Promise.all(waiting.map((socket) => once(socket, 'connect')));
    for (const socket of waiting) socket.end('GET /items/1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    for (const pid of first) process.kill(pid, 'SIGKILL');
    for (const answer of await Promise.all(waiting.map((socket) => text(socket)))) {
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
      assert.equal(first.includes(Number(/^x-worker: (\d+)/m.exec(answer)?.[1])), false);
    }
    process.kill(server.job.pid, 'SIGTERM');
    assert.equal((await server.job.end()).code, 0);
  });

  it('SIGTERM: no more is accepted, what was begun is finished, all processes leave', async () => {
    using server = await start();
    const begun = await Promise.all(Array.from({ length: 6 }, () => beginTotal(server.port)));
    process.kill(server.job.pid, 'SIGTERM');
    await waitFor('refused connections', () => isRefused(server.port));
    assert.equal(server.job.hasEnded, false);
    for (const request of begun) assert.deepEqual(await finishTotal(request, [1, 2]), { items: 2, total: 13_757 });
    assert.deepEqual({ ...(await server.job.end()), stdout: '' }, { code: 0, stdout: '', stderr: '' });
  });

  it('a killed supervisor takes its workers along', async () => {
    using server = await start();
    process.kill(server.job.pid, 'SIGKILL');
    await server.job.end();
    assert.equal(await isRefused(server.port), true);
  });
});
