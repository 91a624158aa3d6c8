// Fills prebuilds/ with the binaries that are shipped: Debian 12's g++ 12.2, so that glibc 2.34 is enough.
import { rmSync } from 'node:fs';
import { prebuilds } from './lib/native.mjs';
import { buildPrebuilds } from './lib/prebuild.mjs';
import { main, root } from './lib/run.mjs';
import { setupDependencies } from './setup.mjs';

main(() => {
  setupDependencies();
  rmSync(prebuilds, { recursive: true, force: true });
  buildPrebuilds(prebuilds);
  console.log(`${prebuilds.slice(root.length + 1)} is up to date`);
});
