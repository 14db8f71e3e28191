/** `column = expression`, as options take it. */
import { SluiceError } from '../../core/errors.ts';

/** An option that was repeated, by column. @param option its name, for messages */
export function assignments(option: string, texts: readonly string[]): Record<string, string> {
  const pairs = texts.map((text) => assignment(option, text));
  const twice = pairs.find(([column], i) => pairs.findIndex(([other]) => other === column) !== i);
  if (twice !== undefined) {
    throw new SluiceError('USAGE', `the column ${twice[0]} is set twice`, { advice: 'Leave one of the two out.' });
  }
  return Object.fromEntries(pairs);
}

/** `amount = amount * 2` → ['amount', 'amount * 2'] */
function assignment(option: string, text: string): [string, string] {
  const match = /^\s*(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_]*))\s*=(?!=)([^]*\S[^]*)$/u.exec(text);
  if (match === null) {
    throw new SluiceError('USAGE', `not an assignment: ${text}`, {
      advice: `Write it as ${option} "amount = amount * 2"; a name with other characters as ${option} '"odd name" = 1'.`,
    });
  }
  const [, quoted, plain = '', value = ''] = match;
  return [quoted?.replaceAll('""', '"') ?? plain, value.trim()];
}
