"""A server that is asked, and what `outflow query` answers over the same lake."""

import csv
import io
import os
import resource
import signal
import subprocess
import sys
import threading

START_SECS_MAX = 60


class Server:
    """`outflow serve`, at ports that the system chooses."""

    def __init__(self, outflow, scratch, *args, pg=True, flight=False, descriptors=None):
        self.outflow, self.lake = outflow, f"{scratch}/lake"
        command = [outflow, "serve", "--lake", self.lake, *args]
        if pg:
            command += ["--pg", "127.0.0.1:0"]
        if flight:
            command += ["--flight", "127.0.0.1:0"]
        few = descriptors and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)))
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=few)
        self.said, self.pg, self.flight = [], None, None
        timer = threading.Timer(START_SECS_MAX, self.process.kill)
        timer.start()
        for line in self.process.stderr:
            self.said.append(line)
            if "postgresql://" in line:
                self.pg = int(line.split("postgresql://")[1].split("/")[0].rsplit(":")[-1])
            if "grpc://" in line:
                self.flight = int(line.strip().rsplit(":")[-1])
            if (self.pg or not pg) and (self.flight or not flight):
                break
        timer.cancel()
        if (pg and not self.pg) or (flight and not self.flight):
            sys.exit(f"the server did not start: {self.said}")
        # What it says later must not keep it waiting.
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        same(code, 0, "the server ends in order")

    def dsn(self, user="ana", **more):
        parts = {"host": "127.0.0.1", "port": self.pg, "dbname": "outflow", "user": user, **more}
        return " ".join(f"{name}={value}" for name, value in parts.items())

    def asked(self, sql):
        """The rows of an answer of `outflow query`, as texts."""
        command = [self.outflow, "query", "--lake", self.lake, "--format", "csv", sql]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        return list(csv.reader(io.StringIO(told.stdout)))[1:]

    def cpu_secs(self):
        """What it has computed so far."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_alive(self):
        return self.process.poll() is None


def same(told, expected, what):
    if told != expected:
        sys.exit(f"{what}: it is {told!r}, and not {expected!r}")


def ok(what):
    print(f"ok: {what}", flush=True)


def arguments():
    outflow, scratch = sys.argv[1:3]
    os.environ.pop("PGPASSWORD", None)
    return outflow, scratch
