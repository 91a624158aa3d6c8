import { describe, it } from 'mocha';
import { Pipe } from 'posix-multiprocessing';
import { type Item, killRounds } from '../support/kill_rounds.js';

describe('Pipe under SIGKILL', () => {
  const kills = Number(process.env['MP_SOAK_KILLS'] ?? 20);

  for (const duplex of [true, false]) {
    it(`ends that several processes share survive them, message by message, duplex ${duplex}`, async function () {
      this.timeout(60_000 + kills * 1000);
      const [receiver, sender] = Pipe<Item>({ duplex });
      using _receiver = receiver;
      using _sender = sender;
      // What goes through the socket may be torn by a death.
      await receiver.recv({ timeout: 0 }).catch(() => {});
      await killRounds(kills, {
        put: (item) => sender.send(item),
        putSync: (item) => sender.sendSync(item),
        take: () => receiver.recv(),
        takeSync: () => receiver.recvSync(),
        isEmpty: () => !receiver.pollSync(),
        isFull: () => false,
      });
    });
  }
});
