/**
 * Turns of the event loop. What always succeeds at once (a queue that is never empty) would only ever run microtasks,
 * and timers and sockets would starve: after some milliseconds of it the loop gets a turn.
 */

import { perProcess } from './per_process.js';

/** Milliseconds of uninterrupted work. */
const LONGEST_RUN = 8;

/** Milliseconds after which the end of a turn is worth being told of: an immediate costs as much as a short turn. */
const SHORT_RUN = 1;

/** Instead of the time when it began: nobody has asked in this turn, or once. A fresh process takes long to load the clock. */
const UNASKED = -2;
const ASKED_ONCE = -1;
/** And when no turn is measured. */
const LONG_AGO: number = Number.NEGATIVE_INFINITY;

interface Turn {
  /** When it began, or one before it. */
  began: number;
  /** An immediate is there that ends it. */
  isWatched: boolean;
}

/** The parent's immediate, which would have ended its turn, does not run in a fresh child. */
const turn = perProcess<Turn>(() => ({ began: UNASKED, isWatched: false }));

function endTurn(): void {
  turn.value.began = LONG_AGO;
  turn.value.isWatched = false;
}

/** To be called when the loop calls back: whatever was before, the loop has had its turn. */
export function beginTurn(): void {
  turn.value.began = UNASKED;
}

/** Whether this turn of the loop has lasted long enough: leave the rest to afterTurn(). */
export function isTurnOver(): boolean {
  const own = turn.value;
  if (own.began === UNASKED) {
    own.began = ASKED_ONCE;
    return false;
  }
  const now = performance.now();
  if (own.began === ASKED_ONCE) own.began = now;
  if (own.isWatched) return now - own.began > LONGEST_RUN;
  if (now - own.began <= SHORT_RUN) return false;
  own.began = now;
  own.isWatched = true;
  setImmediate(endTurn).unref();
  return false;
}

/** Runs it in the next turn; until then the process stays alive. */
export function afterTurn(run: () => void): void {
  setImmediate(() => {
    beginTurn();
    run();
  });
}
