/** The server process of a manager: keeps the objects, answers the calls of all clients. */

import type { Address } from '../connection/address.js';
import type { Connection } from '../connection/connection.js';
import { Listener } from '../connection/listener.js';
import { AuthenticationError, ClosedError } from '../errors.js';
import { perProcess } from '../internal/per_process.js';
import { invalidArgValue, validateInteger } from '../internal/validate.js';
import { callTarget, resolveTarget, type Target } from '../process/target.js';
import { deserialize } from '../serialization/deserialize.js';
import { travelling } from '../serialization/remote_error.js';
import { type Caller, fromObject, fromTable, Hosted } from './hosted.js';
import { BUILT_IN } from './hosted_types.js';
import { encodeContent, Outbox } from './outbox.js';
import { type Answer, areCalls, type Call, keyOf, LONGEST_MESSAGE, type Reference, SERVER } from './protocol.js';
import { Pending } from './waiters.js';

/** Calls of one client that are not answered: more wait until the client has read some answers. */
const MOST_PENDING = 10_000;
/** Milliseconds until the next attempt to accept where there is no descriptor for it. */
const ACCEPT_PAUSE = 50;

class Client implements Caller {
  readonly connection: Connection;
  readonly outbox: Outbox<Answer>;
  readonly pendings: Map<number, Pending> = new Map();
  /** Proxies that the client has, by the objects' ids. */
  readonly references: Map<Hosted, number> = new Map();
  readonly #whenGone: Set<() => void> = new Set();
  pid = 0;
  #isGone = false;

  constructor(connection: Connection) {
    this.connection = connection;
    // After all that has come has been answered.
    this.outbox = new Outbox(connection, setImmediate, () => connection.close());
  }

