// Fills prebuilds/ with the binaries that are shipped: Debian 12's g++ 12.2, so that glibc 2.34 is enough.
//   node scripts/prebuild.mjs                 for x64 and arm64; refuses when a compiler is missing
//   node scripts/prebuild.mjs --arch arm64    for one of them
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { prebuildsFor } from './lib/native.mjs';
import { buildPrebuilds } from './lib/prebuild.mjs';
import { Failure, main, root } from './lib/run.mjs';
import { architectures, compilesFor, crossPackage } from './lib/toolchain.mjs';
import { setupDependencies } from './setup.mjs';

main(() => {
  const { values } = parseArgs({ options: { arch: { type: 'string', multiple: true, default: architectures } } });
  // Before anything is removed: all are made from the same sources, or none.
  for (const arch of values.arch) {
    if (!architectures.includes(arch)) throw new Failure(`--arch ${arch}: ${architectures.join(' or ')}`);
    if (!compilesFor(arch)) throw new Failure(`no compiler for ${arch}: apt-get install ${crossPackage(arch)}`);
  }
  setupDependencies();
  for (const arch of values.arch) {
    const folder = prebuildsFor(arch);
    rmSync(folder, { recursive: true, force: true });
    buildPrebuilds(folder, arch);
    console.log(`${folder.slice(root.length + 1)} is up to date`);
  }
});
