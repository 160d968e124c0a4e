"""Times Outflow against DuckDB on the same Resolver query logs, in turns, on the same machine.

usage: versus_duckdb_dns.py FOLDER [ROUNDS]

Where FOLDER does not exist, it is made: two million queries in eight gzip objects and, in FOLDER/plain, the first two of
them as plain text. All are drawn with a fixed seed. DuckDB runs `count(*), sum(length(query_name))` over them, and, as
it then reads only what is asked for, once more with all columns made; Outflow decodes all columns (bin `decode_dns`).
Needs `pip install duckdb`, and `cargo build --release -p outflow-benches` before.
"""

import datetime
import glob
import gzip
import json
import os
import random
import re
import subprocess
import sys
import time

FILES, QUERIES = 8, 250_000
TEXTS = ["version", "account_id", "region", "vpc_id", "query_name", "query_type", "query_class", "rcode", "srcaddr",
         "transport", "firewall_rule_action", "firewall_rule_group_id", "firewall_domain_list_id"]
COLUMNS = {name: "VARCHAR" for name in TEXTS} | {
    "query_timestamp": "TIMESTAMP",
    "srcport": "USMALLINT",
    "answers": "STRUCT(Rdata VARCHAR, Type VARCHAR, Class VARCHAR)[]",
    "srcids": "STRUCT(instance VARCHAR, resolver_endpoint VARCHAR, resolver_network_interface VARCHAR)",
}
ANSWERS = {"A": lambda draw: f"{draw.randrange(1, 224)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}",
           "AAAA": lambda draw: f"2600:1f18:{draw.randrange(65536):x}::{draw.randrange(1, 65536):x}",
           "PTR": lambda draw: f"ip-10-0-{draw.randrange(256)}-{draw.randrange(256)}.ec2.internal.",
           "MX": lambda draw: f"10 mx{draw.randrange(1, 5)}.mail.example.org.",
           "HTTPS": lambda draw: "1 . alpn=h3,h2"}


def query(draw, vpc, at, domains):
    kind = draw.choices(["A", "AAAA", "PTR", "MX", "HTTPS"], [60, 25, 8, 2, 5])[0]
    name = draw.choice(domains)
    if draw.random() < 0.02:
        name = f"{draw.getrandbits(160):040x}.{name}"
    if kind == "PTR":
        name = f"{draw.randrange(256)}.{draw.randrange(256)}.0.10.in-addr.arpa."
    rcode = draw.choices(["NOERROR", "NXDOMAIN", "SERVFAIL"], [90, 9, 1])[0]
    answers = []
    if rcode == "NOERROR":
        for hop in range(draw.choice([0, 0, 0, 1, 2])):
            answers.append({"Rdata": f"edge{hop}.{draw.randrange(1000)}.cdn.example.net.", "Type": "CNAME", "Class": "IN"})
        for _ in range(draw.choice([1, 1, 2, 4])):
            answers.append({"Rdata": ANSWERS[kind](draw), "Type": kind, "Class": "IN"})
    host = draw.randrange(400)
    record = {"version": "1.100000", "account_id": "111122223333", "region": "us-east-1", "vpc_id": vpc,
              "query_timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "query_name": name, "query_type": kind,
              "query_class": "IN", "rcode": rcode, "answers": answers, "srcaddr": f"10.0.{host % 16}.{host // 16 + 4}",
              "srcport": str(draw.randrange(1024, 65536)), "transport": "TCP" if draw.random() < 0.01 else "UDP",
              "srcids": {"instance": f"i-0{host * 7919 + 0xabcdef0123456:016x}"} if host % 5 else {}}
    if draw.random() < 0.01:
        record |= {"firewall_rule_action": "ALERT", "firewall_rule_group_id": "rslvr-frg-01234567890abcdef",
                   "firewall_domain_list_id": "rslvr-fdl-01234567890abcdef"}
    return json.dumps(record, separators=(",", ":"))


def generate(folder):
    os.makedirs(f"{folder}/gzip")
    os.makedirs(f"{folder}/plain")
    start = datetime.datetime(2026, 3, 1)
    for number in range(FILES):
        draw = random.Random(number)
        words = ["api", "cdn", "img", "login", "static", "eu-west", "metrics", "prod", "db", "updates"]
        domains = [f"{draw.choice(words)}-{at}.{draw.choice(words)}.{draw.choice(['Example', 'example'])}{at % 97}.com."
                   for at in range(5000)]
        vpc = f"vpc-0{number:016x}"
        lines = (query(draw, vpc, start + datetime.timedelta(seconds=at * 300 // QUERIES), domains) + "\n"
                 for at in range(QUERIES))
        text = "".join(lines).encode()
        with gzip.GzipFile(f"{folder}/gzip/{number}.log.gz", "wb", 6, mtime=0) as stored:
            stored.write(text)
        if number < 2:
            with open(f"{folder}/plain/{number}.log", "wb") as stored:
                stored.write(text)


def duckdb_scan(folder, all_columns):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads={os.cpu_count()}")
    files = sorted(glob.glob(f"{folder}/*"))
    # A name's last dot is not kept by Outflow.
    length = "sum(length(rtrim(query_name, '.')))"
    others = "".join(f", count({name})" for name in COLUMNS) if all_columns else ""
    query = f"select count(*), {length}{others} from read_json({files!r}, format='newline_delimited', columns={COLUMNS!r})"
    started = time.perf_counter()
    rows, total, *_ = connection.execute(query).fetchone()
    return time.perf_counter() - started, (rows, int(total))


def outflow(folder):
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    started = time.perf_counter()
    done = subprocess.run([f"{target}/release/decode_dns", folder], check=True, capture_output=True, text=True)
    spent = time.perf_counter() - started
    found = re.search(r"(\d+) rows, 0 rejects, .*\(query_name\)\) (\d+)", done.stdout)
    return spent, (int(found[1]), int(found[2]))


def compare(folder, rounds):
    sides = {"duckdb": lambda: duckdb_scan(folder, False), "duckdb, all": lambda: duckdb_scan(folder, True),
             "decode": lambda: outflow(folder)}
    seconds = {name: [] for name in sides}
    counted = set()
    for _ in range(rounds):
        for name, run in sides.items():
            spent, counts = run()
            seconds[name].append(spent)
            counted.add(counts)
    assert len(counted) == 1, f"all must count the same: {counted}"
    (rows, _), = counted
    print(f"{folder}: {rows:,} queries")
    for name, values in seconds.items():
        best = min(values)
        shown = ", ".join(f"{value:.2f}" for value in values)
        print(f"{name:12} best {best:6.2f} s  {best / min(seconds['duckdb']):5.2f} x  "
              f"{rows / best / os.cpu_count():12,.0f} records/s per core  ({shown})")


def main():
    folder, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if not os.path.exists(folder):
        generate(folder)
    for form in ["gzip", "plain"]:
        compare(f"{folder}/{form}", rounds)


main()
