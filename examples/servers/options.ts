/** The command line of both servers. */

import { parseArgs } from 'node:util';

export interface Options {
  /** 0: one that is free. */
  readonly port: number;
  readonly workers: number;
  readonly records: number;
}

export function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8080' },
      workers: { type: 'string', default: '2' },
      records: { type: 'string', default: '400000' },
    },
  });
  return { port: Number(values.port), workers: Number(values.workers), records: Number(values.records) };
}
