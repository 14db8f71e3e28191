/**
 * Which files are worth being written anew as one.
 *
 * Promise: pure; files of one partition only, in the order in which they were added, so that rows which came together stay
 * together; what was compacted once is left alone until there is more to put beside it.
 */
import { stringifyJson } from '../../core/json.ts';
import type { AddFile } from '../log/actions.ts';

/** A file that is this much of the wanted size is large enough. */
const LARGE_ENOUGH = 0.75;

/** @example binsOf(snapshot.files, 128 * 2 ** 20) // [[a, b, c], [d, e]] */
export function binsOf(files: readonly AddFile[], targetBytes: number): AddFile[][] {
  const isLarge = (file: AddFile): boolean => Number(file.bytes) >= targetBytes * LARGE_ENOUGH;
  const worthIt = files.filter((file) => !isLarge(file) || file.deletionVector !== undefined);
  return [...partitionsOf(worthIt).values()].flatMap((partition) => packed(partition, targetBytes));
}

/** The files of each partition, in order. */
export function partitionsOf(files: readonly AddFile[]): Map<string, AddFile[]> {
  const partitions = new Map<string, AddFile[]>();
  for (const file of files) {
    const key = stringifyJson(Object.entries(file.partitionValues).sort(([a], [b]) => (a < b ? -1 : 1)));
    const partition = partitions.get(key) ?? [];
    partition.push(file);
    partitions.set(key, partition);
  }
  return partitions;
}

function packed(files: readonly AddFile[], targetBytes: number): AddFile[][] {
  const bins: AddFile[][] = [];
  let bin: AddFile[] = [];
  let bytes = 0;
  for (const file of files) {
    const size = Number(file.bytes);
    if (bin.length > 0 && bytes + size > targetBytes) {
      bins.push(bin);
      [bin, bytes] = [[], 0];
    }
    bin.push(file);
    bytes += size;
  }
  bins.push(bin);
  return bins.filter((some) => some.length > 1 || some.some(({ deletionVector }) => deletionVector !== undefined));
}

/**
 * Files of a partition in groups of like size, smallest first. Whoever writes a group anew once it has enough files writes each
 * byte a few times in all; with a large file that is written anew for each few small ones beside it, it would be very often.
 */
export function tiersOf(files: readonly AddFile[]): AddFile[][] {
  const tiers: AddFile[][] = [];
  let bytes = 0n;
  for (const file of [...files].sort((a, b) => Number(a.bytes - b.bytes))) {
    const tier = tiers.at(-1);
    if (tier === undefined || file.bytes > bytes * 2n) {
      tiers.push([file]);
      bytes = file.bytes;
    } else {
      tier.push(file);
      bytes += file.bytes;
    }
  }
  return tiers;
}
