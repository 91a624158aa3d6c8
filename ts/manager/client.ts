/** One process's connection to a manager's server, and which objects it has proxies of. */

import type { Address } from '../connection/address.js';
import { connect } from '../connection/connect.js';
import type { Connection } from '../connection/connection.js';
import { ClosedError, EndOfFileError } from '../errors.js';
import { type ForkKind, perProcess } from '../internal/per_process.js';
import { deserialize } from '../serialization/deserialize.js';
import { encodeContent, Outbox } from './outbox.js';
import { type Answer, areAnswers, type Call, keyOf, LONGEST_MESSAGE, SERVER } from './protocol.js';

/** Milliseconds that a proxy which was sent to another process is kept for its receiver. */
const TRANSIT = 30_000;

interface Open {
  readonly connection: Connection;
  readonly outbox: Outbox<Call>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What this process has of one object. */
interface Holding {
  /** Proxies. */
  live: number;
  /** What the server has counted as this process's. */
  counted: number;
}

export class Client {
  readonly address: Address;
  readonly #authKey: Uint8Array;
  #server: string;
  readonly #holdings: Map<number, Holding> = new Map();
  #opening: Promise<Open> | undefined;
  #open: Open | undefined;
  #waiting: Map<number, Waiting> = new Map();
  #isReading = false;
  #calls = 0;
  #closed = false;

  constructor(address: Address, authKey: Uint8Array) {
    this.address = address;
    this.#server = keyOf(address);
    this.#authKey = authKey;
  }

  /** What names the server in all processes: its address as it is called there. */
  get server(): string {
    return this.#server;
  }

  hasKey(authKey: Uint8Array): boolean {
    return Buffer.compare(this.#authKey, authKey) === 0;
  }

  /** Resolves with what the method returns. Aborted, it is cancelled in the server first: what it has got is not lost. */
  async call(object: number, method: string, args: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#closed) throw new ClosedError('this manager is closed here');
    const { connection, outbox } = this.#open ?? (await this.#connected());
    this.#calls += 1;
    const number = this.#calls;
    const content = encodeContent(args, 'args');
    const result = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
    });
    outbox.put([number, object, method, content.value as Uint8Array], content);
    void this.#read(connection);
    if (signal === undefined) return result;
    return this.#cancellable(result, number, signal);
  }

  /** The proxy that was made counts: `counted` when the server has counted it already. */
  hold(id: number, counted: boolean): void {
    const holding = this.#holdings.get(id);
    if (holding === undefined) {
      this.#holdings.set(id, { live: 1, counted: counted ? 1 : 0 });
      if (!counted) this.#acquire(id);
      return;
    }
    holding.live += 1;
    if (counted) holding.counted += 1;
  }

