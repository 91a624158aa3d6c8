/** What stands for a manager's object in its clients. */

import { inspect } from 'node:util';
import { TimeoutError } from '../errors.js';
import { deadlineOf, millisecondsLeft, signalOf, type WaitOptions } from '../internal/deadline.js';
import { validateFunction } from '../internal/validate.js';
import type { Target } from '../process/target.js';
import { tree } from '../process/tree.js';
import { registerCodec } from '../serialization/registry.js';
import { type Client, clientFor } from './client.js';
import { Hosted } from './hosted.js';
import { keyOf, PROXY_CODEC, type Reference } from './protocol.js';
import { Server } from './server.js';

const dropped = new FinalizationRegistry<{ client: Client; id: number }>(({ client, id }) => client.drop(id));

/** What is behind a proxy of anyProxy(). */
const behind = new WeakMap<object, BaseProxy>();

/**
 * A reference to an object in a manager's server: calls go there, results are copies. It may travel to other processes
 * in messages, and into other objects of the same manager, where it stays a reference. The server gives an object up when
 * no process has a proxy of it, dead ones not counted, and no other object holds it. Nothing of it blocks: a call resolves
 * when the server has answered.
 *
 * Errors of the object are thrown here by their class, their stack the server's with this process's below; those of
 * unknown classes as RemoteError. When the server has ended, every call rejects at once.
 *
 * Python: `BaseProxy`
 * @throws ERR_MP_EOF, ECONNREFUSED: the server has ended; ERR_MP_CLOSED: after SyncManager.close(); ERR_MP_AUTH: this
 * process has another key; ERR_MP_SERIALIZE: an argument can't travel.
 */
export class BaseProxy {
  readonly #client: Client;
  readonly #id: number;
  readonly #type: string;

  /** @internal */
  constructor(client: Client, { type, id, counted }: Reference) {
    this.#client = client;
    this.#id = id;
    this.#type = type;
    client.hold(id, counted);
    dropped.register(this, { client, id });
  }

  /** @internal */
  protected call(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#client.call(this.#id, method, args);
  }

  /** A call that waits in the server: `args`, then milliseconds. @internal */
  protected async callWaiting(
    method: string,
    args: readonly unknown[],
    options: WaitOptions | undefined,
  ): Promise<unknown> {
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    const given = [...args, millisecondsLeft(deadline)];
    try {
      return await this.#client.call(this.#id, method, given, signal);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw error;
    }
  }

  /** The same for what resolves true, or false when the time is up. @internal */
  protected async callUntil(method: string, options: WaitOptions | undefined): Promise<boolean> {
    const isDone = (await this.callWaiting(method, [], options)) as boolean;
    if (!isDone) options?.signal?.throwIfAborted();
    return isDone;
  }

  /** @internal */
  [inspect.custom](): string {
    const proxy = behind.get(this) ?? this;
    return `${proxy.constructor.name} { ${proxy.#type} #${proxy.#id} at ${keyOf(proxy.#client.address)} }`;
  }

