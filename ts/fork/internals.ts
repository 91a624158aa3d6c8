/**
 * The few objects inside Node's own modules that a forked child must empty: they are reachable only as variables that a
 * public function closes over, which an in-process inspector session can read. Read once, in the parent; children inherit.
 */

import { types } from 'node:util';
import { builtin } from '../internal/builtins.js';

/** Node's circular lists of timers and the like (lib/internal/linkedlist.js). */
export interface Linked {
  _idlePrev: Linked;
  _idleNext: Linked | null;
  _onTimeout?: () => void;
  _onImmediate?: (() => void) | null;
}

export interface TimerInternals {
  /** By duration: the head of a circular list of Timeouts. */
  timerListMap: Record<string, Linked>;
  immediateQueue: { head: Linked | null };
}

/** Where JavaScript and the inspector hand each other objects, as long as a session lasts. */
const shelf = Symbol.for('posix-multiprocessing.reflection');
const SHELF = `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(shelf))})]`;

interface RemoteObject {
  objectId: string;
  description?: string;
}
interface Property {
  name: string;
  value?: Partial<RemoteObject>;
}
type Post = <Answer>(method: string, parameters: object) => Answer;

/** Runs `look` in an inspector session with the remote name of `subject`; what it puts on the shelf is returned. */
function reflect(subject: unknown, look: (post: Post, subject: RemoteObject) => void): Record<string, unknown> {
  const place = globalThis as unknown as Record<symbol, unknown>;
  const found: Record<string, unknown> = {};
  const session = new (builtin.inspector().Session)();
  // In-process sessions answer during post().
  const post: Post = <Answer>(method: string, parameters: object) => {
    let answer: unknown;
    session.post(method, parameters, (error: Error | null, result?: unknown) => {
      if (error !== null) throw error;
      answer = result;
    });
    return answer as Answer;
  };
  place[shelf] = { subject, found };
  session.connect();
  try {
    look(post, post<{ result: RemoteObject }>('Runtime.evaluate', { expression: `${SHELF}.subject` }).result);
  } finally {
    session.disconnect();
    delete place[shelf];
  }
  return found;
}

function keep(post: Post, objectId: string, name: string): void {
  post('Runtime.callFunctionOn', {
    objectId,
    functionDeclaration: `function () { ${SHELF}.found[${JSON.stringify(name)}] = this }`,
  });
}

/** The objects that a function closes over, by variable name, as far as `wanted` says. */
function closedOver(subject: unknown, wanted: (name: string) => boolean): Record<string, unknown> {
  return reflect(subject, (post, remote) => {
    const properties = (objectId: string): { result: Property[]; internalProperties?: Property[] } =>
      post('Runtime.getProperties', { objectId, ownProperties: true });
    const scopes = properties(remote.objectId).internalProperties?.find(({ name }) => name === '[[Scopes]]');
    for (const scope of properties(scopes?.value?.objectId ?? '').result) {
      if (scope.value?.objectId === undefined || scope.value.description?.startsWith('Global') === true) continue;
      for (const { name, value } of properties(scope.value.objectId).result) {
        if (value?.objectId !== undefined && wanted(name)) keep(post, value.objectId, name);
      }
    }
  });
}

/** Every living instance of a class, by a search of the whole heap. */
export function instancesOf<T>(kind: { readonly prototype: T }): T[] {
  const { instances } = reflect(kind.prototype, (post, { objectId }) => {
    const { objects } = post<{ objects: RemoteObject }>('Runtime.queryObjects', { prototypeObjectId: objectId });
    keep(post, objects.objectId, 'instances');
  });
  // The prototypes of subclasses are found as well.
  return (instances as (T & object)[]).filter((instance) => instance.constructor.prototype !== instance);
}

let timerInternals: TimerInternals | undefined;
let randomCaches: NodeJS.ArrayBufferView[] | undefined;

/** Reads Node's timer tables; throws when this Node keeps them elsewhere. */
export function readTimerInternals(): TimerInternals {
  if (timerInternals !== undefined) return timerInternals;
  const { timerListMap, immediateQueue } = closedOver(
    builtin.timers().clearTimeout,
    (name) => name === 'timerListMap' || name === 'immediateQueue',
  ) as Partial<TimerInternals>;
  if (timerListMap === undefined || immediateQueue === undefined) {
    throw new Error(`Node ${process.version} keeps its timers in an unknown place`);
  }
  timerInternals = { timerListMap, immediateQueue };
  return timerInternals;
}

/** Lets the PerformanceObservers that have something to deliver forget that. */
export function forgetPendingObservers(): void {
  const { kPending } = closedOver(PerformanceObserver.prototype.observe, (name) => name === 'kPending');
  if (!types.isSet(kPending)) return;
  const pending = kPending as Set<{ takeRecords(): unknown }>;
  // It does not inherit from Set.prototype.
  for (const observer of Set.prototype.values.call(pending)) observer.takeRecords();
  Set.prototype.clear.call(pending);
}

/**
 * The buffers that crypto.randomUUID() and randomInt() serve from; without a refill parent and children would return the
 * same values. Empty as long as nobody has loaded node:crypto's generators.
 */
export function readRandomCaches(): readonly NodeJS.ArrayBufferView[] {
  if (randomCaches !== undefined) return randomCaches;
  const crypto = builtin.crypto();
  // Both make their buffer on first use.
  crypto.randomUUID();
  crypto.randomInt(2);
  const buffers = [crypto.randomUUID, crypto.randomInt].flatMap((generator) =>
    Object.values(closedOver(generator, (name) => /uuid|cache/i.test(name))),
  );
  randomCaches = [...new Set(buffers)].filter((buffer): buffer is NodeJS.ArrayBufferView => ArrayBuffer.isView(buffer));
  return randomCaches;
}
