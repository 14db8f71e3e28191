/** `sluice table properties`: what a table says of how it wants to be treated. */
import type { Command } from 'commander';
import { SluiceError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import { write, type Io } from '../io.ts';
import { withTable } from '../open-table.ts';
import { machineFormat } from '../options.ts';
import { collected } from './arguments.ts';
import type { TableOptions, Verbs } from './verb.ts';

interface PropertiesOptions extends TableOptions {
  /** `key=value` */
  readonly set: readonly string[];
  readonly unset: readonly string[];
}

export function addPropertiesVerb({ io, globals, add }: Verbs): void {
  add('properties', 'list the table properties, or set or unset some', [
    'sluice table properties silver.orders',
    'sluice table properties silver.orders --set delta.appendOnly=true',
    'sluice table properties silver.orders --unset delta.appendOnly',
  ])
    .option('--set <property>', 'key=value; may be repeated', collected)
    .option('--unset <key>', 'a property to take away; may be repeated', collected)
    .addOption(machineFormat())
    .action(
      async (
        name: string,
        options: Pick<TableOptions, 'format'> & Partial<Pick<PropertiesOptions, 'set' | 'unset'>>,
        command: Command,
      ) => {
        await tableProperties(io, {
          ...globals(command),
          ...options,
          set: options.set ?? [],
          unset: options.unset ?? [],
          name,
        });
      },
    );
}

/** Sets or unsets properties, in one commit, when there are any to set; then prints all of them. */
async function tableProperties(io: Io, options: PropertiesOptions): Promise<void> {
  const properties = Object.fromEntries(options.set.map(property));
  const { unset } = options;
  if (options.set.length > 0 && unset.length > 0) {
    throw new SluiceError('USAGE', '--set and --unset are two commits', { advice: 'Run the command once for each.' });
  }
  await withTable(io, options, async ({ table }) => {
    const before = await table.snapshot();
    const missing = unset.filter((key) => !Object.hasOwn(before.properties, key));
    if (missing.length > 0) {
      throw new SluiceError('USAGE', `${options.name} has no property ${missing.join(', ')}`, {
        advice: 'List the properties without --unset. Upper and lower case count.',
        facts: { table: options.name, properties: missing },
      });
    }
    if (options.set.length > 0 || unset.length > 0) {
      const result = await table.commit({
        mode: 'append',
        add: [],
        ...(unset.length > 0
          ? { operation: 'UNSET TBLPROPERTIES', unset, operationParameters: { properties: unset, ifExists: false } }
          : { operation: 'SET TBLPROPERTIES', properties, operationParameters: { properties } }),
      });
      if (result.kind === 'conflict') {
        throw new SluiceError('COMMIT_CONTENTION', `${options.name}: ${result.reason.message} meanwhile`, {
          advice: 'Nothing was changed. Look at the properties, and set them again.',
          facts: { table: options.name, version: result.reason.version },
        });
      }
    }
    const now = await table.snapshot();
    const all = Object.entries(now.properties).sort(([a], [b]) => (a < b ? -1 : 1));
    const json = { table: options.name, version: now.version, properties: Object.fromEntries(all) };
    const text = all.map(([key, value]) => `  ${key} = ${value}\n`).join('');
    const head = `${options.name}@${String(now.version)}:${all.length === 0 ? ' no properties' : ''}\n`;
    await write(io.stdout, options.format === 'json' ? `${stringifyJson(json)}\n` : head + text);
  });
}

/** `delta.appendOnly=true` → ['delta.appendOnly', 'true'] */
function property(text: string): [string, string] {
  const match = /^\s*([^\s=]+)\s*=\s*([^]*?)\s*$/.exec(text);
  const [, key = '', value = ''] = match ?? [];
  if (match !== null && value !== '') return [key, value];
  throw new SluiceError('USAGE', `not a property: ${text}`, { advice: 'Write it as --set delta.appendOnly=true.' });
}
