"""Reads an archive from an S3 server on the same machine, and says how busy its cores were meanwhile.

usage: s3_loopback.py FOLDER [ROUNDS]

FOLDER is what detect is to read; its files are put into a bucket of moto (`pip install 'moto[server]'`), which runs on
the same cores. Needs `cargo build --release --workspace` before, and Linux, whose /proc/stat tells what cores did.
"""

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../tests/s3"))
from bucket import client_of, upload  # noqa: E402

START_SECS_MAX = 60


def free_port():
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return own.getsockname()[1]


def cores():
    """Ticks of all cores since the start of the machine: all, and idle or waiting for a disk."""
    with open("/proc/stat") as stat:
        ticks = [int(number) for number in stat.readline().split()[1:9]]
    return sum(ticks), ticks[3] + ticks[4]


def run(outflow, source, *more):
    found = os.path.join(tempfile.mkdtemp(), "found.jsonl")
    before, (all_before, idle_before) = resource.getrusage(resource.RUSAGE_CHILDREN), cores()
    began = time.monotonic()
    subprocess.run([outflow, "detect", source, "--format", "json", "--out", found, *more], check=True)
    wall = time.monotonic() - began
    after, (all_after, idle_after) = resource.getrusage(resource.RUSAGE_CHILDREN), cores()
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, own, (idle_after - idle_before) / max(1, all_after - all_before)


def main():
    folder, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    outflow = os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "release/outflow")
    os.environ.update(
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_EC2_METADATA_DISABLED="true",
        NO_PROXY="127.0.0.1",
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        upload(client_of(url, START_SECS_MAX), folder)
        for _ in range(rounds):
            for name, source, more in [
                ("s3", "s3://logs", ["--endpoint-url", url, "--path-style"]),
                ("folder", folder, []),
            ]:
                wall, own, idle = run(outflow, source, *more)
                print(f"{name:6} {wall:6.2f} s, {own:6.2f} s of processor, cores idle {100 * idle:4.1f} %")
    finally:
        server.terminate()
        server.wait()


main()
