/**
 * What an action says about the rows of its file that are deleted: where the set of them lies, and how large it is.
 *
 * Source: Delta protocol, "Deletion Vector Descriptor Schema".
 */
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

export interface DeletionVector {
  /** `u`: a file of the table, `i`: in the log, `p`: a file by its absolute path. */
  readonly storageType: 'u' | 'i' | 'p';
  readonly pathOrInlineDv: string;
  /** Where it begins in its file. */
  readonly offset?: number;
  readonly sizeInBytes: number;
  /** How many rows are deleted. */
  readonly cardinality: bigint;
}

/** Tells one state of a file from another: a file with other deleted rows is another logical file. */
export function logicalFileKey({ path, deletionVector }: LogicalFile): string {
  if (deletionVector === undefined) return path;
  const { storageType, pathOrInlineDv, offset } = deletionVector;
  return `${path}\n${storageType}${pathOrInlineDv}${offset === undefined ? '' : `@${String(offset)}`}`;
}

interface LogicalFile {
  readonly path: string;
  readonly deletionVector?: DeletionVector;
}

/** @throws SyntaxError for what is no descriptor */
export function deletionVectorFromJson(json: Json | undefined): DeletionVector | undefined {
  if (!isJsonObject(json)) return undefined;
  const { storageType, pathOrInlineDv, offset, sizeInBytes, cardinality } = json;
  const isWhole =
    (storageType === 'u' || storageType === 'i' || storageType === 'p') &&
    typeof pathOrInlineDv === 'string' &&
    isCount(sizeInBytes) &&
    isCount(cardinality);
  if (!isWhole)
    throw new SyntaxError('a deletion vector without storageType, pathOrInlineDv, sizeInBytes or cardinality');
  return {
    storageType,
    pathOrInlineDv,
    ...(isCount(offset) ? { offset: Number(offset) } : {}),
    sizeInBytes: Number(sizeInBytes),
    cardinality: BigInt(cardinality),
  };
}

export function deletionVectorToJson(vector: DeletionVector | undefined): JsonObject | undefined {
  return vector && { ...vector };
}

function isCount(value: Json | undefined): value is number | bigint {
  return (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) && value >= 0;
}
