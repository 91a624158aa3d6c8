/** The program of a spawned process that gets core.cjs compiled: takes that, and goes on as fresh_main.ts. */

import { closeSync, fstatSync, readFileSync, readSync } from 'node:fs';
import Module from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/** The number of the descriptor, there; see fresh_node.ts. */
const CODE = 5;

const filename = fileURLToPath(new URL('core.cjs', import.meta.url));

function takeCode(): Buffer {
  const code = Buffer.allocUnsafeSlow(fstatSync(CODE).size);
  readSync(CODE, code, 0, code.length, 0);
  closeSync(CODE);
  return code;
}

/** As Node's loader does, but for the compiling; and `import()` in there would not find Node's loader. */
const script = new Script(Module.wrap(readFileSync(filename, 'utf8')), { filename, cachedData: takeCode() });
const core = new Module(filename);
core.filename = filename;
(Module as unknown as { readonly _cache: Record<string, NodeJS.Module> })._cache[filename] = core;
script.runInThisContext()(core.exports, core.require.bind(core), core, filename, dirname(filename));
core.loaded = true;
core.exports.main((url: string) => import(url));
