// Checks the import law of ARCHITECTURE.md: who may include and import whom, in native/ and in ts/.
//   node scripts/check-layers.mjs
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { nativeSources } from './lib/native.mjs';
import { filesBelow, isMain, main, root } from './lib/run.mjs';

const read = (file) => readFileSync(path.join(root, file), 'utf8');

// --- native/ -----------------------------------------------------------------------------------------------------

/** Folder of native/ → the folders whose headers it may include. */
const mayInclude = {
  sys: ['sys'],
  ipc: ['sys', 'ipc'],
  binding: ['sys', 'ipc', 'binding'],
  fork: ['sys', 'binding', 'fork'],
  tracker: ['sys', 'ipc'],
  test: ['sys', 'ipc', 'test'],
};
/** Headers of Node → the folders that may include them. All others come from the system or the C++ library. */
const nodeHeaders = [
  { header: /^(node|v8.*|cppgc\/.*)\.h$/, folders: ['fork'] },
  { header: /^(napi|node_api|js_native_api.*|uv)\.h$|^uv\//, folders: ['binding', 'fork'] },
];

function* checkNative() {
  for (const file of filesBelow(path.join(root, 'native')).filter((name) => /\.(cc|h)$/.test(name))) {
    const [folder] = file.split('/');
    for (const [, quoted, angled] of read(`native/${file}`).matchAll(/^\s*#\s*include\s+(?:"(.+)"|<(.+)>)/gm)) {
      if (quoted !== undefined && !mayInclude[folder]?.includes(quoted.split('/')[0])) {
        yield `native/${file}: native/${folder} may not include "${quoted}"`;
      }
      const rule = nodeHeaders.find(({ header }) => header.test(quoted ?? angled));
      if (rule !== undefined && !rule.folders.includes(folder)) {
        yield `native/${file}: <${quoted ?? angled}> belongs in native/${rule.folders.join(' or native/')} alone`;
      }
    }
  }
}

/** binding.gyp names each file; CMakeLists.txt takes what is there. */
function* checkGyp() {
  const listed = new Set([...read('binding.gyp').matchAll(/"(native\/[^"]+\.cc)"/g)].map(([, file]) => file));
  const there = new Set(nativeSources().filter((file) => file.endsWith('.cc')));
  for (const file of listed) if (!there.has(file)) yield `binding.gyp: ${file} is not there`;
  for (const file of there) if (!listed.has(file)) yield `binding.gyp: ${file} is in no target`;
}

// --- ts/ ---------------------------------------------------------------------------------------------------------

/** From the ground up: a file imports from its own folder and from lower lines. Beside each other is not below. */
const order = [
  ['native'],
  ['errors', 'internal'],
  ['serialization'],
  ['connection'],
  ['sync'],
  ['shared'],
  ['fork'],
  ['posix/'],
  ['process'],
  ['queues'],
  ['pool'],
  ['manager'],
  ['api', 'posix'],
  ['context'],
  ['index', 'cli', 'internals'],
  ['library'],
];
const loader = 'native/load.ts';
/** What scripts/bundle.mjs makes one file of. */
const everything = 'library.ts';
/** Resolves names and loads nothing. */
const resolver = 'internal/module_url.ts';

/** The folder below ts/, or the name of a file that stands directly there; ts/posix/ is told from ts/posix.ts. */
function unitOf(file) {
  const [first, ...rest] = file.split('/');
  if (rest.length === 0) return first.replace(/\.ts$/, '');
  return first === 'posix' ? 'posix/' : first;
}

const rankOf = (file) => order.findIndex((units) => units.includes(unitOf(file)));

const importForms = /(?:^|[\s;}])(?:import|export)\b(\s+type\b)?[^'";]*?\bfrom\s*'([^']+)'|\bimport\s*\(?\s*'([^']+)'/g;

function withoutComments(text) {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
}

/** What a file of ts/ imports: other files of ts/ as `target`, all else as `foreign`. */
function importsOf(file) {
  return [...withoutComments(read(`ts/${file}`)).matchAll(importForms)].map(([, typeOnly, from, bare]) => {
    const name = from ?? bare;
    if (!name.startsWith('.')) return { foreign: name };
    return { target: path.join(path.dirname(file), name).replace(/\.js$/, '.ts'), atRuntime: typeOnly === undefined };
  });
}

/** Types may refer to each other in a circle; modules that load each other may not. */
function findCycle(graph) {
  const done = new Set();
  const visit = (file, trail) => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const { target, atRuntime } of graph.get(file) ?? []) {
      if (!atRuntime) continue;
      const cycle = visit(target, [...trail, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function* checkImports(file, imports, files) {
  if (rankOf(file) < 0) yield `${unitOf(file)} has no place in the order of check-layers.mjs`;
  for (const { target, foreign } of imports) {
    if (foreign !== undefined) {
      if (!foreign.startsWith('node:')) yield `imports ${foreign}; the library has no dependencies`;
      continue;
    }
    if (!files.includes(target)) yield `imports ${target}, which is not there`;
    if (target.endsWith('_main.ts') && file !== everything)
      yield `imports ${target}, which is started by its path only`;
    if (unitOf(target) !== unitOf(file) && rankOf(target) >= rankOf(file)) {
      yield `${unitOf(file)} may not import ${target}`;
    }
  }
  if (
    file !== loader &&
    file !== resolver &&
    /\bcreateRequire\b|\bdlopen\b/.test(withoutComments(read(`ts/${file}`)))
  ) {
    yield `only ts/${loader} loads binaries`;
  }
}

function* checkTypeScript() {
  const files = filesBelow(path.join(root, 'ts')).filter((file) => file.endsWith('.ts'));
  const graph = new Map(files.map((file) => [file, importsOf(file)]));
  for (const [file, imports] of graph) {
    for (const complaint of checkImports(file, imports, files)) yield `ts/${file}: ${complaint}`;
  }
  const cycle = findCycle(graph);
  if (cycle !== undefined) yield `ts/: a cycle: ${cycle.join(' → ')}`;
}

/** What is against the law, in lines; empty when nothing is. */
export function checkLayers() {
  return [...checkNative(), ...checkGyp(), ...checkTypeScript()];
}

if (isMain(import.meta.url)) {
  main(() => {
    const complaints = checkLayers();
    for (const line of complaints) console.log(line);
    if (complaints.length > 0) process.exitCode = 1;
  });
}
