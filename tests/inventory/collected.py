"""Collects an inventory, and reads the same by boto3: collected.py OUTFLOW URL SCRATCH SECS_MAX."""

import datetime
import json
import os
import subprocess
import sys
import urllib.request

import boto3
from bucket import client_of

outflow, url, scratch, secs_max = sys.argv[1:5]
ACCOUNT = "123456789012"
OTHER = "444455556666"
REGIONS = ["us-east-1", "eu-west-1"]
VPCS = 3
RESERVATIONS = 12
PAGE = 5


def fail(reason):
    sys.exit(f"error: {reason}")


def same(what, found, expected):
    if found != expected:
        fail(f"{what}: found {found}, expected {expected}")


def client(service, region=REGIONS[0], **keys):
    return boto3.client(service, endpoint_url=url, region_name=region, **keys)


def run(*args, code=0, env=None):
    done = subprocess.run([outflow, *args], capture_output=True, text=True, check=False, env={**os.environ, **(env or {})})
    if done.returncode != code:
        fail(f"{args} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def plain(value):
    """As JSON, and without what is not the same from call to call or in the way that times are written."""
    if isinstance(value, dict):
        return {key: plain(value) for key, value in value.items() if not isinstance(value, datetime.datetime)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def without_times(value, like):
    """`value` without the keys of times, which boto3 has made dates of."""
    if isinstance(value, dict) and isinstance(like, dict):
        kept = {key: inner for key, inner in value.items() if not isinstance(like.get(key), datetime.datetime)}
        return {key: without_times(inner, like.get(key)) for key, inner in kept.items()}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [without_times(inner, other) for inner, other in zip(value, like)]
    return value


def by_id(items):
    return sorted(items, key=lambda item: json.dumps(plain(item), sort_keys=True, default=str))


def seed(ec2):
    """A network with what the lists are about."""
    vpcs = [ec2.create_vpc(CidrBlock=f"10.{at}.0.0/16")["Vpc"]["VpcId"] for at in range(VPCS)]
    vpc = vpcs[0]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "true", "Value": "1 & <2>"}, {"Key": "empty", "Value": ""}])
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
         "IpRanges": [{"CidrIp": "203.0.113.0/24", "Description": "partner's API"}],
         "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]}])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    region = ec2.meta.region_name
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{region}.s3", RouteTableIds=[table],
                            PolicyDocument=json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*",
                                                                      "Resource": "*"}]}))
    ec2.create_network_interface(SubnetId=subnet, Groups=[group], Description="of a test",
                                 TagSpecifications=[{"ResourceType": "network-interface",
                                                     "Tags": [{"Key": "Name", "Value": "n"}]}])
    for _ in range(RESERVATIONS):
        ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[group])
    ec2.create_managed_prefix_list(PrefixListName="partners", MaxEntries=5, AddressFamily="IPv4",
                                   Entries=[{"Cidr": "198.51.100.0/24", "Description": "p"}])
    ec2.create_flow_logs(ResourceIds=[vpc], ResourceType="VPC", TrafficType="REJECT", LogDestinationType="s3",
                         LogDestination="arn:aws:s3:::logs")
    return vpc, group


def compared(ec2, folder):
    """Holds each list against boto3's; says how many resources there are."""
    count = 0
    for list_, operation, file in [
        ("Vpcs", "describe_vpcs", "vpcs.json"),
        ("Subnets", "describe_subnets", "subnets.json"),
        ("SecurityGroups", "describe_security_groups", "security-groups.json"),
        ("SecurityGroupRules", "describe_security_group_rules", "security-group-rules.json"),
        ("RouteTables", "describe_route_tables", "route-tables.json"),
        ("NatGateways", "describe_nat_gateways", "nat-gateways.json"),
        ("VpcEndpoints", "describe_vpc_endpoints", "vpc-endpoints.json"),
        ("FlowLogs", "describe_flow_logs", "flow-logs.json"),
        ("NetworkInterfaces", "describe_network_interfaces", "network-interfaces.json"),
        ("Reservations", "describe_instances", "instances.json"),
        ("InternetGateways", "describe_internet_gateways", "internet-gateways.json"),
        ("NetworkAcls", "describe_network_acls", "network-acls.json"),
        ("TransitGatewayAttachments", "describe_transit_gateway_attachments", "transit-gateway-attachments.json"),
    ]:
        expected = by_id(getattr(ec2, operation)()[list_])
        with open(os.path.join(folder, file), encoding="utf-8") as opened:
            found = json.load(opened)[list_]
        same(f"number of {list_}", len(found), len(expected))
        # Sorted alike only once times are away, which are no texts on the other side.
        found = sorted(found, key=lambda item: json.dumps(without_times(item, like(item, expected)), sort_keys=True))
        for one, other in zip(found, expected):
            same(f"{list_} in {file}", without_times(one, other), plain(other))
        count += len(expected)
    return count


