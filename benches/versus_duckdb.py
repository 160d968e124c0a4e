"""Times Outflow against DuckDB on the same flow logs, in turns, on the same machine.

usage: versus_duckdb.py FOLDER [ROUNDS]

FOLDER holds gzip text flow logs with headers (29 fields of versions 2 to 5). DuckDB runs
`count(*), sum(bytes)` over them; Outflow decodes all columns (bin `decode`), then runs `detect`.
Needs `pip install duckdb`, and `cargo build --release --workspace` before.
"""

import glob
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

NUMBERS = ["version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "tcp-flags", "traffic-path"]


def duckdb_scan(folder):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads={os.cpu_count()}")
    files = sorted(glob.glob(f"{folder}/**/*.log.gz", recursive=True))
    types = "{" + ",".join(f"'{name}':'BIGINT'" for name in NUMBERS) + "}"
    query = (
        f"select count(*), sum(bytes) from read_csv({files!r}, delim=' ', header=true, nullstr='-', "
        f"auto_detect=true, sample_size=20000, types={types})"
    )
    started = time.perf_counter()
    rows, total = connection.execute(query).fetchone()
    return time.perf_counter() - started, (rows, int(total))


def timed(*command):
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, done.stdout


def main():
    folder, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    found_in = os.path.join(tempfile.mkdtemp(), "found.jsonl")
    seconds = {"duckdb": [], "decode": [], "detect": []}
    for _ in range(rounds):
        spent, (rows, total) = duckdb_scan(folder)
        seconds["duckdb"].append(spent)
        spent, text = timed(f"{target}/release/decode", folder)
        seconds["decode"].append(spent)
        found = re.search(r"(\d+) rows, .* sum\(bytes\) (\d+)", text)
        assert (int(found[1]), int(found[2])) == (rows, total), "both must count the same"
        spent, _ = timed(f"{target}/release/outflow", "detect", folder, "--format", "json", "--out", found_in)
        seconds["detect"].append(spent)
    best = {name: min(values) for name, values in seconds.items()}
    for name, values in seconds.items():
        shown = ", ".join(f"{value:.2f}" for value in values)
        per_core = rows / best[name] / os.cpu_count()
        print(f"{name:8} best {best[name]:6.2f} s  {best[name] / best['duckdb']:5.2f} x  "
              f"{per_core:12,.0f} records/s per core  ({shown})")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of the children: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