  static {
    registerCodec(BaseProxy, {
      name: PROXY_CODEC,
      pack: (object): Reference => {
        const proxy = behind.get(object) ?? (object as BaseProxy);
        proxy.#client.holdInTransit(proxy.#id);
        return { server: proxy.#client.server, type: proxy.#type, id: proxy.#id, counted: false };
      },
      unpack,
    });
    registerCodec(Hosted, { name: PROXY_CODEC, pack: (object) => Server.reference(object as Hosted), unpack });
  }
}

/** In the server an object of its own is what it is. */
function unpack(packed: unknown): object {
  const reference = packed as Reference;
  return Server.hosted(reference) ?? proxyOf(reference);
}

function proxyOf(reference: Reference): BaseProxy {
  const client = clientFor(JSON.parse(reference.server), () => tree.authKey);
  const ProxyClass = Object.hasOwn(PROXIES, reference.type) ? PROXIES[reference.type] : undefined;
  return ProxyClass === undefined ? anyProxy(client, reference) : new ProxyClass(client, reference);
}

/** A Map in the server. Keys are compared by value, objects as keys too. Python: `DictProxy` */
export class DictProxy<V = unknown> extends BaseProxy {
  /** The value of a key; undefined when there is none. Python: `d.get(key)` */
  async get(key: unknown): Promise<V | undefined> {
    return (await this.call('get', key)) as V | undefined;
  }
  /** Sets a key's value; waits for an update() of it. Python: `d[key] = value` */
  async set(key: unknown, value: V): Promise<void> {
    await this.call('set', key, value);
  }
  /** Whether there is such a key. Python: `key in d` */
  async has(key: unknown): Promise<boolean> {
    return (await this.call('has', key)) as boolean;
  }
  /** Removes a key, waiting for an update() of it; resolves whether it was there. Python: `del d[key]` */
  async delete(key: unknown): Promise<boolean> {
    return (await this.call('delete', key)) as boolean;
  }
  /** The keys, in the order in which they were first set. Python: `d.keys()` */
  async keys(): Promise<unknown[]> {
    return (await this.call('keys')) as unknown[];
  }
  /** The values, in the order of the keys. Python: `d.values()` */
  async values(): Promise<V[]> {
    return (await this.call('values')) as V[];
  }
  /** Keys and values. Python: `d.items()` */
  async entries(): Promise<[unknown, V][]> {
    return (await this.call('entries')) as [unknown, V][];
  }
  /** How many keys there are. Python: `len(d)` */
  async size(): Promise<number> {
    return (await this.call('size')) as number;
  }
  /** A copy as an object, its keys as strings. Python: `d.copy()` */
  async toObject(): Promise<Record<string, V>> {
    return (await this.call('toObject')) as Record<string, V>;
  }
  /** Removes all keys; waits for updates. Python: `d.clear()` */
  async clear(): Promise<void> {
    await this.call('clear');
  }

  /**
   * Changes the value of a key in one step: who else sets, deletes or updates it waits. A function runs here, closures
   * and async ones too; a module's export ('file#name') runs in the server. Resolves with the new value. When the change
   * throws, or this process dies in it, the value stays.
   *
   * Python: none; a Lock around `d[key] = change(d[key])`
   * @throws what the change throws; ERR_MP_TARGET: no such export; ERR_INVALID_ARG_TYPE.
   */
  async update(key: unknown, change: Target<[V | undefined], V>): Promise<V> {
    if (typeof change === 'string' || change instanceof URL) {
      return (await this.call('updateThere', key, String(change))) as V;
    }
    validateFunction(change, 'change');
    const [token, old] = (await this.call('lockKey', key)) as [number, V | undefined];
    let changed = false;
    let value: V | undefined;
    try {
      value = await change(old);
      changed = true;
    } finally {
      await this.#unlock(key, token, changed, value);
    }
    return value;
  }

  /** A value that can't travel leaves the old one. */
  async #unlock(key: unknown, token: number, changed: boolean, value: V | undefined): Promise<void> {
    try {
      await this.call('unlockKey', key, token, changed, value);
    } catch (error) {
      await this.call('unlockKey', key, token, false);
      throw error;
    }
  }
}

/** An array in the server. Python: `ListProxy` */
export class ListProxy<V = unknown> extends BaseProxy {
  /** Appends values; resolves with the new length, in elements. Python: `append()`, `extend()` */
  async push(...values: V[]): Promise<number> {
    return (await this.call('push', ...values)) as number;
  }
  /** Removes the last element; undefined when there is none. Python: `pop()` */
  async pop(): Promise<V | undefined> {
    return (await this.call('pop')) as V | undefined;
  }
  /** The element at `index`, from the end when negative; undefined when there is none. Python: `l[index]` */
  async at(index: number): Promise<V | undefined> {
    return (await this.call('at', index)) as V | undefined;
  }
  /** Replaces an element that is there. Python: `l[index] = value` @throws ERR_OUT_OF_RANGE: there is no such element. */
  async set(index: number, value: V): Promise<void> {
    await this.call('set', index, value);
  }
  /** How many elements there are. Python: `len(l)` */
  async length(): Promise<number> {
    return (await this.call('length')) as number;
  }
  /** A copy of the elements from index `start` up to, not including, `end`, as Array.slice(). Python: `l[start:end]` */
  async slice(start?: number, end?: number): Promise<V[]> {
    return (await this.call('slice', start, end)) as V[];
  }
  /** A copy of all elements. Python: `l[:]` */
  async toArray(): Promise<V[]> {
    return (await this.call('toArray')) as V[];
  }
}

