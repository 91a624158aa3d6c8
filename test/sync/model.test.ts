/** Semaphore, Condition and Barrier beside models of themselves, through random calls, kills and time-outs. */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, it } from 'mocha';
import { Barrier, Condition, Lock, Semaphore } from 'posix-multiprocessing';
import { waitFor } from '../support/watchdog.js';
import { Actor } from './actor.js';

const ACTORS = 4;
const RUNS = { numRuns: 40, endOnFailure: true };
const LENGTH = { maxCommands: 30 };
const BROKEN = 'ERR_MP_BROKEN_BARRIER';

/** What one actor's wait has come to: undefined while it waits. */
type Outcome = { value: unknown } | { code: string | undefined } | undefined;

/** Real actors, each with at most one wait at a time. */
class Crew<D extends Record<string, (...args: never[]) => unknown>> {
  readonly #deeds: D;
  readonly #actors: Actor<D>[] = [];
  readonly #outcomes: Outcome[] = [];

  constructor(deeds: D) {
    this.#deeds = deeds;
  }

  async start(): Promise<void> {
    for (let index = 0; index < ACTORS; index += 1) this.#actors[index] = await Actor.start(this.#deeds);
  }

  async end(): Promise<void> {
    for (const actor of this.#actors) await actor.kill();
  }

  /** Resolves once the actor waits, or is done. */
  async begin<K extends keyof D & string>(index: number, deed: K, ...args: Parameters<D[K]>): Promise<void> {
    this.#outcomes[index] = undefined;
    const actor = this.#actors[index] as Actor<D>;
    const { outcome } = await actor.begin(deed, ...args);
    outcome.then(
      (value) => (this.#outcomes[index] = { value }),
      (error: NodeJS.ErrnoException) => (this.#outcomes[index] = { code: error.code }),
    );
  }

  outcome(index: number): Outcome {
    return this.#outcomes[index];
  }

  async kill(index: number): Promise<void> {
    await this.#actors[index]?.kill();
    this.#outcomes[index] = undefined;
    this.#actors[index] = await Actor.start(this.#deeds);
  }
}

const someone = fc.nat({ max: ACTORS - 1 });
const waysToWait = fc.boolean();

/** A step as fast-check takes it. */
function step<M extends object, R>(
  name: string,
  check: (model: M) => boolean,
  run: (model: M, real: R) => Promise<void>,
): fc.AsyncCommand<M, R> {
  return { check, run, toString: () => name };
}

describe('a Semaphore and its model', () => {
  interface Model {
    value: number;
    readonly waiting: Set<number>;
    /** Units that the actors hold. */
    readonly held: number[];
  }
  type Deeds = ReturnType<typeof deeds>;
  interface Real {
    readonly semaphore: Semaphore;
    readonly crew: Crew<Deeds>;
  }
  const deeds = (semaphore: Semaphore) => ({
    acquire: () => semaphore.acquire(),
    acquireSync: () => semaphore.acquireSync(),
    giveUp: () => semaphore.acquire({ timeout: 1 }),
  });

  /** Whoever waits takes what there is; who, is not said. */
  async function settle(model: Model, { semaphore, crew }: Real): Promise<void> {
    const grants = Math.min(model.value, model.waiting.size);
    const granted = (): number[] => [...model.waiting].filter((index) => crew.outcome(index) !== undefined);
    await waitFor(`${grants} to get a unit`, () => granted().length >= grants);
    const done = granted();
    assert.equal(done.length, grants);
    for (const index of done) {
      assert.deepEqual(crew.outcome(index), { value: true });
      model.waiting.delete(index);
      model.held[index] = (model.held[index] as number) + 1;
    }
    model.value -= grants;
    assert.equal(semaphore.value, model.value);
  }

  const acquire = (index: number, sync: boolean) =>
    step<Model, Real>(
      `acquire${sync ? 'Sync' : ''} by ${index}`,
      ({ waiting }) => !waiting.has(index),
      async (model, real) => {
        model.waiting.add(index);
        if (sync && model.value === 0) await real.crew.begin(index, 'acquireSync');
        else await real.crew.begin(index, 'acquire');
        await settle(model, real);
      },
    );
  const giveUp = (index: number) =>
    step<Model, Real>(
      `acquire in time by ${index}`,
      ({ waiting, value }) => !waiting.has(index) && value === 0,
      async (model, real) => {
        await real.crew.begin(index, 'giveUp');
        await waitFor('the time-out', () => real.crew.outcome(index) !== undefined);
        assert.deepEqual(real.crew.outcome(index), { value: false });
        await settle(model, real);
      },
    );
  const release = (count: number) =>
    step<Model, Real>(
      `release ${count}`,
      () => true,
      async (model, real) => {
        real.semaphore.release(count);
        model.value += count;
        await settle(model, real);
      },
    );
  const kill = (index: number) =>
    step<Model, Real>(
      `kill ${index}`,
      () => true,
      async (model, real) => {
        await real.crew.kill(index);
        model.waiting.delete(index);
        model.value += model.held[index] as number;
        model.held[index] = 0;
        await settle(model, real);
      },
    );

  it('agree, the units of the dead come back', async function () {
    this.timeout(120_000);
    const commands = fc.commands(
      [
        fc.tuple(someone, waysToWait).map(([index, sync]) => acquire(index, sync)),
        someone.map(giveUp),
        fc.integer({ min: 1, max: 3 }).map(release),
        someone.map(kill),
      ],
      LENGTH,
    );
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 3 }), commands, async (value, plan) => {
        using semaphore = new Semaphore(value, { restore: true });
        const crew = new Crew(deeds(semaphore));
        await crew.start();
        try {
          const model = { value, waiting: new Set<number>(), held: Array<number>(ACTORS).fill(0) };
          await fc.asyncModelRun(() => ({ model, real: { semaphore, crew } }), plan);
        } finally {
          await crew.end();
        }
      }),
      RUNS,
    );
  });
});

