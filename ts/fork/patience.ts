/** Waiting for V8's background threads to come to rest. */

/** Milliseconds that one attempt may block while V8's threads finish what they do. */
export const PATIENCE = 5;
/** Milliseconds after which a fork that never found them at rest is given up. */
export const GIVE_UP = 10_000;

export const BUSY: { readonly reason: string; readonly advice: string } = {
  reason: `V8's background threads did not come to rest within ${GIVE_UP} ms`,
  advice: 'start the process when less is being compiled and collected',
};

/**
 * Attempts something again and again while V8's threads are busy. Each turn of the loop lets V8 serve the interrupts that
 * a thread may wait for: a background allocation waits until the main thread collects.
 */
export function whileBusy<T>(attempt: () => T | undefined): T | undefined {
  const expires = performance.now() + GIVE_UP;
  for (;;) {
    const outcome = attempt();
    if (outcome !== undefined || performance.now() > expires) return outcome;
  }
}
