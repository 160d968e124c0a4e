"""Contains incidents, looks at the account, and takes it back: contained.py OUTFLOW URL SCRATCH SECS_MAX."""

import json
import os
import subprocess
import sys
import time

import boto3
import botocore.exceptions

outflow, url, scratch, secs_max = sys.argv[1:5]
ACCOUNT = "123456789012"
REGION = "us-east-1"
INCIDENT = "inc-00ff00ff00ff00ff"
NETWORK = "203.0.113.9/32"
DOMAIN = "exfil.example"
ec2 = boto3.client("ec2", endpoint_url=url, region_name=REGION)
dns = boto3.client("route53resolver", endpoint_url=url, region_name=REGION)


def fail(reason):
    sys.exit(f"error: {reason}")


def same(what, found, expected):
    if found != expected:
        fail(f"{what}: found {found}, expected {expected}")


def path(name):
    return os.path.join(scratch, name)


def wait():
    began = time.monotonic()
    while True:
        try:
            return ec2.describe_vpcs()
        except botocore.exceptions.EndpointConnectionError:
            if time.monotonic() - began > float(secs_max):
                fail("the server does not answer")
            time.sleep(0.2)


def run(*args, code, typed="", says=""):
    done = subprocess.run(
        [outflow, "contain", *args, "--endpoint-url", url], input=typed, capture_output=True, text=True, check=False
    )
    if done.returncode != code or says not in done.stderr:
        fail(f"{args} ended with {done.returncode}, without {says!r}:\n{done.stdout}{done.stderr}")
    return done


