/** Sets of row numbers in the portable Roaring format, in whichever kind of container a test asks for. */

export type ContainerKind = 'array' | 'bitmap' | 'run';

const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [i, value] of values.entries()) bytes.writeUInt16LE(value, i * 2);
  return bytes;
};
const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, i * 4);
  return bytes;
};

function groups(rows: readonly number[], size: number): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const row of rows) {
    const key = Math.floor(row / size);
    const group = found.get(key) ?? [];
    group.push(row % size);
    found.set(key, group);
  }
  return found;
}

/**
 * @param rows in order
 * @param kindOf of a container, by its key and values; an array of more than 4,096 values becomes a bitmap, and the other way round
 */
export function encodeRows(rows: readonly number[], kindOf: (key: number) => ContainerKind): Buffer {
  const buckets = groups(rows, 2 ** 32);
  const parts = [...buckets].flatMap(([key, values]) => [u32(key), bucket(values, kindOf)]);
  return Buffer.concat([u32(1_681_511_377), u32(buckets.size, 0), ...parts]);
}

function bucket(rows: readonly number[], kindOf: (key: number) => ContainerKind): Buffer {
  const containers = [...groups(rows, 2 ** 16)].map(([key, values]) => ({ key, values, isRun: kindOf(key) === 'run' }));
  const hasRuns = containers.some(({ isRun }) => isRun);
  const bodies = containers.map(({ values, isRun }) =>
    isRun ? runs(values) : values.length > 4096 ? bitmap(values) : u16(...values),
  );
  const keys = containers.flatMap(({ key, values }) => [key, values.length - 1]);
  const flags = Buffer.alloc(hasRuns ? Math.ceil(containers.length / 8) : 0);
  for (const [i, { isRun }] of containers.entries()) if (isRun) flags[i >> 3] = (flags[i >> 3] ?? 0) | (1 << (i & 7));
  const head = hasRuns ? u32(12_347 | ((containers.length - 1) << 16)) : u32(12_346, containers.length);
  const hasOffsets = !hasRuns || containers.length >= 4;
  let at = head.length + flags.length + keys.length * 2 + (hasOffsets ? containers.length * 4 : 0);
  const offsets = bodies.map((body) => {
    at += body.length;
    return at - body.length;
  });
  return Buffer.concat([head, flags, u16(...keys), hasOffsets ? u32(...offsets) : Buffer.alloc(0), ...bodies]);
}

function bitmap(values: readonly number[]): Buffer {
  const bits = Buffer.alloc(8192);
  for (const value of values) bits[value >> 3] = (bits[value >> 3] ?? 0) | (1 << (value & 7));
  return bits;
}

function runs(values: readonly number[]): Buffer {
  const found: [number, number][] = [];
  for (const value of values) {
    const last = found.at(-1);
    if (last !== undefined && value === last[0] + last[1] + 1) last[1]++;
    else found.push([value, 0]);
  }
  return u16(found.length, ...found.flat());
}
