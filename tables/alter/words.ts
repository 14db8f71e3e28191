/** How Delta's history tells of an alteration. Source: Delta, `DeltaOperations`. */
import { typeToJson, type Field } from '../../core/schema.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Position } from './alteration.ts';
import { pathText } from './path.ts';

export function columnWords(parent: readonly string[], column: Field, position: Position | undefined): JsonObject {
  const { name, type, nullable, metadata } = column;
  const json = typeToJson(type);
  const typeName = typeof json === 'string' ? json : type.kind;
  return {
    column: { name: pathText([...parent, name]), type: typeName, nullable, metadata },
    ...(position === undefined ? {} : { position: positionWords(position) }),
  };
}

function positionWords(position: Position): string {
  if (position === 'first') return 'FIRST';
  const { after } = position;
  return `AFTER ${/^\w+$/.test(after) ? after : `\`${after.replaceAll('`', '``')}\``}`;
}
