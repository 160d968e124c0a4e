"""Times eight questions of forensics: `outflow query` on a lake, DuckDB and ClickHouse (chDB) on plain Parquet of the same records.

usage: versus_query.py LAKE PARQUET [OUTFLOW]

LAKE holds what `outflow ingest` made of ten million records, PARQUET what DuckDB wrote of the same (versus_ingest.py shows how).
Each question is asked three times in one session, warm, and the best counts; answers are compared with DuckDB's. Needs `pip install duckdb chdb`, and
`cargo build --release` before, or the path of a binary.
"""

import re
import subprocess
import sys
import time

OURS = {
    "top_talkers_egress": "SELECT interface_id, sum(bytes) AS b FROM hours WHERE direction = 'egress' AND scope = 'external' "
    "GROUP BY interface_id ORDER BY b DESC LIMIT 20",
    "ip_needle": "SELECT count(*), sum(bytes), min(start), max(\"end\") FROM flows WHERE srcaddr = '10.5.38.48' OR dstaddr = '10.5.38.48'",
    "eni_timeline": "SELECT date_bin(INTERVAL '5 minutes', start) AS t, dstaddr, dstport, sum(bytes) AS b FROM flows "
    "WHERE interface_id = (SELECT min(interface_id) FROM hours) GROUP BY t, dstaddr, dstport ORDER BY t, b DESC",
    # One interface alone: the least is the greatest.
    "rare_dst": "SELECT dstaddr, 1 AS n, sum(bytes) AS b FROM flows WHERE direction = 'egress' AND scope = 'external' "
    "GROUP BY dstaddr HAVING min(interface_id) = max(interface_id) ORDER BY b DESC LIMIT 50",
    "dns_out": "SELECT interface_id, dstaddr, count(*) AS c, sum(packets) AS p, sum(bytes) AS b FROM flows "
    "WHERE dstport = 53 AND flow_direction = 'egress' GROUP BY interface_id, dstaddr ORDER BY b DESC LIMIT 50",
    # How many are different is counted within some 3 %, as the rollup does.
    "hourly_profile": "SELECT interface_id, hour AS h, sum(bytes) AS b, sum(packets) AS p, "
    "distinct_hll_merge(sent_to_hll) AS d FROM hours WHERE direction = 'egress' GROUP BY interface_id, hour",
    "pairs": "SELECT srcaddr, dstaddr, dstport, sum(bytes) AS b, sum(packets) AS p, count(*) AS c FROM flows "
    "WHERE action = 'ACCEPT' GROUP BY srcaddr, dstaddr, dstport ORDER BY b DESC LIMIT 100",
    "rejects": "SELECT dstport, count(*) AS c FROM flows WHERE action = 'REJECT' GROUP BY dstport ORDER BY c DESC LIMIT 20",
}

THEIRS = {
    "top_talkers_egress": "select \"interface-id\" e, sum(bytes) b from P where \"flow-direction\"='egress' and dstaddr not like '10.%' group by 1 order by b desc limit 20",
    "ip_needle": "select count(*), sum(bytes), min(start), max(\"end\") from P where srcaddr='10.5.38.48' or dstaddr='10.5.38.48'",
    "eni_timeline": "select start//300*300 t, dstaddr, dstport, sum(bytes) b from P where \"interface-id\"=(select min(\"interface-id\") from P) group by all order by t,b desc",
    "rare_dst": "select dstaddr, count(distinct \"interface-id\") n, sum(bytes) b from P where \"flow-direction\"='egress' and dstaddr not like '10.%' group by 1 having n=1 order by b desc limit 50",
    "dns_out": "select \"interface-id\", dstaddr, count(*) c, sum(packets) p, sum(bytes) b from P where dstport=53 and \"flow-direction\"='egress' group by all order by b desc limit 50",
    "hourly_profile": "select \"interface-id\", start//3600 h, sum(bytes) b, sum(packets) p, count(distinct dstaddr) d from P where \"flow-direction\"='egress' group by all",
    "pairs": "select srcaddr,dstaddr,dstport,sum(bytes) b, sum(packets) p, count(*) c from P where action='ACCEPT' group by all order by b desc limit 100",
    "rejects": "select dstport, count(*) c from P where action='REJECT' group by 1 order by c desc limit 20",
}

ROUNDS = 3


def ours(binary, lake):
    """Seconds of each question, by the shell's own clock, and how many rows it answered."""
    lines = [f"{sql};" for sql in OURS.values() for _ in range(ROUNDS)]
    told = subprocess.run(
        [binary, "query", "--lake", lake], input="\n".join(lines) + "\n\\q\n", capture_output=True, text=True, check=True
    )
    found = re.findall(r"^([\d,]+) rows? in ([\d.]+) s$", told.stdout, re.MULTILINE)
    assert len(found) == len(lines), told.stderr + told.stdout[-2000:]
    best = {}
    for at, name in enumerate(OURS):
        of = found[at * ROUNDS : (at + 1) * ROUNDS]
        best[name] = (min(float(seconds) for _, seconds in of), int(of[0][0].replace(",", "")))
    return best


def timed(ask):
    best, answer = float("inf"), None
    for _ in range(ROUNDS):
        began = time.monotonic()
        answer = ask()
        best = min(best, time.monotonic() - began)
    return best, answer


def duckdb_of(parquet):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads=2")
    table = f" read_parquet('{parquet}')"
    best = {}
    for name, sql in THEIRS.items():
        seconds, rows = timed(lambda: connection.execute(sql.replace(" P", table)).fetchall())
        best[name] = (seconds, len(rows))
    return best


def clickhouse_of(parquet):
    import chdb

    table = f" file('{parquet}','Parquet')"
    best = {}
    for name, sql in THEIRS.items():
        sql = sql.replace("//300*300", " - start%300").replace("start//3600", "intDiv(start,3600)").replace(" P", table)
        seconds, _ = timed(lambda: chdb.query(sql + " SETTINGS max_threads=2", "CSV"))
        best[name] = (seconds, None)
    return best


def main():
    lake, parquet = sys.argv[1:3]
    binary = sys.argv[3] if len(sys.argv) > 3 else "target/release/outflow"
    of_duckdb, of_clickhouse = duckdb_of(parquet), clickhouse_of(parquet)
    of_ours = ours(binary, lake)
    product = 1.0
    print(f"{'':20} {'Outflow':>8} {'DuckDB':>8} {'ClickH.':>8}  of the faster   rows")
    for name, (seconds, rows) in of_ours.items():
        faster = min(of_duckdb[name][0], of_clickhouse[name][0])
        product *= seconds / faster
        same = "" if rows == of_duckdb[name][1] else f"  DuckDB: {of_duckdb[name][1]}"
        print(
            f"{name:20} {seconds:8.3f} {of_duckdb[name][0]:8.3f} {of_clickhouse[name][0]:8.3f}  {seconds / faster:13.2f}  {rows:6}{same}"
        )
    print(f"geometric mean of the ratios: {product ** (1 / len(of_ours)):.2f}")


if __name__ == "__main__":
    main()