describe('a Condition and its model', () => {
  interface Model {
    /** In the order of their coming. */
    waiting: number[];
  }
  interface Real {
    readonly condition: Condition;
    readonly crew: Crew<ReturnType<typeof deeds>>;
  }
  const deeds = (condition: Condition) => ({
    wait: () => condition.use(() => condition.wait()),
    waitSync: () => condition.useSync(() => condition.waitSync()),
    giveUp: () => condition.use(() => condition.wait({ timeout: 1 })),
  });

  /** The first `count` are woken and nobody else. */
  async function woken(model: Model, { crew }: Real, count: number): Promise<void> {
    const lucky = model.waiting.splice(0, count);
    await waitFor(`${lucky} to be woken`, () => lucky.every((index) => crew.outcome(index) !== undefined));
    for (const index of lucky) assert.deepEqual(crew.outcome(index), { value: true });
    for (const index of model.waiting) assert.equal(crew.outcome(index), undefined);
  }

  const wait = (index: number, sync: boolean) =>
    step<Model, Real>(
      `wait${sync ? 'Sync' : ''} by ${index}`,
      ({ waiting }) => !waiting.includes(index),
      async (model, real) => {
        await real.crew.begin(index, sync ? 'waitSync' : 'wait');
        await real.condition.use(() => {}); // its turn is over: it waits
        model.waiting.push(index);
        await woken(model, real, 0);
      },
    );
  const giveUp = (index: number) =>
    step<Model, Real>(
      `wait in time by ${index}`,
      ({ waiting }) => !waiting.includes(index),
      async (model, real) => {
        await real.crew.begin(index, 'giveUp');
        await waitFor('the time-out', () => real.crew.outcome(index) !== undefined);
        assert.deepEqual(real.crew.outcome(index), { value: false });
        await woken(model, real, 0);
      },
    );
  const notify = (n: number) =>
    step<Model, Real>(
      `notify ${n}`,
      () => true,
      async (model, real) => {
        await real.condition.use(() => real.condition.notify(n));
        await woken(model, real, n);
      },
    );
  const kill = (index: number) =>
    step<Model, Real>(
      `kill ${index}`,
      () => true,
      async (model, real) => {
        await real.crew.kill(index);
        model.waiting = model.waiting.filter((other) => other !== index);
        await woken(model, real, 0);
      },
    );

  it('agree: those who have waited longest are woken, the dead never', async function () {
    this.timeout(120_000);
    const commands = fc.commands(
      [
        fc.tuple(someone, waysToWait).map(([index, sync]) => wait(index, sync)),
        someone.map(giveUp),
        fc.nat({ max: ACTORS + 1 }).map(notify),
        someone.map(kill),
      ],
      LENGTH,
    );
    await fc.assert(
      fc.asyncProperty(fc.boolean(), commands, async (plain, plan) => {
        // Killed by chance while it has the lock: the next one just goes on.
        const lock = plain ? new Lock({ onOwnerDied: 'recover' }) : undefined;
        using condition = new Condition(lock);
        const crew = new Crew(deeds(condition));
        await crew.start();
        try {
          await fc.asyncModelRun(() => ({ model: { waiting: [] as number[] }, real: { condition, crew } }), plan);
        } finally {
          await crew.end();
          lock?.close();
        }
      }),
      RUNS,
    );
  });
});

