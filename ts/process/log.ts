/** What happens to processes, for who asks with NODE_DEBUG=multiprocessing. Python: `log_to_stderr`. */

import { debuglog } from 'node:util';
import { nameOfThis } from './tree.js';

const SECTION = 'multiprocessing';

/** A fork server's children have the NODE_DEBUG that it was started with. */
const { enabled } = debuglog(SECTION);

/**
 * Writes a line to stderr, in the form of Node's own: `MULTIPROCESSING 4242: [Process-1] …`. Not by util.debuglog(), which
 * would tell the parent's pid in a forked child. `text` is called only when somebody listens.
 */
export function log(text: () => string, name: string = nameOfThis()): void {
  if (enabled) process.stderr.write(`${SECTION.toUpperCase()} ${process.pid}: [${name}] ${text()}\n`);
}
