/** How many rows met each expectation of a table, added up over its commits. */
import { join } from 'node:path';
import { formatCount } from '../cli/format.ts';
import type { Style } from '../cli/style.ts';
import { textTable } from '../cli/text-table.ts';
import { systemClock } from '../core/clock.ts';
import { isJsonObject } from '../core/json.ts';
import { systemRandom } from '../core/random.ts';
import { Engine } from '../engine/engine.ts';
import { DeltaTable } from '../tables/index.ts';

interface Tally {
  passed: number;
  failed: number;
  action: string;
}

const ACTIONS: Readonly<Record<string, string>> = { warn: 'kept, counted', drop: 'dropped', fail: 'the flow stops' };

/** @param table as `silver.orders` */
export async function qualityTable(lake: string, table: string, style: Style): Promise<string> {
  const tallies = await tally(join(lake, ...table.split('.')));
  return textTable(
    [
      { title: 'expectation' },
      { title: 'rows that met it', align: 'right' },
      { title: 'that did not', align: 'right' },
      { title: 'which are' },
    ],
    [...tallies].map(([name, { passed, failed, action }]) => [
      { text: name, paint: style.bold },
      formatCount(passed),
      { text: formatCount(failed), paint: failed > 0 ? style.yellow : style.green },
      ACTIONS[action] ?? action,
    ]),
    style,
  );
}

async function tally(location: string): Promise<Map<string, Tally>> {
  const engine = await Engine.open();
  try {
    const commits = await DeltaTable.at(location, { engine, clock: systemClock, random: systemRandom }).history();
    const tallies = new Map<string, Tally>();
    for (const { info } of commits) {
      const expectations = info['expectations'];
      if (!isJsonObject(expectations)) continue;
      for (const [name, counted] of Object.entries(expectations)) {
        if (!isJsonObject(counted)) continue;
        const sum = tallies.get(name) ?? { passed: 0, failed: 0, action: '' };
        sum.passed += Number(counted['passed']);
        sum.failed += Number(counted['failed']);
        if (typeof counted['action'] === 'string') sum.action = counted['action'];
        tallies.set(name, sum);
      }
    }
    return tallies;
  } finally {
    engine.close();
  }
}
