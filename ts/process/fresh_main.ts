/** The program of a spawned process: becomes the Process that it is told to be. */

import { Connection } from '../connection/connection.js';
import { EndOfFileError } from '../errors.js';
import { CONNECTION } from './fresh_node.js';
import { type ImportModule, importWith } from './import_module.js';
import { beBorn } from './newborn.js';

/** `load`: takes the place of `import()`. */
export async function main(load?: ImportModule): Promise<void> {
  if (load !== undefined) importWith(load);
  try {
    await beBorn(new Connection(CONNECTION), process.ppid);
  } catch (error) {
    // Who started it has changed its mind, or is gone.
    if (!(error instanceof EndOfFileError)) throw error;
    process.exit(1);
  }
}