def script(*args, codes=(0,)):
    done = subprocess.run(args, capture_output=True, text=True, check=False, env=os.environ | {"AWS_ENDPOINT_URL": url})
    if done.returncode not in codes:
        fail(f"{args} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def groups():
    interface = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
    return sorted(group["GroupId"] for group in interface["Groups"])


def quarantine():
    name = {"Name": "group-name", "Values": [f"outflow-{INCIDENT}-{vpc}"]}
    return ec2.describe_security_groups(Filters=[name])["SecurityGroups"]


def denied():
    acls = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
    entries = [entry for acl in acls for entry in acl["Entries"] if entry["Egress"] and entry["RuleNumber"] < 100]
    return [(entry["RuleNumber"], entry["CidrBlock"], entry["RuleAction"]) for entry in entries]


def is_contained():
    group = quarantine()[0]
    same("groups", groups(), [group["GroupId"]])
    same("rules of quarantine", group["IpPermissions"] + group["IpPermissionsEgress"], [])
    same("what is denied", denied(), [(1, NETWORK, "deny")])


def is_as_before():
    same("groups", groups(), before)
    same("quarantine groups", quarantine(), [])
    same("what is denied", denied(), [])


def blocked():
    """Domains that DNS Firewall blocks for the VPC, by the lists that its rules name."""
    found = []
    for own in dns.list_firewall_rule_group_associations(VpcId=vpc)["FirewallRuleGroupAssociations"]:
        for rule in dns.list_firewall_rules(FirewallRuleGroupId=own["FirewallRuleGroupId"])["FirewallRules"]:
            same("what a rule does", (rule["Action"], rule["BlockResponse"]), ("BLOCK", "NODATA"))
            found += dns.list_firewall_domains(FirewallDomainListId=rule["FirewallDomainListId"])["Domains"]
    return sorted(found)


def answer_after(change, args, code, says):
    """Types the id once the program asks for it, after something else has changed."""
    running = subprocess.Popen(
        [outflow, "contain", *args, "--endpoint-url", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True
    )
    told = ""
    while f"Type {INCIDENT}" not in told:
        char = running.stderr.read(1)
        if not char:
            fail(f"{args} did not ask:\n{told}")
        told += char
    change()
    _, rest = running.communicate(f"{INCIDENT}\n")
    if running.returncode != code or says not in rest:
        fail(f"{args} ended with {running.returncode}, without {says!r}:\n{told}{rest}")


def write(name, **change):
    """A run of detect that found one incident."""
    incident = {
        "type": "incident",
        "id": INCIDENT,
        "title": "48 GB left",
        "family": "volume.ledger",
        "rate_bits": None,
        "account_id": ACCOUNT,
        "region": REGION,
        "vpc_id": vpc,
        "interface_id": eni,
        "destination": {"addresses": [NETWORK.split("/")[0]], "addresses_total": 1},
    } | change
    books = {"type": "accounts", "enis": 10, "first": "2026-10-01T00:00:00Z", "last": "2026-10-10T00:00:00Z"}
    with open(path(name), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in (incident, books))
    return path(name)


vpc = wait() and ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
before = sorted(
    ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("app", "db")
)
made = ec2.create_network_interface(SubnetId=subnet, Groups=before)
eni = made["NetworkInterface"]["NetworkInterfaceId"]
is_as_before()

# Files alone change nothing, and neither does an id that is not typed, or an account that is another.
found = write("found.jsonl")
of = ["inc-00ff", "--incidents", found]
run(*of, "--out", path("files"), code=0)
run(*of, "--out", path("files"), code=2, says="is there already")
run(*of, "--out", path("unsure"), "--apply", code=2, typed="yes\n", says="not confirmed")
other = write("other.jsonl", account_id="999999999999")
run("inc-00ff", "--incidents", other, "--out", path("other"), "--apply", "--yes", code=2, says="are of account 123456789012")
moved = write("moved.jsonl", vpc_id="vpc-0000000000000000a")
run("inc-00ff", "--incidents", moved, "--out", path("moved"), "--apply", "--yes", code=2, says=eni)
is_as_before()
same("an undo file of nothing", os.path.exists(path("unsure/undo.json")), False)

# By the API: with the id typed, once, and back.
run(*of, "--out", path("api"), "--apply", code=0, typed=f"{INCIDENT}\n", says="applied")
is_contained()
with open(path("api/undo.json"), encoding="utf-8") as file:
    same("groups that are kept", json.load(file)["vpcs"][0]["interfaces"][0]["groups"], before)
run(*of, "--out", path("twice"), "--apply", "--yes", code=2, says="applied before")
run("--undo", path("api"), code=2, typed="no\n", says="not confirmed")
is_contained()
run("--undo", path("api"), "--yes", code=0, says="taken back")
is_as_before()
run("--undo", path("api"), "--yes", code=0, says="taken back")

# Into the folder of a dry run, until something was applied from there.
run(*of, "--out", path("dry"), code=0)
run(*of, "--out", path("dry"), "--apply", code=2, typed="no\n", says="not confirmed")
is_as_before()
run(*of, "--out", path("dry"), "--apply", "--yes", code=0, says="applied")
is_contained()
run(*of, "--out", path("dry"), "--apply", "--yes", code=2, says="undo.json")
run("--undo", path("dry"), "--yes", code=0, says="taken back")
is_as_before()

# Automatic only where it is configured, and above the bar.
automatic = ["--apply", "--automatic"]
run(*of, "--out", path("auto"), *automatic, code=2, says="not configured")
with open(path("outflow.toml"), "w", encoding="utf-8") as file:
    file.write("[containment]\nautomatic = true\n")
automatic += ["--config", path("outflow.toml")]
run(*of, "--out", path("auto"), *automatic, code=2, says="rate_bits")
below = write("below.jsonl", rate_bits=12.0)
run("inc-00ff", "--incidents", below, "--out", path("auto"), *automatic, code=2, says="below the bar")
is_as_before()
same("files of what was refused", os.path.exists(path("auto")), False)
above = write("above.jsonl", rate_bits=40.0)
run("inc-00ff", "--incidents", above, "--out", path("auto"), *automatic, code=0, says="above the bar")
is_contained()

# Who changed the groups since keeps them, and the group stays as long as it is needed.
ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=before[:1])
run("--undo", path("auto"), "--yes", code=3, says="changed since")
same("groups", groups(), before[:1])
same("quarantine groups", len(quarantine()), 1)
ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=before)
run("--undo", path("auto"), "--yes", code=0, says="taken back")
is_as_before()

# By the scripts, twice, as who is in a hurry does; and back.
folder = path(f"files/{vpc}")
for _ in range(2):
    script(f"{folder}/contain.sh")
    is_contained()
run(*of, "--out", path("files"), "--apply", "--yes", code=2, says="state")
script(f"{folder}/undo.sh")
is_as_before()

