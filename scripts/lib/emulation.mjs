// Running programs for arm64 on another processor: qemu-user with Debian's cross libraries, a Node that starts itself through it.
import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, run, which } from './run.mjs';
import { crossPackage, crossRoot, toolchain } from './toolchain.mjs';

export const arch = 'arm64';
const folder = path.join(root, 'out', arch);
const qemu = path.join(folder, 'qemu');

/** What this machine lacks for it, as Debian's packages. */
export function missingForEmulation() {
  return [
    { package: crossPackage(arch), isThere: () => which(toolchain(arch).cxx) },
    { package: 'qemu-user', isThere: () => which('qemu-aarch64') },
  ]
    .filter(({ isThere }) => !isThere())
    .map((entry) => entry.package);
}

function writeProgram(file, lines) {
  writeFileSync(file, `#!/bin/sh\n${lines}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Returns the path of a program that runs the arm64 program that its arguments say. */
export function makeEmulator() {
  mkdirSync(folder, { recursive: true });
  const repair = path.join(folder, 'qemu_repair.so');
  run('gcc', ['-shared', '-fPIC', '-O2', '-o', repair, path.join(root, 'scripts/lib/qemu_repair.c')]);
  return writeProgram(qemu, `LD_PRELOAD='${repair}' exec qemu-aarch64 -U LD_PRELOAD -L ${crossRoot(arch)} "$@"`);
}

/**
 * A program that is this Node under the emulator. It takes itself for its execPath: the kernel would not run the real
 * one. Its execArgv has nothing of all this, and nobody is warned of a thread that is qemu's own.
 */
export function emulatedNode({ version, bin }) {
  const file = path.join(folder, `node-${version}`);
  const flags = ['--disable-warning=MP_FOREIGN_THREADS', '--require', `${file}.cjs`];
  writeFileSync(
    `${file}.cjs`,
    `process.execPath = process.argv[0] = ${JSON.stringify(file)};\nprocess.execArgv.splice(0, ${flags.length});\n`,
  );
  return writeProgram(file, `exec '${qemu}' '${bin}' ${flags.map((flag) => `'${flag}'`).join(' ')} "$@"`);
}

/** A copy of the addons, with a tracker that is started through the emulator. Returns the folder, for MP_BINARY_DIR. */
export function emulatedBinaries(binaries) {
  const copy = path.join(folder, 'binaries');
  mkdirSync(copy, { recursive: true });
  for (const name of readdirSync(binaries)) cpSync(path.join(binaries, name), path.join(copy, name));
  cpSync(path.join(binaries, 'tracker'), path.join(folder, 'tracker'));
  writeProgram(path.join(copy, 'tracker'), `exec '${qemu}' '${path.join(folder, 'tracker')}' "$@"`);
  return copy;
}
