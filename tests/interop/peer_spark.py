"""Spark with Delta Lake as a peer: one Spark for all who ask, and a session of its own for each of them."""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import from_json

from arrow_digest import digest
from peer_loop import serve_many

first = SparkSession.builder.getOrCreate()


def operations():
    spark = first.newSession()

    def read(path, version=None):
        reader = spark.read.format("delta")
        frame = (reader if version is None else reader.option("versionAsOf", version)).load(path)
        if version is None:
            version = spark.sql(f"DESCRIBE HISTORY delta.`{path}` LIMIT 1").collect()[0]["version"]
        return {"version": version, **digest(frame.toArrow())}

    def changes(path, start, end):
        reader = spark.read.format("delta").option("readChangeFeed", "true")
        return digest(reader.option("startingVersion", start).option("endingVersion", end).load(path).toArrow())

    def append(path, rows):
        """Appends rows, given as JSON objects, in the table's own types; a column that no row has is NULL."""
        schema = spark.read.format("delta").load(path).schema
        texts = spark.createDataFrame([(json.dumps(row),) for row in rows], "value string")
        frame = texts.select(from_json("value", schema).alias("row")).select("row.*")
        frame.write.format("delta").mode("append").save(path)

    def write_partitioned(path, days, rows_each):
        """A table that Spark made: partitions, several commits, a checkpoint, nested columns."""
        for day in range(days):
            spark.sql(f"""
                SELECT DATE '2026-03-{day + 1:02d}' AS day, id, CAST(id + 0.25 AS DECIMAL(12,2)) AS amount,
                       CASE WHEN id % 3 = 0 THEN NULL ELSE
                         named_struct('name', concat('n', id), 'tags', array('a', CAST(NULL AS STRING))) END AS who,
                       map('k', id) AS facts, CAST(id AS TIMESTAMP) AS at
                FROM range({day * rows_each}, {(day + 1) * rows_each})
            """).write.format("delta").mode("append").partitionBy("day").save(path)
        sql(f"DELETE FROM delta.`{path}` WHERE id % 10 = 0")
        return read(path)

    def sql(statement):
        spark.sql(statement).collect()

    def query(statement):
        return [row.asDict() for row in spark.sql(statement).collect()]

    def write(path, query, options, partition_by):
        """Writes the rows of a query as a DataFrame does."""
        writer = spark.sql(query).write.format("delta").mode(options.pop("mode")).options(**options)
        (writer.partitionBy(*partition_by) if partition_by else writer).save(path)

    def write_parquet(path, query, partition_by):
        spark.sql(query).write.partitionBy(*partition_by).parquet(path)

    return {"read": read, "changes": changes, "append": append, "write_partitioned": write_partitioned, "sql": sql,
            "query": query, "write": write, "write_parquet": write_parquet}


serve_many(operations, sys.argv[1])
