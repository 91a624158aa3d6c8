/** Failed system calls in words. */

import { getSystemErrorMap } from 'node:util';

const WORDS = getSystemErrorMap();

export function vanished(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Why a file could not be read. Rethrows what is not a system's error. */
export function whyNot(error: unknown): string {
  if (vanished(error)) return 'vanished';
  const { errno } = error as NodeJS.ErrnoException;
  if (errno === undefined) throw error;
  return WORDS.get(errno)?.[1] ?? `error ${-errno}`;
}
