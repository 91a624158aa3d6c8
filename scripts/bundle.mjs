// Makes dist/ from ts/: the whole library as one file, library.cjs, and beside it the small files that people and processes
// start from. Each of those takes its exports from the one file, which a process loads once, however it is reached: there are
// no two copies of a lock's state. A module of its own for each file of ts/ would cost every fresh process 50 ms.
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
/** Programs, that call main(). CommonJS: node runs that sooner. */
const programs = ['fork_server_main', 'fresh_main'];

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
  ...programs.map((name) => `${name}.cjs`),
];

/** True when dist/ is made from ts/ as it is. */
export function isBundled() {
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
    input: { library: path.join(root, 'ts/library.ts') },
    output: {
      dir: dist,
      format: 'cjs',
      entryFileNames: '[name].cjs',
      sourcemap: true,
      sourcemapExcludeSources: true,
      comments: false,
    },
  });
  for (const [name, names] of Object.entries(await exportsOf(rolldown, options))) {
    writeFileSync(path.join(dist, `${name}.js`), moduleText(name, names));
  }
  for (const name of programs) {
    writeFileSync(path.join(dist, `${name}.cjs`), `${NOTE}void require('./library.cjs').${name}.main();\n`);
  }
  writeFileSync(path.join(dist, 'cli.js'), cli);
  chmodSync(path.join(dist, 'cli.js'), 0o755);
  writeFileSync(stamp, hash);
}

if (isMain(import.meta.url)) main(bundle);