  onGone(run: () => void): () => void {
    if (this.#isGone) queueMicrotask(run);
    else this.#whenGone.add(run);
    return () => this.#whenGone.delete(run);
  }

  gone(): void {
    this.#isGone = true;
    for (const pending of this.pendings.values()) pending.cancel();
    for (const run of [...this.#whenGone]) run();
  }
}

/** The one that runs in this process. */
const running = perProcess<Server | undefined>(() => undefined);

export class Server {
  readonly #listener: Listener;
  readonly #key: string;
  readonly #registered: ReadonlyMap<string, Target>;
  readonly #objects: Map<number, Hosted> = new Map();
  /** Instances of registered classes, so that one that a method returns is known again. */
  readonly #byInstance: WeakMap<object, Hosted> = new WeakMap();
  readonly #clients: Set<Client> = new Set();
  #ids = SERVER;
  /** Whom the answer that is being serialised goes to. */
  #addressee: Client | undefined;
  #isShuttingDown = false;

  readonly #own: Readonly<Record<string, (client: Client, ...args: never[]) => unknown>> = {
    hello: (client, pid: number) => {
      validateInteger(pid, 'pid', 0);
      client.pid = pid;
      return this.#key;
    },
    create: (_, name: string, args: readonly unknown[]) => this.#create(name, args),
    acquire: (client, id: number) => this.#count(client, this.#find(id), 1),
    release: (client, id: number, times: number) => {
      const hosted = this.#objects.get(id);
      if (hosted !== undefined) this.#count(client, hosted, -times);
    },
    cancel: (client, call: number) => client.pendings.get(call)?.cancel(),
    count: () => this.#objects.size,
    shutdown: () => {
      this.#isShuttingDown = true;
    },
  };

  constructor(listener: Listener, key: string, registered: ReadonlyMap<string, Target>) {
    this.#listener = listener;
    this.#key = key;
    this.#registered = registered;
    running.value = this;
  }

  /** The object behind a reference to this very server. */
  static hosted({ server, id }: Reference): Hosted | undefined {
    const own = running.value;
    return own !== undefined && own.#key === server ? own.#find(id) : undefined;
  }

  /** A reference that is counted as the addressee's. */
  static reference(hosted: Hosted): Reference {
    const { id, type } = hosted;
    const own = running.value;
    if (own === undefined) throw new ClosedError('this process is no manager');
    if (own.#addressee !== undefined) own.#count(own.#addressee, hosted, 1);
    return { server: own.#key, type, id, counted: true };
  }

  /** Until shutdown. */
  async run(): Promise<void> {
    while (!this.#isShuttingDown) {
      try {
        void this.#serve(new Client(await this.#listener.accept()));
      } catch (error) {
        if (error instanceof ClosedError) return;
        // Who has not the key is disconnected; without descriptors the next ones wait.
        if (!(error instanceof AuthenticationError)) await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      }
    }
  }

  async #serve(client: Client): Promise<void> {
    this.#clients.add(client);
    try {
      for (;;) {
        const calls: unknown = await client.connection.recv({ maxLength: LONGEST_MESSAGE });
        if (!areCalls(calls)) break;
        for (const call of calls) {
          const answered = this.#answer(client, call);
          if (client.pendings.size >= MOST_PENDING) await answered;
        }
        await client.outbox.sent; // who does not read its answers is not read either
      }
    } catch {
      // It has gone, or sent what is no message: it is not served any more.
    } finally {
      this.#dismiss(client);
    }
  }

  #dismiss(client: Client): void {
    if (!this.#clients.delete(client)) return;
    client.gone();
    client.connection.close();
    for (const [hosted, times] of client.references) this.#uncount(hosted, times);
  }

  async #answer(client: Client, call: Call): Promise<void> {
    const [number] = call;
    const pending = new Pending();
    client.pendings.set(number, pending);
    try {
      let value = this.#invoke(client, pending, call);
      if (value instanceof Promise) value = await value;
      this.#put(client, number, false, this.#known(value));
    } catch (error) {
      this.#put(client, number, true, travelling(error));
    }
    client.pendings.delete(number);
    if (this.#isShuttingDown) this.#shutDown();
  }

  /** @throws ERR_MP_SERIALIZE: the value can't travel. */
  #put(client: Client, number: number, failed: boolean, value: unknown): void {
    if (!this.#clients.has(client)) return;
    this.#addressee = client;
    try {
      const content = encodeContent(value, 'result');
      client.outbox.put([number, failed, content.encoded, content.value], content);
    } finally {
      this.#addressee = undefined;
    }
  }

  #invoke(client: Client, pending: Pending, [, id, method, given]: Call): unknown {
    const args = given instanceof Uint8Array ? argumentsOf(given) : given;
    if (id === SERVER) {
      const own = Object.hasOwn(this.#own, method) ? this.#own[method] : undefined;
      if (own === undefined) throw new TypeError(`a manager has no method '${method}'`);
      return own(client, ...(args as never[]));
    }
    return this.#find(id).method(method)({ caller: client, pending }, ...(args as never[]));
  }

  async #create(name: string, args: readonly unknown[]): Promise<Hosted> {
    this.#ids += 1;
    const id = this.#ids;
    const make = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
    // It is found by its id from when the first proxy of it leaves.
    if (make !== undefined) return new Hosted(id, name, fromTable(make(args[0]).methods));
    const registered = this.#registered.get(name);
    if (registered === undefined) throw invalidArgValue('name', 'must be registered before the manager starts', name);
    const object: unknown = await callTarget(resolveTarget(registered), args);
    if (typeof object !== 'object' || object === null) {
      throw invalidArgValue('create', 'must make an object', object);
    }
    const hosted = new Hosted(id, name, fromObject(object));
    this.#byInstance.set(object, hosted);
    return hosted;
  }

  #known(value: unknown): unknown {
    return typeof value === 'object' && value !== null ? (this.#byInstance.get(value) ?? value) : value;
  }

  #find(id: number): Hosted {
    const hosted = this.#objects.get(id);
    if (hosted === undefined) throw new ClosedError('the manager has given this object up: nobody had a proxy of it');
    return hosted;
  }

  #count(client: Client, hosted: Hosted, times: number): void {
    const own = (client.references.get(hosted) ?? 0) + times;
    if (own < 0) throw invalidArgValue('times', 'must not be more than there were', times);
    if (own === 0) client.references.delete(hosted);
    else client.references.set(hosted, own);
    if (times < 0) return this.#uncount(hosted, -times);
    hosted.references += times;
    // An object that others hold comes to light again.
    this.#objects.set(hosted.id, hosted);
  }

  #uncount(hosted: Hosted, times: number): void {
    hosted.references -= times;
    if (hosted.references === 0) this.#objects.delete(hosted.id);
  }

  #shutDown(): void {
    this.#listener.close();
    for (const client of [...this.#clients]) {
      client.outbox.flush();
      this.#dismiss(client);
    }
  }
}

function argumentsOf(bytes: Uint8Array): readonly unknown[] {
  const args = deserialize(bytes, { owned: true });
  if (!Array.isArray(args)) throw invalidArgValue('args', 'must be an array', args);
  return args;
}

/** What the server process tells when it has begun, or could not. */
export type Greeting = { readonly address: Address } | { readonly error: unknown };

/** All that the server process does: listens, tells where, and serves until shutdown. */
export async function runServer(
  there: Connection<Greeting>,
  address: Address,
  authKey: Uint8Array,
  registered: ReadonlyMap<string, Target>,
): Promise<void> {
  // As in Python: Ctrl-C is for the program that uses the manager, which ends it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => process.exit(0));
  let listener: Listener;
  try {
    listener = await Listener.listen(address, { authKey });
  } catch (error) {
    await there.send({ error });
    process.exitCode = 1;
    return;
  }
  const server = new Server(listener, keyOf(listener.address), registered);
  await there.send({ address: listener.address });
  there.close();
  await server.run();
}
