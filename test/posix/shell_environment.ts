/** What a shell needs, and no LD_PRELOAD: one that forks crashes under ThreadSanitizer's library. */
export const SHELL_ENVIRONMENT: NodeJS.ProcessEnv = { PATH: process.env['PATH'] };
