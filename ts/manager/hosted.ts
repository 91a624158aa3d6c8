/** The objects that a manager's server keeps. */

import type { Pending } from './waiters.js';

/** Who calls. */
export interface Caller {
  readonly pid: number;
  /** Runs when this client is gone; what it returns takes that back. */
  onGone(run: () => void): () => void;
}

export interface Context {
  readonly caller: Caller;
  readonly pending: Pending;
}

export type Method = (context: Context, ...args: never[]) => unknown;

/** What its proxies may call. */
export type Methods = Readonly<Record<string, Method>>;

/** One object of the server's. Its id names it as long as a client has a proxy, or another object holds it. */
export class Hosted {
  readonly id: number;
  readonly type: string;
  readonly #find: (method: string) => Method | undefined;
  /** How many proxies clients have. */
  references = 0;

  constructor(id: number, type: string, find: (method: string) => Method | undefined) {
    this.id = id;
    this.type = type;
    this.#find = find;
  }

  /** @throws TypeError: there is none that may be called. */
  method(name: string): Method {
    const found = this.#find(name);
    if (found === undefined) throw new TypeError(`a ${this.type} of the manager has no method '${name}'`);
    return found;
  }
}

export function fromTable(methods: Methods): (name: string) => Method | undefined {
  return (name) => (Object.hasOwn(methods, name) ? methods[name] : undefined);
}

/** Of an instance of a registered class: its public methods. */
export function fromObject(object: object): (name: string) => Method | undefined {
  return (name) => {
    if (name.startsWith('_') || name in Object.prototype || name === 'then') return undefined;
    const method: unknown = (object as Record<string, unknown>)[name];
    if (typeof method !== 'function') return undefined;
    return (_context, ...args) => Reflect.apply(method, object, args) as unknown;
  };
}
