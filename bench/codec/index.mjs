// Nanoseconds to write and to read a value: this library's codec beside v8.serialize and JSON.
//   npm run bench -- codec [--cycles 9] [--with msgpackr]     --with: a module with pack() and unpack()
import { parseArgs } from 'node:util';
import v8 from 'node:v8';
import { decode, encode } from '#internals';
import { median, record, table } from '../harness.mjs';

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '9' }, with: { type: 'string' } } });
const HEADROOM = 16;

const row = (id) => ({ id, name: `name ${id}`, active: id % 2 === 0, score: id / 3, tags: ['red', 'green'] });
const samples = {
  'string of 64': 'x'.repeat(64),
  number: 4711,
  '{ id, name, tags }': { id: 4711, name: 'a small object', tags: ['red', 'green'] },
  'Buffer of 64 KiB': Buffer.alloc(65_536, 7),
  '1,000 rows': Array.from({ length: 1000 }, (_, id) => row(id)),
};

const codecs = {
  'this library': {
    write(value) {
      const out = encode(value, 'value');
      return out.length === undefined ? out.parts() : Buffer.from(out.memory.subarray(HEADROOM, HEADROOM + out.length));
    },
    read: (bytes) => decode(bytes, 0, bytes.length, bytes.length / 2),
  },
  'v8.serialize': { write: v8.serialize, read: v8.deserialize },
  JSON: { write: (value) => Buffer.from(JSON.stringify(value)), read: (bytes) => JSON.parse(bytes.toString()) },
};
if (values.with !== undefined) {
  const { pack, unpack } = await import(values.with);
  codecs[values.with] = { write: (value) => Buffer.from(pack(value)), read: unpack };
}

function timeOf(run, count) {
  const began = performance.now();
  for (let i = 0; i < count; i++) run();
  return ((performance.now() - began) * 1e6) / count;
}

const rows = [];
for (const [name, value] of Object.entries(samples)) {
  const count = { '1,000 rows': 10, 'Buffer of 64 KiB': 200 }[name] ?? 5000;
  const times = Object.fromEntries(Object.keys(codecs).map((codec) => [codec, { write: [], read: [] }]));
  for (let cycle = -2; cycle < Number(values.cycles); cycle++) {
    for (const [codec, { write, read }] of Object.entries(codecs)) {
      const parts = write(value);
      const bytes = Array.isArray(parts) ? Buffer.concat(parts) : parts;
      const written = timeOf(() => write(value), count);
      const wasRead = timeOf(() => read(bytes), count);
      if (cycle < 0) continue; // warm
      times[codec].write.push(written);
      times[codec].read.push(wasRead);
    }
  }
  for (const action of ['write', 'read']) {
    const results = Object.entries(times).map(([codec, all]) => ({ name: codec, values: all[action] }));
    record(`codec: ${action} ${name}`, { unit: 'ns', chart: name.startsWith('{'), results });
  }
  for (const [codec, { write, read }] of Object.entries(times)) {
    rows.push([name, codec, median(write).toFixed(0), median(read).toFixed(0)]);
  }
}
console.log(`Node ${process.version}, medians of ${values.cycles} interleaved cycles\n`);
console.log(table(['', 'codec', 'write, ns', 'read, ns'], rows));
