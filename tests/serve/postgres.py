"""psycopg: values, parameters, cursors, copies, errors, transactions, cancelling."""

import datetime
import decimal
import threading
import time

import psycopg
from server import Server, arguments, ok, same

SLOW = "SELECT count(*) FROM flows a JOIN flows b ON a.bytes < b.bytes JOIN flows c ON b.bytes < c.bytes"


def state(connection, sql, *values):
    """The SQLSTATE that a statement is refused with."""
    try:
        connection.execute(sql, *values).fetchall()
    except psycopg.Error as error:
        return error.sqlstate
    return None


def main():
    with Server(*arguments()) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            values(server, connection)
            parameters(server, connection)
            copies(server, connection)
            errors(connection)
            settings(connection)
            catalogue(connection)
            dashboard(connection)
            functions(connection)
            limits(connection)
        cursors(server)
        transactions(server)
        newest(server)
    given(*arguments())


def one(connection, sql, values=None, **how):
    return connection.execute(sql, values, **how).fetchone()


def values(server, connection):
    [[count, total]] = server.asked("SELECT count(*), sum(bytes) FROM flows")
    same(one(connection, "SELECT count(*), sum(bytes) FROM flows"), (int(count), int(total)), "count and sum")
    [[shown]] = server.asked("SELECT sum(payload_bytes) FROM profiles_once")
    same(str(one(connection, "SELECT sum(payload_bytes) FROM profiles_once")[0]), shown, "a view's sum")
    utc = datetime.timezone.utc
    sql = "SELECT bytes, srcaddr, start, day, action = 'ACCEPT', bytes::double precision / 4, CAST(bytes AS decimal(12,2)), \
           NULL::text, version FROM flows ORDER BY start, srcaddr, bytes LIMIT 1"
    expected = (88, "162.142.125.254", datetime.datetime(2026, 9, 1, 0, 0, 16, tzinfo=utc), datetime.date(2026, 9, 1))
    for binary in False, True:
        cursor = connection.cursor(binary=binary)
        row = cursor.execute(sql).fetchone()
        same(row[:4], expected, f"a row, binary {binary}")
        same(row[5:8], (22.0, decimal.Decimal("88.00"), None), f"numbers, binary {binary}")
    names = [column.name for column in connection.execute("SELECT count(*), sum(bytes), 1 + 1, day::text FROM flows GROUP BY day").description]
    same(names, ["count", "sum", "?column?", "day"], "names of columns")
    ok("values come as what they are, in text and in binary")


def parameters(server, connection):
    [[count]] = server.asked("SELECT count(*) FROM flows WHERE bytes > 1000 AND action = 'ACCEPT'")
    sql = "SELECT count(*) FROM flows WHERE bytes > %s AND action = %s"
    for prepare in False, True:
        for _ in range(3):
            told = one(connection, sql, (1000, "ACCEPT"), prepare=prepare)
            same(told, (int(count),), f"a prepared count, {prepare}")
    same(connection.cursor(binary=True).execute(sql.replace("%s", "%b"), (1000, "ACCEPT")).fetchone(), (int(count),), "binary parameters")
    [[count]] = server.asked("SELECT count(*) FROM flows WHERE start >= '2026-09-03T00:00:00Z'")
    since = datetime.datetime(2026, 9, 3, tzinfo=datetime.timezone.utc)
    same(one(connection, "SELECT count(*) FROM flows WHERE start >= %s", (since,)), (int(count),), "a time")
    [[count]] = server.asked("SELECT count(*) FROM flows WHERE dstport IN (443, 53)")
    same(one(connection, "SELECT count(*) FROM flows WHERE dstport = ANY(%s)", ([443, 53],)), (int(count),), "a list of numbers")
    [[count]] = server.asked("SELECT count(*) FROM flows WHERE action IN ('REJECT')")
    same(one(connection, "SELECT count(*) FROM flows WHERE action = ANY(%s)", (["REJECT"],)), (int(count),), "a list of texts")
    same(len(connection.execute("SELECT srcaddr FROM flows LIMIT %s", (7,)).fetchall()), 7, "a limit")
    same(one(connection, "SELECT %s, %s, %s", ("it's", 5, None)), ("it's", 5, None), "values alone")
    same(one(connection, "SELECT ip_prefix(%s, 24)", ("10.1.2.3",)), ("10.1.2.0/24",), "an argument")
    same(state(connection, "SELECT count(*) FROM flows WHERE bytes > %s", ("garbage",)), "22P02", "a text that is no number")
    with connection.pipeline():
        one_, two = connection.execute("SELECT 1"), connection.execute("SELECT %s", (2,))
        same((one_.fetchone(), two.fetchone()), ((1,), (2,)), "a pipeline")
    ok("parameters are bound, in text and in binary")


