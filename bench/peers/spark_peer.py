"""Spark Structured Streaming + Delta as a peer of the benches: one warm session, told what to do line by line.

Each line of standard input is a request as JSON, each line of standard output its answer. The end of input ends the session.
Delta Lake and the connector to Kafka come from SPARK_CONF_DIR.
"""

import json
import re
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def orders(spark, request):
    raw = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", request["brokers"])
        .option("subscribe", request["topic"])
        .option("startingOffsets", "earliest")
        .load()
    )
    value = F.from_json(F.col("value").cast("string"), request["schema"]).alias("o")
    return raw.select(
        value,
        F.col("partition").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
    ).select("o.*", "kafka_partition", "kafka_offset")


def start(spark, request, trigger):
    return (
        orders(spark, request)
        .writeStream.format("delta")
        .option("checkpointLocation", request["checkpoint"])
        .trigger(**trigger)
        .start(request["table"])
    )


def peak_mib(spark):
    """The most memory that the JVM has held so far."""
    pid = spark._jvm.java.lang.ProcessHandle.current().pid()
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) / 1024


def delta_version(spark):
    return spark._jvm.io.delta.package.VERSION()


def main():
    spark = SparkSession.builder.appName("sluice-bench").getOrCreate()

    def reply(**answer):
        print(json.dumps(answer), flush=True)

    reply(**{"spark": spark.version, "delta-spark": delta_version(spark)})
    query = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "ingest":
            began = time.monotonic()
            start(spark, request, {"availableNow": True}).awaitTermination()
            reply(runMs=(time.monotonic() - began) * 1000, peakMiB=peak_mib(spark))
        elif request["do"] == "follow":
            query = start(spark, request, {"processingTime": "0 seconds"})
            reply(queryId=str(query.id))
        elif request["do"] == "stop":
            query.stop()
            reply(peakMiB=peak_mib(spark))
    spark.stop()


if __name__ == "__main__":
    main()
