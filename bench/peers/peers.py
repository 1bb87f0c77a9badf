"""One job, done by libraries for differential privacy beside murmur's BenchmarkLeave: of a month of calls and texts, the missed
and the answered calls, of each contact at most two, under epsilon 2 (delta 1e-6).

    peers.py opendp|smartnoise|tumult FILE

FILE is what BenchmarkLeave wrote (MURMUR_BENCH_FILE). Prints rows, seconds, seconds of processor time, peak memory, and how far
the released counts are from the exact ones.
"""
import os
import resource
import sys
import time

EPSILON, DELTA, CALLS = 2.0, 1e-6, 2


def calls(file):
    """The calls of the file as a polars frame: contact, missed."""
    import polars as pl

    return (
        pl.scan_parquet(file)
        .filter(pl.col("kind") == 1)
        .select(pl.col("contact").bin.encode("hex"), (pl.col("result") == MISSED).cast(pl.Int32).alias("missed"))
    )


MISSED = 4
OTHER = {"cpu": 0.0, "peak": 0}


def opendp(file):
    import opendp.prelude as dp
    import polars as pl

    dp.enable_features("contrib")
    context = dp.Context.compositor(
        data=calls(file),
        privacy_unit=dp.unit_of(contributions=1, identifier=pl.col("contact")),
        privacy_loss=dp.loss_of(epsilon=EPSILON, delta=DELTA),
        split_evenly_over=1,
        margins=[dp.polars.Margin(by=["missed"], invariant="keys")],
    )
    query = context.query().truncate_per_group(CALLS).group_by("missed").agg(dp.len())
    return dict(query.release().collect().rows())


def smartnoise(file):
    import pandas as pd
    import snsql

    frame = calls(file).collect().to_pandas()
    meta = {
        "": {
            "s": {
                "calls": {
                    "row_privacy": False,
                    "max_ids": CALLS,
                    "censor_dims": False,
                    "rows": len(frame),
                    "contact": {"type": "string", "private_id": True},
                    "missed": {"type": "int", "lower": 0, "upper": 1},
                }
            }
        }
    }
    reader = snsql.from_df(frame, metadata=meta, privacy=snsql.Privacy(epsilon=EPSILON, delta=DELTA))
    rows = reader.execute("SELECT missed, COUNT(*) AS n FROM s.calls GROUP BY missed")
    return dict(rows[1:])


def tumult(file):
    import tmlt.analytics as ta
    from pyspark.sql import SparkSession, functions as f

    spark = SparkSession.builder.master("local[2]").config("spark.driver.memory", "6g").getOrCreate()
    frame = (
        spark.read.parquet(file)
        .where("kind = 1")
        .select(f.hex("contact").alias("contact"), (f.col("result") == MISSED).cast("int").alias("missed"))
    )
    budget = ta.RhoZCDPBudget(0.088152688)
    session = ta.Session.from_dataframe(budget, "calls", frame, protected_change=ta.AddRowsWithID("contact"))
    keys = ta.KeySet.from_dict({"missed": [0, 1]})
    query = ta.QueryBuilder("calls").enforce(ta.MaxRowsPerID(CALLS)).groupby(keys).count(name="n")
    counts = {r["missed"]: r["n"] for r in session.evaluate(query, budget).collect()}
    beside(spark.sparkContext._gateway.proc.pid)
    return counts


def beside(pid):
    """Notes the processor time and the peak memory of a process that lives on: the engine below Spark."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    OTHER["cpu"] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    with open(f"/proc/{pid}/status") as f:
        OTHER["peak"] = int(f.read().split("VmHWM:")[1].split()[0])


def exact(file):
    """What a release without noise would be: of each contact two calls, whichever."""
    import polars as pl

    kept = calls(file).with_columns(pl.int_range(pl.len()).over("contact").alias("n")).filter(pl.col("n") < CALLS)
    return dict(kept.group_by("missed").len().collect().rows())


def main():
    who, file = sys.argv[1], sys.argv[2]
    began = time.monotonic()
    got = {"opendp": opendp, "smartnoise": smartnoise, "tumult": tumult, "exact": exact}[who](file)
    seconds = time.monotonic() - began
    mine, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = mine.ru_utime + mine.ru_stime + below.ru_utime + below.ru_stime + OTHER["cpu"]
    import polars as pl

    rows = pl.scan_parquet(file).select(pl.len()).collect().item()
    print(
        f"{who}: {rows} rows, {seconds:.1f} s, {cpu:.1f} CPU s, {rows / cpu:,.0f} rows a second of processor time, "
        f"peak {max(mine.ru_maxrss, below.ru_maxrss, OTHER['peak']) // 1024} MiB, {got}"
    )


main()
