/** The face of native/binding/limits_api.cc. */

export interface LimitsBinding {
  /** Infinity is RLIM_INFINITY. */
  getrlimit(resource: number): { soft: number; hard: number };
  setrlimit(resource: number, soft: number, hard: number): void;
  getpriority(which: number, who: number): number;
  setpriority(which: number, who: number, priority: number): void;
  schedGetAffinity(pid: number): number[];
  schedSetAffinity(pid: number, cpus: Int32Array): void;
}
