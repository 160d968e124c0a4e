"""PostgreSQL's driver for Java: its questions to the catalogue, prepared statements, parts of an answer."""

import os
import subprocess
import sys

from server import Server, arguments, ok, same


def main():
    outflow, scratch = arguments()
    with Server(outflow, scratch, "--users", f"{scratch}/users") as server:
        words = ["java", "-cp", os.pathsep.join([sys.argv[3], f"{scratch}/java"]), "Jdbc"]
        words += [f"jdbc:postgresql://127.0.0.1:{server.pg}/outflow", "ana", "correct horse"]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        told = dict(line.split("\t", 1) for line in told.splitlines() if "\t" in line)
        [[count, total]] = server.asked("SELECT count(*), sum(bytes) FROM flows")
        [[large]] = server.asked("SELECT count(*) FROM flows WHERE bytes > 1000")
        expected = {
            "catalogs": "1 outflow",
            "tables": "11 coverage",
            "columns": "1 int8",
            "primary keys": "0",
            "indexes": "0",
            "imported keys": "0",
            "exported keys": "0",
            "functions": "true",
            "types": "true",
            "simple": f"1 {count}",
            "prepared": f"1 {large}",
            "fetched": total,
            "valid": "true",
            "where": "outflow public",
        }
        # What an owner may do where nothing was granted: the driver makes it up.
        same(told.pop("privileges").endswith(" flows"), True, "privileges")
        same(told.pop("wrong")[:5], "42703", "a wrong question")
        same(told, expected, "answers to JDBC")
    ok("JDBC asks the catalogue, prepares and fetches in parts")


main()
