/** The types that every manager has: what their objects do in the server. */

import { types } from 'node:util';
import { OverReleaseError, OwnerDiedError, QueueEmptyError, QueueFullError } from '../errors.js';
import { invalidArgType, outOfRange, validateInteger, validateString } from '../internal/validate.js';
import { callTarget, resolveTarget } from '../process/target.js';
import { serialize } from '../serialization/serialize.js';
import type { Caller, Context, Methods } from './hosted.js';
import { EXPIRED, Waiters } from './waiters.js';

/** Equal keys have equal ones, objects by what they hold. */
function canonical(key: unknown): unknown {
  if (typeof key === 'string') return key.startsWith('\0') ? `\0s${key}` : key;
  if (typeof key !== 'object' || key === null) return key;
  return `\0o${Buffer.concat(serialize(key)).toString('latin1')}`;
}

interface KeyLock {
  readonly waiters: Waiters<void>;
  token: number;
  leave: () => void;
}

class Dict {
  readonly #entries: Map<unknown, [key: unknown, value: unknown]> = new Map();
  /** Keys that an update() works on. */
  readonly #locks: Map<unknown, KeyLock> = new Map();
  #tokens = 0;

  readonly methods: Methods = {
    get: (_, key) => this.#entries.get(canonical(key))?.[1],
    has: (_, key) => this.#entries.has(canonical(key)),
    set: (context, key, value) => this.#whenFree(context, canonical(key), () => this.#set(key, value)),
    delete: (context, key) => this.#whenFree(context, canonical(key), () => this.#entries.delete(canonical(key))),
    keys: () => [...this.#entries.values()].map(([key]) => key),
    values: () => [...this.#entries.values()].map(([, value]) => value),
    entries: () => [...this.#entries.values()],
    size: () => this.#entries.size,
    toObject: () => Object.fromEntries(this.#entries.values()) as unknown,
    clear: async (context) => {
      for (const [key] of this.#locks) await this.#whenFree(context, key, () => {});
      this.#entries.clear();
    },
    lockKey: async (context, key) => {
      const token = await this.#lock(context, canonical(key));
      return [token, this.#entries.get(canonical(key))?.[1]];
    },
    unlockKey: (_, key, token, changed, value) => {
      if (this.#locks.get(canonical(key))?.token !== token) return;
      if (changed) this.#set(key, value);
      this.#unlock(canonical(key));
    },
    updateThere: async (context, key, target) => {
      const change = resolveTarget(target);
      await this.#lock(context, canonical(key));
      try {
        const value = await callTarget(change, [this.#entries.get(canonical(key))?.[1]]);
        this.#set(key, value);
        return value;
      } finally {
        this.#unlock(canonical(key));
      }
    },
  } satisfies Record<string, (context: Context, ...args: never[]) => unknown>;

  constructor(initial: unknown) {
    if (initial === undefined) return;
    if (typeof initial !== 'object' || initial === null) throw invalidArgType('initial', 'an object or a Map', initial);
    for (const [key, value] of types.isMap(initial) ? initial : Object.entries(initial)) this.#set(key, value);
  }

  #set(key: unknown, value: unknown): void {
    this.#entries.set(canonical(key), [key, value]);
  }

  /** Without an update() on the key it runs at once. */
  #whenFree<R>(context: Context, key: unknown, run: () => R): R | Promise<R> {
    const lock = this.#locks.get(key);
    if (lock === undefined) return run();
    return this.#lock(context, key).then(() => {
      try {
        return run();
      } finally {
        this.#unlock(key);
      }
    });
  }

  async #lock({ caller, pending }: Context, key: unknown): Promise<number> {
    this.#tokens += 1;
    const token = this.#tokens;
    const lock = this.#locks.get(key);
    if (lock === undefined) {
      const leave = caller.onGone(() => this.#unlock(key));
      this.#locks.set(key, { waiters: new Waiters(), token, leave });
      return token;
    }
    if ((await lock.waiters.wait(pending, -1)) === EXPIRED) throw new Error('the call was cancelled');
    lock.token = token;
    lock.leave = caller.onGone(() => this.#unlock(key));
    return token;
  }

  #unlock(key: unknown): void {
    const lock = this.#locks.get(key);
    if (lock === undefined) return;
    lock.leave();
    lock.token = 0;
    if (!lock.waiters.give()) this.#locks.delete(key);
  }
}

class List {
  readonly #values: unknown[];

  readonly methods: Methods = {
    push: (_, ...values) => this.#values.push(...values),
    pop: () => this.#values.pop(),
    at: (_, index) => this.#values.at(index),
    set: (_, index: number, value) => {
      validateInteger(index, 'index', 0);
      if (index >= this.#values.length) throw outOfRange('index', `< ${this.#values.length}`, index);
      this.#values[index] = value;
    },
    length: () => this.#values.length,
    slice: (_, start, end) => this.#values.slice(start, end),
    toArray: () => this.#values,
  };

  constructor(initial: unknown) {
    this.#values = initial === undefined ? [] : [...(initial as Iterable<unknown>)];
  }
}

class Namespace {
  readonly #values: Map<string, unknown>;

  readonly methods: Methods = {
    get: (_, key) => this.#values.get(key),
    set: (_, key, value) => {
      validateString(key, 'key');
      this.#values.set(key, value);
    },
  };

  constructor(initial: unknown) {
    this.#values = new Map(Object.entries(initial ?? {}));
  }
}

class ServerQueue {
  readonly #items: unknown[] = [];
  readonly #limit: number;
  /** Who wait for an item, and for room. */
  readonly #takers: Waiters<[item: unknown]> = new Waiters();
  readonly #putters: Waiters<void> = new Waiters();

  readonly methods: Methods = {
    put: async ({ pending }, item, timeout) => {
      if (this.#isFull && (await this.#putters.wait(pending, timeout)) === EXPIRED) {
        throw new QueueFullError('the queue had no room in time');
      }
      if (!this.#takers.give([item])) this.#items.push(item);
    },
    get: async ({ pending }, timeout) => {
      if (this.#items.length > 0) {
        const item = this.#items.shift();
        this.#putters.give();
        return item;
      }
      const given = await this.#takers.wait(pending, timeout);
      if (given === EXPIRED) throw new QueueEmptyError('nothing came in time');
      return given[0];
    },
    size: () => this.#items.length,
    isEmpty: () => this.#items.length === 0,
    isFull: () => this.#isFull,
  };

  constructor(maxSize: unknown = 0) {
    validateInteger(maxSize, 'maxSize');
    this.#limit = maxSize <= 0 ? Number.POSITIVE_INFINITY : maxSize;
  }

  get #isFull(): boolean {
    return this.#items.length >= this.#limit;
  }
}

class ServerLock {
  readonly #waiters: Waiters<void> = new Waiters();
  #holder: Caller | undefined;
  #leave: (() => void) | undefined;
  #dead: number | undefined;

  readonly methods: Methods = {
    acquire: async ({ caller, pending }, timeout) => {
      if (this.#holder !== undefined && (await this.#waiters.wait(pending, timeout)) === EXPIRED) return false;
      this.#holder = caller;
      this.#leave = caller.onGone(() => {
        this.#dead = caller.pid;
        this.#pass();
      });
      const dead = this.#dead;
      this.#dead = undefined;
      if (dead === undefined) return true;
      throw new OwnerDiedError(
        `process ${dead} died holding the lock: it is yours now, but what it guards may be half changed`,
        dead,
      );
    },
    release: () => {
      if (this.#holder === undefined) throw new OverReleaseError('release() of a lock that nobody holds');
      this.#pass();
    },
  };

  /** To who waits longest: it stays held in between, so that nobody comes before that one. */
  #pass(): void {
    this.#leave?.();
    this.#leave = undefined;
    if (!this.#waiters.give()) this.#holder = undefined;
  }
}

class ServerEvent {
  readonly #waiters: Waiters<void> = new Waiters();
  #isSet = false;

  readonly methods: Methods = {
    isSet: () => this.#isSet,
    set: () => {
      this.#isSet = true;
      this.#waiters.giveAll();
    },
    clear: () => {
      this.#isSet = false;
    },
    wait: async ({ pending }, timeout) => this.#isSet || (await this.#waiters.wait(pending, timeout)) !== EXPIRED,
  };
}

/** What create() makes of a type's name. */
export const BUILT_IN: Readonly<Record<string, (initial: unknown) => { readonly methods: Methods }>> = {
  dict: (initial) => new Dict(initial),
  list: (initial) => new List(initial),
  namespace: (initial) => new Namespace(initial),
  queue: (initial) => new ServerQueue(initial),
  lock: () => new ServerLock(),
  event: () => new ServerEvent(),
};
