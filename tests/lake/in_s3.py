"""Ingests into lakes in S3, and reads them back with delta-rs.

    python in_s3.py OUTFLOW SOURCE URL

URL is a server that speaks S3 and has a bucket `logs` that holds SOURCE below `archive/`.
"""

import os
import subprocess
import sys

from read_back import counts_by_delta_rs, expect, ingest, run, wanted_of


def main(outflow, source, url):
    storage = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": os.environ["AWS_REGION"],
        "AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
    }
    at = ["--endpoint-url", url]

    lake = "s3://logs/lakes/one"
    books = ingest(outflow, source, lake, *at)
    wanted = wanted_of(books)
    expect("rows in S3", counts_by_delta_rs(lake, storage), wanted)
    again = ingest(outflow, source, lake, *at)
    expect("objects read again", (again["objects"], again["objects_known"]), (0, books["objects"]))
    # The lake alone is on that server.
    again = ingest(outflow, source, lake, "--lake-endpoint-url", url)
    expect("objects read a third time", again["objects"], 0)

    # Objects of the bucket have other names, so they are others.
    lake = "s3://logs/lakes/two"
    command = [outflow, "ingest", "s3://logs/archive", "--lake", lake, *at]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    expect("two at once", [one.wait() for one in both], [0, 0])
    expect("rows that two stored at once", counts_by_delta_rs(lake, storage), wanted)

    run(outflow, "compact", "--lake", lake, *at)
    expect("rows after a compaction", counts_by_delta_rs(lake, storage), wanted)
    status = run(outflow, "lake", "status", "--lake", lake, *at)
    expect("files of flows to join", status[0]["small_files"], 0)
    checked = run(outflow, "lake", "verify", "--sources", "--lake", lake, *at)[-1]
    expect("faults", (checked["faults"], checked["objects_same"]), (0, wanted["sources"]))
    print(f"delta-rs reads what was stored in S3: {wanted}")


if __name__ == "__main__":
    main(*sys.argv[1:])