/** Names and values in the server. Python: `NamespaceProxy` */
export class NamespaceProxy extends BaseProxy {
  /** The value of a name; undefined when there is none. Python: `namespace.name` */
  async get(key: string): Promise<unknown> {
    return this.call('get', key);
  }
  /** Sets the value of a name. Python: `namespace.name = value` @throws ERR_INVALID_ARG_TYPE. */
  async set(key: string, value: unknown): Promise<void> {
    await this.call('set', key, value);
  }
}

/** A queue in the server. Python: `Queue` of a manager */
export class QueueProxy<T = unknown> extends BaseProxy {
  /**
   * Puts a value, waiting while the queue is full. Python: `put()`
   * @throws ERR_MP_QUEUE_FULL: no room in time; the signal's reason.
   */
  async put(item: T, options?: WaitOptions): Promise<void> {
    await this.callWaiting('put', [item], options);
  }
  /**
   * Takes the oldest value, waiting for one. Python: `get()`
   * @throws ERR_MP_QUEUE_EMPTY: nothing came in time; the signal's reason.
   */
  async get(options?: WaitOptions): Promise<T> {
    return (await this.callWaiting('get', [], options)) as T;
  }
  /** How many values are in it. Python: `qsize()` */
  async size(): Promise<number> {
    return (await this.call('size')) as number;
  }
  /** Whether there is none. Python: `empty()` */
  async isEmpty(): Promise<boolean> {
    return (await this.call('isEmpty')) as boolean;
  }
  /** Whether put() would wait. Python: `full()` */
  async isFull(): Promise<boolean> {
    return (await this.call('isFull')) as boolean;
  }
}

/** A lock in the server: its holder is a process; when that dies, the next one gets it. Python: `Lock` of a manager */
export class LockProxy extends BaseProxy {
  /**
   * Resolves true once the lock is held, false on time-out. Python: `acquire()`
   * @throws ERR_MP_OWNER_DIED, once per death: the lock is yours; the signal's reason.
   */
  async acquire(options?: WaitOptions): Promise<boolean> {
    return this.callUntil('acquire', options);
  }
  /** Gives the lock back, whoever holds it. Python: `release()` @throws ERR_MP_OVER_RELEASE: nobody does. */
  async release(): Promise<void> {
    await this.call('release');
  }
  /**
   * Acquires, runs, releases, whatever happens; resolves with what the body returns. Python: `with lock:`
   * @throws ERR_MP_TIMEOUT, ERR_MP_OWNER_DIED, and the body does not run; what the body throws.
   */
  async use<R>(body: () => R | Promise<R>, options?: WaitOptions): Promise<R> {
    validateFunction(body, 'body');
    try {
      if (!(await this.acquire(options))) throw new TimeoutError('the time to wait for the lock is up');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_MP_OWNER_DIED') await this.release();
      throw error;
    }
    try {
      return await body();
    } finally {
      await this.release();
    }
  }
}

/** An event in the server. Python: `Event` of a manager */
export class EventProxy extends BaseProxy {
  /** Whether it is set. Python: `is_set()` */
  async isSet(): Promise<boolean> {
    return (await this.call('isSet')) as boolean;
  }
  /** All who wait go on. Python: `set()` */
  async set(): Promise<void> {
    await this.call('set');
  }
  /** Who waits from now on waits for the next set(). Python: `clear()` */
  async clear(): Promise<void> {
    await this.call('clear');
  }
  /** Resolves true once it is set, false on time-out. Python: `wait()` @throws the signal's reason. */
  async wait(options?: WaitOptions): Promise<boolean> {
    return this.callUntil('wait', options);
  }
}

const PROXIES: Readonly<Record<string, new (client: Client, reference: Reference) => BaseProxy>> = {
  dict: DictProxy,
  list: ListProxy,
  namespace: NamespaceProxy,
  queue: QueueProxy,
  lock: LockProxy,
  event: EventProxy,
};

class RegisteredProxy extends BaseProxy {
  invoke(method: string, args: readonly unknown[]): Promise<unknown> {
    return this.call(method, ...args);
  }
}

/** Of a registered class: each name is a method, which the server knows or does not. */
function anyProxy(client: Client, reference: Reference): BaseProxy {
  const proxy = new RegisteredProxy(client, reference);
  const face = new Proxy(proxy, {
    get(target, name) {
      // A proxy is no promise, and private fields are the target's own.
      if (typeof name !== 'string' || name === 'then' || name in Object.prototype) {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return (...args: unknown[]) => target.invoke(name, args);
    },
    getPrototypeOf: () => RegisteredProxy.prototype,
  });
  behind.set(face, proxy);
  return face;
}
