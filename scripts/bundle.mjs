// Makes dist/ from ts/: the whole library as library.cjs, of which core.cjs is what every fresh process needs, and beside them the
// small files that people and processes start from. Each of those takes its exports from these two, which a process loads once,
// however they are reached: there are no two copies of a lock's state. A file for each module of ts/ would cost every fresh process 50 ms.
//   node scripts/bundle.mjs        what is outdated; tsc makes the .d.ts files (setup.mjs does both)
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filesBelow, isMain, main, root, say } from './lib/run.mjs';

const dist = path.join(root, 'dist');
const stamp = path.join(root, 'out/bundle.sources');

/** ES modules that show what a module of ts/ exports. library.ts exports each as a namespace of the same name. */
const modules = {
  index: 'index',
  posix: 'posix',
  internals: 'internals',
  fresh_server: 'manager/fresh_server',
  fresh_worker: 'pool/fresh_worker',
};
/** The program of the fork server calls main(). CommonJS: node runs that sooner. */
const forkServer = `void require('./library.cjs').fork_server_main.main();\n`;

const NOTE = '// Made by scripts/bundle.mjs.\n';
const load = "createRequire(import.meta.url)('./library.cjs')";
const cli = `#!/usr/bin/env node\n${NOTE}import { createRequire } from 'node:module';\n${load}.cli.main();\n`;

const moduleText = (name, names) =>
  `${NOTE}import { createRequire } from 'node:module';\nexport const {\n${names.map((each) => `  ${each},\n`).join('')}} = ${load}.${name};\n`;

/** What dist/ has to be made from. Times say nothing after a git clone. */
function sourcesHash() {
  const hash = createHash('sha256');
  const sources = filesBelow(path.join(root, 'ts')).map((file) => `ts/${file}`);
  for (const file of [...sources, 'scripts/bundle.mjs', 'node_modules/rolldown/package.json']) {
    const text = readFileSync(path.join(root, file));
    hash.update(`${file}\0${text.length}\0`).update(text);
  }
  return hash.digest('hex');
}

const outputs = [
  'library.cjs',
  'library.cjs.map',
  'cli.js',
  ...Object.keys(modules).map((name) => `${name}.js`),
  'compiled_main.cjs',
  'core.cjs',
  'core.cjs.map',
  'fork_server_main.cjs',
  'fresh_main.cjs',
  'fresh_main.cjs.map',
];

/** True when dist/ is made from ts/ as it is. */
function isBundled() {
  if (!existsSync(stamp) || outputs.some((file) => !existsSync(path.join(dist, file)))) return false;
  if (readFileSync(stamp, 'utf8') !== sourcesHash()) return false;
  utimesSync(path.join(dist, 'library.cjs'), new Date(), new Date()); // for test/support/census.ts, which goes by times
  return true;
}

async function exportsOf(rolldown, options) {
  const input = Object.fromEntries(
    Object.entries(modules).map(([name, file]) => [name, path.join(root, `ts/${file}.ts`)]),
  );
  const { output } = await rolldown.build({ ...options, input, write: false, output: { format: 'esm' } });
  return Object.fromEntries(output.filter(({ isEntry }) => isEntry).map(({ name, exports }) => [name, exports]));
}

const getter =
  /^Object\.defineProperty\(exports, "(\w+)", \{\s+enumerable: true,\s+get: function\(\) \{\s+return (\w+);\s+\}\s+\}\);$/gm;

/** One character that is not in Latin-1, and V8 reads all of a file as characters of two bytes: half as fast. */
const asAscii = (text) =>
  text.replaceAll(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The files that hold code, by name. */
async function bundles(rolldown, options) {
  const { output } = await rolldown.build({
    ...options,
    input: { library: path.join(root, 'ts/library.ts'), fresh_main: path.join(root, 'ts/process/fresh_main.ts') },
    write: false,
    output: {
      format: 'cjs',
      entryFileNames: '[name].cjs',
      sourcemap: true,
      sourcemapExcludeSources: true,
      comments: false,
      footer: ({ name, isEntry }) => (isEntry && name === 'fresh_main' ? 'void exports.main();' : ''),
      dir: dist,
    },
  });
  // What both reach is a file of its own.
  const [core, ...others] = output
    .filter(({ type, isEntry }) => type === 'chunk' && !isEntry)
    .map((one) => one.fileName);
  if (core === undefined || others.length > 0)
    throw new Error(`one shared file was expected, not ${others.length + 1}`);
  return output.map(({ fileName, code, source }) => [
    fileName.replace(core, 'core.cjs'),
    // No module of ts/ exports what it changes later: a property is enough, and quicker for who asks for it in a loop. These
    // are the last lines: what the source map says of the others stays true.
    asAscii((code ?? source).replaceAll(core, 'core.cjs').replaceAll(getter, 'exports.$1 = $2;')),
  ]);
}

/** Does nothing when all is up to date. */
export async function bundle() {
  if (isBundled()) return;
  say('setup: bundling the library (rolldown)');
  const rolldown = await import('rolldown');
  const hash = sourcesHash(); // before: what is edited meanwhile makes the result outdated
  const options = { platform: 'node', external: /^node:/, logLevel: 'warn', treeshake: { moduleSideEffects: true } };
  mkdirSync(dist, { recursive: true });
  mkdirSync(path.dirname(stamp), { recursive: true });
  rmSync(stamp, { force: true });
  for (const file of filesBelow(dist)) {
    if (/\.c?js(\.map)?$/.test(file) && !outputs.includes(file)) rmSync(path.join(dist, file));
  }
  await rolldown.build({
    ...options,
    input: path.join(root, 'ts/process/compiled_main.ts'),
    output: { format: 'cjs', comments: false, file: path.join(dist, 'compiled_main.cjs') },
  });
  for (const [file, text] of await bundles(rolldown, options)) writeFileSync(path.join(dist, file), text);
  for (const [name, names] of Object.entries(await exportsOf(rolldown, options))) {
    writeFileSync(path.join(dist, `${name}.js`), moduleText(name, names));
  }
  writeFileSync(path.join(dist, 'fork_server_main.cjs'), `${NOTE}${forkServer}`);
  writeFileSync(path.join(dist, 'cli.js'), cli);
  chmodSync(path.join(dist, 'cli.js'), 0o755);
  writeFileSync(stamp, hash);
}

if (isMain(import.meta.url)) main(bundle);
