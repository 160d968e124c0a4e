"""Times Outflow against DuckDB on the same Parquet flow logs, in turns, on the same machine.

usage: versus_duckdb_parquet.py TEXT_FOLDER FOLDER [ROUNDS]

Where FOLDER does not exist, it is made: DuckDB writes the first ten gzip text flow logs of TEXT_FOLDER (29 fields of versions
2 to 5) as AWS documents its Parquet, once with GZIP and once with SNAPPY: numbers as INT32 and INT64, null where
there is none; texts as STRING, `-` where there is none. DuckDB runs `min` over every column, and, as that compares
texts, once more `count` of every column; Outflow decodes all columns (bin `decode`). All are checked against each
other by count and sum of bytes.
Needs `pip install duckdb`, and `cargo build --release -p outflow-benches` before.
"""

import glob
import os
import re
import subprocess
import sys
import time

import duckdb

FILES = 10
INT32 = ["version", "srcport", "dstport", "protocol", "tcp-flags", "traffic-path"]
INT64 = ["packets", "bytes", "start", "end"]


def generate(text_folder, folder):
    connection = duckdb.connect()
    texts = sorted(glob.glob(f"{text_folder}/**/*.log.gz", recursive=True))[:FILES]
    for number, text in enumerate(texts):
        relation = connection.read_csv(text, sep=" ", header=True, all_varchar=True)

        def column(name):
            to = "INTEGER" if name in INT32 else "BIGINT" if name in INT64 else None
            value = f"nullif(\"{name}\", '-')::{to}" if to else f'"{name}"'
            return f"{value} as \"{name.replace('-', '_')}\""

        columns = ", ".join(column(name) for name in relation.columns)
        connection.execute(f"create or replace temp table log as select {columns} from relation")
        for codec in ["gzip", "snappy"]:
            os.makedirs(f"{folder}/{codec}", exist_ok=True)
            connection.execute(f"copy log to '{folder}/{codec}/{number}.log.parquet' (codec '{codec}')")


def duckdb_scan(folder, aggregate):
    connection = duckdb.connect()
    connection.execute(f"SET threads={os.cpu_count()}")
    files = sorted(glob.glob(f"{folder}/*.parquet"))
    names = connection.read_parquet(files).columns
    columns = ", ".join(f'{aggregate}("{name}")' for name in names)
    query = f"select count(*), sum(bytes), {columns} from read_parquet({files!r})"
    started = time.perf_counter()
    rows, total, *_ = connection.execute(query).fetchone()
    return time.perf_counter() - started, (rows, int(total))


def outflow(folder):
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    started = time.perf_counter()
    done = subprocess.run([f"{target}/release/decode", folder], check=True, capture_output=True, text=True)
    spent = time.perf_counter() - started
    found = re.search(r"(\d+) rows, \d+ columns, 0 rejects, sum\(bytes\) (\d+)", done.stdout)
    return spent, (int(found[1]), int(found[2]))


def compare(folder, rounds):
    sides = {"duckdb, min": lambda: duckdb_scan(folder, "min"), "duckdb, count": lambda: duckdb_scan(folder, "count"),
             "decode": lambda: outflow(folder)}
    seconds = {name: [] for name in sides}
    counted = set()
    for _ in range(rounds):
        for name, run in sides.items():
            spent, counts = run()
            seconds[name].append(spent)
            counted.add(counts)
    assert len(counted) == 1, f"both must count the same: {counted}"
    (rows, _), = counted
    stored = sum(os.path.getsize(path) for path in glob.glob(f"{folder}/*"))
    print(f"{folder}: {rows:,} records, {stored / 1e6:.0f} MB stored")
    for name, values in seconds.items():
        best, shown = min(values), ", ".join(f"{value:.2f}" for value in values)
        print(f"{name:13} best {best:6.2f} s  {best / min(seconds['duckdb, min']):5.2f} x  "
              f"{rows / best / os.cpu_count():12,.0f} records/s per core  ({shown})")


def main():
    text_folder, folder = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    if not os.path.exists(folder):
        generate(text_folder, folder)
    for codec in ["gzip", "snappy"]:
        compare(f"{folder}/{codec}", rounds)


main()
