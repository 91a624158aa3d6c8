import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

/** Two workers of node:cluster serve http; for each request they fork a child that gives the answer. */
const program = `
  import cluster from 'node:cluster';
  import fs from 'node:fs';
  import http from 'node:http';
  import { Pipe, Process } from 'posix-multiprocessing';

  const REQUESTS = 60;
  if (cluster.isPrimary) {
    const workers = [cluster.fork(), cluster.fork()];
    const heard = [];
    let disconnects = 0;
    const exits = [];
    cluster.on('message', (_, message) => heard.push(message));
    cluster.on('disconnect', () => { disconnects += 1; });
    cluster.on('exit', (_, code, signal) => exits.push(signal ?? code));
    const ports = await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('listening', ({ port }) => resolve(port)))));
    const ask = () => new Promise((resolve, reject) => {
      http.get({ host: '127.0.0.1', port: ports[0], agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve(text)).on('error', reject);
      }).on('error', reject);
    });
    const answers = [];
    for (let round = 0; round < REQUESTS / 6; round++) answers.push(...(await Promise.all(Array.from({ length: 6 }, ask))));
    const before = [disconnects, exits.length];
    const gone = Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
    cluster.disconnect();
    await gone;
    console.log(JSON.stringify({
      right: answers.filter((answer) => /^4950 true false$/.test(answer)).length,
      served: heard.length,
      from: new Set(heard).size,
      before,
      disconnects,
      exits,
    }));
  } else {
    const server = http.createServer(async (request, response) => {
      const data = Array.from({ length: 100 }, (_, index) => index);
      const [here, there] = Pipe({ duplex: false });
      const child = new Process({ target: () => {
        let sent = true;
        try { process.send('from a child') } catch { sent = false }
        server.close();
        there.send([data.reduce((sum, value) => sum + value), process.pid !== parent, sent].join(' '));
      } });
      const parent = process.pid;
      await child.start();
      const answer = await here.recv();
      await child.join();
      response.end(answer);
      here.close();
      there.close();
      process.send(process.pid);
    });
    server.listen(0, '127.0.0.1');
  }`;

describe('a worker of node:cluster', function () {
  this.timeout(90_000);

  it('forks while it serves, loses no request, and leaves as it should', async () => {
    const file = join(process.cwd(), 'out', `cluster-${process.pid}.mjs`);
    writeFileSync(file, program);
    try {
      const { code, stdout, stderr, facts } = await runScript(`await import(process.argv[1])`, {
        args: [file],
        timeout: 80_000,
      });
      assert.equal(code, 0, stdout + stderr + facts);
      const { right, served, from, before, disconnects, exits } = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual({ right, served, before }, { right: 60, served: 60, before: [0, 0] }, stdout + stderr);
      assert.deepEqual([from, disconnects, exits], [2, 2, [0, 0]], stdout + stderr);
    } finally {
      rmSync(file);
    }
  });
});
