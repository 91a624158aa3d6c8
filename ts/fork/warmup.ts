/** warmup(): a heap that forked children share for long. */

import { builtin } from '../internal/builtins.js';
import { nodeFlags } from '../internal/node_flags.js';
import { preparedFork } from './support.js';

/** Options of V8 while it collects for children, and as they are otherwise. */
const OPTIONS: readonly { name: string; during: string; after: string }[] = [
  // Pages are filled without gaps: a child's own collections find next to nothing to write in them.
  { name: 'compact-on-every-full-gc', during: '--compact-on-every-full-gc', after: '--no-compact-on-every-full-gc' },
  // What was compiled stays: children need not do it again.
  { name: 'flush-bytecode', during: '--no-flush-bytecode', after: '--flush-bytecode' },
];

/** Those that the user has not decided on. */
function freeOptions(): typeof OPTIONS {
  const given = nodeFlags();
  return OPTIONS.filter(({ name }) => !given.includes(name));
}

/**
 * Collects and compacts the heap and settles V8's background work, so that children share as many pages as possible and
 * their own collections touch few of them. Call it once, when the data is loaded and the code has run on it, before the
 * processes are started. Blocks the event loop at its next turn: 4 ms for each MB of live objects. No effect where fork is
 * not possible. Resolves when that is done. Never throws.
 *
 * Python: `gc.collect()` and `gc.freeze()`. malloc_trim(3)
 */
export function warmup(): Promise<void> {
  const binding = preparedFork();
  if (binding === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    binding.atCleanPoint(() => {
      const options = freeOptions();
      const v8 = builtin.v8();
      for (const { during } of options) v8.setFlagsFromString(during);
      binding.collectAllGarbage();
      for (const { after } of options) v8.setFlagsFromString(after);
      resolve();
    });
  });
}
