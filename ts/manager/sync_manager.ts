/** Manager and SyncManager: a server process that keeps plain objects for many processes. */

import { inspect } from 'node:util';
import { type Address, authKeyOf, validateAddress } from '../connection/address.js';
import type { Connection } from '../connection/connection.js';
import { Pipe } from '../connection/pipe.js';
import { AuthenticationError, EndOfFileError, InvalidStateError, ProcessError } from '../errors.js';
import { builtin } from '../internal/builtins.js';
import { perProcess } from '../internal/per_process.js';
import { invalidArgType, invalidArgValue, validateOptions, validateString } from '../internal/validate.js';
import { packageFile } from '../native/load.js';
import { placeOf } from '../process/importable.js';
import { Process } from '../process/process.js';
import { getStartMethod, type StartMethod } from '../process/start_method.js';
import { resolveTarget, type Target } from '../process/target.js';
import { tree } from '../process/tree.js';
import { type Client, clientFor, forgetClient } from './client.js';
import { BUILT_IN } from './hosted_types.js';
import { keyOf, SERVER } from './protocol.js';
import type { DictProxy, EventProxy, ListProxy, LockProxy, NamespaceProxy, QueueProxy } from './proxies.js';
import { type Greeting, runServer } from './server.js';

/** Where a manager listens, and for whom. Python: the arguments of `BaseManager()`. */
export interface ManagerOptions {
  /** Default: a Unix socket that nobody else has. `{ host, port }` for other machines, port 0 for any free one. */
  address?: Address | undefined;
  /** Who has it may do everything with the manager's objects. Default: this tree of processes' own. */
  authKey?: Uint8Array | undefined;
}

/** Milliseconds that a server has to end. */
const GRACE = 1000;

const registered = new Map<string, Target>();

/** Keeps the constructor for Manager() and connect(). */
const internal = Symbol('internal');

/** Servers that this process has started; a forked child has started none. */
const started = perProcess(() => new WeakMap<SyncManager, Process>());

/**
 * Starts a server process that keeps objects which many processes use through proxies. It ends by
 * shutdown(), or with this process, however that ends. Resolves when it listens.
 *
 * Both sides prove to each other that they have the same key (HMAC); what follows is not encrypted. Clients that have the
 * key are trusted as this process is: they may, say, register no class, but fill the server's memory.
 *
 * Python: `multiprocessing.Manager`
 *
 * ```js
 * await using manager = await Manager();
 * const scores = await manager.dict();
 * await new Process({ target: () => scores.update('a', (old = 0) => old + 1) }).start();
 * ```
 * @throws ERR_MP_START_METHOD; ERR_MP_PROCESS: the server ended at once; ERR_MP_TARGET: a registered class that a fresh
 * process can't find; EADDRINUSE, EACCES: where it should listen; ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE;
 * ERR_OUT_OF_RANGE.
 */
export async function Manager(options?: ManagerOptions): Promise<SyncManager> {
  return startManager(options);
}

/** Manager(), its server started by that method; without one as a Process is. */
export async function startManager(options: ManagerOptions | undefined, method?: StartMethod): Promise<SyncManager> {
  validateOptions(options, 'options');
  const { address = unnamedAddress() } = options ?? {};
  validateAddress(address);
  const authKey = authKeyOf({ authKey: options?.authKey }) ?? tree.authKey;
  const [here, there] = Pipe<Greeting>({ duplex: false });
  const server = new Process({
    name: 'Manager',
    daemon: true,
    ...(method === undefined ? {} : { startMethod: method }),
    ...serverTarget(method ?? getStartMethod(), here, there, address, authKey),
  });
  try {
    await server.start();
    there.close();
    const greeting = await here.recv();
    if ('error' in greeting) throw greeting.error;
    const manager = new SyncManager(
      internal,
      greeting.address,
      clientFor(greeting.address, () => authKey),
    );
    started.value.set(manager, server);
    return manager;
  } catch (error) {
    there.close();
    if (server.pid !== undefined) {
      server.kill();
      await server.join();
    }
    server.close();
    if (error instanceof EndOfFileError) throw new ProcessError('the server process ended before it listened');
    throw error;
  } finally {
    here.close();
  }
}

/** An abstract Unix socket: it leaves no file, whoever is killed. The key keeps strangers out. unix(7) */
function unnamedAddress(): Address {
  return { path: `\0mp-manager-${builtin.crypto().randomUUID()}` };
}

/** Under 'fork' registered functions may be closures; a fresh process must find them by their modules. */
function serverTarget(
  method: StartMethod,
  here: Connection<Greeting>,
  there: Connection<Greeting>,
  address: Address,
  authKey: Uint8Array,
): { target: Target; args?: readonly unknown[] } {
  if (method === 'fork') {
    const target = (): Promise<void> => {
      here.close();
      return runServer(there, address, authKey, registered);
    };
    return { target };
  }
  const places = [...registered].map(([name, create]) => {
    if (typeof create !== 'function') return [name, String(create)];
    const { module, exportName } = placeOf(create, method);
    return [name, `${module}#${exportName}`];
  });
  const target = packageFile('fresh_server.js#runServer');
  return { target, args: [there, address, authKey, new Map(places as [string, string][])] };
}

/**
 * A manager's server as this process reaches it: makes objects there and gives proxies of them. Forked children may use
 * it and the proxies, each by a connection of its own. Nothing of it blocks: a call resolves when the server has answered.
 *
 * Python: `multiprocessing.managers.SyncManager`
 * @throws ERR_MP_EOF, ECONNREFUSED: the server has ended; ERR_MP_CLOSED: after close(); ERR_MP_SERIALIZE.
 */
