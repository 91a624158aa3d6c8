import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { deviation, type Outcome } from './outcome.js';

const MAIN = 10;
const accepts = (outcome: Outcome, ...lines: string[]): void =>
  assert.equal(deviation(outcome, lines, MAIN), undefined);
const refuses = (outcome: Outcome, reason: RegExp, ...lines: string[]): void =>
  assert.match(deviation(outcome, lines, MAIN) ?? 'accepted', reason);

describe('outcomes of programs', () => {
  it('lines come in their order, all of them, and no other', () => {
    const outcome: Outcome = { output: ['a.', 'b'] };
    accepts(outcome, 'a.', 'b');
    refuses(outcome, /^line 1 was not expected: b/, 'b', 'a.');
    refuses(outcome, /^line 1 /, 'ax', 'b');
    refuses(outcome, /^the output ended/, 'a.');
    refuses(outcome, /^line 3 /, 'a.', 'b', 'c');
    accepts({ output: [] });
  });

  it('a named pid is the same everywhere, and nobody else', () => {
    const outcome: Outcome = { output: ['<main> made <child>', '<child> of <main>', 'x <pid>', 'x <pid>'] };
    accepts(outcome, '10 made 11', '11 of 10', 'x 12', 'x 13');
    refuses(outcome, /^line 1 /, '9 made 11');
    refuses(outcome, /^line 1 /, '10 made 10');
    refuses(outcome, /^line 2 /, '10 made 11', '12 of 10');
    refuses(outcome, /^line 3 /, '10 made 11', '11 of 10', 'x 11');
    refuses(outcome, /^line 4 /, '10 made 11', '11 of 10', 'x 12', 'x 12');
    accepts({ output: ['<number> <bool>'] }, '-1.5 true');
    refuses({ output: ['<number> <bool>'] }, /^line 1 /, 'x true');
  });

  it('strands are mixed as they come, each in its order', () => {
    const outcome: Outcome = { output: ['start', { interleaved: [['a 1', 'a 2'], ['b']] }, 'end'] };
    accepts(outcome, 'start', 'a 1', 'b', 'a 2', 'end');
    accepts(outcome, 'start', 'b', 'a 1', 'a 2', 'end');
    refuses(outcome, /^line 2 /, 'start', 'a 2', 'a 1', 'b', 'end');
    refuses(outcome, /^line 4 /, 'start', 'a 1', 'a 2', 'end');
    refuses(outcome, /^line 4 /, 'start', 'b', 'a 1', 'b', 'end');
  });

  it('copies are strands of their own', () => {
    const outcome: Outcome = { output: [{ interleaved: [['$n in <p$n>', '$n out <p$n>']], copies: 2 }] };
    accepts(outcome, '2 in 7', '1 in 8', '1 out 8', '2 out 7');
    refuses(outcome, /^line 3 /, '2 in 7', '1 in 8', '1 out 7');
    refuses(outcome, /^the output ended/, '2 in 7', '2 out 7');
  });

  it('what may be missing is there as a whole or not at all', () => {
    const outcome: Outcome = { output: [{ maybe: ['a', { maybe: ['b'] }, 'c'] }, 'd'] };
    accepts(outcome, 'd');
    accepts(outcome, 'a', 'c', 'd');
    accepts(outcome, 'a', 'b', 'c', 'd');
    refuses(outcome, /^line 2 /, 'a', 'd');
    refuses(outcome, /^line 1 /, 'b', 'd');
  });

  it('a line comes as often as it may', () => {
    const outcome: Outcome = { output: [{ line: 'a', times: [1, 2] }, { line: 'b <number>', times: [0, null] }, 'a'] };
    accepts(outcome, 'a', 'a');
    accepts(outcome, 'a', 'a', 'b 1', 'b 2', 'b 3', 'a');
    refuses(outcome, /^the output ended/, 'a');
    refuses(outcome, /^line 1 /, 'b 1');
    refuses(outcome, /^line 4 /, 'a', 'a', 'a', 'a');
  });

  it('what must come before something does', () => {
    const outcome: Outcome = { output: [{ interleaved: [['put'], [{ maybe: ['get'] }]] }], before: [['put', 'get']] };
    accepts(outcome, 'put', 'get');
    accepts(outcome, 'put');
    refuses(outcome, /^'get' came without 'put'/, 'get', 'put');
  });

  it('seats are counted at every line', () => {
    const outcome: Outcome = {
      output: [{ interleaved: [['$n in', '$n out']], copies: 3 }],
      seats: { enter: 'in$', leave: 'out$', most: 2 },
    };
    accepts(outcome, '1 in', '2 in', '1 out', '3 in', '3 out', '2 out');
    refuses(outcome, /^line 3: 3 at once/, '1 in', '2 in', '3 in', '3 out', '2 out', '1 out');
  });
});
