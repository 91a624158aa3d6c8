/** This process, as locks in shared memory name their holder. */

import { inChildAfterFork } from '../internal/after_fork.js';
import { native } from '../native/load.js';

let token: number | undefined;

/** The same for the life of this process, and no other process's. */
export function ownToken(): number {
  token ??= native.processToken();
  return token;
}

// What the parent holds, its child does not.
inChildAfterFork(() => {
  token = undefined;
});