  /** A proxy is not used any more. */
  drop(id: number): void {
    const holding = this.#holdings.get(id);
    if (holding === undefined) return;
    holding.live -= 1;
    if (holding.live > 0) return;
    this.#holdings.delete(id);
    if (this.#open !== undefined && holding.counted > 0) this.#tell('release', [id, holding.counted]);
  }

  /** Until its receiver has had time to say that it has a proxy too. */
  holdInTransit(id: number): void {
    this.hold(id, false);
    setTimeout(() => this.drop(id), TRANSIT).unref();
  }

  /** Calls that wait, and later ones, reject with ClosedError. */
  close(): void {
    this.#closed = true;
    const open = this.#open;
    this.#open = undefined;
    open?.outbox.flush();
    open?.connection.close();
    this.#rejectAll(new ClosedError('this manager is closed here'));
  }

  /** In a forked child: the connection and the answers are the parent's, the proxies are its own too. */
  forgetParent(kind: ForkKind): void {
    // Nothing of the parent's runs in a Process.
    if (kind === 'raw') this.#rejectAll(new ClosedError("the answer to this call is the parent process's"));
    this.#open?.connection.close();
    this.#open = undefined;
    this.#opening = undefined;
    this.#waiting = new Map();
    this.#isReading = false;
    for (const holding of this.#holdings.values()) holding.counted = 0;
  }

  #connected(): Promise<Open> {
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #connect(): Promise<Open> {
    const connection = await connect(this.address, { authKey: this.#authKey }).catch((error: unknown) => {
      // It died before it could prove anything.
      throw isGone((error as Error).cause) ? ended() : error;
    });
    try {
      await connection.send([[0, SERVER, 'hello', [process.pid]]] satisfies Call[]);
      const answers: unknown = await connection.recv({ maxLength: LONGEST_MESSAGE });
      const server = areAnswers(answers) && answers[0] !== undefined ? contentOf(answers[0]) : undefined;
      if (typeof server !== 'string') throw new EndOfFileError('this is no manager');
      this.#server = server;
      if (this.#closed) throw new ClosedError('this manager is closed here');
    } catch (error) {
      connection.close();
      throw isGone(error) ? ended() : error;
    }
    clients.value.set(this.#server, this);
    const failed = (error: unknown): void => this.#lose(connection, isGone(error) ? ended() : error);
    const open = { connection, outbox: new Outbox<Call>(connection, process.nextTick, failed) };
    this.#open = open;
    for (const id of this.#holdings.keys()) this.#acquire(id);
    return open;
  }

  #acquire(id: number): void {
    if (this.#open === undefined) return; // when it is connected
    const holding = this.#holdings.get(id);
    if (holding !== undefined) holding.counted += 1;
    this.#tell('acquire', [id]);
  }

  /** A call whose answer nobody waits for. */
  #tell(method: string, args: readonly unknown[]): void {
    const content = encodeContent(args, 'args');
    this.#open?.outbox.put([0, SERVER, method, content.value as Uint8Array], content);
  }

  async #cancellable(result: Promise<unknown>, number: number, signal: AbortSignal): Promise<unknown> {
    const onAbort = (): void => this.#tell('cancel', [number]);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await result;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** As long as somebody waits for an answer: an idle connection does not keep the process alive. */
  async #read(connection: Connection): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#waiting.size > 0) {
        const answers: unknown = await connection.recv({ maxLength: LONGEST_MESSAGE });
        if (!areAnswers(answers)) throw new EndOfFileError('the manager sent what is no answer');
        for (const answer of answers) this.#settle(answer);
      }
    } catch (error) {
      this.#lose(connection, isGone(error) ? ended() : error);
    } finally {
      this.#isReading = false;
    }
  }

  #settle(answer: Answer): void {
    const [number, failed] = answer;
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    try {
      const value = contentOf(answer); // also what nobody waits for: it may have proxies
      if (failed) waiting?.reject(withLocalStack(value));
      else waiting?.resolve(value);
    } catch (error) {
      waiting?.reject(error);
    }
  }

  #lose(connection: Connection, reason: unknown): void {
    if (this.#open?.connection === connection) this.#open = undefined;
    connection.close();
    this.#rejectAll(reason);
  }

  #rejectAll(reason: unknown): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(reason);
  }
}

function contentOf([, , encoded, value]: Answer): unknown {
  return encoded ? deserialize(value as Uint8Array, { owned: true }) : value;
}

function ended(): Error {
  return new EndOfFileError('the manager has ended');
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return error instanceof EndOfFileError || code === 'EPIPE' || code === 'ECONNRESET';
}

/** The server's stack, and below it who has called here. */
function withLocalStack(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const here = new Error('here').stack?.split('\n').slice(1) ?? [];
  error.stack = `${error.stack ?? String(error)}\n    --- in the manager; called here ---\n${here.join('\n')}`;
  return error;
}

/** This process's, by their server's key. A forked child has them too, each to connect anew. */
const clients = perProcess(
  () => new Map<string, Client>(),
  (inherited, kind) => {
    for (const client of new Set(inherited.values())) client.forgetParent(kind);
    return inherited;
  },
);

/** The one for this address, made with that key when there is none. */
export function clientFor(address: Address, authKey: () => Uint8Array): Client {
  const key = keyOf(address);
  const found = clients.value.get(key);
  if (found !== undefined) return found;
  const client = new Client(address, authKey());
  clients.value.set(key, client);
  return client;
}

export function forgetClient(client: Client): void {
  for (const [key, other] of clients.value) if (other === client) clients.value.delete(key);
}
