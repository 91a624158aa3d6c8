/** A child that stays until it is told to go. */

import { importable } from 'posix-multiprocessing';

export const { stay } = importable(import.meta, {
  stay: () => new Promise(() => setInterval(() => {}, 60_000)),
});