# What is gone since does not keep the rest from being taken back, by either.
for name in ("ended-by-api", "ended-by-script"):
    made = ec2.create_network_interface(SubnetId=subnet, Groups=before)["NetworkInterface"]["NetworkInterfaceId"]
    finding = {"type": "finding", "incident": INCIDENT, "interface_id": made, "vpc_id": vpc, "account_id": ACCOUNT, "region": REGION}
    two = write(f"{name}.jsonl")
    with open(two, "a", encoding="utf-8") as file:
        file.write(json.dumps(finding) + "\n")
    args = [INCIDENT, "--incidents", two, "--out", path(name)]
    if name == "ended-by-api":
        run(*args, "--apply", "--yes", code=0, says="applied")
    else:
        run(*args, code=0)
        script(path(f"{name}/{vpc}/contain.sh"))
    is_contained()
    ec2.delete_network_interface(NetworkInterfaceId=made)
    if name == "ended-by-api":
        run("--undo", path(name), "--yes", code=0, says="taken back")
    else:
        script(path(f"{name}/{vpc}/undo.sh"))
    is_as_before()

# A rule that others made since takes the number: all that was done is taken back, and theirs stays.
def rule_of_others(net, number=1):
    ec2.create_network_acl_entry(
        NetworkAclId=acl, RuleNumber=number, Protocol="-1", RuleAction="deny", Egress=True, CidrBlock=net
    )


of_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
acl = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"][0]["NetworkAclId"]
args = [*of, "--out", path("raced"), "--apply"]
answer_after(lambda: rule_of_others("198.51.100.0/24"), args, 3, "NetworkAclEntryAlreadyExists")
run("--undo", path("raced"), "--yes", code=0, says="taken back")
same("groups", groups(), before)
same("quarantine groups", quarantine(), [])
same("what others deny", denied(), [(1, "198.51.100.0/24", "deny")])
# One that is there before is not in the way, and stays.
run(*of, "--out", path("beside"), "--apply", "--yes", code=0, says="applied")
same("what is denied", denied(), [(1, "198.51.100.0/24", "deny"), (2, NETWORK, "deny")])
run("--undo", path("beside"), "--yes", code=0, says="taken back")
same("what others deny", denied(), [(1, "198.51.100.0/24", "deny")])
# The script, which knows no other number, ends; what it did is taken back.
run(*of, "--out", path("taken"), code=0)
# What the AWS CLI ends with where a call is refused; its versions differ.
script(path(f"taken/{vpc}/contain.sh"), codes=(254, 255))
script(path(f"taken/{vpc}/undo.sh"))
same("what others deny", denied(), [(1, "198.51.100.0/24", "deny")])
ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Egress=True)
is_as_before()
# A group of that name that others made since is theirs.
name = f"outflow-{INCIDENT}-{vpc}"
made_since = lambda: ec2.create_security_group(GroupName=name, Description="of others", VpcId=vpc)
answer_after(made_since, [*of, "--out", path("named"), "--apply"], 3, "InvalidGroup.Duplicate")
run("--undo", path("named"), "--yes", code=0, says="taken back")
same("groups of others", len(quarantine()), 1)
ec2.delete_security_group(GroupId=quarantine()[0]["GroupId"])
is_as_before()

# Domains, by the API and by the script: what AWS's model of the API does not have is refused.
named = write("named.jsonl", destination={"domain": DOMAIN, "addresses": [NETWORK.split("/")[0]], "addresses_total": 1})
patterns = sorted([DOMAIN, f"*.{DOMAIN}"])
for way in ("api", "script"):
    args = [INCIDENT, "--incidents", named, "--out", path(f"dns-{way}")]
    if way == "api":
        run(*args, "--apply", "--yes", code=0, says="applied")
    else:
        run(*args, code=0)
        for _ in range(2):
            script(path(f"dns-{way}/{vpc}/contain.sh"))
    is_contained()
    same(f"what is blocked by the {way}", blocked(), patterns)
    if way == "api":
        run("--undo", path(f"dns-{way}"), "--yes", code=0, says="taken back")
    else:
        script(path(f"dns-{way}/{vpc}/undo.sh"))
    is_as_before()
    same(f"what is blocked after the {way}", blocked(), [])

script("bash", "-c", f"sed -i \"s/'{ACCOUNT}'/'999999999999'/\" {folder}/contain.sh")
script(f"{folder}/contain.sh", codes=(2,))
is_as_before()
print("contained and taken back, by the API and by the scripts")