describe('a Barrier and its model', () => {
  const PARTIES = 3;
  interface Model {
    waiting: number[];
    broken: boolean;
  }
  interface Real {
    readonly barrier: Barrier;
    readonly crew: Crew<ReturnType<typeof deeds>>;
  }
  const deeds = (barrier: Barrier) => ({
    wait: () => barrier.wait(),
    waitSync: () => barrier.waitSync(),
    giveUp: () => barrier.wait({ timeout: 1 }),
  });

  async function settled({ crew }: Real, indexes: readonly number[]): Promise<Outcome[]> {
    await waitFor(`${indexes} to go on`, () => indexes.every((index) => crew.outcome(index) !== undefined));
    return indexes.map((index) => crew.outcome(index));
  }

  async function sentAway(model: Model, real: Real): Promise<void> {
    for (const outcome of await settled(real, model.waiting)) assert.deepEqual(outcome, { code: BROKEN });
    model.waiting = [];
  }

  function compare(model: Model, { barrier, crew }: Real): void {
    assert.equal(barrier.broken, model.broken);
    assert.equal(barrier.waiting, model.waiting.length);
    for (const index of model.waiting) assert.equal(crew.outcome(index), undefined);
  }

  const wait = (index: number, sync: boolean) =>
    step<Model, Real>(
      `wait${sync ? 'Sync' : ''} by ${index}`,
      ({ waiting }) => !waiting.includes(index),
      async (model, real) => {
        const goesOn = model.broken || model.waiting.length + 1 === PARTIES;
        await real.crew.begin(index, sync && !goesOn ? 'waitSync' : 'wait');
        if (model.broken) {
          assert.deepEqual(await settled(real, [index]), [{ code: BROKEN }]);
        } else {
          model.waiting.push(index);
          if (goesOn) {
            const outcomes = (await settled(real, model.waiting)) as { value: number }[];
            assert.deepEqual(new Set(outcomes.map(({ value }) => value)), new Set([0, 1, 2]));
            model.waiting = [];
          } else {
            await waitFor('it to wait', () => real.barrier.waiting === model.waiting.length);
          }
        }
        compare(model, real);
      },
    );
  const giveUp = (index: number) =>
    step<Model, Real>(
      `wait in time by ${index}`,
      ({ waiting }) => !waiting.includes(index) && waiting.length + 1 < PARTIES,
      async (model, real) => {
        await real.crew.begin(index, 'giveUp');
        assert.deepEqual(await settled(real, [index]), [{ code: BROKEN }]);
        model.broken = true;
        await sentAway(model, real);
        compare(model, real);
      },
    );
  const abort = step<Model, Real>(
    'abort',
    () => true,
    async (model, real) => {
      real.barrier.abort();
      model.broken = true;
      await sentAway(model, real);
      compare(model, real);
    },
  );
  const reset = step<Model, Real>(
    'reset',
    () => true,
    async (model, real) => {
      real.barrier.reset();
      await sentAway(model, real);
      model.broken = false;
      compare(model, real);
    },
  );
  const kill = (index: number) =>
    step<Model, Real>(
      `kill ${index}`,
      () => true,
      async (model, real) => {
        await real.crew.kill(index);
        if (model.waiting.includes(index)) {
          model.waiting = model.waiting.filter((other) => other !== index);
          model.broken = true;
          await sentAway(model, real);
        }
        compare(model, real);
      },
    );

  it('agree: a dead party breaks it, and nothing else does but time-outs and abort()', async function () {
    this.timeout(120_000);
    const commands = fc.commands(
      [
        fc.tuple(someone, waysToWait).map(([index, sync]) => wait(index, sync)),
        fc.tuple(someone, waysToWait).map(([index, sync]) => wait(index, sync)),
        someone.map(giveUp),
        fc.constant(abort),
        fc.constant(reset),
        someone.map(kill),
      ],
      LENGTH,
    );
    await fc.assert(
      fc.asyncProperty(commands, async (plan) => {
        using barrier = new Barrier(PARTIES);
        const crew = new Crew(deeds(barrier));
        await crew.start();
        try {
          const model: Model = { waiting: [], broken: false };
          await fc.asyncModelRun(() => ({ model, real: { barrier, crew } }), plan);
        } finally {
          await crew.end();
        }
      }),
      RUNS,
    );
  });
});
