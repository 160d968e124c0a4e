"""Delivers, and reads back: delivered.py DELIVER URL SCRATCH SECS_MAX."""

import json
import os
import subprocess
import sys

import boto3
from bucket import client_of
from receiver import Receiver, certificates

deliver, url, scratch, secs_max = sys.argv[1:5]
ACCOUNT = "123456789012"
REGION = "us-east-1"
ITEMS = 25


def fail(reason):
    sys.exit(f"error: {reason}")


def same(what, found, expected):
    if found != expected:
        fail(f"{what}: found {found}, expected {expected}")


def client(service):
    return boto3.client(service, endpoint_url=url, region_name=REGION)


def path(name):
    return os.path.join(scratch, name)


def write(name, values):
    with open(path(name), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(value) + "\n" for value in values)
    return path(name)


def run(what, *args, code=0, dead="-"):
    """Runs the program; gives a list of (delivered, failed, kept, attempts) by target."""
    done = subprocess.run([deliver, "run-1", url, dead, *what, *args], capture_output=True, text=True, check=False)
    if done.returncode != code:
        fail(f"{what} {args} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    return {line.rsplit(" ", 4)[0]: tuple(map(int, line.split()[-4:])) for line in lines}


def messages(queue):
    """All that is in a queue, deleted from it."""
    found = []
    while True:
        some = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        some = some.get("Messages", [])
        if not some:
            return found
        for message in some:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        found += some


def ids(texts):
    return sorted(json.loads(text)["id"] for text in texts)


s3 = client_of(url, int(secs_max))
sqs, sns, hub = client("sqs"), client("sns"), client("securityhub")
incidents = [{"type": "incident", "id": f"in-{at:02}", "text": "ä\n\"€\" \U0001f600"} for at in range(ITEMS)]
expected = [incident["id"] for incident in incidents]
file = write("incidents.jsonl", incidents)

# A webhook, over TLS with an authority of its own; the same run again is the same delivery.
certificates(path("authority.pem"), path("server.pem"))
os.environ |= {"SSL_CERT_FILE": path("authority.pem"), "OUTFLOW_SECRET": "0123456789abcdef"}
receiver = Receiver(path("server.pem"), os.environ["OUTFLOW_SECRET"].encode())
for attempts in (2, 1):
    told = run(["json", file], f"{receiver.url}#secret=env:OUTFLOW_SECRET")
    same("a webhook", list(told.values()), [(ITEMS, 0, 0, attempts)])
same("wrong signatures", receiver.wrong, [])
same("what the webhook took", list(receiver.deliveries.values()), [incidents])
os.environ["SSL_CERT_FILE"] = path("server.pem")
told = run(["json", file], f"{receiver.url}#secret=env:OUTFLOW_SECRET", code=3)
same("a server that nobody vouches for", [one[:2] for one in told.values()], [(0, ITEMS)])
os.environ["SSL_CERT_FILE"] = path("authority.pem")

# S3: one object for a run, and the same one again.
bucket = "s3://logs/a b/ä=/"
for _ in range(2):
    same("S3", run(["json", file], bucket), {bucket: (ITEMS, 0, 0, 1)})
objects = s3.list_objects_v2(Bucket="logs")["Contents"]
same("objects", len(objects), 1)
key = objects[0]["Key"]
same("the key", key.startswith("a b/ä=/date=2026-09-21/run-1-"), True)
stored = s3.get_object(Bucket="logs", Key=key)["Body"].read().decode().splitlines()
same("what S3 holds", [json.loads(line) for line in stored], incidents)

# SQS, by address and by name; and a FIFO queue, which takes each item once however often it is delivered.
queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
for target in (f"sqs:{queue}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:alarms"):
    same("SQS", run(["json", file], target), {target: (ITEMS, 0, 0, 3)})
    arrived = messages(queue)
    same("what SQS holds", ids(message["Body"] for message in arrived), expected)
    same("its attributes", arrived[0]["MessageAttributes"]["severity"]["StringValue"], "high")
fifo = sqs.create_queue(QueueName="alarms.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
for _ in range(2):
    same("a FIFO queue", run(["json", file], f"sqs:{fifo}#group=soc")[f"sqs:{fifo}"], (ITEMS, 0, 0, 3))
same("what the FIFO queue holds", ids(message["Body"] for message in messages(fifo)), expected)

# SNS, to a queue that subscribed to what is high.
topic = sns.create_topic(Name="incidents")["TopicArn"]
sns.subscribe(
    TopicArn=topic,
    Protocol="sqs",
    Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:alarms",
    Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"severity": ["high"]})},
)
same("SNS", run(["json", file], topic), {topic: (ITEMS, 0, 0, ITEMS)})
same("what SNS passed on", ids(message["Body"] for message in messages(queue)), expected)

# A queue that is not there: dead letters, which arrive once it is.
dead = path("dead.jsonl")
later = f"arn:aws:sqs:{REGION}:{ACCOUNT}:later"
same("no queue", run(["json", file], later, code=3, dead=dead), {later: (0, ITEMS, ITEMS, 3)})
later_queue = sqs.create_queue(QueueName="later")["QueueUrl"]
same("again", run(["again"], later, dead=dead), {later: (ITEMS, 0, 0, 3)})
same("what arrived again", ids(message["Body"] for message in messages(later_queue)), expected)
same("nothing is left", run(["again"], later, dead=dead), {})

# Security Hub: more than one call takes, each finding once however often it is imported.
hub.enable_security_hub()
findings = [
    {
        "SchemaVersion": "2018-10-08",
        "Id": f"outflow/{at:03}",
        "ProductArn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default",
        "GeneratorId": "outflow",
        "AwsAccountId": ACCOUNT,
        "Types": ["TTPs/Exfiltration"],
        "CreatedAt": "2026-09-21T14:13:20Z",
        "UpdatedAt": "2026-09-21T14:13:20Z",
        "Severity": {"Label": "HIGH"},
        "Title": "Data left",
        "Description": "ä",
        "Resources": [{"Type": "Other", "Id": "eni-1"}],
    }
    for at in range(120)
]
asff = write("findings.jsonl", findings)
for _ in range(2):
    same("Security Hub", run(["asff", asff], "securityhub:"), {"securityhub:": (120, 0, 0, 2)})
imported, token = [], {}
while True:
    page = hub.get_findings(MaxResults=100, **token)
    imported += [finding["Id"] for finding in page["Findings"]]
    if not page.get("NextToken"):
        break
    token = {"NextToken": page["NextToken"]}
same("what Security Hub holds", sorted(set(imported)), [finding["Id"] for finding in findings])

print(f"webhook, S3, SQS, SNS and Security Hub: {ITEMS} incidents and {len(findings)} findings delivered and read back")
