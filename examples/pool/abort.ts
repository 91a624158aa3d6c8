/**
 * The first answer is enough: the others are aborted, one of which heeds its signal, and one does not.
 *   node out/examples/pool/abort.js
 */

import { setTimeout as delay } from 'node:timers/promises';
import { Pool, taskSignal } from 'posix-multiprocessing';

const quick = async (): Promise<string> => 'the quick one';
const patient = async (): Promise<string> => {
  const signal = taskSignal();
  await delay(3_600_000, undefined, signal === undefined ? {} : { signal });
  return 'an hour later';
};
const stubborn = (): string => {
  for (;;);
};

await using pool = new Pool(3);
const enough = new AbortController();
const options = { signal: enough.signal, graceTime: 100 };
const answers = [patient, stubborn, quick].map((task) => pool.apply(task, [], options));
console.log(await Promise.any(answers));
enough.abort(new Error('no longer needed'));
for (const { status } of await Promise.allSettled(answers)) console.log(status);
