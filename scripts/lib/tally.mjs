// Counting what passed. Every script that checks ends with the same line, alone: "3 passed, 0 failed, 1 skipped".

export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;

  add({ passed = 0, failed = 0, skipped = 0 }) {
    this.passed += passed;
    this.failed += failed;
    this.skipped += skipped;
  }

  /** Adds the counts that `work` resolves with; one failure when it can't be done. */
  async count(what, work) {
    try {
      this.add(await work());
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED: ${what}\n${error.message}`);
    }
  }

  /** Counts one check by whether it throws; says why when it does. */
  check(what, work) {
    try {
      work();
      this.passed += 1;
      console.log(`ok: ${what}`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED: ${what}\n${error.message}`);
    }
  }

  get line() {
    return `${this.passed} passed, ${this.failed} failed${this.skipped ? `, ${this.skipped} skipped` : ''}`;
  }

  /** Prints the closing line; the script fails when something did, or when nothing at all was checked. */
  close() {
    console.log(this.line);
    process.exitCode = this.failed > 0 || this.passed === 0 ? 1 : 0;
  }
}
