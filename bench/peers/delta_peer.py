"""The other side of the bench `delta`: delta-rs, and DuckDB's delta_scan for `query`. One case, timed inside the process."""

import glob
import json
import os
import re
import sys
import time

import deltalake
import duckdb
import pyarrow.parquet as pq

given = json.loads(sys.argv[1])
ms = []


def timed(work):
    start = time.perf_counter()
    result = work()
    ms.append((time.perf_counter() - start) * 1000)
    return result


def append(table):
    deltalake.write_deltalake(given["table"], table, mode="append")


def query(connection):
    found = connection.execute(
        f"SELECT count(*) FROM delta_scan('{given['table']}') WHERE id = {given['id']}"
    ).fetchone()
    return found[0]


def merge():
    table = deltalake.DeltaTable(given["table"])
    merger = table.merge(pq.read_table(given["changes"]), "t.id = s.id", source_alias="s", target_alias="t")
    merger.when_matched_update_all().when_not_matched_insert_all().execute()


def run():
    case = given["case"]
    if case == "open":
        return timed(lambda: len(deltalake.DeltaTable(given["table"]).file_uris()))
    if case == "query":
        import duckdb_extension_delta

        folder = os.path.dirname(duckdb_extension_delta.__file__)
        [extension] = glob.glob(os.path.join(folder, "**", "delta.duckdb_extension"), recursive=True)
        connection = duckdb.connect(config={"autoinstall_known_extensions": False})
        connection.execute(f"LOAD '{extension}'")
        return [timed(lambda: query(connection)) for _ in range(given["times"])][-1]
    if case == "append":
        timed(lambda: append(pq.read_table(given["rows"])))
    elif case == "commit":
        rows = pq.read_table(given["rows"]).slice(0, 200)
        for _ in range(given["times"]):
            timed(lambda: append(rows))
    elif case == "merge":
        append(pq.read_table(given["rows"]))
        timed(merge)
    return deltalake.DeltaTable(given["table"]).to_pyarrow_dataset().count_rows()


count = run()
with open("/proc/self/status") as status:
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) / 1024
print(json.dumps({"ms": ms, "peakMiB": peak, "count": count}))
