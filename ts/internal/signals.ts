/** Signals by name and by number. */

import { constants } from 'node:os';
import { inspect } from 'node:util';
import { invalidArgType, validateInteger } from './validate.js';

// As seen by programs: glibc keeps 32 and 33 for itself.
const SIGRTMIN = 34;
const SIGRTMAX = 64;

const numbers = new Map<string, number>(Object.entries(constants.signals));
const names = new Map<number, string>();

numbers.set('SIGRTMIN', SIGRTMIN).set('SIGRTMAX', SIGRTMAX);
for (let signal = SIGRTMIN + 1; signal < SIGRTMAX; signal += 1) {
  numbers.set(`SIGRTMIN+${signal - SIGRTMIN}`, signal).set(`SIGRTMAX-${SIGRTMAX - signal}`, signal);
}
// The first name of a number is the usual one: SIGABRT before SIGIOT.
for (const [name, signal] of numbers) if (!names.has(signal)) names.set(signal, name);

/** The name of a signal: 'SIGKILL', 'SIGRTMIN+1'. */
export function signalName(signal: number): string {
  return names.get(signal) ?? `SIG${signal}`;
}

/**
 * The number of a signal given as number (0 to 64) or name; throws as Node's process.kill does (ERR_UNKNOWN_SIGNAL).
 */
export function signalNumber(signal: unknown, name: string): number {
  if (typeof signal === 'number') {
    validateInteger(signal, name, 0, SIGRTMAX);
    return signal;
  }
  if (typeof signal !== 'string') throw invalidArgType(name, 'of type number or string', signal);
  const number = numbers.get(signal);
  if (number === undefined) {
    throw Object.assign(new TypeError(`Unknown signal: ${inspect(signal)}`), { code: 'ERR_UNKNOWN_SIGNAL' });
  }
  return number;
}
