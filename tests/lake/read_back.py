"""Reads a lake with the tools of others, and compares it with what Outflow says that it stored.

    python read_back.py OUTFLOW SOURCE FOLDER

Ingests SOURCE into a new lake in FOLDER, reads its tables with DuckDB's delta extension and with delta-rs for Python,
ingests again, and reads again. Both readers are of PyPI: duckdb, duckdb-extension-delta, deltalake, pyarrow.
"""

import json
import pathlib
import subprocess
import sys

import deltalake
import duckdb
import duckdb_extension_delta

TABLES = ["flows", "dns", "coverage", "rejects", "sources"]
# Readers of protocol 1 and writers of protocol 2 are all that any engine has.
READER, WRITER = 1, 2


def ingest(outflow, source, lake):
    command = [outflow, "ingest", source, "--lake", lake, "--format", "json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found!r}, but {wanted!r} was expected")


def counts_by_duckdb(con, lake):
    def one(sql):
        return con.sql(sql).fetchone()

    rows = {table: one(f"select count(*) from delta_scan('{lake}/{table}')")[0] for table in TABLES}
    sums = one(f"select sum(bytes)::bigint, sum(packets)::bigint from delta_scan('{lake}/flows')")
    journal = one(f"select sum(rows)::bigint, sum(bytes)::bigint from delta_scan('{lake}/sources')")
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


def counts_by_delta_rs(lake):
    rows = {}
    for name in TABLES:
        table = deltalake.DeltaTable(f"{lake}/{name}")
        protocol = table.protocol()
        expect(f"protocol of {name}", (protocol.min_reader_version, protocol.min_writer_version), (READER, WRITER))
        rows[name] = table.to_pyarrow_table(columns=["day"]).num_rows
    return rows


def main(outflow, source, folder):
    lake = f"{folder}/lake"
    books = ingest(outflow, source, lake)
    wanted = {
        "flows": books["rows"],
        "dns": books["queries"],
        "coverage": books["coverage_rows"],
        "rejects": books["rejects"],
        "sources": books["objects"],
    }
    con = duckdb.connect()
    package = pathlib.Path(duckdb_extension_delta.__path__[0])
    con.load_extension(str(next(package.rglob("*.duckdb_extension"))))
    expect("rows that DuckDB reads", counts_by_duckdb(con, lake), wanted)
    expect("rows that delta-rs reads", counts_by_delta_rs(lake), wanted)
    columns = compare_columns(con, source, lake)
    again = ingest(outflow, source, lake)
    expect("objects read again", (again["objects"], again["objects_known"]), (0, books["objects"]))
    expect("rows after a second run", counts_by_duckdb(con, lake), wanted)
    print(f"DuckDB {duckdb.__version__} and delta-rs {deltalake.__version__} read what was stored: {wanted}; {columns} columns are as in the text")


if __name__ == "__main__":
    main(*sys.argv[1:])
