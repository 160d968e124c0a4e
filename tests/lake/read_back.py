"""Reads a lake with the tools of others, and compares it with what Outflow says that it stored.

    python read_back.py OUTFLOW SOURCE FOLDER

Ingests SOURCE into a new lake in FOLDER, reads its tables with DuckDB's delta extension and with delta-rs for Python,
ingests again, compacts, takes days out, and reads again each time. Both readers are of PyPI: duckdb,
duckdb-extension-delta, deltalake, pyarrow.
"""

import datetime
import hashlib
import json
import pathlib
import subprocess
import sys

import deltalake
import duckdb
import duckdb_extension_delta
import pyarrow.parquet

TABLES = ["flows", "profiles", "hours", "dns", "coverage", "rejects", "sources"]
# Readers of protocol 1 and writers of protocol 2 are all that any engine has.
READER, WRITER = 1, 2


def run(outflow, *command):
    """The JSON lines that a command prints."""
    done = subprocess.run([outflow, *command, "--format", "json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def ingest(outflow, source, lake, *options):
    return run(outflow, "ingest", source, "--lake", lake, *options)[-1]


def wanted_of(books):
    """The rows of each table, by what an ingest printed."""
    return {
        "flows": books["rows"],
        "dns": books["queries"],
        "coverage": books["coverage_rows"],
        "rejects": books["rejects"],
        "sources": books["objects"],
    }


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found!r}, but {wanted!r} was expected")


def counts_by_duckdb(con, lake):
    def one(sql):
        return con.sql(sql).fetchone()

    rows = {table: one(f"select count(*) from delta_scan('{lake}/{table}')")[0] for table in TABLES}
    sums = one(f"select sum(bytes)::bigint, sum(packets)::bigint from delta_scan('{lake}/flows')")
    journal = one(f"select sum(rows)::bigint, sum(bytes)::bigint from delta_scan('{lake}/sources')")
    rolled_up = """select epoch(bucket), interface_id, direction, destination, sum({flows})::bigint, sum(bytes)::bigint,
            sum(payload_bytes)::bigint, epoch(max({last})) from {table} {what} group by all order by all"""
    network = r"case when scope = 'external' then coalesce(destination, regexp_extract(remote_addr, '^(.*)\.', 1) || '.0/24') end"
    flows = f"""(select time_bucket(interval 10 minutes, start) as bucket, interface_id, direction, {network} as destination, bytes,
            payload_bytes, "end" from delta_scan('{lake}/flows') where scope is not null and remote_addr not like '%:%')"""
    summed = con.sql(rolled_up.format(flows="1", last='"end"', table=flows, what="")).fetchall()
    profiles = f"delta_scan('{lake}/profiles')"
    told = rolled_up.format(flows="flows", last="last", table=profiles, what="where coalesce(destination, '') not like '%:%'")
    expect("profiles that differ from the flows they stand for", len(set(summed) ^ set(con.sql(told).fetchall())), 0)
    by_hour = """select epoch({hour}), interface_id, direction, scope, action, sum({flows})::bigint, sum(packets)::bigint, sum(bytes)::bigint,
            sum(payload_bytes)::bigint, epoch(max({last})) from {table} group by all order by all"""
    flows = f"(select * from delta_scan('{lake}/flows') where scope is not null)"
    summed = con.sql(by_hour.format(hour="date_trunc('hour', start)", flows="1", last='"end"', table=flows)).fetchall()
    told = con.sql(by_hour.format(hour="hour", flows="flows", last="last", table=f"delta_scan('{lake}/hours')")).fetchall()
    expect("hours that differ from the flows they stand for", len(set(summed) ^ set(told)), 0)
    # How many rows rollups have depends on how those of flows were cut into files.
    del rows["profiles"], rows["hours"]
    expect("rows and bytes of the journal", journal, (rows["flows"], sums[0]))
    per_source = f"""
        select count(*) from (select source_id, count(*) as n, max(source_row) last_row
                              from delta_scan('{lake}/flows') group by 1)
        join delta_scan('{lake}/sources') using (source_id) where n <> rows or last_row <> rows - 1"""
    expect("sources whose rows are not all there", one(per_source)[0], 0)
    return rows


def compare_columns(con, source, lake):
    """Compares every column with the text that it came from: how many values, and the sum of their digests."""
    text = f"read_csv('{source}/**/*.log.gz', delim=' ', header=true, all_varchar=true, nullstr='-')"
    names = con.sql(f"select * from {text} limit 0").columns

    def digests(columns, rows):
        each = ", ".join(f"count({column}), sum(hash({column}::varchar))" for column in columns)
        return con.sql(f"select {each} from {rows}").fetchone()

    def stored(name):
        column = '"' + name.replace("-", "_") + '"'
        return f"epoch({column})::bigint" if name in ("start", "end") else column

    theirs = digests([f'"{name}"' for name in names], f"""{text} where "log-status" = 'OK'""")
    ours = digests([stored(name) for name in names], f"delta_scan('{lake}/flows')")
    for at, name in enumerate(names):
        expect(f"values of {name}", ours[2 * at : 2 * at + 2], theirs[2 * at : 2 * at + 2])
    return len(names)


def counts_by_delta_rs(lake, storage=None):
    rows = {}
    for name in TABLES:
        table = deltalake.DeltaTable(f"{lake}/{name}", storage_options=storage)
        protocol = table.protocol()
        expect(f"protocol of {name}", (protocol.min_reader_version, protocol.min_writer_version), (READER, WRITER))
        rows[name] = table.to_pyarrow_table(columns=["day"]).num_rows
    del rows["profiles"], rows["hours"]
    return rows


def rows_by_table(lake):
    """Every row of every table, as text and in order, so that two states can be compared."""
    tables = {name: deltalake.DeltaTable(f"{lake}/{name}").to_pyarrow_table() for name in TABLES}
    # By the digests of rows: all of them at once would be a lot of text.
    digest = lambda row: hashlib.sha256(repr(row).encode()).digest()
    return {name: sorted(map(digest, table.to_pylist())) for name, table in tables.items()}


def with_hour(row):
    """A row of flows with the hour that its time is in."""
    start = row["start"]
    return {"hour": start and start.replace(minute=0, second=0, microsecond=0), **row}


def expect_sorted(lake, name, keys, columns=None, prepared=lambda row: row):
    """Every file of a table has its rows in order."""
    for file in deltalake.DeltaTable(f"{lake}/{name}").file_uris():
        table = pyarrow.parquet.ParquetFile(file.removeprefix("file://")).read(columns=columns or keys)
        rows = map(prepared, table.to_pylist())
        found = [tuple((row[key] is not None, row[key]) for key in keys) for row in rows]
        expect(f"order of {file}", found == sorted(found), True)


def keep_in_order(outflow, lake, con, wanted):
    """Compacts, verifies and takes days out; no reader may see another row."""
    before = rows_by_table(lake)
    small = {line["table"]: line["small_files"] for line in run(outflow, "lake", "status", "--lake", lake)[:-1]}
    expect("small files of flows", small["flows"] > 1, True)
    done = {line["table"]: line for line in run(outflow, "compact", "--lake", lake)[:-1]}
    expect("small files joined", {name: done[name]["files_before"] for name in TABLES}, small)
    expect("rows after a compaction", rows_by_table(lake) == before, True)
    expect("rows that DuckDB reads after it", counts_by_duckdb(con, lake), wanted)
    columns = ["action", "interface_id", "scope", "direction", "start"]
    expect_sorted(lake, "flows", ["action", "hour", *columns[1:]], columns, with_hour)
    expect_sorted(lake, "sources", ["first", "uri"])
    checked = run(outflow, "lake", "verify", "--sources", "--lake", lake)[-1]
    expect("faults", (checked["faults"], checked["objects_same"]), (0, wanted["sources"]))
    day = con.sql(f"select min(day) from delta_scan('{lake}/flows')").fetchone()[0]
    age = (datetime.datetime.now(datetime.timezone.utc).date() - day).days
    if age < 2:
        return
    kept = con.sql(f"select count(*) from delta_scan('{lake}/flows') where day > '{day}'").fetchone()[0]
    run(outflow, "lake", "expire", "--older-than", str(age - 1), "--lake", lake)
    left = con.sql(f"select count(*), min(day) > '{day}' from delta_scan('{lake}/flows')").fetchone()
    expect("flows after the first day was taken out", left, (kept, True))
    checked = run(outflow, "lake", "verify", "--lake", lake)[-1]
    expect("faults after it", checked["faults"], 0)


def main(outflow, source, folder):
    lake = f"{folder}/lake"
    books = ingest(outflow, source, lake)
    wanted = wanted_of(books)
    con = duckdb.connect()
    package = pathlib.Path(duckdb_extension_delta.__path__[0])
    con.load_extension(str(next(package.rglob("*.duckdb_extension"))))
    expect("rows that DuckDB reads", counts_by_duckdb(con, lake), wanted)
    expect("rows that delta-rs reads", counts_by_delta_rs(lake), wanted)
    columns = compare_columns(con, source, lake)
    again = ingest(outflow, source, lake)
    expect("objects read again", (again["objects"], again["objects_known"]), (0, books["objects"]))
    expect("rows after a second run", counts_by_duckdb(con, lake), wanted)
    keep_in_order(outflow, lake, con, wanted)
    versions = f"DuckDB {duckdb.__version__} and delta-rs {deltalake.__version__}"
    print(f"{versions} read what was stored: {wanted}; {columns} columns are as in the text")


if __name__ == "__main__":
    main(*sys.argv[1:])