def copies(server, connection):
    query = "SELECT day, action, sum(bytes) AS bytes FROM flows GROUP BY day, action ORDER BY day, action"
    expected = server.asked(query)

    def copied(options):
        with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT {options}") as copy:
            return b"".join(bytes(part) for part in copy)

    text = [line.split("\t") for line in copied("").decode().splitlines()]
    same(text, [["\\N" if field == "" else field for field in row] for row in expected], "a copy in text")
    lines = copied("(FORMAT csv, HEADER)").decode().splitlines()
    same(lines[0], "day,action,bytes", "the header of a copy")
    same([line.split(",") for line in lines[1:]], expected, "a copy in CSV")
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["date", "text", "int8"])
        rows = [[str(field) if field is not None else "" for field in row] for row in copy.rows()]
    same(rows, expected, "a copy in binary")
    same(state(connection, "COPY flows FROM STDIN"), "25006", "a copy in")
    ok("rows are copied out in text, CSV and binary")


def errors(connection):
    for sql, expected in {
        "SELEC 1": "42601",
        "SELECT * FROM nope": "42P01",
        "SELECT nope FROM flows": "42703",
        "SELECT nope(1)": "42883",
        "SELECT 1/0": "22012",
        "SELECT CAST('x' AS int)": "22P02",
        "SELECT count(*) FROM flows WHERE start > 'garbage'": "22007",
        "SELECT srcaddr, sum(bytes) FROM flows": "42803",
        "INSERT INTO flows VALUES (1)": "25006",
        "CREATE TABLE t (a int)": "25006",
        "SELECT * INTO t FROM flows": "25006",
        "EXPLAIN ANALYZE DELETE FROM flows": "25006",
        "SET nope = 1": "42704",
        "SELECT current_setting('nope')": "42704",
        "FETCH 1 FROM nope": "34000",
        "SELECT 1 + " + " + ".join(["1"] * 2000): "54000",
        "SELECT " + "(" * 200 + "1" + ")" * 200: "54000",
    }.items():
        same(state(connection, sql), expected, sql[:60])
    try:
        connection.execute("SELECT 1,\n nope FROM flows")
    except psycopg.Error as error:
        same(error.diag.statement_position, "12", "where it is")
    same(one(connection, "SELECT 1"), (1,), "after errors")
    ok("errors have their SQLSTATE, and a place")


def settings(connection):
    same(one(connection, "SELECT current_setting('server_version_num')::int / 10000"), (16,), "the version")
    same(one(connection, "SELECT set_config('application_name', 'tested', false)"), ("tested",), "set_config")
    same(one(connection, "SHOW application_name"), ("tested",), "what was set")
    same(one(connection, "SELECT current_user, current_database(), version()")[:2], ("ana", "outflow"), "who and where")
    same(connection.info.parameter_status("standard_conforming_strings"), "on", "what is told at first")
    connection.execute("SET statement_timeout = '9h'")
    same(one(connection, "SHOW statement_timeout"), ("5min",), "no more than the server's")
    asked = "SELECT setting, unit, vartype, source, reset_val FROM pg_settings WHERE name = %s"
    same(one(connection, asked, ("max_connections",), prepare=True), ("100", None, "integer", "default", "100"), "a setting of the server")
    connection.execute("SET statement_timeout = '2s'")
    same(one(connection, asked, ("statement_timeout",), prepare=True), ("2000", "ms", "integer", "session", "300000"), "a setting of the connection")
    connection.execute("RESET statement_timeout")
    same(one(connection, asked, ("statement_timeout",), prepare=True), ("300000", "ms", "integer", "default", "300000"), "what was set back")
    same(one(connection, "SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'session_authorization'"), ("ana",), "whose settings they are")
    ok("settings are those of the connection")


