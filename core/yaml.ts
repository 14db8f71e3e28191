/**
 * A YAML file read through a zod schema.
 *
 * Promise: a wrong file gives one error with `file:line:column`, the line, and the nearest known name for a misspelt key; the
 * places of what was read can be asked for afterwards. No value of the file is in a message, beyond the line that it shows.
 */
import { isNode, isPair, isScalar, parseDocument, visit, type Document } from 'yaml';
import { z } from 'zod';
import { messageOf, type ErrorCode } from './errors.ts';
import type { SourceText, Span } from './source-text.ts';
import { nameAdvice } from './suggest.ts';

export interface YamlOptions {
  /** The code of the error for a wrong file. */
  readonly code: ErrorCode;
  /** Changes the document before it is checked, for instance to fill in variables. */
  readonly prepare?: (document: Document) => void;
}

export interface YamlFile<Value> {
  readonly value: Value;
  /** The nearest node of a path (`['features', 0, 'table']`) that the file really has. */
  readonly spanOf: (path: readonly PropertyKey[]) => Span;
}

/**
 * @throws SluiceError `options.code` with the place in the file.
 * @example parseYaml(new SourceText('a.yaml', 'n: 1'), z.strictObject({ n: z.int() }), { code: 'CONFIG_INVALID' }).value.n // 1
 */
export function parseYaml<Schema extends z.ZodType>(
  source: SourceText,
  schema: Schema,
  { code, prepare }: YamlOptions,
): YamlFile<z.output<Schema>> {
  const document = parseDocument(source.text, { prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const [start, end] = broken.pos;
    throw source.error(code, { start, end }, `this is not YAML: ${broken.message}`);
  }
  prepare?.(document);
  const parsed = schema.safeParse(plain(document, source, code) ?? {});
  if (parsed.success) return { value: parsed.data, spanOf: (path) => spanOf(document, path) };
  const { issues } = parsed.error;
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknown !== undefined) {
    const [key = ''] = unknown.keys;
    const known = knownKeys(schema, unknown.path);
    throw source.error(code, keySpan(document, [...unknown.path, key]), `unknown key ${key}`, {
      advice: nameAdvice(key, known, `Known here: ${known.join(', ')}.`),
    });
  }
  const path = issues[0]?.path ?? [];
  const where = path.length === 0 ? 'the file' : path.map(String).join('.');
  throw source.error(code, spanOf(document, path), `${where} ${issues[0]?.message ?? 'is not valid'}`);
}

/** One message for whatever is wrong with a value; values themselves are never shown. */
export function say(message: string): { error: (issue: { readonly input?: unknown }) => string } {
  return { error: (issue) => (issue.input === undefined ? 'is missing' : message) };
}

function plain(document: Document, source: SourceText, code: ErrorCode): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw source.error(code, { start: 0, end: 0 }, `this is not YAML: ${messageOf(error)}`, { cause: error });
  }
}

/** The keys that are known at a path of a schema. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at = schema;
  for (const step of path) {
    const inner = bare(at);
    if (inner instanceof z.ZodRecord) at = inner.valueType as z.ZodType;
    else if (inner instanceof z.ZodArray) at = inner.element as z.ZodType;
    else at = shapeOf(inner)[String(step)] ?? inner;
  }
  return Object.keys(shapeOf(bare(at)));
}

function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return schema instanceof z.ZodObject ? schema.shape : {};
}

function bare(schema: z.ZodType): z.ZodType {
  const wrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return wrapped ? bare(schema.unwrap() as z.ZodType) : schema;
}

function spanOf(document: Document, path: readonly PropertyKey[]): Span {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return { start: node.range[0], end: node.range[1] };
  }
  return { start: 0, end: 0 };
}

function keySpan(document: Document, path: readonly PropertyKey[]): Span {
  const parent = document.getIn(path.slice(0, -1), true);
  let found: Span | undefined;
  visit(document, {
    Pair: (_, pair, ancestors) => {
      if (ancestors.at(-1) !== (path.length === 1 ? document.contents : parent)) return;
      if (!isPair(pair) || !isScalar(pair.key) || String(pair.key.value) !== String(path.at(-1))) return;
      const range = pair.key.range;
      if (range) found = { start: range[0], end: range[1] };
    },
  });
  return found ?? spanOf(document, path);
}
