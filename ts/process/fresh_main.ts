/** The program of a spawned process: becomes the Process that it is told to be. */

import { Connection } from '../connection/connection.js';
import { EndOfFileError } from '../errors.js';
import { CONNECTION } from './fresh_node.js';
import { beBorn } from './newborn.js';

export async function main(): Promise<void> {
  try {
    await beBorn(new Connection(CONNECTION), process.ppid);
  } catch (error) {
    // Who started it has changed its mind, or is gone.
    if (!(error instanceof EndOfFileError)) throw error;
    process.exit(1);
  }
}
