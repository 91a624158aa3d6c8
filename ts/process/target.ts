/** What a process runs, as the caller gave it: a function, or a module and the name of its export. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { TargetError } from '../errors.js';
import { invalidArgType } from '../internal/validate.js';

/** A function, or a module as URL or file path with the export's name after '#' (the default export when absent). */
// biome-ignore lint/suspicious/noExplicitAny: the contract infers the arguments from the function
export type Target<A extends readonly unknown[] = readonly any[], R = unknown> =
  | ((...args: A) => R | Promise<R>)
  | URL
  | string;

type Run = (...args: readonly unknown[]) => unknown;

/** Checks a target before anything is started, and gives what calls it. @throws ERR_INVALID_ARG_TYPE, ERR_MP_TARGET */
export function resolveTarget(target: unknown): Run {
  if (typeof target === 'function') return target as Run;
  if (typeof target !== 'string' && !(target instanceof URL)) {
    throw invalidArgType('options.target', 'of type function, a URL or a file path', target);
  }
  const { module, exportName } = parse(target);
  if (module.protocol === 'file:' && !existsSync(module)) {
    throw new TargetError(`the module of target '${String(target)}' does not exist: ${fileURLToPath(module)}`);
  }
  return async (...args) => {
    const exports = (await import(module.href)) as Record<string, unknown>;
    const found = exports[exportName];
    if (typeof found !== 'function') {
      throw new TargetError(`module ${module.href} has no function '${exportName}' among its exports`);
    }
    return (found as Run)(...args);
  };
}

function parse(target: string | URL): { module: URL; exportName: string } {
  const text = String(target);
  const hash = text.lastIndexOf('#');
  const exportName = hash === -1 ? 'default' : text.slice(hash + 1);
  const place = hash === -1 ? text : text.slice(0, hash);
  const module = /^[a-z][a-z0-9+.-]+:/i.test(place) ? new URL(place) : pathToFileURL(resolve(place));
  return { module, exportName };
}

/** True for `async` functions and async generators; a plain function may still return a promise. */
export function isAsyncFunction(candidate: unknown): boolean {
  return typeof candidate === 'function' && /^Async/.test(Object.prototype.toString.call(candidate).slice(8, -1));
}
