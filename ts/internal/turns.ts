/**
 * Turns of the event loop. What always succeeds at once (a queue that is never empty) would only ever run microtasks,
 * and timers and sockets would starve: after some milliseconds of it the loop gets a turn.
 */

import { perProcess } from './per_process.js';

/** Milliseconds of uninterrupted work. */
const LONGEST_RUN = 8;

/** A turn in which nobody has looked at the clock yet: it takes a fresh process a millisecond to load it. */
const UNMEASURED = -1;

/** When this turn began. The parent's immediate, which would have ended it, does not run in a fresh child. */
const began = perProcess<number | undefined>(() => undefined);

function endTurn(): void {
  began.value = undefined;
}

/** To be called when the loop calls back: whatever was before, the loop has had its turn. */
export function beginTurn(): void {
  if (began.value === undefined) setImmediate(endTurn).unref();
  began.value = UNMEASURED;
}

/** Whether this turn of the loop has lasted long enough: leave the rest to afterTurn(). */
export function isTurnOver(): boolean {
  if (began.value === undefined) {
    beginTurn();
    return false;
  }
  const now = performance.now();
  if (began.value === UNMEASURED) began.value = now;
  return now - began.value > LONGEST_RUN;
}

/** Runs it in the next turn; until then the process stays alive. */
export function afterTurn(run: () => void): void {
  setImmediate(() => {
    beginTurn();
    run();
  });
}
