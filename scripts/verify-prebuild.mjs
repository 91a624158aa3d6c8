// Shows that the shipped binaries are what these sources give: builds them again and compares each byte. Checks what
// they need from the system and what they show to it. Without a cross compiler, the other processor's are checked only for
// having been made from these sources.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isShipped, prebuildManifest, prebuildsFor, sourcesHash } from './lib/native.mjs';
import { buildPrebuilds, sha256 } from './lib/prebuild.mjs';
import { Failure, main, outputOf } from './lib/run.mjs';
import { Tally } from './lib/tally.mjs';
import { architectures, compilesFor, crossPackage, toolchain } from './lib/toolchain.mjs';
import { setupDependencies } from './setup.mjs';

/**
 * The newest symbol versions that a binary may ask for. glibc 2.34 is where the semaphores and threads moved into libc;
 * libstdc++ 3.4.29 is GCC 11's. RHEL 9 has just these; Ubuntu 22.04 and Debian 12 have more. std::condition_variable's
 * wait() without a deadline would ask for 3.4.30.
 */
const floors = { GLIBC: '2.34', GLIBCXX: '3.4.29', CXXABI: '1.3.13' };

/** What Node looks up in an addon. All else is private, but for weak symbols of the C++ library's templates. */
const exported = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

const newer = (a, b) => a.localeCompare(b, 'en', { numeric: true }) > 0;

function checkFloor(file, { objdump }) {
  const symbols = outputOf(objdump, ['-T', file]);
  const above = [...new Set(symbols.match(/\b(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+/g))].filter((symbol) => {
    const [family, version] = symbol.split('_');
    return newer(version, floors[family]);
  });
  if (above.length > 0) throw new Failure(`asks for ${above.join(', ')}`);
}

function checkExports(file, { nm }) {
  const strong = outputOf(nm, ['--dynamic', '--defined-only', file])
    .split('\n')
    .map((line) => line.split(' ').slice(1))
    .filter(([kind]) => !'VWu'.includes(kind))
    .map(([, name]) => name);
  const surprises = strong.filter((name) => !exported.includes(name));
  const missing = exported.filter((name) => !strong.includes(name));
  if (surprises.length + missing.length > 0) {
    throw new Failure(`exports too much: ${surprises.join(', ') || '-'}; lacks: ${missing.join(', ') || '-'}`);
  }
}

function expectEqual(found, wanted) {
  if (found !== wanted) throw new Failure(`${found}, not ${wanted}`);
}

function checkBinaries(tally, arch, shipped, rebuilt) {
  const tools = toolchain(arch);
  for (const [name, hash] of Object.entries(rebuilt.binaries)) {
    const file = path.join(prebuildsFor(arch), name);
    if (!isShipped(name, shipped.sources, prebuildsFor(arch))) continue;
    tally.check(`${arch}/${name}: built again, the same bytes`, () => expectEqual(sha256(file), hash));
    tally.check(`${arch}/${name}: asks for no newer system than agreed`, () => checkFloor(file, tools));
    if (!name.endsWith('.node')) continue;
    tally.check(`${arch}/${name}: exports nothing but its entry`, () => checkExports(file, tools));
  }
}

function rebuildAndCompare(tally, arch, shipped) {
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-verify-'));
  const rebuilt = buildPrebuilds(folder, arch);
  tally.check(`${arch}: the compiler is the same`, () => expectEqual(rebuilt.compiler, shipped.compiler));
  tally.check(`${arch}: nothing is missing or extra`, () => {
    expectEqual(readdirSync(prebuildsFor(arch)).sort().join(' '), readdirSync(folder).sort().join(' '));
  });
  checkBinaries(tally, arch, shipped, rebuilt);
  rmSync(folder, { recursive: true });
}

main(() => {
  setupDependencies();
  const tally = new Tally();
  for (const arch of architectures) {
    const shipped = prebuildManifest(prebuildsFor(arch));
    if (shipped === undefined) throw new Failure(`no prebuilds in ${prebuildsFor(arch)}: npm run prebuilds makes them`);
    tally.check(`${arch}: made from these sources`, () => expectEqual(shipped.sources, sourcesHash()));
    if (compilesFor(arch)) {
      rebuildAndCompare(tally, arch, shipped);
    } else {
      console.log(`skipped: ${arch} built again; it needs ${crossPackage(arch)}`);
      tally.add({ skipped: 1 });
    }
  }
  tally.close();
});
