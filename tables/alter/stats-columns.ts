/** `delta.dataSkippingStatsColumns` names columns: it goes with them. Source: Delta, `StatisticsCollection.renameDeltaStatsColumn`. */
import type { Metadata } from '../log/actions.ts';
import { pathText } from './path.ts';

const KEY = 'delta.dataSkippingStatsColumns';

/** @param to undefined when the column is dropped */
export function statsColumnsWith(
  { configuration }: Metadata,
  from: readonly string[],
  to: readonly string[] | undefined,
): Metadata['configuration'] {
  const listed = configuration[KEY];
  if (listed === undefined) return configuration;
  const wanted = pathText(from).toLowerCase();
  const names = listed.split(',').flatMap((text) => {
    const name = text.trim();
    const isInside = name.toLowerCase().startsWith(`${wanted}.`);
    if (name.toLowerCase() !== wanted && !isInside) return [name];
    return to === undefined ? [] : [`${pathText(to)}${name.slice(wanted.length)}`];
  });
  return { ...configuration, [KEY]: names.join(',') };
}
