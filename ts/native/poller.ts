/** The face of native/binding/poller_api.cc. */

export interface PollerHandle {
  /** Watches for UV_READABLE (1) and UV_WRITABLE (2); 0 stops. */
  start(events: number): void;
  ref(): void;
  unref(): void;
  /** Idempotent. */
  close(): void;
}

export interface PollerBinding {
  Poller: new (fd: number, onReady: (events: number) => void) => PollerHandle;
}
