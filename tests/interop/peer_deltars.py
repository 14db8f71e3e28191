"""delta-rs as a peer."""

import deltalake
import pyarrow as pa

from arrow_digest import digest
from peer_loop import serve


def read(path, version=None):
    table = deltalake.DeltaTable(path, version=version)
    return {"version": table.version(), **digest(table.to_pyarrow_table())}


def append(path, rows):
    """Appends rows, given as JSON objects, in the table's own types; a column that no row has is NULL."""
    schema = pa.schema(deltalake.DeltaTable(path).schema().to_arrow())
    deltalake.write_deltalake(path, pa.Table.from_pylist(rows, schema=schema), mode="append")


def write_partitioned(path, days, rows_each):
    """A table that delta-rs made: partitions, several commits, a checkpoint, nested columns."""
    for day in range(days):
        ids = list(range(day * rows_each, (day + 1) * rows_each))
        table = pa.table({
            "day": pa.array([f"2026-03-{day + 1:02d}"] * rows_each).cast(pa.date32()),
            "id": pa.array(ids, pa.int64()),
            "amount": pa.array([f"{i}.25" for i in ids]).cast(pa.decimal128(12, 2)),
            "who": pa.array([{"name": f"n{i}", "tags": ["a", None]} if i % 3 else None for i in ids],
                            pa.struct([("name", pa.string()), ("tags", pa.list_(pa.string()))])),
        })
        deltalake.write_deltalake(path, table, mode="append", partition_by=["day"])
    made = deltalake.DeltaTable(path)
    made.delete("id % 10 = 0")
    made.create_checkpoint()
    return read(path)


serve({"read": read, "append": append, "write_partitioned": write_partitioned})
