"""ADBC: queries, parameters, what there is, errors."""

import adbc_driver_flightsql.dbapi as flight
from server import Server, arguments, ok, same


def main():
    with Server(*arguments(), pg=False, flight=True) as server:
        with flight.connect(f"grpc://127.0.0.1:{server.flight}", autocommit=True) as connection:
            with connection.cursor() as cursor:
                queries(server, cursor)
                errors(cursor)
            tables(connection)


def rows(cursor, sql, values=None):
    cursor.execute(sql, values)
    return [tuple(row.values()) for row in cursor.fetch_arrow_table().to_pylist()]


def queries(server, cursor):
    same(rows(cursor, "SELECT max(set_config('my.' || action, 'x', false)) FROM flows"), [("x",)], "settings of a call")
    same(rows(cursor, "SELECT current_setting('my.ACCEPT', true)"), [(None,)], "a setting of another call")
    [[count, total]] = server.asked("SELECT count(*), sum(bytes) FROM flows")
    same(rows(cursor, "SELECT count(*), sum(bytes) FROM flows"), [(int(count), int(total))], "count and sum")
    cursor.execute("SELECT * FROM flows")
    table = cursor.fetch_arrow_table()
    same((table.num_rows, sum(table["bytes"].to_pylist())), (int(count), int(total)), "all rows")
    [[count]] = server.asked("SELECT count(*) FROM flows WHERE bytes > 1000 AND action = 'ACCEPT'")
    for sql in "bytes > ? AND action = ?", "bytes > $1 AND action = $2":
        told = rows(cursor, f"SELECT count(*) FROM flows WHERE {sql}", (1000, "ACCEPT"))
        same(told, [(int(count),)], sql)
    same(rows(cursor, "SELECT ? AS a, ? AS b", ("it's", 5)), [("it's", 5)], "values alone")
    ok("Flight SQL answers queries, with ? and $1")


def tables(connection):
    names = ["coverage", "dns", "flows", "flows_logged", "flows_once", "hours", "profiles", "profiles_once", "rejects", "sources", "vpc_flow_logs"]
    [catalog] = connection.adbc_get_objects(depth="all").read_all().to_pylist()
    [schema] = catalog["catalog_db_schemas"]
    same((catalog["catalog_name"], schema["db_schema_name"]), ("outflow", "public"), "where tables are")
    same([table["table_name"] for table in schema["db_schema_tables"]], names, "tables")
    flows = connection.adbc_get_table_schema("flows")
    same((flows.names[0], str(flows.field("bytes").type), str(flows.field("srcaddr").type)), ("version", "int64", "string"), "columns")
    same(sorted(connection.adbc_get_table_types()), ["TABLE", "VIEW"], "kinds of tables")
    same(connection.adbc_get_info()["vendor_name"], "Outflow", "who answers")
    ok("ADBC lists tables and their columns")


def errors(cursor):
    for sql, code in {
        "SELECT nope FROM flows": "42703",
        "SELECT * FROM nope": "42P01",
        "SELEC 1": "42601",
        "SELECT 1; SELECT 2": "42601",
        "INSERT INTO flows VALUES (1)": "25006",
        "CREATE TABLE t (a int)": "25006",
        "SELECT $1, ?": "42P02",
    }.items():
        try:
            cursor.execute(sql)
        except flight.Error as error:
            same(f"[{code}]" in str(error), True, f"{sql}: {error}")
        else:
            same("it was done", "it is refused", sql)
    same(rows(cursor, "SELECT 1 AS one"), [(1,)], "after errors")
    ok("Flight SQL refuses what writes or is wrong, and goes on")


main()
