/** What a process runs, as the caller gave it: a function, or a module and the name of its export. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { TargetError } from '../errors.js';
import { invalidArgType } from '../internal/validate.js';
import { findAt, type Place } from './importable.js';

/**
 * A function, or a module as URL or file path with the export's name after '#' (the default export when absent).
 * Python: a callable.
 */
// biome-ignore lint/suspicious/noExplicitAny: the contract infers the arguments from the function
export type Target<A extends readonly unknown[] = readonly any[], R = unknown> =
  | ((...args: A) => R | Promise<R>)
  | URL
  | string;

/** A function of this process, or where any process finds one. */
export type ResolvedTarget = ((...args: readonly unknown[]) => unknown) | Place;

/** Checks a target before anything is started. @throws ERR_INVALID_ARG_TYPE, ERR_MP_TARGET */
export function resolveTarget(target: unknown, name: string = 'options.target'): ResolvedTarget {
  if (typeof target === 'function') return target as (...args: readonly unknown[]) => unknown;
  if (typeof target !== 'string' && !(target instanceof URL)) {
    throw invalidArgType(name, 'of type function, a URL or a file path', target);
  }
  const { url, exportName } = parse(target);
  if (url.protocol === 'file:' && !existsSync(url)) {
    throw new TargetError(`the module of target '${String(target)}' does not exist: ${fileURLToPath(url)}`);
  }
  return { module: url.href, exportName };
}

function parse(target: string | URL): { url: URL; exportName: string } {
  const text = String(target);
  const hash = text.lastIndexOf('#');
  const exportName = hash === -1 ? 'default' : text.slice(hash + 1);
  const place = hash === -1 ? text : text.slice(0, hash);
  const url = /^[a-z][a-z0-9+.-]+:/i.test(place) ? new URL(place) : pathToFileURL(resolve(place));
  return { url, exportName };
}

/** Calls it, importing its module first if need be. */
export function callTarget(target: ResolvedTarget, args: readonly unknown[]): unknown {
  if (typeof target === 'function') return target(...args);
  return findAt(target).then((found) => found(...args));
}

/** True for `async` functions and async generators; a plain function may still return a promise. */
export function isAsyncFunction(candidate: unknown): boolean {
  return typeof candidate === 'function' && /^Async/.test(Object.prototype.toString.call(candidate).slice(8, -1));
}
