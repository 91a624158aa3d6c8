/** The kernel's numbers as one object, in the manner of `os.constants`. New ones are added to numbers.ts. */

import * as numbers from './numbers.js';

/**
 * Every constant of this subpath by its POSIX name, frozen: `constants.WNOHANG`. Each is also an export of its own.
 * Python: none; they are in os, fcntl, resource and select.
 */
export const constants: Readonly<typeof numbers> = Object.freeze({ ...numbers });
