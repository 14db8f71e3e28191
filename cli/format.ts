/** Numbers, sizes and times as people read them. */

/** @example formatCount(1234567n) // '1,234,567' */
export function formatCount(count: bigint | number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** @example plural(1, 'row') // '1 row' */
export function plural(count: bigint | number, word: string): string {
  return `${formatCount(count)} ${word}${Number(count) === 1 ? '' : 's'}`;
}

/** @example formatBytes(1_536) // '1.5 KiB' */
export function formatBytes(bytes: bigint | number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** @example formatDuration(83_200) // '1 m 23 s' */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${String(Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours === 0 ? `${String(minutes)} m ${String(seconds % 60)} s` : `${String(hours)} h ${String(minutes)} m`;
}

/** UTC to the second. @example formatTime(0) // '1970-01-01 00:00:00' */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** A share of the largest value as a bar of up to `width` characters; what is not nothing shows. */
export function bar(value: number, largest: number, width: number): string {
  if (!(value > 0) || !(largest > 0)) return '';
  const eighths = Math.max(1, Math.round((value / largest) * width * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + ' ▏▎▍▌▋▊▉'.charAt(eighths % 8).trim();
}
