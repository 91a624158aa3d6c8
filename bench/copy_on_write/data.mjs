// A large heap of small objects, the garbage of its making in between; and a walk over all of it that allocates nothing.
import { readFileSync } from 'node:fs';

// A sixth of what is there in the end is garbage.
export function load(megabytes) {
  const records = [];
  const garbage = [];
  const begin = process.memoryUsage().heapUsed;
  while (process.memoryUsage().heapUsed - begin < 1.2 * megabytes * 2 ** 20) {
    for (let count = 0; count < 10_000; count++) {
      const id = records.length;
      records.push({
        id,
        name: `user ${id}`,
        tags: [id % 7, id % 11, `t${id % 100}`],
        nested: { half: id * 1.5, when: id },
      });
      if (id % 3 === 0) garbage.push({ id, text: `junk ${id}`, list: [1, 2, 3] });
    }
    if (garbage.length > 200_000) garbage.length = 0;
  }
  return records;
}

export function readAll(records) {
  let sum = 0;
  for (let index = 0; index < records.length; index++) {
    const { id, name, tags, nested } = records[index];
    sum = (sum + id + name.length + (nested.half | 0) + nested.when) | 0;
    for (let tag = 0; tag < tags.length; tag++) {
      const value = tags[tag];
      sum = (sum + (typeof value === 'string' ? value.charCodeAt(0) : value)) | 0;
    }
  }
  return sum;
}

// What this process shares with nobody, in MB (proc_pid_smaps(5)).
export function privateMB() {
  const text = readFileSync('/proc/self/smaps_rollup', 'utf8');
  let kilobytes = 0;
  for (const [, value] of text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)) kilobytes += Number(value);
  return kilobytes / 1024;
}
