"""psql: what it asks the catalogue with its backslashes."""

import os
import subprocess

from server import Server, arguments, ok, same

# What each has to say; nothing of it may be an error.
SAYS = {
    r"\d": ["public | flows ", "public | vpc_flow_logs", "view"],
    r"\dt": ["public | coverage", "table"],
    r"\dv": ["public | flows_once", "view"],
    r"\d flows": ['Table "public.flows"', "bytes", "bigint", "timestamp with time zone"],
    r"\d flows_once": ['View "public.flows_once"'],
    r"\dn": ["public"],
    r"\l": ["outflow"],
    r"\di": ["Did not find any relations."],
    r"\df": ["List of functions", "public | cidr_contains ", "cidr text, addr text", "distinct_hll", "agg", "sessionize", "window"],
    r"\df+ human_bytes": ["public | human_bytes", "internal"],
    r"\du": ["ana"],
    r"\dT": ["List of data types"],
    r"\dp flows": ["Access privileges"],
    r"\d+ flows": ['Table "public.flows"'],
    r"\conninfo": ['database "outflow"', 'user "ana"'],
    r"\encoding": ["UTF8"],
}


def main():
    outflow, scratch = arguments()
    users = f"{scratch}/users"
    with Server(outflow, scratch, "--users", users) as server:
        environment = {**os.environ, "PGPASSWORD": "correct horse"}

        def psql(*commands):
            words = ["psql", "-X", "-A", "-v", "ON_ERROR_STOP=1", server.dsn()]
            if any(command.startswith("\\") for command in commands):
                words.remove("-A")
            for command in commands:
                words += ["-c", command]
            return subprocess.run(words, capture_output=True, text=True, env=environment)

        for command, expected in SAYS.items():
            told = psql(command)
            same((told.returncode, "ERROR" in told.stderr), (0, False), f"psql {command}: {told.stderr}")
            for words in expected:
                # That there is nothing is said beside the answer.
                same(words in told.stdout + told.stderr, True, f"psql {command} says `{words}`: {told.stdout}")
        [[count, total]] = server.asked("SELECT count(*), sum(bytes) FROM flows")
        told = psql("SELECT count(*), sum(bytes) FROM flows").stdout.splitlines()
        same(told[:2], ["count|sum", f"{count}|{total}"], "psql's answer")
        told = psql("SELECT nope FROM flows")
        same("ERROR:  column 'nope' not found\nLINE 1: SELECT nope FROM flows\n               ^" in told.stderr, True, told.stderr)
        copied = psql(r"\copy (SELECT day, count(*) FROM flows GROUP BY day ORDER BY day) TO STDOUT CSV").stdout
        same(copied.split(), [",".join(row) for row in server.asked("SELECT day, count(*) FROM flows GROUP BY day ORDER BY day")], r"\copy")
    ok("psql shows tables, columns, functions, users and rows")


main()
