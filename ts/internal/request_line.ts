/**
 * Requests to one descriptor, served in their order whether they are awaited or block the process. A request is an
 * attempt that is repeated whenever the descriptor is ready; nobody overtakes.
 */

import { type Deadline, millisecondsLeft } from './deadline.js';
import { forkGeneration } from './fork_generation.js';
import { onceReady, waitReadySync } from './readiness.js';
import { afterTurn, beginTurn, isTurnOver } from './turns.js';

/** What an attempt returns when it has to be repeated later. */
export const PENDING: unique symbol = Symbol('pending');

/**
 * Tries without waiting. It may keep what it has got so far for the next try. A throw settles the request. `inTurns`: it
 * may return PENDING for the sake of the event loop too; who blocks the loop, or tries once, wants all there is.
 */
export type Attempt<R> = (inTurns: boolean) => R | typeof PENDING;

/** How long a request waits, and how it fails then. */
export interface Patience {
  readonly deadline: Deadline;
  readonly signal?: AbortSignal | undefined;
  readonly expired: () => Error;
}

const LONGEST_TIMER = 2 ** 31 - 1;

class Request {
  readonly attempt: Attempt<unknown>;
  readonly patience: Patience;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    attempt: Attempt<unknown>,
    patience: Patience,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.attempt = attempt;
    this.patience = patience;
    this.resolve = resolve;
    this.reject = reject;
  }

  get triesOnce(): boolean {
    return this.patience.deadline === Number.NEGATIVE_INFINITY;
  }

  /** From now on the deadline and the signal may end it. */
  arm(leave: (reason: unknown) => void): void {
    const { deadline, signal, expired } = this.patience;
    const setTimer = (): void => {
      const left = millisecondsLeft(deadline);
      if (left === 0) leave(expired());
      else if (left > 0) this.#timer = setTimeout(setTimer, Math.min(Math.ceil(left), LONGEST_TIMER));
    };
    setTimer();
    if (signal === undefined) return;
    this.#onAbort = () => leave(signal.reason);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  disarm(): void {
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.patience.signal?.removeEventListener('abort', this.#onAbort);
  }
}

export class RequestLine {
  readonly #owner: object;
  #fd: number;
  #events: number;
  readonly #requests: Set<Request> = new Set();
  /** Calls off the wait for the descriptor, or for the next turn, that is under way. */
  #callOff: (() => void) | undefined;
  #generation: number = forkGeneration();

  /** `events`: READABLE or WRITABLE, when the next attempt is worth it. `owner`: who keeps the descriptor open. */
  constructor(fd: number, events: number, owner: object) {
    this.#owner = owner;
    this.#fd = fd;
    this.#events = events;
  }

  /** What the attempt that returns PENDING next waits for, and those after it. */
  waitFor(fd: number, events: number): void {
    this.#fd = fd;
    this.#events = events;
  }

  /** Nobody waits: who comes now may try at once. */
  get isIdle(): boolean {
    this.#forgetParent();
    return this.#requests.size === 0;
  }

  /**
   * Resolves or rejects as an attempt does; rejects with `expired()` or with the signal's reason when none did in time.
   * `hasTried`: the line is idle, and an attempt has just had to wait.
   */
  run<R>(attempt: Attempt<R>, patience: Patience, hasTried = false): Promise<R> {
    this.#forgetParent();
    return new Promise<R>((resolve, reject) => {
      patience.signal?.throwIfAborted();
      const request = new Request(attempt, patience, resolve as (value: unknown) => void, reject);
      if (!request.triesOnce) this.#stand(request, hasTried);
      else if (hasTried) reject(patience.expired());
      else this.#tryOnce(request);
    });
  }

  #stand(request: Request, hasTried: boolean): void {
    this.#requests.add(request);
    if (hasTried) this.#watchDescriptor();
    else if (this.#requests.size === 1) this.#serve();
    if (this.#requests.has(request)) request.arm((reason) => this.#remove(request, reason));
  }

  #tryOnce(request: Request): void {
    if (isTurnOver()) {
      afterTurn(() => this.#tryOnce(request));
      return;
    }
    this.#requests.add(request);
    this.#serveNow(false);
    if (this.#requests.has(request)) this.#remove(request, request.patience.expired());
  }

  /** The same, blocking the event loop. Those who came before are served before. */
  runSync<R>(attempt: Attempt<R>, patience: Patience): R {
    this.#forgetParent();
    let outcome: { value: R } | { error: unknown } | undefined;
    const request = new Request(
      attempt,
      patience,
      (value) => {
        outcome = { value: value as R };
      },
      (error) => {
        outcome = { error };
      },
    );
    this.#requests.add(request);
    for (;;) {
      this.#serveNow(false);
      if (outcome !== undefined) break;
      if (request.triesOnce || !waitReadySync(this.#fd, this.#events, patience.deadline)) {
        this.#remove(request, patience.expired());
      }
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Rejects all that wait; before the descriptor is closed. */
  close(reason: () => Error): void {
    this.#forgetParent();
    for (const request of [...this.#requests]) this.#remove(request, reason());
  }

  #serve(): void {
    const isServed = !isTurnOver() && this.#serveNow(true);
    if (this.#requests.size === 0 || this.#callOff !== undefined) return;
    if (isServed) this.#watchDescriptor();
    else this.#waitForTurn();
  }

  #waitForTurn(): void {
    let isWanted = true;
    this.#callOff = () => {
      isWanted = false;
    };
    afterTurn(() => {
      if (isWanted) this.#goOn();
    });
  }

  /** Serves in order until one has to wait; false when the turn of the loop was over before. */
  #serveNow(inTurns: boolean): boolean {
    let isFirst = true;
    for (const request of this.#requests) {
      if (inTurns && !isFirst && isTurnOver()) return false;
      isFirst = false;
      let value: unknown;
      try {
        value = request.attempt(inTurns);
      } catch (error) {
        this.#remove(request, error);
        continue;
      }
      if (value === PENDING) return true;
      this.#leave(request);
      request.resolve(value);
    }
    return true;
  }

  #watchDescriptor(): void {
    try {
      this.#callOff = onceReady(this.#fd, this.#events, this.#owner, () => {
        beginTurn();
        this.#goOn();
      });
    } catch (error) {
      for (const request of [...this.#requests]) this.#remove(request, error);
    }
  }

  #goOn(): void {
    this.#callOff = undefined;
    if (this.#requests.size > 0) this.#serve();
  }

  #remove(request: Request, reason: unknown): void {
    this.#leave(request);
    request.reject(reason);
  }

  #leave(request: Request): void {
    this.#requests.delete(request);
    request.disarm();
    if (this.#requests.size > 0) return;
    this.#callOff?.();
    this.#callOff = undefined;
  }

  /** In a forked child: the parent's requests are not its own, their promises never settle here. */
  #forgetParent(): void {
    if (this.#generation === forkGeneration()) return;
    this.#generation = forkGeneration();
    for (const request of this.#requests) request.disarm();
    this.#requests.clear();
    this.#callOff = undefined;
  }
}
