"""delta-rs as a writer of the soak, and DuckDB's delta extension as a reader beside it."""

import hashlib
import os

import deltalake
import pyarrow as pa

from peer_loop import serve

OPTIONS = {
    key: value
    for key, value in os.environ.items()
    if key.startswith("AWS_") and key != "AWS_CONFIG_FILE"
}
SCHEMA = pa.schema([("b", pa.string()), ("p", pa.string()), ("i", pa.int64()), ("v", pa.int64())])


def opened(location):
    return deltalake.DeltaTable(location, storage_options=OPTIONS)


def rows_of(batch, rows, v):
    values = [{"b": batch, "p": batch[-1], "i": i, "v": v} for i in range(rows)]
    return pa.Table.from_pylist(values, schema=SCHEMA)


def append(location, batch, rows, v):
    deltalake.write_deltalake(location, rows_of(batch, rows, v), mode="append", storage_options=OPTIONS)


def update(location, batch):
    opened(location).update(updates={"v": "v + 1"}, predicate=f"b = '{batch}'")


def delete(location, batch, of, rest):
    opened(location).delete(f"b = '{batch}' AND i % {of} = {rest}")


def merge(location, batch, rows, v):
    (
        opened(location)
        .merge(rows_of(batch, rows, v), "target.b = source.b AND target.i = source.i", "source", "target")
        .when_matched_update({"v": "source.v"})
        .when_not_matched_insert_all()
        .execute()
    )


def optimize(location):
    opened(location).optimize.compact()


def digests(rows):
    batches = {}
    for row in rows:
        batches.setdefault(row["b"], []).append((row["i"], row["v"]))
    texts = {batch: ",".join(f"{i}:{v}" for i, v in sorted(values)) for batch, values in batches.items()}
    return {batch: f"{len(batches[batch])} {hashlib.md5(text.encode()).hexdigest()}" for batch, text in texts.items()}


def state(location):
    return digests(opened(location).to_pyarrow_table(columns=["b", "i", "v"]).to_pylist())


serve({
    "append": append,
    "update": update,
    "delete": delete,
    "merge": merge,
    "optimize": optimize,
    "state": state,
})
