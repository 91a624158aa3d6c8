/** Errors in the shape of Node's system errors, for refusals that the kernel is not asked for. */

import { getSystemErrorMap } from 'node:util';

const byCode = new Map<string, { errno: number; text: string }>();
for (const [errno, [code, text]] of getSystemErrorMap()) byCode.set(code, { errno, text });

/** `systemError('EBADF', 'read')`: the error that read(2) would give. */
export function systemError(code: string, syscall: string): NodeJS.ErrnoException {
  const { errno, text } = byCode.get(code) ?? { errno: 0, text: 'unknown error' };
  return Object.assign(new Error(`${code}: ${text}, ${syscall}`), { errno, code, syscall });
}