def like(item, all_):
    """The resource of boto3's list that has the same id."""
    ids = {value for key, value in item.items() if key.endswith("Id") and isinstance(value, str)}
    return max(all_, key=lambda other: len(ids & {v for v in other.values() if isinstance(v, str)}))


def manifest(folder):
    with open(os.path.join(folder, "collected.json"), encoding="utf-8") as opened:
        return json.load(opened)


def states(folder):
    return {call["call"]: call["state"] for call in manifest(folder)["calls"]}


client_of(url, int(secs_max))
for region in REGIONS:
    vpc, group = seed(client("ec2", region))

out = os.path.join(scratch, "inventory")
regions = [part for region in REGIONS for part in ("--region", region)]
done = run("inventory", "collect", "--out", out, *regions, "--endpoint-url", url, "--page-items", str(PAGE), code=3)
folders = done.stdout.split()
same("snapshots", len(folders), len(REGIONS))
for folder in folders:
    own = manifest(folder)
    same("account", own["account_id"], ACCOUNT)
    same("region", own["region"], folder.split(os.sep)[-2])
    count = compared(client("ec2", own["region"]), folder)
    calls = {call["call"]: call for call in own["calls"]}
    # The one list of EC2 that this server gives in pages.
    same("pages of instances", calls["DescribeInstances"]["pages"], -(-RESERVATIONS // PAGE))
    ec2 = {name: call["state"] for name, call in calls.items() if call["service"] == "ec2"}
    same("calls of EC2", set(ec2.values()), {"ok"})
    with open(os.path.join(folder, "prefix-lists.json"), encoding="utf-8") as opened:
        lists = {own["PrefixListName"]: own.get("Cidrs") for own in json.load(opened)["PrefixLists"]}
    same("networks of the prefix list", lists["partners"], ["198.51.100.0/24"])
    print(f"{own['region']}: {count} resources as boto3 reads them")

report = json.loads(run("posture", "--context", out, "--format", "json").stdout)
accounts = [account["account_id"] for account in report["accounts"]]
same("accounts of the posture", accounts, [ACCOUNT])
ids = [finding["id"] for finding in report["findings"]]
for check in [f"open-egress:{group}:", f"flow-logs-blind:{vpc}", "endpoint-policy-open:"]:
    if not any(id_.startswith(check) for id_ in ids):
        fail(f"no finding {check}: {ids}")
same("level", report["accounts"][0]["maturity"]["level"], 1)

# Another account, by its role: nothing of the first.
other = run("inventory", "collect", "--out", out, "--region", "eu-west-1", "--endpoint-url", url, "--role-arn",
            f"arn:aws:iam::{OTHER}:role/audit", "--external-id", "x", code=3)
folder = other.stdout.strip()
same("account of the role", manifest(folder)["account_id"], OTHER)
with open(os.path.join(folder, "vpcs.json"), encoding="utf-8") as opened:
    same("VPCs of the other account", len(json.load(opened)["Vpcs"]), 1)

# Somebody who may list VPCs, and nothing else: the rest is unknown, and no pass.
iam = client("iam")
iam.create_user(UserName="narrow")
iam.put_user_policy(UserName="narrow", PolicyName="p", PolicyDocument=json.dumps({
    "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeVpcs", "sts:GetCallerIdentity"],
                                            "Resource": "*"}]}))
key = iam.create_access_key(UserName="narrow")["AccessKey"]
# From here on, the server asks who may do what.
enforced = urllib.request.Request(f"{url}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"})
urllib.request.urlopen(enforced).read()
narrow = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
denied = os.path.join(scratch, "denied")
done = run("inventory", "collect", "--out", denied, "--region", "eu-west-1", "--endpoint-url", url, code=3, env=narrow)
told = states(done.stdout.strip())
same("VPCs", told["DescribeVpcs"], "ok")
same("groups", told["DescribeSecurityGroups"], "denied")
if "DescribeSecurityGroups" not in done.stderr or "--iam-policy" not in done.stderr:
    fail(f"what is denied is not said: {done.stderr}")
report = json.loads(run("posture", "--context", denied, "--format", "json").stdout)
criteria = report["accounts"][0]["maturity"]["criteria"]
held = [own["criterion"] for own in criteria if own["state"] == "holds"]
same("criteria that hold though nothing may be asked", held, [])
print(f"denied: {sum(state == 'denied' for state in told.values())} of {len(told)} calls, and nothing holds")