def catalogue(connection):
    columns = connection.execute(
        "SELECT column_name, data_type, udt_name FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name = 'flows' ORDER BY ordinal_position LIMIT 4"
    ).fetchall()
    same(columns[0], ("version", "integer", "int4"), "a column")
    same(columns[1], ("account_id", "text", "text"), "another")
    tables = [name for (name,) in connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY 1"
    )]
    same(tables, ["coverage", "dns", "flows", "flows_logged", "flows_once", "hours", "profiles", "profiles_once", "rejects", "sources", "vpc_flow_logs"], "tables")
    # What a dashboard asks: its tables by the search path, its columns, a series over time.
    told = connection.execute(
        "SELECT CASE WHEN quote_ident(table_schema) IN ('public') THEN quote_ident(table_name) \
         ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS \"table\" FROM information_schema.tables \
         WHERE table_name = 'flows'"
    ).fetchall()
    same(told, [("flows",)], "a table by its path")
    series = connection.execute(
        "SELECT date_bin('1 day', start) AS \"time\", sum(bytes) AS bytes FROM flows \
         WHERE start BETWEEN '2026-09-02T00:00:00Z' AND '2026-09-04T00:00:00Z' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    by_day = connection.execute(
        "SELECT sum(bytes) FROM flows WHERE start >= '2026-09-02T00:00:00Z' AND start < '2026-09-03T00:00:00Z'"
    ).fetchone()
    same(series[0][1], by_day[0], "a day of a series")
    same(state(connection, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"), None, "an extension that is not there")
    ok("the catalogue tells tables and columns as PostgreSQL does")


# How Grafana asks whether a table is found without its schema: it takes `search_path` apart, word by word as here.
OF_PATH = """quote_ident(table_schema) IN (
    SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
    FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
                         array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
         string_to_array(current_setting('search_path'),',') s)"""


def dashboard(connection):
    """What the query builder of Grafana asks, as it is today and as it was before."""
    schemas = connection.execute(
        "SELECT schema_name AS \"name\" FROM information_schema.schemata WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast') ORDER BY schema_name"
    ).fetchall()
    same(schemas, [("public",)], "schemas")
    names = "CASE WHEN {0} THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END"
    others = "quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', 'timescaledb_information')"
    today = f"SELECT {names} AS \"table\" FROM information_schema.tables WHERE {others} ORDER BY CASE WHEN {{0}} THEN 0 ELSE 1 END, 1"
    before = f"select quote_ident(table_name) as \"table\" from information_schema.tables where {others.lower()} and {{0}}"
    expected = sorted(name for (name,) in connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"))
    same("flows" in expected, True, "the tables that there are")
    same([name for (name,) in connection.execute(today.format(OF_PATH))], expected, "tables of a dashboard")
    same(sorted(name for (name,) in connection.execute(before.format(OF_PATH))), expected, "tables of an older dashboard")
    columns = connection.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'flows'").fetchall()
    for table in "flows", "public.flows":
        told = connection.execute(
            f"SELECT quote_ident(column_name) AS \"column\", data_type AS \"type\" FROM information_schema.columns WHERE \
             CASE WHEN array_length(parse_ident('{table}'),1) = 2 \
             THEN quote_ident(table_schema) = (parse_ident('{table}'))[1] AND quote_ident(table_name) = (parse_ident('{table}'))[2] \
             ELSE quote_ident(table_name) = '{table}' AND {OF_PATH} END"
        ).fetchall()
        same([(name.strip('"'), of) for name, of in told], columns, f"columns of {table}")
    ok("a dashboard finds tables and columns")


def functions(connection):
    """Functions of PostgreSQL that tell what is, or say that they cannot."""
    time = "TIMESTAMPTZ '2026-09-01T08:07:11.042Z'"
    told = one(connection, f"SELECT to_char({time}, 'YYYY-MM-DD HH24:MI:SS.MS'), to_char({time}, 'FMDay, FMDD FMMonth'), to_char({time}, '%d.%m.%y')")
    same(told, ("2026-09-01 08:07:11.042", "Tuesday, 1 September", "01.09.26"), "times as texts")
    days = [day for (day,) in connection.execute("SELECT DISTINCT to_char(start, 'YYYY-MM-DD') FROM flows ORDER BY 1").fetchall()]
    same(days[0], "2026-09-01", "days of rows")
    same(state(connection, f"SELECT to_char({time}, 'Month')"), "0A000", "a pattern that is not there")
    same(state(connection, "SELECT to_char(start, 'DDth') FROM flows"), "0A000", "another, of rows")
    same(state(connection, "SELECT to_char(bytes, '999') FROM flows"), "42883", "a number as text")
    told = one(connection, "SELECT pg_size_pretty(sum(bytes)), pg_size_pretty(10239), pg_size_pretty(-10240), pg_size_pretty(NULL) FROM flows")
    same(told, ("306 GB", "10239 bytes", "-10 kB", None), "sizes")
    same(one(connection, "SELECT pg_total_relation_size('flows'::regclass), pg_relation_size('flows'::regclass)"), (None, None), "sizes that are not known")
    told = one(connection, "SELECT has_table_privilege('flows', 'SELECT'), has_table_privilege('flows', 'INSERT'), has_schema_privilege('public', 'CREATE'), has_schema_privilege('public', 'USAGE')")
    same(told, (True, False, False, True), "privileges")
    told = connection.execute(
        "SELECT p.prokind, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.pronargs, format_type(p.prorettype, NULL) \
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public' AND p.proname = 'cidr_contains'"
    ).fetchall()
    same(told, [("f", "cidr text, addr text", "boolean", 2, "boolean")], "a function of Outflow's")
    same(one(connection, "SELECT count(*) FROM pg_proc WHERE proname = 'int4in'"), (1,), "a function of PostgreSQL's types")
    ok("functions of PostgreSQL tell no untruths")


def limits(connection):
    connection.execute("SET statement_timeout = '400ms'")
    began = time.monotonic()
    same(state(connection, SLOW), "57014", "a timeout")
    same(time.monotonic() - began < 20, True, "in time")
    connection.execute("RESET statement_timeout")
    timer = threading.Timer(0.5, connection.cancel)
    timer.start()
    same(state(connection, SLOW), "57014", "a cancelled statement")
    timer.join()
    same(one(connection, "SELECT 2"), (2,), "after that")
    ok("statements end when they are cancelled or take too long")


def cursors(server):
    [[count, total]] = server.asked("SELECT count(*), sum(bytes) FROM flows")
    with psycopg.connect(server.dsn()) as connection:
        with connection.cursor(name="all of it") as cursor:
            cursor.itersize = 10_000
            cursor.execute("SELECT bytes FROM flows")
            rows = [row[0] for row in cursor]
        same((len(rows), sum(rows)), (int(count), int(total)), "a cursor's rows")
        connection.execute("DECLARE c CURSOR FOR SELECT bytes FROM flows ORDER BY bytes, start LIMIT 5")
        parts = [len(connection.execute(f"FETCH {how} FROM c").fetchall()) for how in ("2", "NEXT", "ALL", "1")]
        same(parts, [2, 1, 2, 0], "parts of a cursor")
        connection.rollback()
        same(state(connection, "FETCH 1 FROM c"), "34000", "a cursor after its transaction")
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        same(state(connection, "DECLARE c CURSOR FOR SELECT 1"), "25P01", "a cursor without a transaction")
    ok("cursors tell rows in parts")


def transactions(server):
    with psycopg.connect(server.dsn()) as connection:
        same(state(connection, "SELECT nope FROM flows"), "42703", "an error in a transaction")
        same(state(connection, "SELECT 1"), "25P02", "after it")
        connection.rollback()
        same(one(connection, "SELECT 1"), (1,), "after going back")
        with connection.transaction():
            connection.execute("SELECT 1")
    ok("transactions fail and end as elsewhere")


def given(outflow, scratch):
    """Tables beside those of the lake."""
    import json
    import subprocess

    found = subprocess.run([outflow, "detect", "testdata/breach", "--format", "json"], capture_output=True, text=True, check=True).stdout
    with open(f"{scratch}/incidents.json", "w") as file:
        file.write(found)
    finding = {
        "schemaVersion": "2.0", "accountId": "123456789012", "region": "eu-central-1", "id": "f1", "arn": "arn:aws:guardduty:::f1",
        "type": "Backdoor:EC2/C&CActivity.B!DNS", "severity": 8, "title": "t", "description": "d",
        "createdAt": "2026-09-02T00:00:00.000Z", "updatedAt": "2026-09-02T01:00:00.000Z", "resource": {}, "service": {},
    }
    with open(f"{scratch}/guardduty.jsonl", "w") as file:
        file.write(json.dumps(finding) + "\n")
    with Server(outflow, scratch, "--incidents", f"{scratch}/incidents.json", "--guardduty", f"{scratch}/guardduty.jsonl") as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            command = [outflow, "query", "--lake", server.lake, "--incidents", f"{scratch}/incidents.json", "--format", "csv"]
            for table in "incidents", "findings":
                sql = f"SELECT count(*), min(id) FROM {table}"
                asked = subprocess.run([*command, sql], capture_output=True, text=True, check=True).stdout.splitlines()[1]
                count, first = one(connection, sql)
                same((f"{count},{first}", count > 0), (asked, True), table)
            same(one(connection, "SELECT type, severity FROM guardduty"), ("Backdoor:EC2/C&CActivity.B!DNS", 8), "findings of GuardDuty")
            tables = connection.execute("SELECT relname FROM pg_class WHERE relname IN ('findings', 'guardduty', 'incidents') ORDER BY 1").fetchall()
            same(tables, [("findings",), ("guardduty",), ("incidents",)], "what is listed")
    ok("incidents and findings are served beside the lake")


def newest(server):
    """A statement that was prepared before sees what was ingested since."""
    import subprocess

    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        sql = "SELECT count(*) FROM flows WHERE bytes >= %s"
        before = one(connection, sql, (0,), prepare=True)[0]
        line = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n" \
               "2 123456789012 eni-0a 10.0.0.1 198.51.100.7 40000 443 6 10 1234 1788300000 1788300060 ACCEPT OK\n"
        with open(f"{server.lake}-more.log", "w") as file:
            file.write(line)
        subprocess.run([server.outflow, "ingest", f"{server.lake}-more.log", "--lake", server.lake], check=True, capture_output=True)
        same(one(connection, sql, (0,), prepare=True)[0], before + 1, "what was ingested since")
    ok("each statement sees the newest version of the lake")


main()
