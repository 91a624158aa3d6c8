// The binaries for arm64 on another processor: the C++ tests and the suite under qemu-user, as far as that goes.
//   node scripts/arm64.mjs                                   the C++ tests, and the suite under each Node
//   node scripts/arm64.mjs cpp                               a part
//   node scripts/arm64.mjs suite --node 22 posix/ queues/    the test files with one of these in their path
import path from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from './debian-packages.mjs';
import { runCppTests } from './lib/cpp-tests.mjs';
import { chosenNodes } from './lib/each-node.mjs';
import { arch, emulatedBinaries, emulatedNode, makeEmulator, missingForEmulation } from './lib/emulation.mjs';
import { prebuildManifest, prebuildsFor, sourcesHash } from './lib/native.mjs';
import { ensureNode } from './lib/nodes.mjs';
import { buildPrebuilds } from './lib/prebuild.mjs';
import { Failure, main, root } from './lib/run.mjs';
import { runSuite, testFiles } from './lib/suite.mjs';
import { Tally } from './lib/tally.mjs';
import { toolchain } from './lib/toolchain.mjs';
import { setup } from './setup.mjs';

/**
 * Tests of what qemu-user 7.2 does otherwise than Linux, whatever the program: parts of their names. Of the suite only some
 * files have been run to their end; others may want a line here.
 */
const beyond = {
  cpp: [
    // set_robust_list(2) is missing: nobody is told of a mutex whose holder died.
    'whoever is killed wherever',
    'a mutex outlives the holder',
    'a try gives up at once',
    // vfork(2) copies: what went wrong in the child of a posix_spawn(3) stays there.
    'a detached program runs',
    'what can.t be executed',
    'more descriptors than wanted', // recvmsg(2): no MSG_CTRUNC
    'a child subreaper', // prctl(2): EINVAL
    'a process.s status', // /proc/self/stat: neither state nor threads
  ],
  suite: [
    'descriptors beyond maxFds', // no MSG_CTRUNC
    '^posix (waitpid|waitidPidfd|pidfd)', // they adopt orphans: prctl(2) with PR_SET_CHILD_SUBREAPER
    'under SIGKILL', // no set_robust_list(2)
    'while small jobs go through libuv', // 300 forks in a minute: one takes a second there
  ],
};

function cppTests(emulator) {
  const settings = [
    '-DCMAKE_SYSTEM_NAME=Linux',
    '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
    `-DCMAKE_CXX_COMPILER=${toolchain(arch).cxx}`,
    `-DCMAKE_CROSSCOMPILING_EMULATOR=${emulator}`,
  ];
  return runCppTests({ variant: arch, settings, limit: 600, without: beyond.cpp.join('|') });
}

/** The shipped binaries where they fit these sources, else some made for the purpose. */
function binaries() {
  const shipped = prebuildsFor(arch);
  if (prebuildManifest(shipped)?.sources === sourcesHash()) return shipped;
  const made = path.join(root, 'out', arch, 'prebuilds');
  if (prebuildManifest(made)?.sources !== sourcesHash()) buildPrebuilds(made, arch);
  return made;
}

/** Everything takes some ten times as long as on a machine of that kind. */
function suite(node, parts) {
  const files = testFiles((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
  const env = { MP_BINARY_DIR: emulatedBinaries(binaries()) };
  const emulated = emulatedNode(ensureNode(node, arch));
  return runSuite({ files, node: emulated, env, limit: 7200, timeout: 300_000, without: beyond.suite });
}

main(async () => {
  const { values, positionals } = parseArgs({
    options: { node: { type: 'string', multiple: true, default: [] } },
    allowPositionals: true,
  });
  const [what = 'all', ...parts] = positionals;
  installPackages(missingForEmulation());
  const missing = missingForEmulation();
  if (missing.length > 0) throw new Failure(`this needs: apt-get install ${missing.join(' ')}`);
  setup();
  const emulator = makeEmulator();
  const tally = new Tally();
  if (what !== 'suite') await tally.count('the C++ tests', () => cppTests(emulator));
  for (const node of what === 'cpp' ? [] : chosenNodes(values.node)) {
    console.log(`\nNode ${node.version} for ${arch}`);
    await tally.count(`the suite under Node ${node.version}`, () => suite(node, parts));
  }
  tally.close();
});
