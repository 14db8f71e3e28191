"""Spark as a writer of the soak."""

from pyspark.sql import SparkSession

from peer_loop import serve

spark = SparkSession.builder.getOrCreate()


def rows_of(batch, rows, v):
    return f"SELECT '{batch}' AS b, '{batch[-1]}' AS p, id AS i, CAST({v} AS BIGINT) AS v FROM range({rows})"


def append(location, batch, rows, v):
    spark.sql(rows_of(batch, rows, v)).write.format("delta").mode("append").save(location)


def update(location, batch):
    spark.sql(f"UPDATE delta.`{location}` SET v = v + 1 WHERE b = '{batch}'").collect()


def delete(location, batch, of, rest):
    spark.sql(f"DELETE FROM delta.`{location}` WHERE b = '{batch}' AND i % {of} = {rest}").collect()


def merge(location, batch, rows, v):
    spark.sql(f"""
        MERGE INTO delta.`{location}` AS target USING ({rows_of(batch, rows, v)}) AS source
        ON target.b = source.b AND target.i = source.i
        WHEN MATCHED THEN UPDATE SET v = source.v WHEN NOT MATCHED THEN INSERT *
    """).collect()


def optimize(location):
    spark.sql(f"OPTIMIZE delta.`{location}`").collect()


def state(location):
    rows = spark.sql(f"""
        SELECT b, concat(count(*), ' ', md5(concat_ws(',', transform(
            array_sort(collect_list(struct(i, v))), row -> concat(row.i, ':', row.v))))) AS digest
        FROM delta.`{location}` GROUP BY b
    """).collect()
    return {row["b"]: row["digest"] for row in rows}


serve({
    "append": append,
    "update": update,
    "delete": delete,
    "merge": merge,
    "optimize": optimize,
    "state": state,
})
