#!/usr/bin/env python3
"""Asks every saved query of a lake in one shell, twice, and prints the seconds of the second time.

    python3 benches/saved_queries.py LAKE [BINARY] [SECONDS_MAX]

Parameters without a default are taken from the lake itself. A query that takes longer than SECONDS_MAX (60) is given up.
"""

import json
import re
import subprocess
import sys
import time

lake = sys.argv[1]
binary = sys.argv[2] if len(sys.argv) > 2 else "target/release/outflow"
limit = float(sys.argv[3]) if len(sys.argv) > 3 else 60


def ask(sql):
    done = subprocess.run([binary, "query", "--lake", lake, "--format", "json", sql], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[0])


some = ask(
    "SELECT interface_id, remote_addr, local_addr, CAST(day AS VARCHAR) AS day, CAST(start AS VARCHAR) AS start FROM flows "
    "WHERE counted AND direction = 'egress' ORDER BY bytes DESC LIMIT 1"
)
values = {
    "interface": some["interface_id"],
    "ip": some["remote_addr"],
    "a": some["local_addr"],
    "b": some["remote_addr"],
    "day": some["day"],
    "out_at": some["start"],
    "domain": "example.com",
}
listed = subprocess.run([binary, "query", "--list"], capture_output=True, text=True, check=True).stdout
for name in [line.split()[0] for line in listed.splitlines() if line.strip()]:
    shown = subprocess.run([binary, "query", "--show", name], capture_output=True, text=True, check=True).stdout
    needed = re.findall(r"^  (\w+) +\w+ +\(needed\)", shown, re.MULTILINE)
    given = " ".join(f"{parameter}={values[parameter]}" for parameter in needed)
    script = f"\\r {name} {given}\n" * 2
    began = time.monotonic()
    try:
        done = subprocess.run(
            [binary, "query", "--lake", lake], input=script, capture_output=True, text=True, timeout=2 * limit
        )
    except subprocess.TimeoutExpired:
        print(f"{name:24} more than {limit:.0f}")
        continue
    if "as none was given" in done.stderr:
        print(f"{name:24} asks a table that is not of the lake")
        continue
    took = re.findall(r"^[\d,]+ rows? in ([\d.]+) s$", done.stdout, re.MULTILINE)
    if done.returncode or len(took) != 2:
        sys.exit(f"{name}: {done.stderr.strip()}")
    print(f"{name:24} {took[1]}   (first: {took[0]})", flush=True)
