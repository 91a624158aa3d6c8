/** The names of kernel objects: checked, and made up. */

import { invalidArgValue, validateString } from './validate.js';

/** Bytes of a file name. NAME_MAX, limits.h(0p) */
const NAME_MAX = 255;
const ATTEMPTS = 100;

/**
 * A name as the user writes it, 'jobs' or '/jobs', without the slash. `room` bytes of the file name are taken by what
 * the kernel object puts before it.
 */
export function bareName(value: unknown, argument: string, room: number = 0): string {
  validateString(value, argument);
  const name = value.startsWith('/') ? value.slice(1) : value;
  const reason = flaw(name, NAME_MAX - room);
  if (reason !== undefined) throw invalidArgValue(argument, reason, value);
  return name;
}

function flaw(name: string, limit: number): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'must name something';
  if (name.includes('/')) return "must not contain '/' but at its start";
  if (name.includes('\0')) return 'must not contain NUL';
  if (Buffer.byteLength(name) > limit) return `must not be longer than ${limit} bytes`;
  return undefined;
}

function randomName(): string {
  const random = Math.random().toString(36).slice(2, 10).padEnd(8, '0');
  return `mp-${process.pid}-${random}`;
}

/** Makes an object under a made-up name, another one as long as that is taken. */
export function underRandomName<T>(make: (name: string) => T): { name: string; made: T } {
  for (let attempt = 1; ; attempt += 1) {
    const name = randomName();
    try {
      return { name, made: make(name) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === ATTEMPTS) throw error;
    }
  }
}
