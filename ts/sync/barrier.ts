/** Barrier: processes that wait for each other. */

import { inspect } from 'node:util';
import { BrokenBarrierError } from '../errors.js';
import {
  type Deadline,
  deadlineOf,
  millisecondsLeft,
  type SyncWaitOptions,
  signalOf,
  type WaitOptions,
} from '../internal/deadline.js';
import { functionAt, type Place, placeIn } from '../internal/importables.js';
import { validateFunction, validateInteger, validateOptions } from '../internal/validate.js';
import { type Outcome, WaitKind } from '../native/wait_room.js';
import { CannotTravel, registerCodec } from '../serialization/registry.js';
import { arriving, mustTravelOpen, type Packed, packedIn } from './origin.js';
import { WaiterTable } from './waiter_table.js';
import { type WaitSpec, waitSync } from './waiting.js';
import { type OnAbort, Waits } from './waits.js';

/** Of a Barrier. Python: the arguments of `Barrier()`. */
export interface BarrierOptions {
  /** Called by the last party to come, before all go on. It must not be async. If it throws, the barrier is broken. */
  action?: (() => void) | undefined;
  /** Milliseconds; of every wait() that says nothing else. */
  timeout?: number | undefined;
}

const MOST_PARTIES = 100_000;

/** What native/ipc/barrier_wait.h says instead of an index, or of a slot. */
const BROKEN = -1;
const FULL = -2;
const LEFT = -2;

/** A slot to wait in, or the index of who was the last and has opened the barrier. */
type Arrival = { spec: WaitSpec; slot: number } | { index: number };

/**
 * A point that `parties` processes, or tasks of a process, pass together: each waits until all are there. Then it begins
 * anew. A party that times out breaks the barrier for all, as does abort(), and the death of one that waits, within
 * 200 ms: all who wait, and who come later, get BrokenBarrierError until reset(). A party whose signal is aborted takes
 * its place back. Only waitSync() blocks. Python: `multiprocessing.Barrier`.
 *
 * Shared as a Lock is. An action goes along when it was registered by importable() in a module that the receiver has
 * imported, as it has its target's; another one only by fork.
 *
 * ```js
 * const barrier = new Barrier(4);
 * const target = async () => { load(); await barrier.wait(); work(); };
 * ```
 */
export class Barrier {
  readonly #parties: number;
  readonly #action: (() => void) | undefined;
  readonly #timeout: number | undefined;
  readonly #table: WaiterTable;
  readonly #waits: Waits;

  /**
   * Doesn't block.
   * @throws ERR_OUT_OF_RANGE: parties below 1, above 100,000 or with a fraction; ERR_INVALID_ARG_TYPE; ENOMEM.
   */
  constructor(parties: number, options: BarrierOptions = {}) {
    validateInteger(parties, 'parties', 1, MOST_PARTIES);
    validateOptions(options, 'options');
    deadlineOf({ timeout: options.timeout });
    if (options.action !== undefined) validateFunction(options.action, 'options.action');
    this.#parties = parties;
    this.#action = options.action;
    this.#timeout = options.timeout;
    // Those of one phase may still be leaving while those of the next come.
    this.#table = new WaiterTable(this, 2 * parties + 16, parties, packedIn(options));
    this.#waits = new Waits(this.constructor.name);
  }

