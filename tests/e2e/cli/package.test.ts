/** What npm makes of this repository: `npx sluice` right after `npm ci`, a package that works alone, and the scripts. */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { REPO } from '../../services/cache.ts';
import { shell } from './shell.ts';
import { Running, Scratch } from './sluice.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

interface Package {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
}

async function packageJson(): Promise<Package> {
  return JSON.parse(await readFile(join(REPO, 'package.json'), 'utf8')) as Package;
}

test('npx finds sluice in the clone, also from a project in a folder of it', async () => {
  const { version } = await packageJson();
  const inside = await scratch.folder(join(REPO, '.cache'));
  const { code, stdout } = await new Running('npx', ['--no-install', 'sluice', '--version'], { cwd: inside }).ended;
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${version}\n` });
});

test('the package has what runs and nothing else, and init works from it', async () => {
  const folder = await scratch.folder();
  const listed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: REPO,
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(listed) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(['dist/cli/main.js', 'dist/tables/index.d.ts', 'LICENSE', 'README.md']));
  expect(paths.filter((path) => /^(dist\/(tests|bench|scripts)|tests|demo-lake|\.)/.test(path))).toEqual([]);
  const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', archive], { cwd: folder });
  const installed = join(folder, 'node_modules', 'sluice');
  await mkdir(join(folder, 'node_modules'));
  await cp(join(folder, 'package'), installed, { recursive: true });
  await symlink(join(REPO, 'node_modules'), join(installed, 'node_modules'));
  const sluice = `'${process.execPath}' '${join(installed, 'dist', 'cli', 'main.js')}'`;
  const made = await shell([`${sluice} init shop`, `cd shop && ${sluice} check`], folder);
  expect(made.code, made.stderr).toBe(0);
  expect(made.stdout).toContain('7 flows are in order');
  expect(await readdir(join(folder, 'shop'))).toContain('.gitignore');
});

test('npm run kafka tells where the broker is, and ends with Ctrl-C', async () => {
  const { scripts } = await packageJson();
  const script = /node (\S+)$/.exec(scripts.kafka ?? '')?.[1] ?? '';
  const { brokers } = inject('kafka');
  const running = new Running(process.execPath, [join(REPO, script)], { env: { KAFKA_BROKERS: brokers.join(',') } });
  await running.prints(`export KAFKA_BROKERS=${brokers.join(',')}\n`);
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
});
