/**
 * Python with the packages of requirements.txt (delta-rs, Spark, Arrow) in a virtual environment of the repository's own.
 *
 * Promise: nothing outside `.cache/python` is changed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtOnce, REPO } from './cache.ts';
import { runCommand } from './command.ts';

const ADVICE =
  'The interop tests need Python 3.11 or newer with its venv module (Debian: apt-get install python3-venv), ' +
  'and pip must reach a package index.';

/**
 * The Python of the environment, installed when it is not there yet (about 500 MB, some minutes).
 * @example await runCommand(await python(), ['script.py'], { advice: 'Look at the script.' })
 */
export async function python(): Promise<string> {
  const requirements = join(REPO, 'tests', 'services', 'requirements.txt');
  const folder = await builtOnce('python', await readFile(requirements, 'utf8'), async (environment) => {
    await runCommand('python3', ['-m', 'venv', environment], { advice: ADVICE });
    await runCommand(
      pythonOf(environment),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements],
      { advice: ADVICE },
    );
  });
  return pythonOf(folder);
}

function pythonOf(environment: string): string {
  return join(environment, 'bin', 'python');
}
