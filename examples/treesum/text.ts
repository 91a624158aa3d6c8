/** Numbers and names for human eyes. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** 1,234 */
export function inFull(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** 12.3 MB: powers of 1000, as disks are sold. */
export function inBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${power === 0 ? Math.round(bytes) : (bytes / 1000 ** power).toFixed(1)} ${UNITS[power]}`;
}

/** 0.85 s, 12.3 s, 4 min 05 s, 2 h 10 min */
export function inTime(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two((seconds % 3600) / 60)} min`;
}

export function plural(count: number, one: string, many: string): string {
  return `${inFull(count)} ${count === 1 ? one : many}`;
}

/** A file's name, on one line and without anything that a terminal would obey. Bytes that are no UTF-8 as \xNN. */
export function printable(name: Uint8Array): string {
  const byteCode = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
    const escaped = (character: string): string => {
      if (character === '\n') return '\\n';
      return character === '\\' ? '\\\\' : Array.from(Buffer.from(character), byteCode).join('');
    };
    return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/gu, escaped);
  } catch {
    return Array.from(name, (byte) => (byte < 0x20 || byte >= 0x7f ? byteCode(byte) : String.fromCharCode(byte))).join(
      '',
    );
  }
}
