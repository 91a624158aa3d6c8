/** The error classes that both ends of a message know. */

import * as own from '../errors.js';
import { builtin } from '../internal/builtins.js';
import { invalidArgType, invalidArgValue } from '../internal/validate.js';

/** Any class of errors. Python: a subclass of `Exception`. */
export type ErrorClass = abstract new (...values: never[]) => Error;

const classes = new Map<string, ErrorClass>();
const names = new Map<unknown, string>();

function add(name: string, errorClass: ErrorClass): void {
  classes.set(name, errorClass);
  names.set(errorClass, name);
}

for (const builtIn of [
  Error,
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
]) {
  add(builtIn.name, builtIn);
}
for (const [name, errorClass] of Object.entries(own)) add(name, errorClass);

const ASSERTION = 'AssertionError';

/** The class of that name. node:assert's own is made known when the first one is met. */
function classNamed(name: string): ErrorClass | undefined {
  if (name === ASSERTION && !classes.has(name)) add(name, builtin.assert().AssertionError);
  return classes.get(name);
}

/**
 * Errors of this class arrive as instances of it, in every process that has registered a class of that name, instead of
 * as the nearest class that Node and the library have. Their constructor does not run: own properties travel.
 * Doesn't block.
 *
 * Python: none, which finds classes by module and name.
 * @throws ERR_INVALID_ARG_TYPE: no subclass of Error; ERR_INVALID_ARG_VALUE: another class has that name.
 *
 * @example
 * registerErrorClass(class HttpError extends Error { status = 500; });
 */
export function registerErrorClass(errorClass: ErrorClass): void {
  if (typeof errorClass !== 'function' || !(errorClass.prototype instanceof Error)) {
    throw invalidArgType('errorClass', 'a subclass of Error', errorClass);
  }
  const other = classNamed(errorClass.name);
  if (errorClass.name === '' || (other !== undefined && other !== errorClass)) {
    throw invalidArgValue('errorClass', 'must have a name of its own', errorClass);
  }
  add(errorClass.name, errorClass);
}

/** The name under which the receiver finds the error's class, or the nearest that it knows. */
export function nearestErrorClass(error: Error): string {
  for (let at: object | null = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
    if (at.constructor?.name === ASSERTION) classNamed(ASSERTION);
    const name = names.get(at.constructor);
    if (name !== undefined) return name;
  }
  return 'Error';
}

/** A real error of that class with nothing of its constructor's run: its own properties travel. */
export function bareError(className: string): Error {
  const errorClass = classNamed(className) ?? Error;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return Reflect.construct(Error, [], errorClass) as Error;
  } finally {
    Error.stackTraceLimit = limit;
  }
}
