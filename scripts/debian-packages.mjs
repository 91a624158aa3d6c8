// Installs what the C++ tests need from Debian's packages where something is missing: needs root.
//   node scripts/debian-packages.mjs
import { existsSync } from 'node:fs';
import { isMain, main, run, say, which } from './lib/run.mjs';

const wanted = [
  { package: 'g++', isThere: () => which('g++') },
  { package: 'make', isThere: () => which('make') },
  { package: 'python3', isThere: () => which('python3') },
  { package: 'cmake', isThere: () => which('cmake') },
  { package: 'ninja-build', isThere: () => which('ninja') },
  { package: 'doctest-dev', isThere: () => existsSync('/usr/include/doctest/doctest.h') },
  { package: 'binutils', isThere: () => which('objdump') && which('strip') },
];

/** The packages that are missing still; empty when all is there. */
export function missingPackages() {
  return wanted.filter(({ isThere }) => !isThere()).map((entry) => entry.package);
}

/** Installs them when that is ours to do: as root, on Debian or a child of it. */
export function installMissingPackages() {
  installPackages(missingPackages());
}

/** The same with any packages. */
export function installPackages(missing) {
  if (missing.length === 0 || process.getuid() !== 0 || which('apt-get') === undefined) return;
  say(`setup: installing ${missing.join(', ')} (apt-get)`);
  const options = {
    stdio: ['ignore', 'ignore', 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  run('apt-get', ['update', '-q'], options);
  run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing], options);
}

if (isMain(import.meta.url)) {
  main(() => {
    installMissingPackages();
    const missing = missingPackages();
    if (missing.length > 0) say(`The C++ tests need: apt-get install ${missing.join(' ')}`);
    process.exitCode = missing.length > 0 ? 1 : 0;
  });
}
