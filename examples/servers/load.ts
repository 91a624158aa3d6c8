/** A load generator: clients that ask for items, check each answer, and count. */

import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import type { Item } from './items.js';

export interface LoadOptions {
  readonly port: number;
  /** Items that the server has. */
  readonly records: number;
  /** Each has one request at a time under way. */
  readonly clients: number;
  /** Of all clients together. */
  readonly requests: number;
  /** Whether a client keeps its connection for the next request. */
  readonly keepAlive: boolean;
  /** Called after each answer. */
  readonly onAnswer?: (answered: number) => void;
}

export class Load {
  /** Right answers. */
  answered = 0;
  /** Requests that were sent again, because the connection broke: the worker that had accepted it was killed. */
  repeated = 0;
  /** Answers by the pid of the worker. */
  readonly byWorker = new Map<number, number>();
  readonly #options: LoadOptions;
  #asked = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Resolves when every request has been answered. Rejects at a wrong answer, or when nobody listens. */
  async run(): Promise<this> {
    await Promise.all(Array.from({ length: this.#options.clients }, () => this.#client()));
    return this;
  }

  async #client(): Promise<void> {
    const { requests, records, keepAlive, onAnswer } = this.#options;
    const agent = new http.Agent({ keepAlive, maxSockets: 1 });
    while (this.#asked < requests) {
      this.#asked += 1;
      const id = 1 + ((this.#asked * 7919) % records);
      const worker = await this.#insist(id, agent);
      this.byWorker.set(worker, (this.byWorker.get(worker) ?? 0) + 1);
      this.answered += 1;
      onAnswer?.(this.answered);
    }
    agent.destroy();
  }

  /** GET may be repeated, so it is, as browsers and proxies do. */
  async #insist(id: number, agent: http.Agent): Promise<number> {
    for (;;) {
      try {
        return await this.#ask(id, agent);
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!['ECONNRESET', 'EPIPE'].includes(code)) throw error;
        this.repeated += 1;
      }
    }
  }

  async #ask(id: number, agent: http.Agent): Promise<number> {
    const request = http.get({ host: '127.0.0.1', port: this.#options.port, path: `/items/${id}`, agent });
    request.on('error', () => {}); // once more when the response has begun: its reader is told, too
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const body = await text(response);
    const item = JSON.parse(body) as Item;
    if (response.statusCode !== 200 || item.id !== id) throw new Error(`asked for item ${id}, got ${body}`);
    return Number(response.headers['x-worker']);
  }
}
