/**
 * An endless generator feeds workers no faster than somebody reads the results.
 *   node out/examples/pool/streaming.js
 */

import { Pool } from 'posix-multiprocessing';

let generated = 0;
function* numbers(): Generator<number> {
  for (;;) yield generated++;
}

await using pool = new Pool(2);
let sum = 0;
for await (const cube of pool.imap((number) => number ** 3, numbers())) {
  sum += cube;
  if (cube === 999 ** 3) break;
}
console.log(`${sum} from 1000 numbers`);
console.log(generated <= 1000 + 4 * 2 ? 'few were generated for nothing' : `${generated} were generated`);
