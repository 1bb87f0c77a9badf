"""Reads the lake of a data directory as any Iceberg engine does, through its catalog, and prints what it counts as JSON.

It knows of murmur what docs/format/lake.md says and nothing else: of the rows with one (workspace, id) the highest version counts.
"""
import json
import os
import sys
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

from pyiceberg.catalog.sql import SqlCatalog

data, zone, hours = Path(sys.argv[1]).resolve(), ZoneInfo(sys.argv[2]), sys.argv[3]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_open(at):
    """Whether a local time is in the hours of the policy: mon-fri 09:00-17:00; sat 10:00-14:00. None: always."""
    for part in filter(None, hours.split(";")):
        days, times = part.split()
        first, _, last = days.partition("-")
        opens, closes = (int(t[:2]) for t in times.split("-"))
        if DAYS.index(first) <= at.weekday() <= DAYS.index(last or first) and opens <= at.hour < closes:
            return True
    return not hours


catalog = SqlCatalog("murmur", uri=f"sqlite:///{data}/catalog.db", warehouse=f"file://{data}/lake", init_catalog_tables="false", **json.loads(os.environ.get("MURMUR_S3", "{}")))


def latest(name):
    """The rows of a table that count, and how many there are before that is decided."""
    columns = ("workspace", "kind", "id", "version", "at") + (("direction",) if name == "facts" else ())
    rows = catalog.load_table(f"murmur.{name}").scan(selected_fields=columns).to_arrow().to_pylist()
    best = {}
    for row in rows:
        key = (row["workspace"], row["id"])
        if key not in best or row["version"] > best[key]["version"]:
            best[key] = row
    return best, len(rows)


facts, fact_rows = latest("facts")
_, text_rows = latest("texts")
kinds = Counter(row["kind"] for row in facts.values())
inbound = Counter()
for row in facts.values():
    if row["kind"] == 1 and row["direction"] == 1:
        at = row["at"].astimezone(zone)
        year, week, _ = at.isocalendar()
        inbound[f"{year}-W{week:02}"] += is_open(at)
json.dump({"fact_rows": fact_rows, "text_rows": text_rows, "kinds": kinds, "inbound": inbound}, sys.stdout)
