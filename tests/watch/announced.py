"""Watches a queue: announced.py OUTFLOW ARCHIVE URL SCRATCH SECS_MAX."""

import json
import os
import signal
import subprocess
import sys
import time

import boto3
from bucket import client_of

outflow, archive, url, scratch, secs_max = sys.argv[1:6]
BUCKET = "logs"
POISON = "not an event at all"
WAIT_SECS_MAX = 120


def fail(reason):
    sys.exit(f"error: {reason}")


def keys():
    for folder, _, names in sorted(os.walk(archive)):
        for name in sorted(names):
            if name.endswith(".log.gz"):
                path = os.path.join(folder, name)
                yield os.path.relpath(path, archive), path


def own(key, stored):
    """As a bucket announces: the key is encoded as the fields of a form are."""
    name = key.replace("%", "%25").replace("=", "%3D").replace(" ", "+")
    object_ = {"key": name, "size": stored["size"], "eTag": stored["etag"], "sequencer": "0055"}
    s3 = {"bucket": {"name": BUCKET}, "object": object_}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}]}


def bridged(key, stored):
    """As EventBridge announces."""
    detail = {"bucket": {"name": BUCKET}, "object": {"key": key, "size": stored["size"], "etag": stored["etag"]}}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def through_sns(key, stored):
    return {"Type": "Notification", "Message": json.dumps(own(key, stored))}


def bare(key, _):
    """Without size and ETag, which then have to be asked for."""
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}


def run(*args, codes=(0,)):
    done = subprocess.run([outflow, *args], capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        fail(f"{args} ended with {done.returncode}:\n{done.stderr}")
    return done


def ids(lines, of="finding"):
    lines = (json.loads(line) for line in lines)
    return [line["id"] for line in lines if line["type"] == of]


def tail(path):
    with open(path, encoding="utf-8") as file:
        return file.read()[-5_000:]


def told(path):
    with open(path, encoding="utf-8") as file:
        return ids(file)


s3 = client_of(url, int(secs_max))
sqs = boto3.client("sqs", endpoint_url=url, region_name="us-east-1")
queue = sqs.create_queue(QueueName="flow-logs", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
lake = os.path.join(scratch, "watched")
out = os.path.join(scratch, "told.jsonl")
watch = ["watch", "--queue", queue, "--endpoint-url", url, "--lake", lake, "--out", out]


def send(body):
    sqs.send_message(QueueUrl=queue, MessageBody=body if isinstance(body, str) else json.dumps(body))


def waiting():
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


forms = [own, bridged, through_sns, bare]
send({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET})
send(POISON)
objects = list(keys())
for at, (key, path) in enumerate(objects):
    s3.upload_file(path, BUCKET, key)
    head = s3.head_object(Bucket=BUCKET, Key=key)
    stored = {"size": head["ContentLength"], "etag": head["ETag"].strip('"')}
    send(forms[at % len(forms)](key, stored))
    if at % 7 == 0:
        # Twice, as queues may.
        send(forms[(at + 1) % len(forms)](key, stored))

# While it runs: everything is announced, and nothing else is looked at.
said = os.path.join(scratch, "said")
with open(said, "w", encoding="utf-8") as file:
    process = subprocess.Popen([outflow, *watch, "--interval", "1", "-v"], stderr=file)
began = time.monotonic()
expected = ids(run("detect", f"s3://{BUCKET}", "--endpoint-url", url, "--format", "json").stdout.splitlines())
while not (os.path.exists(out) and set(told(out)) >= set(expected) and waiting() == 0):
    if time.monotonic() - began > WAIT_SECS_MAX or process.poll() is not None:
        process.kill()
        fail(f"not all was told, or {waiting()} messages are left; see {tail(said)}")
    time.sleep(0.5)
process.send_signal(signal.SIGTERM)
if process.wait(timeout=WAIT_SECS_MAX) != 0:
    fail(f"SIGTERM ended it with {process.returncode}:\n{tail(said)}")

if len(told(out)) != len(set(told(out))):
    fail("a finding was told twice")
set_aside = os.listdir(os.path.join(lake, "watch", "set-aside"))
if len(set_aside) != 1:
    fail(f"one message was poison, and {len(set_aside)} were set aside")
with open(os.path.join(lake, "watch", "set-aside", set_aside[0]), encoding="utf-8") as file:
    poison = json.load(file)
if poison["body"] != POISON or "no JSON" not in poison["reason"]:
    fail(f"what was set aside is not what was sent: {poison}")
books = json.loads(run("lake", "verify", "--lake", lake, "--format", "json").stdout.splitlines()[-1])
if books["faults"] != 0:
    fail(f"the lake does not add up: {books}")
status = json.loads(run("lake", "status", "--lake", lake, "--format", "json").stdout.splitlines()[-1])
if status["objects"] != len(objects):
    fail(f"{len(objects)} objects were announced, and {status['objects']} are in the lake")

# An object that is announced and gone stays in the queue until it was tried often enough.
send(own("gone.log.gz", {"size": 10, "etag": "0a1b"}))
run(*watch, "--once", codes=(3,))
if waiting() != 1:
    fail(f"a message whose object could not be read was not given back: {waiting()} are left")

# What was told is not told again, whatever is announced again.
before = told(out)
send(own(objects[-1][0], stored))
# The queue may hand out the one that is gone again, or not yet.
run(*watch, "--once", codes=(0, 3))
if told(out) != before or waiting() != 1:
    fail("an object that was announced again was told again, or its message was left")
print(f"{len(objects)} objects by {len(forms)} forms of announcement: {len(before)} findings, each told once; poison set aside")
