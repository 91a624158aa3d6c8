/** An actor of any start method, who keeps what it is given under names and does to it what it is told. */

import { type Connection, importable, type Lock, type RLock, type StartMethod } from 'posix-multiprocessing';
import { Actor, act, type Order, type Report } from '../sync/actor.js';

type Props = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: whatever is kept
type Any = any;

let words = 0;

/** How often leaveWord() was called in this process. */
export function wordsLeft(): number {
  return words;
}

/** Two steps that are only right together when nobody comes in between. */
export function step(words: Int32Array): void {
  const seen = words[0] as number;
  Atomics.add(words, 1, 1);
  words[0] = seen + 1;
}

const deedsWith = (props: Props) => ({
  keep: (more: Props) => void Object.assign(props, more),
  call: (name: string, method: string, ...args: unknown[]): unknown => (props[name] as Any)[method](...args),
  /** For what blocks. */
  callSync: (name: string, method: string, ...args: unknown[]): unknown => (props[name] as Any)[method](...args),
  get: (name: string, property: string): unknown => (props[name] as Any)[property],
  element: (name: string, index: number, value?: number): number => {
    const { array } = props[name] as { array: Int32Array };
    if (value !== undefined) array[index] = value;
    return array[index] as number;
  },
  /** Keeps what a queue, a connection or a proxy gives. */
  take: async (as: string, from: string, method: string, ...args: unknown[]) => {
    props[as] = await (props[from] as Any)[method](...args);
  },
  send: (name: string, into: string, method: string, ...args: unknown[]): unknown =>
    (props[into] as Any)[method](...args, props[name]),
  wordsLeft: (): number => wordsLeft(),
  areSame: (one: string, other: string): boolean => props[one] === props[other],
  isLockOf: (lock: string, of: string): boolean => props[lock] === (props[of] as Any).lock,
  /** The depth inside of two locks, one in the other. */
  nest: (one: string, other: string): number =>
    (props[one] as RLock).useSync(() => (props[other] as RLock).useSync(() => (props[other] as RLock).depth)),
  stepsSync: (lock: string, words: string, rounds: number) => {
    const { array } = props[words] as { array: Int32Array };
    for (let round = 0; round < rounds; round += 1) (props[lock] as Lock).useSync(() => step(array));
  },
  steps: async (lock: string, words: string, rounds: number) => {
    const { array } = props[words] as { array: Int32Array };
    for (let round = 0; round < rounds; round += 1) await (props[lock] as Lock).use(() => step(array));
  },
  wait: (condition: string): Promise<boolean> => {
    const it = props[condition] as Any;
    return it.use(() => it.wait());
  },
  waitSync: (condition: string): boolean => {
    const it = props[condition] as Any;
    return it.useSync(() => it.waitSync());
  },
  notify: (condition: string, count: number) => {
    const it = props[condition] as Any;
    it.useSync(() => it.notify(count));
  },
});

export type Player = Actor<ReturnType<typeof deedsWith>>;

export const { play, leaveWord } = importable(import.meta, {
  /** The action of a Barrier. */
  leaveWord: () => {
    words += 1;
  },
  play: (orders: Connection<Order>, reports: Connection<Report>, props: Props) =>
    act(deedsWith({ ...props }), orders, reports),
});

/** One that has these from its start, as arguments. */
export function player(startMethod: StartMethod, props: Props = {}): Promise<Player> {
  return Actor.of<ReturnType<typeof deedsWith>, [Props]>(startMethod, play, props);
}
