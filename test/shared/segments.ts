/** Names of segments for tests. */

let made = 0;

/** One that no other test has, without a slash. */
export function freshName(): string {
  made += 1;
  return `mp-test-shm-${process.pid}-${made}`;
}
