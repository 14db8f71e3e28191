/**
 * Does work for each item, so many at once, and gives the results in the order of the items.
 * @example await atOnce(paths, 32, (path) => store.head(path))
 */
export async function atOnce<T, R>(items: readonly T[], many: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += many) {
    results.push(...(await Promise.all(items.slice(i, i + many).map(work))));
  }
  return results;
}
