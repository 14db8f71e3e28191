/**
 * SQL over the text of one JSON value: what DuckDB's JSON functions do not tell, or would change.
 *
 * DuckDB reads numbers as doubles, so long ones lose digits before anybody sees them. A document with such numbers is read
 * with them written as strings that start with U+0001 (and strings that do so by themselves get one more), so that each
 * number comes out as it was written.
 */

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
const TOKEN = `(?s)${STRING}|-?[0-9][-+.0-9eE]*|[^"0-9-]+`;
/** Numbers that a double may not hold (16 digits or more, or a large exponent), and -0, which is read as an integer. */
const LONG_NUMBER = '[0-9](?:\\.?[0-9]){15,}|[0-9][eE][-+]?[0-9]{3,}|-0(?:[^.0-9eE]|$)';
const MARK = '"\\u0001';

/** The text with each string emptied: the signs that are left are JSON's own. */
export function skeleton(text: string): string {
  return `regexp_replace(${text}, '(?s)${STRING}', '""', 'g')`;
}

/** Whether DuckDB's lenient parser has taken what RFC 8259 has not: a comma before a closing bracket, NaN, Infinity. */
export function isLenient(skeletonText: string): string {
  return `regexp_matches(${skeletonText}, ',[ \\t\\r\\n]*[\\]}]|[nN][aA][nN]|[iI][nN][fF]')`;
}

/** A valid document with its long numbers marked. */
export function marked(text: string, skeletonText: string): string {
  const mark =
    `CASE WHEN regexp_matches(t, '^-?[0-9]') AND regexp_matches(t, '${LONG_NUMBER}') THEN '${MARK}' || t || '"' ` +
    `WHEN starts_with(t, '${MARK}') THEN '${MARK}' || substring(t, 2) ELSE t END`;
  return (
    `CASE WHEN regexp_matches(${skeletonText}, '${LONG_NUMBER}') OR contains(${text}, '\\u0001') ` +
    `THEN ${eachToken(text, mark)} ELSE ${text} END`
  );
}

/** JSON text out of a marked document, as it was before. */
export function unmarked(json: string): string {
  const unmark =
    `CASE WHEN starts_with(t, '${MARK}\\u0001') THEN '"' || substring(t, 8) ` +
    `WHEN starts_with(t, '${MARK}') THEN substring(t, 8, length(t) - 8) ELSE t END`;
  return `CASE WHEN contains(${json}, '\\u0001') THEN ${eachToken(json, unmark)} ELSE ${json}::VARCHAR END`;
}

/** The name of a field in a marked document, as it was before. */
export function unmarkedName(name: string): string {
  return `CASE WHEN starts_with(${name}, chr(1)) THEN substring(${name}, 2) ELSE ${name} END`;
}

/** The number as it was written; NULL for anything else. */
export function numberText(json: string): string {
  return `nullif(regexp_extract(${json}, '^(?:"\\\\u0001)?(-?[0-9][-+.0-9eE]*)"?$', 1), '')`;
}

/** The text of a JSON string; NULL for anything else. */
export function stringText(json: string): string {
  return (
    `CASE WHEN starts_with(${json}, '${MARK}\\u0001') THEN substring(${json}->>'$', 2) ` +
    `WHEN starts_with(${json}, '"') AND NOT starts_with(${json}, '${MARK}') THEN ${json}->>'$' END`
  );
}

function eachToken(text: string, change: string): string {
  return `array_to_string(list_transform(regexp_extract_all(${text}, '${TOKEN}'), lambda t: ${change}), '')`;
}
