// npm test: sets a fresh clone up, runs the C++ unit tests and the mocha suite, and closes with the sum of both.
//   npm test                            everything
//   npm test -- sync/ queue.test.ts     the mocha files whose path below test/ holds one of these
import { installMissingPackages } from './debian-packages.mjs';
import { runCppTests, whyNoCppTests } from './lib/cpp-tests.mjs';
import { missingTools } from './lib/native.mjs';
import { Failure, main, say } from './lib/run.mjs';
import { runSuite, testFiles } from './lib/suite.mjs';
import { Tally } from './lib/tally.mjs';
import { setup } from './setup.mjs';

/** Without a compiler they are left out, and counted as skipped: the library itself runs from its prebuilds. */
function cppTests() {
  if (missingTools().length === 0) installMissingPackages();
  const missing = whyNoCppTests();
  if (missing === undefined) return runCppTests();
  say(`The C++ tests are left out; they need: ${missing}`);
  return { skipped: 1 };
}

main(async () => {
  const wanted = process.argv.slice(2);
  const files = testFiles((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
  if (files.length === 0) throw new Failure(`no test file has ${wanted.join(' or ')} in its path`);
  setup();
  const tally = new Tally();
  if (wanted.length === 0) await tally.count('the C++ tests', cppTests);
  await tally.count('the suite', () => runSuite({ files }));
  tally.close();
});
