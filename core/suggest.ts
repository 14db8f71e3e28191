/** "Did you mean …?": the nearest known name to a misspelt one, and the names that there are. */

/** So many names are listed. */
const LISTED = 20;

/**
 * What to do about a name that is not known: the one that was meant, else those that there are.
 * @param otherwise said when none is near, instead of the list
 * @example nameAdvice('amout', ['amount', 'ts']) // 'Did you mean amount?'
 */
export function nameAdvice(name: string, names: readonly string[], otherwise?: string): string {
  return didYouMean(name, names) ?? otherwise ?? listed(names) ?? 'There are none.';
}

/** As `nameAdvice`, undefined when no name is near. */
export function didYouMean(name: string, names: Iterable<string>): string | undefined {
  const near = suggest(name, names);
  return near === undefined ? undefined : `Did you mean ${near}?`;
}

/** @example listed(['a', 'b']) // 'There are: a, b.' */
export function listed(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return `There are: ${names.slice(0, LISTED).join(', ')}${names.length > LISTED ? ', …' : ''}.`;
}

/**
 * The candidate nearest to `name` by edit distance, or undefined when none is near enough to be a slip of the finger.
 * @example suggest('amout', ['amount', 'ts']) // 'amount'
 */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitute, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
