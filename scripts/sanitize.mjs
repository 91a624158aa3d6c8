// Runs the C++ unit tests and the suite with instrumented code: ASan with UBSan, then TSan.
//   node scripts/sanitize.mjs              everything
//   node scripts/sanitize.mjs --short      for CI: the C++ tests, and under node the files named below
//   node scripts/sanitize.mjs [--short] [cpp|addon] [asan|tsan]     a part
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { installMissingPackages } from './debian-packages.mjs';
import { runCppTests, whyNoCppTests } from './lib/cpp-tests.mjs';
import { compileApart } from './lib/native.mjs';
import { Failure, main, outputOf, root } from './lib/run.mjs';
import { runSuite, testFiles } from './lib/suite.mjs';
import { Tally } from './lib/tally.mjs';
import { setup } from './setup.mjs';

/**
 * Where forking beside threads is what is tested. libasan's locks are not held across fork(2): a child of a process whose
 * other threads allocate may never get them (CPython leaves its tests out too: HAVE_ASAN_FORK_BUG).
 */
const storms = (file) => /^(fork|process)\/|(^posix\/fork|processes)\./.test(file);
/** TSan ends a forked child of a process with threads at its first allocation: nothing that forks. */
const forks = (file) =>
  storms(file) || /new Process\(|fork\(|inChild/.test(readFileSync(path.join(root, 'test', file), 'utf8'));
/**
 * TSan holds signals back until instrumented code makes a blocking call. Node is not instrumented, so a signal may come
 * late or never.
 */
const signals = (file) => /^posix\/(futex|prctl|process|wait)\./.test(file);
/** About the tools, not the addons; or whole programs, with others beside them that don't stand the runtimes. */
const tools = (file) => /^(support|examples)\//.test(file);
/** What was freed stays in ASan's quarantine for a while: no use to look for memory that is given back. */
const memory = (file) => file === 'sync/many.test.ts';
/** --short: of everything some; the kin of Lock and the manager are left to the full form. */
const essentials =
  /^(posix|queues|connection|internal)\/|^sync\/lock(_interop|_name|_waiters)?\.|^shared\/shared_memory/;

const suppressions = `suppressions=${path.join(root, 'scripts/lsan.supp')}:print_suppressions=0`;
const sanitizers = [
  {
    name: 'ASan and UBSan',
    option: 'asan',
    flags: 'address,undefined',
    runtimes: ['libasan.so', 'libubsan.so'],
    without: [storms, tools, memory],
    env: {
      // The addon has a handler for SIGBUS of its own.
      ASAN_OPTIONS: 'detect_leaks=1:handle_sigbus=0',
      LSAN_OPTIONS: suppressions,
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    },
  },
  {
    name: 'TSan',
    option: 'tsan',
    flags: 'thread',
    runtimes: ['libtsan.so'],
    without: [forks, signals, tools],
    // Node itself is not instrumented: what V8's threads do would be reported as races. Tests fork beside threads.
    env: { TSAN_OPTIONS: 'ignore_noninstrumented_modules=1:die_after_fork=0:halt_on_error=1' },
  },
];

function cpp({ name, flags, env }) {
  console.log(`\nC++ tests under ${name}`);
  // Here all code is instrumented: nothing to ignore.
  const options = (env.TSAN_OPTIONS ?? '').replace('ignore_noninstrumented_modules=1:', '');
  return runCppTests({ sanitize: flags, env: { ...env, TSAN_OPTIONS: options }, limit: 300 });
}

/** The runtime has to be in the process before anything else: node itself does not bring it. */
function preload(runtimes) {
  return runtimes.map((name) => outputOf('g++', [`-print-file-name=${name}`])).join(' ');
}

async function addon({ name, flags, env, without, runtimes }, short) {
  console.log(`\nThe suite under ${name}`);
  const MP_BINARY_DIR = compileApart(path.join(root, 'out/sanitize', flags), { sanitize: flags });
  const files = testFiles((file) => !without.some((leavesOut) => leavesOut(file)) && (!short || essentials.test(file)));
  // The census would count what the runtimes open.
  const options = { files, limit: short ? 600 : 1_800, timeout: 120_000, census: false };
  return runSuite({ ...options, env: { ...env, MP_BINARY_DIR, LD_PRELOAD: preload(runtimes) } });
}

main(async () => {
  const args = process.argv.slice(2);
  const unknown = args.filter((arg) => !['--short', 'cpp', 'addon', 'asan', 'tsan'].includes(arg));
  if (unknown.length > 0) throw new Failure(`unknown: ${unknown.join(' ')}`);
  const short = args.includes('--short');
  const wants = (one, other) => args.includes(one) || !args.includes(other);
  installMissingPackages();
  const missing = whyNoCppTests();
  if (missing !== undefined) throw new Failure(`the sanitizers need: ${missing}`);
  setup();
  const tally = new Tally();
  for (const sanitizer of sanitizers) {
    if (!wants(sanitizer.option, sanitizer.option === 'asan' ? 'tsan' : 'asan')) continue;
    if (wants('cpp', 'addon')) await tally.count(`C++ tests, ${sanitizer.name}`, () => cpp(sanitizer));
    if (wants('addon', 'cpp')) await tally.count(`suite, ${sanitizer.name}`, () => addon(sanitizer, short));
  }
  tally.close();
});