  /**
   * Resolves once all parties are there, with a number from 0 to parties - 1, to each another; who came last has called
   * the action. Time-out in milliseconds, else the barrier's own. Rejects with `signal.reason`: the party is not counted.
   * Keeps the process alive while it waits. Python: `wait`.
   * @throws ERR_MP_BROKEN_BARRIER; what the action throws; ERR_MP_CLOSED; the signal's reason; EAGAIN, EMFILE: no thread or
   * descriptor to wait with; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  async wait(options?: WaitOptions): Promise<number> {
    const deadline = this.#deadlineOf(options);
    const signal = signalOf(options);
    for (;;) {
      signal?.throwIfAborted();
      const { phase } = this.#look();
      const arrival = this.#arrive(deadline);
      if (arrival === undefined) {
        await this.#waits.wait(this.#table.spec(WaitKind.barrierRoom, phase), deadline, signal);
        continue;
      }
      if ('index' in arrival) return arrival.index;
      return indexOf(await this.#waits.wait(arrival.spec, deadline, signal, this.#leave(arrival.slot)));
    }
  }

  /** wait(), blocking this process and its event loop. Python: `wait` */
  waitSync(options?: SyncWaitOptions): number {
    const deadline = this.#deadlineOf(options);
    for (;;) {
      const { phase } = this.#look();
      const arrival = this.#arrive(deadline);
      if (arrival === undefined) {
        waitSync(this.#table.spec(WaitKind.barrierRoom, phase), deadline);
        continue;
      }
      return 'index' in arrival ? arrival.index : indexOf(waitSync(arrival.spec, deadline));
    }
  }

  /** All who wait get BrokenBarrierError; then it is as new, also if it was broken. Python: `reset` @throws ERR_MP_CLOSED. */
  reset(): void {
    this.#waits.mustBeOpen();
    this.#table.region.resetBarrier(this.#table.offset);
  }

  /** Breaks it: all who wait, and who come later, get BrokenBarrierError. Python: `abort` @throws ERR_MP_CLOSED. */
  abort(): void {
    this.#waits.mustBeOpen();
    this.#table.region.breakBarrier(this.#table.offset);
  }

  /** How many it takes to pass. Python: `parties` */
  get parties(): number {
    return this.#parties;
  }

  /** How many wait at the moment of reading. Python: `n_waiting`. @throws ERR_MP_CLOSED. */
  get waiting(): number {
    return this.#look().waiting;
  }

  /** Whether it is broken. Python: `broken` @throws ERR_MP_CLOSED. */
  get broken(): boolean {
    return this.#look().broken;
  }

  /**
   * Ends this process's use of it: who waits here is rejected with ClosedError and not counted. Idempotent. Never
   * throws. Python: none.
   */
  close(): void {
    if (this.#waits.close()) this.#table.close();
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `${this.constructor.name} <${this.#state()}>`;
  }

  #state(): string {
    if (this.#waits.closed) return 'closed';
    const { waiting, broken } = this.#look();
    return broken ? 'broken' : `${waiting} of ${this.#parties} waiting`;
  }

  #deadlineOf(options: WaitOptions | undefined): Deadline {
    const deadline = deadlineOf(options);
    return options?.timeout === undefined ? deadlineOf({ timeout: this.#timeout }) : deadline;
  }

  #look(): { waiting: number; broken: boolean; phase: number } {
    this.#waits.mustBeOpen();
    return this.#table.region.lookAtBarrier(this.#table.offset);
  }

  /** undefined: those of the phase before are still leaving. */
  #arrive(deadline: Deadline): Arrival | undefined {
    const { region, offset } = this.#table;
    const answer = region.arriveAtBarrier(offset, this.#table.enter());
    if (answer === BROKEN) throw brokenError();
    if (answer === FULL) {
      if (millisecondsLeft(deadline) !== 0) return undefined;
      this.abort();
      throw brokenError();
    }
    const slot = answer >> 1;
    if ((answer & 1) === 1) return { index: this.#openUp(slot) };
    return { spec: this.#table.spec(WaitKind.barrier, slot), slot };
  }

  #openUp(slot: number): number {
    const { region, offset } = this.#table;
    try {
      this.#action?.();
    } catch (error) {
      region.breakBarrier(offset);
      region.leaveBarrier(offset, slot);
      throw error;
    }
    return indexOf(region.openBarrier(offset, slot));
  }

  /** What has opened by then has opened. */
  #leave(slot: number): OnAbort {
    return (pending) => {
      const outcome = pending.stop();
      if (outcome !== false) return outcome;
      const left = this.#table.region.leaveBarrier(this.#table.offset, slot);
      return left === LEFT ? false : left;
    };
  }

  static {
    registerCodec(Barrier, {
      name: 'Barrier',
      pack: (object): PackedBarrier => {
        const barrier = object as Barrier;
        mustTravelOpen(barrier, barrier.#waits.closed);
        const [parties, timeout, action] = [barrier.#parties, barrier.#timeout, packAction(barrier.#action)];
        return { parties, timeout, action, place: barrier.#table.pack() };
      },
      unpack: (packed) => {
        const { parties, timeout, action, place } = packed as PackedBarrier;
        return new Barrier(parties, arriving(place, { timeout, action: findAction(action) }));
      },
    });
  }
}

function brokenError(): BrokenBarrierError {
  return new BrokenBarrierError('the Barrier is broken');
}

/** An outcome of 0 comes as true. */
function indexOf(outcome: Outcome): number {
  if (outcome === BROKEN) throw brokenError();
  return Number(outcome === true ? 0 : outcome);
}

interface PackedBarrier {
  readonly parties: number;
  readonly timeout: number | undefined;
  readonly action: Place | undefined;
  readonly place: Packed;
}

/** Any party may be the last, who calls it. */
function packAction(action: (() => void) | undefined): Place | undefined {
  const place = action === undefined ? undefined : placeIn(action);
  if (action === undefined || place !== undefined) return place;
  throw new CannotTravel('is a Barrier whose action is known to this process only: register it by importable()');
}

function findAction(place: Place | undefined): (() => void) | undefined {
  if (place === undefined) return undefined;
  const action = functionAt(place);
  if (typeof action === 'function') return action as () => void;
  throw new CannotTravel(`the Barrier's action '${place.exportName}' is not here: import ${place.module} first`);
}
