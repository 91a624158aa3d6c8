/** The face of native/binding/wait_api.cc. */

export interface ChildChange {
  pid: number;
  state: 'exited' | 'killed' | 'stopped' | 'continued';
  /** 'exited': the exit code; else a signal's number. */
  value: number;
}

export interface WaitBinding {
  /** Blocks without WNOHANG; undefined: nothing to report. */
  waitpid(pid: number, options: number): ChildChange | undefined;
  /** `options` says what to wait for: WEXITED and kin. */
  waitidPidfd(pidfd: number, options: number): ChildChange | undefined;
  /** The caller owns the descriptor. */
  pidfdOpen(pid: number): number;
  pidfdSendSignal(pidfd: number, signal: number): void;
}
