// Where the binaries are, whether they are up to date, and how they are compiled.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Failure, filesBelow, root, run, which } from './run.mjs';
import { toolchain } from './toolchain.mjs';

/** The folder of the shipped binaries for a processor. */
export function prebuildsFor(arch) {
  return path.join(root, 'prebuilds', `${process.platform}-${arch}`);
}

export const prebuilds = prebuildsFor(process.arch);
const release = path.join(root, 'build/Release');
const manifestName = 'build.json';

/** The two addons that a Node of this ABI loads, of which the fork addon is bound to it, and the tracker's program (ARCHITECTURE.md). */
export function binaryNames(abi = process.versions.modules) {
  return ['mp.node', 'tracker', `fork-${abi}.node`];
}

/** The files of native/ that go into the binaries. */
export function nativeSources() {
  return filesBelow(path.join(root, 'native'))
    .filter((file) => /\.(cc|h|gypi)$/.test(file) && !file.startsWith('test/'))
    .map((file) => `native/${file}`);
}

/** One hash of everything of ours that the binaries are made from. Times say nothing after a git clone. */
export function sourcesHash() {
  const hash = createHash('sha256');
  for (const file of ['binding.gyp', ...nativeSources()]) {
    const text = readFileSync(path.join(root, file));
    hash.update(`${file}\0${text.length}\0`).update(text);
  }
  const lock = path.join(root, 'package-lock.json');
  if (existsSync(lock)) {
    hash.update(JSON.parse(readFileSync(lock, 'utf8')).packages['node_modules/node-addon-api'].version);
  }
  return hash.digest('hex');
}

/** What prebuild.mjs wrote down about the prebuilds; undefined when there are none. */
export function prebuildManifest(folder = prebuilds) {
  const file = path.join(folder, manifestName);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

export function writePrebuildManifest(folder, manifest) {
  writeFileSync(path.join(folder, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** True when the package ships this binary and it was made from these sources. */
export function isShipped(name, hash, folder = prebuilds) {
  return existsSync(path.join(folder, name)) && prebuildManifest(folder)?.sources === hash;
}

const stampOf = (name) => path.join(release, `${name}.sources`);

/** True when build/Release, which the loader prefers, holds a binary of this name. */
export function isInRelease(name) {
  return existsSync(path.join(release, name));
}

/** True when build/Release holds this binary made from these sources. */
export function isBuilt(name, hash) {
  return isInRelease(name) && existsSync(stampOf(name)) && readFileSync(stampOf(name), 'utf8') === hash;
}

export function removeFromRelease(name) {
  for (const file of [path.join(release, name), stampOf(name)]) rmSync(file, { force: true });
}

/** What compiling needs and this machine lacks. */
export function missingTools() {
  return [toolchain().cxx, 'make', 'python3'].filter((tool) => which(tool) === undefined);
}

/** The folder with include/node beside this node, unless these are another Node's headers. */
function headersBeside() {
  const folder = path.resolve(process.execPath, '../..');
  const header = path.join(folder, 'include/node/node_version.h');
  const ours = new RegExp(`^#define NODE_MODULE_VERSION ${process.versions.modules}$`, 'm');
  return existsSync(header) && ours.test(readFileSync(header, 'utf8')) ? folder : undefined;
}

/**
 * Runs node-gyp in `folder`, which must hold binding.gyp, native and node_modules. Without `nodedir` it takes the
 * headers beside the running node, and without those it downloads them.
 */
function nodeGyp(folder, options) {
  const { node = process.execPath, nodedir = process.env.NODEDIR ?? headersBeside(), arch = process.arch } = options;
  const { targets, env } = options;
  const cli = createRequire(path.join(folder, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
  // npm's own setting would win over --nodedir and point at another Node's headers.
  const variables = { ...process.env, ...toolchain(arch).env, ...env };
  const clean = Object.entries(variables).filter(([key]) => !/^npm_config_nodedir$/i.test(key));
  const how = { cwd: folder, env: Object.fromEntries(clean), stdio: ['ignore', 'ignore', 2] };
  const flags = [`--arch=${arch}`, '--loglevel=warn', ...(nodedir ? [`--nodedir=${nodedir}`] : [])];
  run(node, [cli, 'configure', ...flags], how);
  run(node, [cli, 'build', ...targets, '-j', 'max', ...flags], how);
}

/**
 * Compiles in a folder of its own and returns the folder of the binaries. The checkout's build/ stays as it is.
 * `sanitize`: as gcc's -fsanitize; `targets`: binding.gyp's names, all when empty; `arch`: the processor to compile for.
 */
export function compileApart(stage, options) {
  const { node, nodedir, arch, targets = [], sanitize = '', modules = `${root}/node_modules` } = options;
  mkdirSync(stage, { recursive: true });
  const links = {
    'binding.gyp': `${root}/binding.gyp`,
    native: `${root}/native`,
    'package.json': `${root}/package.json`,
  };
  for (const [name, target] of Object.entries({ ...links, node_modules: modules })) {
    rmSync(path.join(stage, name), { force: true });
    symlinkSync(target, path.join(stage, name));
  }
  nodeGyp(stage, { node, nodedir, arch, targets, env: { GYP_DEFINES: sanitize && `sanitize=${sanitize}` } });
  return path.join(stage, 'build/Release');
}

/** Compiles the addons into build/Release for the running node. */
export function compileHere() {
  if (process.env.GYP_DEFINES) throw new Failure('GYP_DEFINES is set: npm run sanitize makes instrumented binaries');
  const hash = sourcesHash(); // before: what is edited meanwhile makes the result outdated
  const names = binaryNames();
  for (const name of names) rmSync(stampOf(name), { force: true });
  const inCheckout = existsSync(path.join(root, 'package-lock.json'));
  if (inCheckout) {
    nodeGyp(root, { targets: [] });
  } else {
    const modules = path.join(root, 'build/tools/node_modules');
    const made = compileApart(path.join(root, 'build/stage'), { modules });
    mkdirSync(release, { recursive: true });
    for (const name of names) cpSync(path.join(made, name), path.join(release, name));
  }
  for (const name of names) writeFileSync(stampOf(name), hash);
}
