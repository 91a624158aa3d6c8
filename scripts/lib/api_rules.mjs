// What the doc comments of the public API have to say: CONTRIBUTING.md has the rules in words.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from './run.mjs';

const ours = readFileSync(path.join(root, 'ts/errors.ts'), 'utf8').matchAll(/'(ERR_MP\w*)'/g);
const codes = new Set([
  ...[...ours].map(([, code]) => code),
  ...Object.keys(os.constants.errno),
  ...[
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_VALUE',
    'ERR_OUT_OF_RANGE',
    'ERR_UNKNOWN_SIGNAL',
    'ENOTFOUND',
    'ETOOMANYREFS',
  ],
]);

const CODE = /\b(?:ERR_[A-Z_]+|E[A-Z][A-Z0-9]{2,})\b/g;
const REFERENCE = /(?:new )?(?:[A-Z]\w*\.)?\w+/.source;
/** 'put(), blocking.' or 'As Lock.acquire().': what is not said here is said there. */
const LIKE = new RegExp(`^(?:As )?\`?(${REFERENCE})\\(\\)`);
/** '@throws as put() does; …' */
const THROWS_AS = new RegExp(`\\bas \`?(${REFERENCE})\\(`, 'g');
/** '@throws what the body throws; the signal's reason.' */
const OF_THE_CALLER = /\b(?:what .* throws?|signal's reason)\b/;

const PYTHON = /(?:^|\s)Python: \S/;
const MAN_PAGE = /\b\w+\(\d(?:const|type)?\)/;
const RESOLVES = /\b(?:resolve|reject|settle)s?\b/i;
const BLOCKS = /\bblock(?:s|ing)?\b|\bnever waits\b/i;
/** Of a class: 'Only the calls named …Sync block.', 'Nothing of it blocks: a call resolves when …' */
const CLASS_BLOCKS = /Sync\b[^.]*\bblock|\bnothing of it blocks\b/i;
const CLASS_RESOLVES = /\ba call resolves\b/;

const TIME = /timeout|time$|delay|milliseconds/i;
const TIME_UNIT = /\b(?:milliseconds|seconds|ms)\b/i;
const SPACE = /size|bytes|memory|offset|length/i;
const SPACE_UNIT = /\b(?:bytes?|KiB|elements?|values?|items?|messages?|entries|slots?)\b/i;
const UNIT =
  /\b(?:milliseconds|seconds|bytes?|number|count|how (?:many|often)|pids?|descriptors?|index|level|signal|code|units?|elements?|values?|items?|tasks?|processes|permissions|mask|nice|ratio|port|priority|part|[0-9]+ to [0-9]+|-?1)\b/i;
/** Names that say it all. */
const PLAIN = /^(?:fd|fds|pid|index|count|code|signal|milliseconds|parties|priority|pids|socket|target)$/;

const isNumber = (type) => /^number(?: \| undefined)?$|^Promise<number>$/.test(type ?? '');
const isError = ({ name }) => name.endsWith('Error');
const isCallable = ({ kind }) => kind === 'function' || kind === 'method' || kind === 'constructor';
const saysNone = (comment) => /Python: none\b/.test(comment?.flat ?? '');

/** The class or interface itself, then what it extends. */
function* lineage(item) {
  for (let each = item; each !== undefined; each = each.extended) yield each;
}

/** Complaints about one entry. */
class Examination {
  #items;
  #entry;

  constructor(entry) {
    this.#entry = entry.name;
    this.#items = new Map(entry.items.map((item) => [item.name, item]));
  }

  /** The callable that 'close', 'Lock.close' or 'new Lock' means to a comment of `item`. */
  #referred(name, item) {
    if (name.startsWith('new ')) return this.#member(this.#items.get(name.slice(4)), 'constructor');
    const [first, second] = name.split('.');
    if (second !== undefined) return this.#member(this.#items.get(first), second);
    return this.#member(item, name) ?? this.#items.get(name);
  }

  #member(item, name) {
    if (item === undefined) return undefined;
    for (const each of lineage(item)) {
      const found = each.members?.find((member) => member.name === name);
      if (found?.comment !== undefined) return found;
    }
    return undefined;
  }

  /** What applies to a name: its comment, those that this one refers to, those of overridden members. */
  *#comments(subject, item, seen = new Set()) {
    if (subject === undefined || seen.has(subject)) return;
    seen.add(subject);
    if (subject.comment !== undefined) yield subject.comment;
    const like = LIKE.exec(subject.comment?.flat ?? '')?.[1];
    if (like !== undefined) yield* this.#comments(this.#referred(like, item), item, seen);
    if (subject === item) return;
    for (const base of lineage(item?.extended)) {
      yield* this.#comments(
        base.members?.find(({ name }) => name === subject.name),
        base,
        seen,
      );
    }
  }

  *of(item) {
    yield* this.#described(item, item.name);
    const counterparts = [...this.#comments(item, item)].map(({ flat }) => PYTHON.test(flat));
    if (!counterparts.includes(true)) yield `${item.name}: no Python counterpart ('Python: …', or 'Python: none')`;
    if (this.#entry === 'posix') yield* this.#manPage(item);
    if (isCallable(item)) yield* this.#callable(item, item, item.name);
    for (const member of item.members ?? []) yield* this.#ofMember(item, member);
  }

  *#ofMember(item, member) {
    const name = `${item.name}.${member.name}`;
    const comments = [...this.#comments(member, item)];
    if (member.kind === 'constructor') {
      // An error is made by the library.
      if (!isError(item)) yield* this.#callable(member, item, `new ${item.name}()`);
      return;
    }
    if (comments.length === 0) yield `${name}: no comment`;
    else yield* this.#described({ ...member, comment: comments[0] }, name);
    const counterparts = [...comments.map(({ flat }) => PYTHON.test(flat)), saysNone(item.comment)];
    if (item.kind === 'class' && !isError(item) && !counterparts.includes(true)) {
      yield `${name}: no Python counterpart ('Python: …', or 'Python: none'; here or of the class)`;
    }
    if (isCallable(member)) yield* this.#callable(member, item, name);
    else if (isNumber(member.type) && comments.length > 0) yield* this.#unit(member.name, comments, name);
  }

  *#described({ comment, kind }, name) {
    if (comment === undefined || (comment.flat === '' && kind !== 'accessor')) yield `${name}: no comment`;
    for (const tag of comment?.strange ?? []) yield `${name}: an unknown tag @${tag}`;
    for (const text of comment?.throws ?? []) {
      for (const [code] of text.matchAll(CODE)) if (!codes.has(code)) yield `${name}: an unknown error code ${code}`;
    }
  }

  *#manPage({ name, kind, code, comment }) {
    const isWanted = kind === 'function' || (kind === 'constant' && /= -?\d+$/.test(code[0]));
    if (isWanted && !MAN_PAGE.test(comment?.flat ?? '')) yield `${name}: no man page, as in 'read(2)'`;
  }

  *#callable(subject, item, name) {
    const own = [...this.#comments(subject, item)];
    const ofClass = item === subject ? [] : [...lineage(item)].map(({ comment }) => comment).filter(Boolean);
    const comments = [...own, ...ofClass];
    yield* this.#references(own[0], item, name);
    yield* this.#blocking(subject, own, ofClass, name);
    yield* this.#errors(comments, name);
    for (const param of subject.params.filter(({ type }) => isNumber(type))) {
      yield* this.#parameter(param, comments, name);
    }
    if (isNumber(subject.returns)) yield* this.#unit(subject.name, comments, `the result of ${name}`);
  }

  *#references(comment, item, name) {
    const like = LIKE.exec(comment?.flat ?? '')?.[1];
    const throwing = (comment?.throws ?? []).flatMap((text) => [...text.matchAll(THROWS_AS)].map(([, as]) => as));
    for (const as of [...(like === undefined ? [] : [like]), ...throwing]) {
      if (this.#referred(as, item) === undefined) yield `${name}: refers to ${as}(), which is not there`;
    }
  }

  *#blocking({ name: bare, returns = '' }, own, ofClass, name) {
    const says = (comments, pattern) => comments.some(({ flat }) => pattern.test(flat));
    if (bare.endsWith('Sync')) {
      if (!says(own.slice(0, 1), BLOCKS)) yield `${name}: does not say what it blocks, and until when`;
    } else if (returns.startsWith('Promise<')) {
      if (says(own, RESOLVES) || says(ofClass, CLASS_RESOLVES)) return;
      yield `${name}: does not say when it resolves ('Resolves …')`;
    } else if (!says(own, BLOCKS) && !says(ofClass, CLASS_BLOCKS)) {
      yield `${name}: does not say whether it blocks ('Doesn't block.')`;
    }
  }

  *#errors(comments, name) {
    const isTold = comments.some(({ flat, throws }) => {
      if (/\bnever throws\b/i.test(flat)) return true;
      return throws.some(
        (each) => each.match(CODE) || OF_THE_CALLER.test(each) || [...each.matchAll(THROWS_AS)].length > 0,
      );
    });
    if (!isTold) yield `${name}: no errors by code ('@throws CODE: …', '@throws as other() does', or 'Never throws.')`;
  }

  *#parameter(param, comments, name) {
    if (!PLAIN.test(param.name) && !comments.some(({ flat }) => flat.includes(`\`${param.name}\``))) {
      yield `${name}: does not say what \`${param.name}\` is`;
    } else {
      yield* this.#unit(param.name, comments, `\`${param.name}\` of ${name}`);
    }
  }

  *#unit(bare, comments, name) {
    const says = (pattern) => comments.some(({ flat }) => pattern.test(flat));
    if (TIME.test(bare) && !says(TIME_UNIT)) yield `${name}: a time without its unit (milliseconds, seconds)`;
    else if (SPACE.test(bare) && !says(SPACE_UNIT)) yield `${name}: a size without its unit (bytes, elements)`;
    else if (!PLAIN.test(bare) && !says(UNIT)) yield `${name}: a number without its unit`;
  }
}

/** What the comments of an entry lack, in lines; empty when nothing does. */
export function examine(entry) {
  const examination = new Examination(entry);
  return entry.items.flatMap((item) => [...examination.of(item)]);
}
