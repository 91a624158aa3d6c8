/** Functions that a fresh process can find: by the module that exports them and the name of the export. */

import { pathToFileURL } from 'node:url';
import { TargetError } from '../errors.js';
import { functionAt, type Place, placeIn, setPlace } from '../internal/importables.js';
import { invalidArgType, validateFunction, validateOptions } from '../internal/validate.js';
import { importModule } from './import_module.js';

export type { Place } from '../internal/importables.js';

// biome-ignore lint/suspicious/noExplicitAny: of any arguments
type Importable = ((...args: any[]) => unknown) | (abstract new (...args: any[]) => unknown);

/**
 * Registers functions, and subclasses of Process, of a module so that a fresh process can find them, and returns them.
 * The module must export each under the name that it has here. In CommonJS `module` takes the place of `import.meta`.
 * Doesn't block.
 *
 * Python: none; what pickle does by `__module__` and `__qualname__`
 * @throws ERR_INVALID_ARG_TYPE: what is no function, or no import.meta.
 *
 * @example
 * export const { square } = importable(import.meta, {
 *   square: (x: number) => x * x,
 * });
 */
export function importable<T extends Record<string, Importable>>(
  meta: Pick<ImportMeta, 'url'> | Pick<NodeJS.Module, 'filename'>,
  functions: T,
): T {
  const module = urlOf(meta);
  validateOptions(functions, 'functions');
  for (const [exportName, found] of Object.entries(functions)) {
    validateFunction(found, `functions.${exportName}`);
    setPlace(found, { module, exportName });
  }
  return functions;
}

function urlOf(meta: { readonly url?: unknown; readonly filename?: unknown }): string {
  if (typeof meta === 'object' && meta !== null) {
    if (typeof meta.url === 'string') return meta.url;
    if (typeof meta.filename === 'string') return pathToFileURL(meta.filename).href;
  }
  throw invalidArgType('meta', 'import.meta, or the module object of CommonJS', meta);
}

/** Where a fresh process finds this function. @throws ERR_MP_TARGET, with the lines that make it findable. */
export function placeOf(found: { readonly name: string }, method: string): Place {
  const place = placeIn(found);
  if (place !== undefined) return place;
  const name = found.name === '' ? 'task' : found.name;
  throw new TargetError(
    `'${method}' starts a fresh process, which can't find the function '${name}': it is known to this process only.\n` +
      'In a module of its own, which both import:\n' +
      `  export const { ${name} } = importable(import.meta, {\n` +
      `    ${name}(...args) { … },\n` +
      '  });',
  );
}

/** The export itself, in the process that is to run it. @throws ERR_MP_TARGET */
export async function findAt(place: Place): Promise<(...args: readonly unknown[]) => unknown> {
  // A copy of a process whose main module awaits something at its top level could wait for ever for that module.
  const registered = functionAt(place);
  if (registered !== undefined) return registered as (...args: readonly unknown[]) => unknown;
  const { module, exportName } = place;
  const exports = (await importModule(module)) as Record<string, unknown>;
  // Of a CommonJS module Node tells some exports only by its `module.exports`.
  const found = exports[exportName] ?? (exports['default'] as Record<string, unknown> | undefined)?.[exportName];
  if (typeof found !== 'function') {
    throw new TargetError(`module ${module} has no function '${exportName}' among its exports`);
  }
  return found as (...args: readonly unknown[]) => unknown;
}
