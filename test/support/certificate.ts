/** A key and a certificate for localhost, made by openssl(1) on first use: nothing of the kind is kept in the repository. */

import { execFileSync } from 'node:child_process';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

let made: Certificate | undefined;

export function certificate(): Certificate {
  if (made !== undefined) return made;
  const both = execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-subj',
      '/CN=localhost',
    ].concat(['-keyout', '-', '-out', '-', '-days', '1']),
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const part = (name: string): string =>
    new RegExp(`-----BEGIN ${name}-----[\\s\\S]*?-----END ${name}-----\n`).exec(both)?.[0] ?? '';
  made = { key: part('PRIVATE KEY'), cert: part('CERTIFICATE') };
  return made;
}
