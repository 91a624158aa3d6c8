// Builds and runs the C++ unit tests (CMakeLists.txt).
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { missingPackages } from '../debian-packages.mjs';
import { Failure, root, run } from './run.mjs';

const summary = /tests passed, (\d+) tests failed out of (\d+)/;

/** What this machine lacks for them, in words; undefined when they can run. */
export function whyNoCppTests() {
  const missing = missingPackages();
  return missing.length > 0 ? `apt-get install ${missing.join(' ')}` : undefined;
}

/**
 * Returns the counts. `sanitize`: as gcc's -fsanitize; `variant`, `settings`: a name, and what CMake is to know. Each kind
 * gets a build folder of its own. `limit`: seconds. `without`: a regular expression, for tests to leave out.
 */
export function runCppTests({ sanitize = '', variant = sanitize, settings = [], env = {}, limit = 300, without } = {}) {
  const folder = path.join(root, 'out', `native${variant && `-${variant.replaceAll(',', '-')}`}`);
  const quiet = { stdio: ['ignore', 'ignore', 2] };
  run('cmake', ['-S', root, '-B', folder, '-G', 'Ninja', `-DSANITIZE=${sanitize}`, ...settings], quiet);
  run('cmake', ['--build', folder], { stdio: ['ignore', 'pipe', 2] }); // ninja tells of errors on stdout
  const selection = without === undefined ? [] : ['--exclude-regex', without];
  const { stdout, error } = spawnSync('ctest', ['--test-dir', folder, '--output-on-failure', '-j', '2', ...selection], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limit * 1000,
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
  });
  if (error) throw new Failure(`ctest did not end by itself: ${error.message}\n${stdout ?? ''}`);
  const [, failed, all] = summary.exec(stdout) ?? [];
  if (all === undefined) throw new Failure(`ctest ran no tests:\n${stdout}`);
  console.log(failed === '0' ? `${all} C++ tests passed` : stdout);
  return { passed: Number(all) - Number(failed), failed: Number(failed) };
}
