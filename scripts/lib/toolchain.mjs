// The programs that make the binaries, by the processor that these are for: this machine's own, or a cross compiler's.
import { which } from './run.mjs';

/** As GNU names them. */
const triples = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** The processors that binaries are shipped for. */
export const architectures = Object.keys(triples);

/** `env` makes node-gyp use it. */
export function toolchain(arch = process.arch) {
  const isOwn = arch === process.arch;
  const program = (name) => (isOwn ? name : `${triples[arch]}-${name}`);
  const tools = { strip: program('strip'), objdump: program('objdump'), nm: program('nm') };
  if (isOwn) return { ...tools, cxx: process.env.CXX ?? 'g++', env: {} };
  const env = { CC: program('gcc'), CXX: program('g++'), LINK: program('g++'), AR: program('ar') };
  return { ...tools, cxx: env.CXX, env };
}

/** Whether this machine can compile for it. */
export function compilesFor(arch) {
  return which(toolchain(arch).cxx) !== undefined;
}

/** Debian's package with a cross compiler, and with the C and C++ libraries of that processor. */
export function crossPackage(arch) {
  return `g++-${triples[arch].replaceAll('_', '-')}`;
}

/** Where Debian's cross packages put those libraries. */
export function crossRoot(arch) {
  return `/usr/${triples[arch]}`;
}
