/**
 * The query of a statement: which stream and which tables it reads, and the same query over other relations.
 *
 * Promise: DuckDB's own parser says what is a table; names of common table expressions, strings and comments are never taken
 * for one. The user's text is changed only where it must be, so every complaint of DuckDB has its place in the file.
 */
import { applyEdits, type Edit, type EditedText } from '../../core/edits.ts';
import type { SluiceError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Span } from '../../core/source-text.ts';
import { isKeyword, isSymbol, tokenize, type Token } from '../../core/sql-tokens.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { tableFunctions, tableRefs, utf8Offsets, walk, type TableRef } from '../../engine/tree.ts';
import { Cursor } from './cursor.ts';
import { dialectEdits } from './dialect.ts';
import { atQuery } from './engine-errors.ts';
import type { Script } from './script.ts';
import { hiddenColumnEdits, STREAM_NAME } from './stars.ts';
import { findStreams, type StreamUse } from './stream-use.ts';
import { refuseUnsupported } from './unsupported.ts';

/** A table that a query names. Its offsets are those of the script. */
export interface TableUse extends Span {
  readonly parts: readonly string[];
}

/** What stands for a relation in the text that DuckDB's parser reads. */
interface Site extends Span {
  /** Undefined: the stream. */
  readonly use: TableUse | undefined;
  /** The name that it has for the rest of the query; undefined when the user gives an alias. */
  readonly alias: string | undefined;
}

export class Body {
  readonly script: Script;
  readonly tokens: readonly Token[];
  readonly stream: StreamUse | undefined;
  readonly tables: readonly TableUse[];
  /** DuckDB's tree of the query, in which the stream is a table named `STREAM_NAME`. */
  readonly tree: JsonObject;
  readonly #parsed: EditedText;
  readonly #sites: readonly Site[];
  readonly #prefixes: readonly Span[];
  readonly #start: number;

  private constructor(parts: {
    script: Script;
    tokens: readonly Token[];
    stream: StreamUse | undefined;
    tree: JsonObject;
    parsed: EditedText;
  }) {
    this.script = parts.script;
    this.tokens = parts.tokens;
    this.stream = parts.stream;
    this.tree = parts.tree;
    this.#parsed = parts.parsed;
    this.#start = parts.tokens[0]?.start ?? 0;
    const { sites, prefixes } = this.#locate(tokenize(parts.parsed.text), utf8Offsets(parts.parsed.text));
    this.#sites = sites;
    this.#prefixes = prefixes;
    this.tables = sites.flatMap((site) => site.use ?? []);
  }

  /**
   * @param tokens the query, out of the script's
   * @throws SluiceError `SQL_SYNTAX`, `STREAMING_MISUSE` for a second stream, each with its place.
   */
  static async read(script: Script, tokens: readonly Token[], session: Session): Promise<Body> {
    for (let i = 0; i < tokens.length; i++) refuseUnsupported(new Cursor(script, tokens.slice(i, i + 4)), 'query');
    const start = tokens[0]?.start ?? 0;
    const [stream, second] = findStreams(script, tokens);
    if (second !== undefined) {
      throw script.error('STREAMING_MISUSE', second, 'a query reads one STREAM at most', {
        advice:
          'Read one of them as a plain table, or land each in a table of its own and join those in a MATERIALIZED VIEW.',
      });
    }
    const edits: Edit[] = dialectEdits(tokens.filter((token) => !isWithin(token, stream)));
    if (stream !== undefined) edits.push({ start: stream.start, end: stream.end, text: STREAM_NAME });
    const text = script.text.slice(start, tokens.at(-1)?.end ?? start);
    const parsed = applyEdits(text, edits.map((e) => ({ ...e, start: e.start - start, end: e.end - start }))); // prettier-ignore
    const originOf = (position: number): number => start + parsed.originOf(position);
    const tree = await session.serialize(parsed.text).catch((error: unknown) => {
      throw atQuery(notSelect(error, script, tokens), { script, tokens, originOf });
    });
    const body = new Body({ script, tokens, stream, tree, parsed });
    body.#refuseFiles();
    return body;
  }

  /** Whether the query names a column, anywhere in its own text. */
  mentions(column: string): boolean {
    return this.tokens.some(
      (token) =>
        !isWithin(token, this.stream) && token.kind !== 'string' && token.value.toLowerCase() === column.toLowerCase(),
    );
  }

