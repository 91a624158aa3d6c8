// Round trips, or a stream of messages, between two processes over a Pipe.
//   node connection_driver.mjs sync|async duplex|oneway pingpong|stream SIZE
import { Pipe, Process } from 'posix-multiprocessing';
import { drive } from '../harness.mjs';

const [mode, kind, what, text] = process.argv.slice(2);
const size = Number(text);
const ping = what === 'pingpong';
const count = ping ? 10_000 : size <= 64 ? 100_000 : Math.floor(256e6 / size);
const bytes = new Uint8Array(size);
const duplex = kind === 'duplex';
const [a, b] = Pipe({ duplex });
const [c, d] = duplex ? [a, b] : Pipe({ duplex });
// Sent by `there` and `back`; read from `in_` (child) and `answers` (parent).
const [there, in_, back, answers] = duplex ? [a, b, b, a] : [b, a, d, c];

async function serve() {
  for (;;) {
    for (let i = 0; i < count; i++) {
      if (mode === 'sync') {
        in_.recvBytesSync();
        if (ping) back.sendBytesSync(bytes);
      } else {
        await in_.recvBytes();
        if (ping) await back.sendBytes(bytes);
      }
    }
    if (!ping) await back.sendBytes(new Uint8Array(1));
  }
}

await new Process({ target: serve, daemon: true }).start();
await drive({}, async () => {
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    if (mode === 'sync') {
      there.sendBytesSync(bytes);
      if (ping) answers.recvBytesSync();
    } else {
      await there.sendBytes(bytes);
      if (ping) await answers.recvBytes();
    }
  }
  if (!ping) await answers.recvBytes();
  return { seconds: (performance.now() - began) / 1000, count };
});
process.exit(0);
