/** Runs blocking calls while signals interrupt them. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SHELL_ENVIRONMENT } from './shell_environment.js';

/** Runs `body` while SIGUSR2, which has a handler meanwhile, comes every 10 ms. */
export async function interrupted(body: () => void): Promise<void> {
  const ignore = (): void => {};
  process.on('SIGUSR2', ignore);
  const script = `while kill -USR2 ${process.pid}; do sleep 0.01; done`;
  const ticker = spawn('sh', ['-c', script], { stdio: 'ignore', env: SHELL_ENVIRONMENT });
  const ended = once(ticker, 'exit');
  try {
    await once(process, 'SIGUSR2');
    body();
  } finally {
    ticker.kill('SIGKILL');
    await ended;
    process.off('SIGUSR2', ignore);
  }
}
