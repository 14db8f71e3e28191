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
}

export function addPropertiesVerb({ io, globals, add }: Verbs): void {
  add('properties', 'list the table properties, or set some', [
    'sluice table properties silver.orders',
    'sluice table properties silver.orders --set delta.appendOnly=true',
  ])
    .option('--set <property>', 'key=value; may be repeated', collected)
    .addOption(machineFormat())
    .action(
      async (
        name: string,
        options: Pick<TableOptions, 'format'> & { readonly set?: readonly string[] },
        command: Command,
      ) => {
        await tableProperties(io, { ...globals(command), ...options, set: options.set ?? [], name });
      },
    );
}

/** Sets properties, in one commit, when there are any to set; then prints all of them. */
async function tableProperties(io: Io, options: PropertiesOptions): Promise<void> {
  const properties = Object.fromEntries(options.set.map(property));
  await withTable(io, options, async ({ table }) => {
    await table.snapshot();
    if (options.set.length > 0) {
      const result = await table.commit({
        operation: 'SET TBLPROPERTIES',
        mode: 'append',
        add: [],
        properties,
        operationParameters: { properties },
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
