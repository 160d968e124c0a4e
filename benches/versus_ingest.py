"""Times `outflow ingest` against DuckDB and Polars writing plain Parquet of the same flow logs, in turns.

usage: versus_ingest.py FOLDER SCRATCH [ROUNDS]

FOLDER holds gzip text flow logs with headers (29 fields of versions 2 to 5); what is written goes to SCRATCH, and is
removed. The others write the columns as they are (zstd), in the order of the files; Outflow sorts, enriches and commits.
Needs `pip install duckdb polars`, and `cargo build --release` before.
"""

import glob
import os
import pathlib
import shutil
import subprocess
import sys
import time

from versus_duckdb import NUMBERS

TEXTS = ["account-id", "sublocation-type", "sublocation-id", "pkt-src-aws-service", "pkt-dst-aws-service"]


def files_of(folder):
    return sorted(glob.glob(f"{folder}/**/*.log.gz", recursive=True))


def by_duckdb(folder, out):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads={os.cpu_count()}")
    types = "{" + ",".join(f"'{name}':'BIGINT'" for name in NUMBERS) + "}"
    connection.execute(
        f"copy (select * from read_csv({files_of(folder)!r}, delim=' ', header=true, nullstr='-', auto_detect=true, "
        f"sample_size=20000, types={types})) to '{out}/all.parquet' (format parquet, compression zstd)"
    )


def by_polars(folder, out):
    import polars

    for number, path in enumerate(files_of(folder)):
        texts = {name: polars.String for name in TEXTS}
        rows = polars.read_csv(path, separator=" ", null_values="-", infer_schema_length=5000, schema_overrides=texts)
        rows.write_parquet(f"{out}/{number}.parquet", compression="zstd")


def by_outflow(folder, out):
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    command = [f"{target}/release/outflow", "ingest", folder, "--lake", f"{out}/lake"]
    subprocess.run(command, check=True, capture_output=True)


def main():
    folder, scratch, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 3
    ways = {"duckdb": by_duckdb, "polars": by_polars, "ingest": by_outflow}
    seconds, megabytes = {name: [] for name in ways}, {}
    for _ in range(rounds):
        for name, way in ways.items():
            out = f"{scratch}/{name}"
            shutil.rmtree(out, ignore_errors=True)
            os.makedirs(out)
            started = time.perf_counter()
            way(folder, out)
            seconds[name].append(time.perf_counter() - started)
            megabytes[name] = sum(path.stat().st_size for path in pathlib.Path(out).rglob("*.parquet")) / 1e6
            shutil.rmtree(out)
    best = {name: min(values) for name, values in seconds.items()}
    for name, values in seconds.items():
        shown = ", ".join(f"{value:.2f}" for value in values)
        of_duckdb, of_polars = best[name] / best["duckdb"], best[name] / best["polars"]
        print(f"{name}: {shown} s; best {of_duckdb:.2f} of DuckDB, {of_polars:.2f} of Polars; {megabytes[name]:.0f} MB")


if __name__ == "__main__":
    main()
