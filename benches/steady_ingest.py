"""Whether `outflow ingest` is as fast at the end of a long run as at its beginning, in as little memory.

usage: steady_ingest.py FOLDER SCRATCH [TIMES]

FOLDER holds gzip text flow logs; each object is read TIMES times (10), as copies that differ in the time that their gzip
header tells, which no decoder looks at. Copies and lake go to SCRATCH, and are removed. Prints the records a second and
the memory in each tenth of the run. Needs `cargo build --release` before.
"""

import datetime
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

TENTHS = 10
SAMPLE_SECS = 0.25
READ = re.compile(r"^(\S+Z).* rows=(\d+)")


def copies(folder, to, times):
    """Writes the copies, each under the hour of its turn, so that they are read turn by turn."""
    for turn in range(times):
        for path in sorted(glob.glob(f"{folder}/**/*.gz", recursive=True)):
            stored = bytearray(pathlib.Path(path).read_bytes())
            stored[4:8] = (turn + 1).to_bytes(4, "little")
            copy = pathlib.Path(to, f"{turn:03}", os.path.relpath(path, folder))
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(stored)


def resident(pid):
    """Mebibytes that a process has in memory; none once it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else None


def run(source, lake):
    """Times at which so many rows more had been read, and samples of memory, both by seconds since the start."""
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    command = [f"{target}/release/outflow", "-vv", "ingest", source, "--lake", lake]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    began, memory = time.time(), []

    def sample():
        while (mebibytes := resident(process.pid)) is not None:
            memory.append((time.time() - began, mebibytes))
            time.sleep(SAMPLE_SECS)

    sampler = threading.Thread(target=sample)
    sampler.start()
    rows = []
    for line in process.stderr:
        found = READ.match(re.sub(r"\x1b\[[0-9;]*m", "", line))
        if found:
            at = datetime.datetime.fromisoformat(found[1].replace("Z", "+00:00")).timestamp() - began
            rows.append((at, int(found[2])))
    if process.wait() != 0:
        sys.exit(f"it ended with {process.returncode}")
    sampler.join()
    return rows, memory, time.time() - began


def main():
    folder, scratch, times = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 10
    source, lake = f"{scratch}/copies", f"{scratch}/lake"
    copies(folder, source, times)
    try:
        rows, memory, seconds = run(source, lake)
    finally:
        shutil.rmtree(source, ignore_errors=True)
        shutil.rmtree(lake, ignore_errors=True)
    total = sum(count for _, count in rows)
    print(f"{total:,} rows in {seconds:.1f} s, at most {max(m for _, m in memory):.0f} MiB\n")
    print("tenth  rows/s       MiB at most")
    since, done, tenth = 0.0, 0, 0
    part = 0
    for at, count in rows:
        part += count
        done += count
        if done * TENTHS >= (tenth + 1) * total:
            most = max((m for t, m in memory if since <= t <= at), default=0)
            print(f"{tenth + 1:5}  {part / (at - since):11,.0f}  {most:11.0f}")
            since, part, tenth = at, 0, done * TENTHS // total


if __name__ == "__main__":
    main()
