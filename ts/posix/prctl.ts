/** Attributes of the process and the calling thread that only prctl(2) reaches: typed helpers, and prctl() itself. */

import { signalName, signalNumber } from '../internal/signals.js';
import { invalidArgValue, validateBoolean, validateInteger, validateString } from '../internal/validate.js';
import { native } from '../native/load.js';
import * as numbers from './numbers.js';

/** The kernel keeps 16 bytes, the terminating zero included. */
const LONGEST_NAME = 15;

/**
 * Has this process receive a signal, by number or name, when its parent ends (more exactly: the parent's thread that
 * made it); 0 for none. Cleared by fork. A parent that ended before the call goes unnoticed: compare getppid() after it.
 * Doesn't block.
 *
 * Python: none. PR_SET_PDEATHSIG(2const)
 * @throws ERR_UNKNOWN_SIGNAL.
 */
export function setParentDeathSignal(signal: number | string): void {
  native.setParentDeathSignal(signalNumber(signal, 'signal'));
}

/**
 * The name of the signal this process receives when its parent ends, undefined for none. Doesn't block. Never throws.
 * Python: none. PR_GET_PDEATHSIG(2const)
 */
export function getParentDeathSignal(): string | undefined {
  const signal = native.getParentDeathSignal();
  return signal === 0 ? undefined : signalName(signal);
}

/**
 * Makes this process the new parent of descendants whose own parent ends (it must then reap them), or no longer.
 * Not inherited by children. Doesn't block.
 *
 * Python: none. PR_SET_CHILD_SUBREAPER(2const)
 * @throws ERR_INVALID_ARG_TYPE.
 */
export function setChildSubreaper(enabled: boolean): void {
  validateBoolean(enabled, 'enabled');
  native.setChildSubreaper(enabled);
}

/**
 * Whether this process adopts orphaned descendants. Doesn't block. Never throws.
 * Python: none. PR_GET_CHILD_SUBREAPER(2const)
 */
export function getChildSubreaper(): boolean {
  return native.getChildSubreaper();
}

/**
 * Names the calling thread, on the main thread the process, for ps, top and /proc/<pid>/comm. The kernel keeps 15
 * bytes of UTF-8: what is longer is cut after a whole character. It does not change the command line, as
 * process.title does. Doesn't block.
 *
 * Python: none. PR_SET_NAME(2const)
 * @throws ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE: a NUL.
 */
export function setProcessName(name: string): void {
  validateString(name, 'name');
  if (name.includes('\0')) throw invalidArgValue('name', 'must be a string without null bytes', name);
  native.setThreadName(firstBytes(name, LONGEST_NAME));
}

/**
 * The calling thread's name, on the main thread the process's. Doesn't block. Never throws.
 * Python: none. PR_GET_NAME(2const)
 */
export function getProcessName(): string {
  return native.getThreadName();
}

function firstBytes(text: string, most: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most));
  return text.slice(0, read);
}

/** Options that take no address, so that a wrong value can do no harm to memory: readers, and writers of an integer. */
const READERS: ReadonlySet<number> = new Set([
  numbers.PR_GET_DUMPABLE,
  numbers.PR_GET_NO_NEW_PRIVS,
  numbers.PR_GET_THP_DISABLE,
  numbers.PR_GET_TIMERSLACK,
]);
const WRITERS: ReadonlySet<number> = new Set([
  numbers.PR_SET_DUMPABLE,
  numbers.PR_SET_NO_NEW_PRIVS,
  numbers.PR_SET_THP_DISABLE,
  numbers.PR_SET_TIMERSLACK,
]);

/**
 * prctl(2) for an `option` among this module's PR_ constants; others are refused, since a wrong address would corrupt
 * memory. A PR_SET_ option takes its `value` (an integer >= 0; PR_SET_PDEATHSIG a signal, PR_SET_NAME a string) and
 * returns 0; a PR_GET_ option takes none and returns the value (PR_GET_NAME a string), which C has through a pointer.
 * Doesn't block.
 *
 * Python: none. prctl(2)
 * @throws EINVAL: a value that the kernel refuses; ERR_INVALID_ARG_VALUE: an option that is not in the list.
 */
export function prctl(option: typeof numbers.PR_GET_NAME): string;
export function prctl(option: typeof numbers.PR_SET_NAME, value: string): number;
export function prctl(option: typeof numbers.PR_SET_PDEATHSIG, value: number | string): number;
export function prctl(option: number, value?: number): number;
export function prctl(option: number, value?: number | string): number | string {
  validateInteger(option, 'option');
  switch (option) {
    case numbers.PR_SET_PDEATHSIG:
      native.setParentDeathSignal(signalNumber(value, 'value'));
      return 0;
    case numbers.PR_GET_PDEATHSIG:
      return native.getParentDeathSignal();
    case numbers.PR_SET_CHILD_SUBREAPER:
      validateInteger(value, 'value', 0);
      native.setChildSubreaper(value !== 0);
      return 0;
    case numbers.PR_GET_CHILD_SUBREAPER:
      return Number(native.getChildSubreaper());
    case numbers.PR_SET_NAME:
      setProcessName(value as string);
      return 0;
    case numbers.PR_GET_NAME:
      return native.getThreadName();
    default:
      return plainOption(option, value);
  }
}

function plainOption(option: number, value: unknown): number {
  if (READERS.has(option)) return native.prctl(option, 0);
  if (!WRITERS.has(option)) throw invalidArgValue('option', 'must be one of the PR_ constants of this module', option);
  validateInteger(value, 'value', 0);
  return native.prctl(option, value);
}
