import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { BoundedSemaphore, Semaphore } from 'posix-multiprocessing';
import { freshName } from './locks.js';
import { languages, prepareClient, SemaphoreClient } from './semaphore_clients.js';

for (const language of languages) {
  describe(`a named Semaphore and one in ${language}`, () => {
    let command: readonly string[] = [];
    let remove = (): void => {};
    before(() => {
      ({ command, remove } = prepareClient(language));
    });
    after(() => remove());

    for (const restore of [false, true]) {
      const title = restore ? ', with restore' : '';

      it(`have one value, whoever makes them${title}`, async () => {
        const name = freshName();
        const client = new SemaphoreClient(command, `/${name}`);
        const own = new Semaphore(3, { name, restore });
        assert.equal(await client.ask('open'), 0);
        assert.equal(await client.ask('value'), 3);
        own.acquireSync();
        assert.equal(await client.ask('wait'), 0);
        assert.equal(own.value, 1);
        assert.equal(await client.ask('try'), 0);
        assert.equal(own.tryAcquire(), false);
        await client.ask('post');
        assert.equal(own.tryAcquire(), true);
        own.close();
        assert.equal(await client.ask('unlink'), 0);

        assert.equal(await client.ask('create 5'), 0);
        const second = new Semaphore(1, { name, restore });
        assert.equal(second.value, 5);
        second.release(2);
        assert.equal(await client.ask('value'), 7);
        second.close();
        second.unlink();
        await client.end();
      });

      it(`wake each other${title}`, async () => {
        const name = freshName();
        const client = new SemaphoreClient(command, `/${name}`);
        const own = new Semaphore(0, { name, restore });
        await client.ask('open');
        for (let round = 0; round < 20; round += 1) {
          const wait = own.acquire();
          await client.ask('post');
          assert.equal(await wait, true);
          const theirs = client.ask('wait');
          own.release();
          assert.equal(await theirs, 0);
        }
        assert.equal(own.value, 0);
        own.close();
        own.unlink();
        await client.end();
      });
    }

    it('may exceed a bound that only the library knows', async () => {
      const name = freshName();
      const client = new SemaphoreClient(command, `/${name}`);
      const own = new BoundedSemaphore(1, { name });
      await client.ask('open');
      await client.ask('post');
      assert.equal(own.value, 2);
      assert.throws(() => own.release(), { code: 'ERR_MP_OVER_RELEASE' });
      own.close();
      own.unlink();
      await client.end();
    });
  });
}
