/**
 * Turns of the event loop. What always succeeds at once (a queue that is never empty) would only ever run microtasks,
 * and timers and sockets would starve: after some milliseconds of it the loop gets a turn.
 */

import { performance } from 'node:perf_hooks';
import { inChildAfterFork } from './after_fork.js';

/** Milliseconds of uninterrupted work. */
const LONGEST_RUN = 8;

let began: number | undefined;

function endTurn(): void {
  began = undefined;
}

// The parent's immediate, which would have ended the turn, does not run in a fresh child.
inChildAfterFork(endTurn);

/** To be called when the loop calls back: whatever was before, the loop has had its turn. */
export function beginTurn(): void {
  if (began === undefined) setImmediate(endTurn).unref();
  began = performance.now();
}

/** Whether this turn of the loop has lasted long enough: leave the rest to afterTurn(). */
export function isTurnOver(): boolean {
  if (began !== undefined) return performance.now() - began > LONGEST_RUN;
  beginTurn();
  return false;
}

/** Runs it in the next turn; until then the process stays alive. */
export function afterTurn(run: () => void): void {
  setImmediate(() => {
    beginTurn();
    run();
  });
}
