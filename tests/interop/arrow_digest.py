"""What a peer says of a table, in a form that tests/interop/digest.ts makes from sluice's own rows too.

Every value becomes one canonical text; a column's checksum is the sum of its texts' hashes, so that the order of the rows
does not matter, and `rows` is the same over whole rows, so that values that changed places within a column are noticed.
"""

import hashlib
import json
import math
import struct

import pyarrow as pa


def digest(table: pa.Table) -> dict:
    names = table.column_names
    texts = [[text(v, field.type) for v in table.column(i).to_pylist()] for i, field in enumerate(table.schema)]
    return {
        "columns": [{"name": n, "type": type_name(f.type), "checksum": checksum(map(dump, c))}
                    for n, f, c in zip(names, table.schema, texts)],
        "count": table.num_rows,
        "rows": checksum(dump(list(row)) for row in zip(*texts)),
    }


def checksum(texts) -> str:
    total = 0
    for one in texts:
        total += int.from_bytes(hashlib.sha256(one.encode()).digest()[:8], "big")
    return format(total % 2**64, "016x")


def dump(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text(value, kind: pa.DataType):
    """None, text, or a list of such: nested values keep their shape."""
    if value is None:
        return None
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_list_view(kind):
        return [text(item, kind.value_type) for item in value]
    if pa.types.is_map(kind):
        return sorted(([text(k, kind.key_type), text(v, kind.item_type)] for k, v in value), key=dump)
    if pa.types.is_struct(kind):
        return [text(value[kind.field(i).name], kind.field(i).type) for i in range(kind.num_fields)]
    if pa.types.is_floating(kind):
        return "nan" if math.isnan(value) else struct.pack(">d", value).hex()
    if pa.types.is_timestamp(kind):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")
    if pa.types.is_boolean(kind):
        return "true" if value else "false"
    if pa.types.is_decimal(kind):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    return str(value)


def type_name(kind: pa.DataType) -> str:
    """Spark's short name, as core/schema.ts writes it."""
    simple = {
        pa.int64(): "bigint", pa.int32(): "int", pa.int16(): "smallint", pa.int8(): "tinyint",
        pa.float32(): "float", pa.float64(): "double", pa.bool_(): "boolean", pa.date32(): "date",
    }
    if kind in simple:
        return simple[kind]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return "binary"
    if pa.types.is_timestamp(kind) and kind.unit == "us":
        return "timestamp_ntz" if kind.tz is None else "timestamp"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_map(kind):
        return f"map<{type_name(kind.key_type)},{type_name(kind.item_type)}>"
    if pa.types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return f"struct<{','.join(f'{f.name}:{type_name(f.type)}' for f in fields)}>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_list_view(kind):
        return f"array<{type_name(kind.value_type)}>"
    return f"arrow:{kind}"
