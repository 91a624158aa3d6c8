/** What module a user means by a text. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The URL of a module given as URL, as file path or as a package's name, seen from the working directory. Throws where none is. */
export function moduleUrl(module: string): string {
  if (/^[a-z][a-z0-9+.-]+:/i.test(module)) return module;
  if (existsSync(module)) return pathToFileURL(resolve(module)).href;
  return pathToFileURL(createRequire(join(process.cwd(), 'here.js')).resolve(module)).href;
}
