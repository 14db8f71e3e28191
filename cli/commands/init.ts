/**
 * `sluice init DIR`: a working project to start from, the one of examples/shop.
 *
 * Promise: nothing that is there is overwritten; when a file cannot be written, those written before are taken back.
 */
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { SluiceError, systemCodeOf } from '../../core/errors.ts';
import { configJsonSchema } from '../../transforms/config.ts';
import { write, type Io } from '../io.ts';
import { packageFolder } from '../package.ts';

/** npm leaves files named .gitignore out of packages, so the template has another name. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** What editors check sluice.yaml with, made from the same definition that sluice reads it with. */
const SCHEMA_FILE = 'sluice.schema.json';

/** A version control folder may be there already. */
const ALLOWED = new Set(['.git']);

/**
 * @throws SluiceError `USAGE` when the folder has something in it, `STORAGE_*` when it cannot be written.
 */
export async function init(io: Io, directory: string): Promise<void> {
  const folder = resolve(io.cwd, directory);
  const files = await writeProject(folder);
  const { bold, dim } = io.style;
  const shown = relative(io.cwd, folder);
  const steps = [
    ...(shown === '' ? [] : [`cd ${shown}`]),
    'npx sluice run --available-now',
    'npx sluice sql "SELECT * FROM gold.revenue_by_day ORDER BY 1"',
    'npx sluice features export churn -o out/',
  ];
  await write(
    io.stdout,
    `Made a project in ${bold(folder)}\n${files.map((file) => `  ${dim(file)}\n`).join('')}\nNext:\n` +
      steps.map((step) => `  ${step}\n`).join(''),
  );
}

/** Writes the template into an empty or new folder. @returns the files, relative to the folder. */
export async function writeProject(folder: string): Promise<string[]> {
  await refuseUsed(folder);
  const template = join(packageFolder(), 'examples', 'shop');
  const entries = await readdir(template, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(template, join(entry.parentPath, entry.name)))
    .sort();
  const made: string[] = [];
  try {
    for (const file of files) {
      const target = join(folder, RENAMED[file] ?? file);
      const first = await mkdir(dirname(target), { recursive: true });
      if (first !== undefined) made.push(first);
      made.push(target);
      await copyFile(join(template, file), target);
    }
    made.push(join(folder, SCHEMA_FILE));
    await writeFile(join(folder, SCHEMA_FILE), `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
  } catch (error) {
    for (const path of made.reverse()) await rm(path, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
  return [...files.map((file) => RENAMED[file] ?? file), SCHEMA_FILE].sort();
}

async function refuseUsed(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return;
    if (systemCodeOf(error) === 'ENOTDIR') {
      throw new SluiceError('USAGE', `${folder} is a file`, { advice: 'Name a new or empty folder.', cause: error });
    }
    throw error;
  }
  const inTheWay = names.filter((name) => !ALLOWED.has(name)).sort();
  if (inTheWay.length === 0) return;
  const shown =
    inTheWay.slice(0, 5).join(', ') + (inTheWay.length > 5 ? ` and ${String(inTheWay.length - 5)} more` : '');
  throw new SluiceError('USAGE', `${folder} is not empty: it has ${shown}`, {
    advice: 'Name a new or empty folder; init overwrites nothing.',
    facts: { folder, files: inTheWay },
  });
}
