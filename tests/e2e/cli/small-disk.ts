/** A disk that is soon full. */
import { execFileSync } from 'node:child_process';
import { Scratch } from './sluice.ts';

/** Runs work with a small file system at a folder. @example await onDiskOf('300k', async (disk) => { … }) */
export async function onDiskOf(size: string, work: (disk: string) => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('this test mounts a small file system, and needs root for that');
  const scratch = new Scratch();
  const disk = await scratch.folder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
  try {
    await work(disk);
  } finally {
    execFileSync('umount', [disk]);
    await scratch.remove();
  }
}
