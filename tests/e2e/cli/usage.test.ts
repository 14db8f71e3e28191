import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { REPO } from '../../services/cache.ts';
import { Scratch, sluice } from './sluice.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const COMMANDS = [
  'init', 'run', 'sql', 'tables', 'history', 'features', 'features list', 'features export', 'check',
  'table', 'table delete', 'table update', 'table optimize', 'table vacuum', 'table check', 'table properties', 'table restore', 'table alter',
]; // prettier-ignore

test('--version is the version of the package, and nothing else', async () => {
  const { version } = JSON.parse(await readFile(join(REPO, 'package.json'), 'utf8')) as { version: string };
  expect(await sluice(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('every command has help with its options, on stdout', async () => {
  for (const command of ['', ...COMMANDS]) {
    const { code, stdout, stderr } = await sluice([...command.split(' ').filter(Boolean), '--help']);
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: sluice${command === '' ? '' : ` ${command}`}`);
    expect(stdout).not.toContain('undefined');
  }
  const { stdout } = await sluice(['--help']);
  expect(stdout).toContain('Examples:');
  expect(stdout).toContain('--project <dir>');
});

test.each([
  [[], 'no command was named'],
  [['features'], 'no command was named'],
  [['tabels'], "unknown command 'tabels'\n(Did you mean tables?)"],
  [['sql', '--fromat', 'csv'], "unknown option '--fromat'\n(Did you mean --format?)"],
  [['sql', '--format', 'xml', 'SELECT 1'], 'Allowed choices are table, json, jsonl, csv.'],
  [['history'], "missing required argument 'table'"],
  [['history', 'a.b', '--limit', '0'], 'not a whole number of at least 1: 0'],
  [['table'], 'no command was named'],
  [['table', 'delete', 'a.b'], 'which rows to delete was not said'],
  [['table', 'update', 'a.b', '--set', 'x = 1'], 'which rows to update was not said'],
  [['table', 'update', 'a.b', '--set', 'x', '--all'], 'not an assignment: x'],
  [['table', 'delete', 'a.b', '--all', '--where', 'true'], '--all and --where exclude each other'],
  [['table', 'properties', 'a.b', '--set', 'x'], 'not a property: x'],
  [['table', 'alter', 'a.b'], 'what to alter was not said'],
  [['table', 'alter', 'a.b', '--drop-column', 'x', '--comment', 'y'], 'several kinds of change at once'],
  [['table', 'alter', 'a.b', '--add-column', 'x'], 'not understood: x'],
  [['table', 'alter', 'a.b', '--add-column', 'x AFTER y'], 'not understood: x AFTER y'],
  [['table', 'alter', 'a.b', '--rename-column', 'x'], 'not understood: x'],
  [['table', 'alter', 'a.b', '--alter-column', 'x SET NULL'], 'not understood: x SET NULL'],
  [['table', 'alter', 'a.b', '--add-constraint', 'a == 1'], 'not understood: a == 1'],
  [['table', 'restore', 'a.b'], 'name either a version or a time'],
  [['table', 'restore', 'a.b', '--timestamp-as-of', 'noon'], 'not a time: noon'],
  [['table', 'restore', 'a.b', '--timestamp-as-of', '2026-02-31'], 'not a time: 2026-02-31'],
  [['table', 'update', 'a.b', '--set', 'x = 1', '--set', 'x = 2', '--all'], 'the column x is set twice'],
  [['table', 'update', '--set', 'x == 1', 'a.b', '--all'], 'not an assignment: x == 1'],
  [['table', 'vacuum', 'a.b', '--retain-hours', 'x'], 'not a number of hours: x'],
  [['features', 'export', 'churn'], "required option '-o, --out <dir>' not specified"],
  [['init', 'a', 'b'], 'too many arguments'],
  [['sql', 'SELECT 1', '-f', 'x.sql'], 'a query on the command line and a file too'],
  [['sql', '-f', 'not-there.sql'], 'cannot read not-there.sql'],
])('a wrong command line is exit code 2 and one error: %j', async (args, message) => {
  const { code, stdout, stderr } = await sluice(args, { cwd: await scratch.folder() });
  expect(stderr).toContain('error[USAGE]: ');
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/\n→ .+\n$/);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('commands that need a project say so where there is none', async () => {
  const cwd = await scratch.folder();
  for (const args of [
    ['run'],
    ['tables'],
    ['history', 'a.b'],
    ['check'],
    ['features', 'list'],
    ['sql', '--project', 'x', 'SELECT 1'],
  ]) {
    const { code, stdout, stderr } = await sluice(args, { cwd });
    expect({ args, code, stdout }).toEqual({ args, code: 3, stdout: '' });
    expect(stderr).toContain('error[CONFIG_INVALID]: no sluice.yaml in ');
    expect(stderr).toContain('sluice init');
  }
});

test('the nearest project upwards is found, and --project names another, before or after the command', async () => {
  const root = await scratch.folder();
  await mkdir(join(root, 'project', 'deep', 'er'), { recursive: true });
  await writeFile(join(root, 'project', 'sluice.yaml'), 'lake: my-tables\n');
  const expected = {
    code: 0,
    stdout: expect.stringContaining(join(root, 'project', 'my-tables')) as string,
    stderr: '',
  };
  expect(await sluice(['tables'], { cwd: join(root, 'project', 'deep', 'er') })).toEqual(expected);
  expect(await sluice(['tables', '--project', 'project'], { cwd: root })).toEqual(expected);
  expect(await sluice(['--project', 'project', 'tables'], { cwd: root })).toEqual(expected);
  expect(await readdir(join(root, 'project'))).toEqual(['deep', 'sluice.yaml']);
});

test('init overwrites nothing and names what is in the way', async () => {
  const cwd = await scratch.folder();
  await mkdir(join(cwd, 'used'));
  await writeFile(join(cwd, 'used', 'sluice.yaml'), 'mine\n');
  await writeFile(join(cwd, 'file'), '');
  const refused = await sluice(['init', 'used'], { cwd });
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('is not empty: it has sluice.yaml');
  expect(await readdir(join(cwd, 'used'))).toEqual(['sluice.yaml']);
  expect(await readFile(join(cwd, 'used', 'sluice.yaml'), 'utf8')).toBe('mine\n');
  expect(await sluice(['init', 'file'], { cwd })).toMatchObject({ code: 2, stdout: '' });
});

test('init takes an empty folder, one with .git, and the folder it stands in', async () => {
  const cwd = await scratch.folder();
  await mkdir(join(cwd, '.git'));
  const { code, stdout } = await sluice(['init', '.'], { cwd });
  expect(code).toBe(0);
  expect(stdout).not.toContain('cd ');
  expect((await readdir(cwd)).sort()).toEqual(
    ['.git', '.gitignore', 'README.md', 'features', 'pipelines', 'sluice.schema.json', 'sluice.yaml'].sort(),
  );
});
