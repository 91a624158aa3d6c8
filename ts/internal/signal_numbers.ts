/** The signals that the library sends itself, by Linux's numbers: node:os, which has them all, takes a while to load. */

export const SIGINT = 2;
export const SIGKILL = 9;
export const SIGTERM = 15;
