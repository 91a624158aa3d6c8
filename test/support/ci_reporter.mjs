// Mocha's spec reporter with a closing line for machines, and with what is running now in a file for the watchdog of
// scripts/lib/suite.mjs: a test that hangs in a system call can't say so itself.
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/** Milliseconds for the process to end by itself when all tests are through. */
const LAST_WORDS = 20_000;

const { EVENT_HOOK_BEGIN, EVENT_RUN_END, EVENT_TEST_BEGIN } = Mocha.Runner.constants;

export default class CiReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const counts = () => {
      const { passes, failures, pending } = runner.stats;
      return { passed: passes, failed: failures, skipped: pending };
    };
    const note = (state) => {
      const file = process.env.MP_TEST_PROGRESS;
      if (file) writeFileSync(file, JSON.stringify({ ...counts(), ...state }));
    };
    const running = (runnable) => note({ running: runnable.fullTitle(), file: runnable.file });
    runner.on(EVENT_TEST_BEGIN, running);
    runner.on(EVENT_HOOK_BEGIN, running);
    runner.once(EVENT_RUN_END, () => {
      note({});
      const { passed, failed, skipped } = counts();
      console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
      // A test that failed may have left something open that keeps the process alive.
      setTimeout(() => {
        console.log(`The tests are through, the process is not: ${process.getActiveResourcesInfo().join(', ')}`);
        process.exit(Math.min(failed + 1, 255));
      }, LAST_WORDS).unref();
    });
  }
}
