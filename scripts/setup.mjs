// Makes a fresh clone ready: dependencies, binaries, compiled TypeScript. Does only what is needed, says it in one line,
// and uses nothing but Node's built-ins.
//   node scripts/setup.mjs            what is missing or outdated
//   node scripts/setup.mjs --build    also compiles the addons when the prebuilt ones fit; works in an installed package
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  binaryNames,
  compileHere,
  isBuilt,
  isInRelease,
  isShipped,
  missingTools,
  removeFromRelease,
  sourcesHash,
} from './lib/native.mjs';
import { Failure, filesBelow, isMain, main, npm, root, run, say } from './lib/run.mjs';

const inCheckout = existsSync(path.join(root, 'package-lock.json'));

function installDependencies() {
  const installed = path.join(root, 'node_modules/.package-lock.json');
  const wanted = path.join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  say('setup: installing the development dependencies (npm ci)');
  npm(['ci', '--include=dev', '--loglevel=error'], { stdio: ['ignore', 'ignore', 2] });
}

/** In an installed package: the two packages that compiling needs, away from the user's own. */
function installBuildTools() {
  const tools = path.join(root, 'build/tools');
  if (existsSync(path.join(tools, 'node_modules/.package-lock.json'))) return;
  say('setup: installing node-gyp and node-addon-api');
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--loglevel=error', '--prefix', tools];
  npm(['install', ...flags, 'node-gyp@^12.4.0', 'node-addon-api@^8.9.2'], { stdio: ['ignore', 'ignore', 2] });
}

/** Takes care that what the loader finds is made from these sources; build/Release comes before the prebuilds. */
function ensureBinaries(forced) {
  const hash = sourcesHash();
  const outdated = binaryNames().filter(
    (name) => !isBuilt(name, hash) && (isInRelease(name) || !isShipped(name, hash)),
  );
  if (outdated.length === 0 && !forced) return;
  if (!forced && outdated.every((name) => isShipped(name, hash))) {
    say('setup: removing an outdated build/Release, the prebuilt binaries fit');
    outdated.forEach(removeFromRelease);
    return;
  }
  const missing = missingTools();
  if (missing.length > 0) {
    throw new Failure(
      `no prebuilt binary fits these sources on ${process.platform}-${process.arch} with Node ${process.version} ` +
        `(ABI ${process.versions.modules}), and compiling needs ${missing.join(', ')}, not found on PATH`,
    );
  }
  say('setup: compiling the native addons (half a minute)');
  if (!inCheckout) installBuildTools();
  compileHere();
}

/** `tsc -b` trusts its own notes: it neither misses an output that was deleted nor removes one without a source. */
function reconcileOutputs(sources, outputs, notes, extensions) {
  const modules = filesBelow(path.join(root, sources))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
  if (modules.some((name) => !existsSync(path.join(root, outputs, `${name}${extensions[0]}`)))) {
    rmSync(path.join(root, notes), { force: true });
  }
  for (const file of filesBelow(path.join(root, outputs))) {
    const extension = extensions.find((each) => file.endsWith(each));
    if (extension === undefined || modules.includes(file.slice(0, -extension.length))) continue;
    rmSync(path.join(root, outputs, file));
  }
}

const program = ['.js', '.js.map', '.d.ts'];
const projects = {
  ts: ['ts', 'dist', 'out/ts.tsbuildinfo', ['.d.ts']], // bundle.mjs makes the rest
  test: ['test', 'out/test', 'out/test.tsbuildinfo', program],
  examples: ['examples', 'out/examples', 'out/examples.tsbuildinfo', program],
};

function compileTypeScript(names) {
  // In a process of its own: the bundler has no synchronous interface, and an installed package no bundler.
  run(process.execPath, [path.join(root, 'scripts/bundle.mjs')], { stdio: ['ignore', 2, 2] });
  for (const name of ['ts', ...names]) reconcileOutputs(...projects[name]);
  const tsc = [path.join(root, 'node_modules/typescript/bin/tsc'), '-b', ...names];
  // tsc 7.0 dies of some outdated states when it shall only look at them.
  const { status, stdout: plan } = spawnSync(process.execPath, [...tsc, '--dry'], { cwd: root, encoding: 'utf8' });
  if (status === 0 && !plan.includes('would')) return;
  say('setup: compiling TypeScript (tsc -b)');
  run(process.execPath, tsc, { stdio: ['ignore', 2, 2] });
}

/** The first step alone, for scripts that make binaries of their own. */
export function setupDependencies() {
  if (inCheckout) installDependencies();
}

/** Throws a Failure when something can't be had. `compile`: the TypeScript projects that are wanted beside ts. */
export function setup({ build = false, compile = ['test', 'examples'] } = {}) {
  setupDependencies();
  ensureBinaries(build);
  if (inCheckout) compileTypeScript(compile);
}

if (isMain(import.meta.url)) main(() => setup({ build: process.argv.includes('--build') }));
