import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { Lock } from 'posix-multiprocessing';
import { freshName, isFree } from './locks.js';
import { languages, prepareClient, SemaphoreClient } from './semaphore_clients.js';

for (const language of languages) {
  describe(`a named Lock and a semaphore in ${language}`, () => {
    let command: readonly string[] = [];
    let remove = (): void => {};
    before(() => {
      ({ command, remove } = prepareClient(language));
    });
    after(() => remove());

    const withClient = async (body: (client: SemaphoreClient, name: string) => Promise<void>): Promise<void> => {
      const name = freshName();
      const client = new SemaphoreClient(command, `/${name}`);
      try {
        await body(client, name);
      } finally {
        await client.end();
      }
    };

    it('are the same, whoever makes it', async () => {
      await withClient(async (client, name) => {
        assert.equal(await client.ask('open'), -1);
        const lock = new Lock({ name });
        assert.equal(await client.ask('open'), 0);
        assert.equal(await client.ask('value'), 1);
        lock.acquireSync();
        assert.equal(await client.ask('value'), 0);
        lock.close();
        lock.unlink();

        assert.equal(await client.ask('create 1'), 0);
        const second = new Lock({ name });
        assert.equal(second.tryAcquire(), true);
        assert.equal(await client.ask('value'), 0);
        second.release();
        second.close();
        assert.equal(await client.ask('unlink'), 0);
        assert.throws(() => second.unlink(), { code: 'ENOENT' });
      });
    });

    it('keep each other out', async () => {
      await withClient(async (client, name) => {
        const lock = new Lock({ name });
        await client.ask('open');
        assert.equal(await client.ask('wait'), 0);
        assert.equal(lock.locked, true);
        assert.equal(lock.owner, undefined);
        assert.equal(lock.tryAcquire(), false);
        assert.equal(await lock.acquire({ timeout: 5 }), false);
        await client.ask('post');
        assert.equal(lock.tryAcquire(), true);
        assert.equal(await client.ask('try'), -1);
        lock.release();
        assert.equal(await client.ask('try'), 0);
        // Whoever: the library too.
        lock.release();
        assert.throws(() => lock.release(), { code: 'ERR_MP_OVER_RELEASE' });
        assert.equal(await client.ask('value'), 1);
        lock.unlink();
        lock.close();
      });
    });

    it('wake each other', async () => {
      await withClient(async (client, name) => {
        const lock = new Lock({ name });
        await client.ask('open');
        for (let round = 0; round < 20; round += 1) {
          assert.equal(await client.ask('wait'), 0);
          const waiting = lock.acquire();
          await client.ask('post');
          assert.equal(await waiting, true);
          const theirs = client.ask('wait');
          assert.equal(await Promise.race([theirs, lock.acquire({ timeout: 2 })]), false);
          lock.release();
          assert.equal(await theirs, 0);
          await client.ask('post');
        }
        assert.ok(isFree(lock));
        lock.unlink();
        lock.close();
      });
    });

    it('the death of a holder who leaves no name is not noticed', async () => {
      const name = freshName();
      const lock = new Lock({ name });
      const client = new SemaphoreClient(command, `/${name}`);
      await client.ask('open');
      await client.ask('wait');
      await client.kill();
      assert.equal(await lock.acquire({ timeout: 150 }), false);
      assert.equal(lock.locked, true);
      lock.release();
      assert.ok(isFree(lock));
      lock.unlink();
      lock.close();
    });
  });
}