  /**
   * The query with relations in the place of its stream and tables.
   * @param hidden a column of the stream that `*` leaves out
   */
  compile(relations: {
    readonly stream: string | undefined;
    readonly hidden: string | undefined;
    readonly table: (use: TableUse) => string;
  }): EditedText {
    const edits: Edit[] = this.#prefixes.map((prefix) => ({ start: prefix.start, end: prefix.end, text: '' }));
    for (const { use, alias, start, end } of this.#sites) {
      const relation = use === undefined ? (relations.stream ?? STREAM_NAME) : relations.table(use);
      edits.push({ start, end, text: alias === undefined ? relation : `${relation} AS ${quoteIdent(alias)}` });
    }
    if (relations.hidden !== undefined && this.stream !== undefined && this.mentions(relations.hidden)) {
      edits.push(...hiddenColumnEdits(this.#parsed.text, this.tree, relations.hidden, this.#streamAlias()));
    }
    const compiled = applyEdits(this.#parsed.text, edits);
    return {
      text: compiled.text,
      originOf: (offset) => this.#start + this.#parsed.originOf(compiled.originOf(offset)),
    };
  }

  /** An error at some part of the query, or at its beginning. */
  error(code: SluiceError['code'], at: Span | undefined, what: string, advice?: string): SluiceError {
    return this.script.error(code, at ?? this.tokens[0] ?? { start: 0, end: 0 }, what, { advice });
  }

  /** The place of a node of `tree`, in the script. */
  spanOf(location: number | undefined): Span | undefined {
    if (location === undefined) return undefined;
    const start = this.#start + this.#parsed.originOf(utf8Offsets(this.#parsed.text)(location));
    return this.tokens.find((token) => token.end > start);
  }

  #streamAlias(): string {
    return this.#sites.find((site) => site.use === undefined)?.alias ?? '';
  }

  #locate(tokens: readonly Token[], offsetOf: (byte: number) => number): { sites: Site[]; prefixes: Span[] } {
    const tokenAt = new Map(tokens.map((token, i) => [token.start, i]));
    const sites: Site[] = [];
    const prefixes = new Map<number, Span>();
    for (const ref of tableRefs(this.tree)) {
      const parts = [ref.catalog, ref.schema, ref.name].filter((part) => part !== '');
      const first = ref.location === undefined ? undefined : tokenAt.get(offsetOf(ref.location));
      const from = first === undefined ? undefined : tokens[first];
      const last = first === undefined ? undefined : tokens[first + 2 * (parts.length - 1)];
      if (from === undefined || last === undefined || first === undefined) throw this.#noSite(ref);
      sites.push(this.#site(ref, parts, from.start, last.end, tokens[first - 1]));
    }
    walk(this.tree, new Set(), (node) => {
      const { column_names: names, query_location: location } = node;
      if (node['class'] !== 'COLUMN_REF' || !Array.isArray(names) || typeof location !== 'number') return;
      const [schema, table] = names.map((name) => String(name).toLowerCase());
      const known = sites.some(
        ({ use, alias }) => alias !== undefined && use?.parts.length === 2 && sameName(use.parts, [schema, table]),
      );
      const first = tokenAt.get(offsetOf(location)) ?? -1;
      const [from, next] = [tokens[first], tokens[first + 2]];
      if (names.length > 2 && known && from !== undefined && next !== undefined) {
        prefixes.set(from.start, { start: from.start, end: next.start });
      }
    });
    return { sites, prefixes: [...prefixes.values()] };
  }

  #site(ref: TableRef, parts: readonly string[], start: number, end: number, before: Token | undefined): Site {
    const isStream = ref.schema === '' && ref.name === STREAM_NAME;
    const origin = {
      start: this.#start + this.#parsed.originOf(start),
      end: this.#start + this.#parsed.originOf(end - 1) + 1,
    };
    const use = isStream ? undefined : { parts, ...origin };
    if (ref.at !== undefined) {
      throw this.error(
        'SQL_INVALID',
        use,
        'a pipeline has no time travel',
        'It reads the newest version of each input.',
      );
    }
    if (isKeyword(before, 'TABLE') || isKeyword(before, 'DESCRIBE') || isKeyword(before, 'SUMMARIZE')) {
      throw this.error(
        'SQL_SYNTAX',
        use,
        `a pipeline has no ${before?.text.toUpperCase() ?? ''} query`,
        'Write SELECT * FROM …',
      );
    }
    const name = isStream ? streamName(this.stream) : ref.name;
    return { use, start, end, alias: ref.node['alias'] === '' ? name : undefined };
  }

  #noSite(ref: TableRef): SluiceError {
    return this.error(
      'SQL_INVALID',
      undefined,
      `the table ${ref.name} is read in a form that sluice cannot follow`,
      'Read it in a WITH clause: WITH t AS (SELECT * FROM …).',
    );
  }

  /** Rows that a pipeline reads come from tables and streams, whose versions a commit can name. */
  #refuseFiles(): void {
    for (const { name, location } of tableFunctions(this.tree)) {
      const lower = name.toLowerCase();
      if (lower === 'read_kafka' || lower === 'generate') {
        throw this.error(
          'STREAMING_MISUSE',
          this.spanOf(location),
          `${name} is a stream`,
          `Write STREAM ${name}(…), in a STREAMING TABLE.`,
        );
      }
      if (lower.startsWith('read_') || lower.endsWith('_scan') || lower === 'glob' || lower === 'sniff_csv') {
        throw this.error(
          'SQL_INVALID',
          this.spanOf(location),
          `a pipeline does not read files: ${name}`,
          'What it reads are tables of the lake and streams, whose versions each commit names.',
        );
      }
    }
  }
}

function isWithin(token: Span, span: Span | undefined): boolean {
  return span !== undefined && token.start >= span.start && token.end <= span.end;
}

function sameName(a: readonly string[], b: readonly (string | undefined)[]): boolean {
  return a.length === b.length && a.every((part, i) => part.toLowerCase() === b[i]);
}

function streamName(stream: StreamUse | undefined): string {
  if (stream === undefined) return STREAM_NAME;
  return stream.kind === 'table' ? (stream.table.parts.at(-1) ?? STREAM_NAME) : stream.name.value;
}

/** DuckDB serializes nothing but SELECT; it says "not implemented" of the rest. */
function notSelect(error: unknown, script: Script, tokens: readonly Token[]): unknown {
  const isOther = error instanceof Error && /Only SELECT statements can be serialized/.test(error.message);
  if (!isOther || tokens[0] === undefined) return error;
  const pivot = tokens.find((token) => isKeyword(token, 'PIVOT') || isKeyword(token, 'UNPIVOT'));
  return pivot === undefined || isSymbol(pivot, '(')
    ? script.error('SQL_SYNTAX', tokens[0], 'the query after AS must be a SELECT')
    : script.error('SQL_SYNTAX', pivot, 'PIVOT must name its columns', {
        advice: 'Write FROM t PIVOT (sum(x) FOR y IN (1, 2)): a table has fixed columns.',
      });
}