export class SyncManager {
  readonly #address: Address;
  readonly #client: Client;

  /** @internal */
  constructor(key: typeof internal, address: Address, client: Client) {
    if (key !== internal) throw new TypeError('a SyncManager is made by Manager() or SyncManager.connect()');
    this.#address = address;
    this.#client = client;
  }

  /**
   * Reaches a manager that another program has started, on this machine or another.
   *
   * Python: `SyncManager(address, authkey).connect()`
   * @throws ERR_MP_AUTH: it has another key; ECONNREFUSED, ENOENT: there is none; ERR_INVALID_ARG_TYPE;
   * ERR_INVALID_ARG_VALUE; ERR_OUT_OF_RANGE.
   */
  static async connect(address: Address, options: { authKey: Uint8Array }): Promise<SyncManager> {
    validateAddress(address);
    const authKey = authKeyOf(options);
    if (authKey === undefined) throw invalidArgType('options.authKey', 'an instance of Uint8Array', authKey);
    const client = clientFor(address, () => authKey);
    if (!client.hasKey(authKey)) throw new AuthenticationError('this process uses that manager with another key');
    try {
      await client.call(SERVER, 'count', []);
    } catch (error) {
      forgetClient(client);
      throw error;
    }
    return new SyncManager(internal, { ...address }, client);
  }

  /**
   * From now on managers that are started here can create() objects of that name: `create` makes one, a class's instance
   * say, and its methods are what proxies have, but for those that begin with '_'.
   *
   * Python: `BaseManager.register`
   * @throws ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE: a name that every manager has; ERR_MP_TARGET.
   */
  static register(name: string, create: Target): void {
    validateString(name, 'name');
    if (Object.hasOwn(BUILT_IN, name)) throw invalidArgValue('name', 'must not be one that every manager has', name);
    resolveTarget(create);
    registered.set(name, create);
  }

  /** Where the server listens: what connect() takes. Python: `address` */
  get address(): Address {
    return { ...this.#address };
  }

  /** A new dictionary in the server, with these entries. Python: `dict()` */
  async dict<V>(initial?: Record<string, V> | Map<unknown, V>): Promise<DictProxy<V>> {
    return (await this.create('dict', initial)) as DictProxy<V>;
  }
  /** A new list in the server, with these elements. Python: `list()` */
  async list<V>(initial?: Iterable<V>): Promise<ListProxy<V>> {
    return (await this.create('list', initial === undefined ? undefined : [...initial])) as ListProxy<V>;
  }
  /** New names and values in the server. Python: `Namespace()` */
  async namespace(initial?: object): Promise<NamespaceProxy> {
    return (await this.create('namespace', initial)) as NamespaceProxy;
  }
  /**
   * A new queue in the server for up to `maxSize` values; 0, the default, bounds it by memory only.
   * Python: `Queue()` @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE.
   */
  async queue<T>(maxSize?: number): Promise<QueueProxy<T>> {
    return (await this.create('queue', maxSize)) as QueueProxy<T>;
  }
  /** A new lock in the server. Python: `Lock()` */
  async lock(): Promise<LockProxy> {
    return (await this.create('lock')) as LockProxy;
  }
  /** A new event in the server. Python: `Event()` */
  async event(): Promise<EventProxy> {
    return (await this.create('event')) as EventProxy;
  }

  /**
   * A new object of a registered class, made there from these arguments; resolves with a proxy that has its methods.
   *
   * Python: the method that `BaseManager.register` adds
   * @throws ERR_INVALID_ARG_VALUE: nothing was registered under that name before the manager started.
   */
  // biome-ignore lint/suspicious/noExplicitAny: its methods are the registered class's
  async create(name: string, ...args: unknown[]): Promise<any> {
    validateString(name, 'name');
    return this.#client.call(SERVER, 'create', [name, args]);
  }

  /** How many objects the server keeps for proxies: their number. Python: `_number_of_objects()` */
  async count(): Promise<number> {
    return (await this.#client.call(SERVER, 'count', [])) as number;
  }

  /**
   * Ends the server; every call to it, here and elsewhere, rejects. Resolves when it has ended. Idempotent.
   *
   * Python: `shutdown()`
   * @throws ERR_MP_INVALID_STATE: another process has started it.
   */
  async shutdown(): Promise<void> {
    const server = started.value.get(this);
    if (server === undefined) {
      throw new InvalidStateError(
        'only the process that started a manager can shut it down; close() ends your own use',
      );
    }
    started.value.delete(this);
    await this.#client.call(SERVER, 'shutdown', []).catch(() => {});
    this.close();
    if (!(await server.join({ timeout: GRACE }))) server.terminate();
    if (!(await server.join({ timeout: GRACE }))) server.kill();
    await server.join();
    server.close();
  }

  /**
   * Ends this process's use of it: its proxies here reject with ERR_MP_CLOSED. The server goes on. Idempotent. Python:
   * none. Never throws.
   */
  close(): void {
    forgetClient(this.#client);
    this.#client.close();
  }

  /** shutdown() in the process that started it, else close(). */
  async [Symbol.asyncDispose](): Promise<void> {
    if (started.value.has(this)) await this.shutdown();
    else this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `SyncManager { ${keyOf(this.#address)} }`;
  }
}
