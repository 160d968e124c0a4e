"""An account with every fault, and the same repaired: account.py OUTFLOW URL SCRATCH SECS_MAX.

What moto does not have is written beside what it lists: the state of deliveries that failed, DNS Firewall, logs of queries,
rules of Network Firewall and routes to it, and findings of GuardDuty.
"""

import datetime
import json
import os
import subprocess
import sys
import time

import boto3
import botocore.exceptions

outflow, url, scratch, secs_max = sys.argv[1:5]
ACCOUNT = "123456789012"
REGION = "eu-central-1"
DAYS = 2
START = 1_790_000_000 // 60 * 60
FIELDS = (
    "version account-id vpc-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status "
    "tcp-flags pkt-srcaddr pkt-dstaddr pkt-dst-aws-service flow-direction traffic-path region"
)
FORMAT = " ".join(f"${{{field}}}" for field in FIELDS.split())
RESTRICTED = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:ResourceAccount": ACCOUNT}},
            }
        ]
    }
)
OPEN = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})
EVERYWHERE = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
ec2 = boto3.client("ec2", endpoint_url=url, region_name=REGION)
config = boto3.client("config", endpoint_url=url, region_name=REGION)


def fail(reason):
    sys.exit(f"error: {reason}")


def same(what, found, expected):
    if found != expected:
        only = [sorted(set(found) - set(expected)), sorted(set(expected) - set(found))] if isinstance(found, list) else ""
        fail(f"{what}: found {found}, expected {expected} {only}")


def wait():
    began = time.monotonic()
    while True:
        try:
            return ec2.describe_vpcs()["Vpcs"]
        except botocore.exceptions.EndpointConnectionError:
            if time.monotonic() - began > float(secs_max):
                fail("the server does not answer")
            time.sleep(0.2)


def without_default(vpcs):
    """Takes the VPCs away that every region begins with."""
    for vpc in vpcs:
        of = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        for subnet in ec2.describe_subnets(Filters=of)["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])


def vpc_of(cidr):
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    of = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    return vpc, ec2.describe_security_groups(Filters=of)["SecurityGroups"][0]["GroupId"]


def subnet_of(vpc, cidr):
    return ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]


def group_of(vpc, name, *rules):
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[EVERYWHERE])
    if rules:
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=list(rules))
    return group


def interface_of(subnet, address, group):
    made = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress=address, Groups=[group])
    return made["NetworkInterface"]["NetworkInterfaceId"]


def table_of(vpc, *subnets):
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


def log_of(kind, resource, traffic):
    made = ec2.create_flow_logs(
        ResourceIds=[resource],
        ResourceType=kind,
        TrafficType=traffic,
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::flow-logs",
        LogFormat=FORMAT,
    )
    if made.get("Unsuccessful"):
        fail(f"no flow log: {made}")
    return made["FlowLogIds"][0]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


LISTS = {
    "Vpcs": "describe_vpcs",
    "Subnets": "describe_subnets",
    "NetworkInterfaces": "describe_network_interfaces",
    "RouteTables": "describe_route_tables",
    "NatGateways": "describe_nat_gateways",
    "VpcEndpoints": "describe_vpc_endpoints",
    "SecurityGroups": "describe_security_groups",
    "FlowLogs": "describe_flow_logs",
    "NetworkAcls": "describe_network_acls",
    "InternetGateways": "describe_internet_gateways",
    "EgressOnlyInternetGateways": "describe_egress_only_internet_gateways",
    "TransitGatewayAttachments": "describe_transit_gateway_attachments",
}


def collect(folder, change, **more):
    """What the AWS CLI would print of the account."""
    lists = {key: getattr(ec2, call)()[key] for key, call in LISTS.items()} | more
    lists["ConfigurationRecorders"] = config.describe_configuration_recorders()["ConfigurationRecorders"]
    lists["ConfigurationRecordersStatus"] = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    lists["DeliveryChannels"] = config.describe_delivery_channels()["DeliveryChannels"]
    # moto does not say of an interface what it is of.
    kinds = {of["NetworkInterfaceId"]: "nat_gateway" for nat in lists["NatGateways"] for of in nat["NatGatewayAddresses"]}
    kinds |= {of: "vpc_endpoint" for endpoint in lists["VpcEndpoints"] for of in endpoint.get("NetworkInterfaceIds", [])}
    for interface in lists["NetworkInterfaces"]:
        interface["InterfaceType"] = kinds.get(interface["NetworkInterfaceId"], interface["InterfaceType"])
    change(lists)
    for key, items in lists.items():
        write(f"{folder}/{key}.json", json.dumps({key: items}, default=lambda at: at.isoformat()))


def flow(to, port, size, path, protocol=6, service="-", at=0, frm="10.0.1.10", eni=None, source_port=40000):
    first = START + at
    flags = 3 if protocol == 6 else 0
    return (
        f"5 {ACCOUNT} {vpc} {eni or web} {frm} {to} {source_port} {port} {protocol} {size // 1000 + 1} {size} {first} {first + 59} "
        f"ACCEPT OK {flags} {frm} {to} {service} egress {path} {REGION}"
    )


def asked(name, address):
    query = {
        "version": "1.100000",
        "account_id": ACCOUNT,
        "region": REGION,
        "vpc_id": vpc,
        "query_timestamp": datetime.datetime.fromtimestamp(START - 30, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "query_name": f"{name}.",
        "query_type": "A",
        "query_class": "IN",
        "rcode": "NOERROR",
        "answers": [{"Rdata": address, "Type": "A", "Class": "IN"}],
        "srcaddr": "10.0.1.10",
        "srcport": "4711",
        "transport": "UDP",
        "srcids": {},
    }
    return json.dumps(query)


def traffic(folder, flows, names):
    """Two days of an application, in which each minute is logged, and what is special."""
    lines = [FIELDS]
    for minute in range(DAYS * 1440):
        at = minute * 60
        lines.append(flow("10.0.1.20", 5432, 6000, "-", at=at))
        lines.append(flow("10.0.1.10", 40000, 9000, "-", at=at, frm="10.0.1.20", eni=database, source_port=5432))
        if jump:
            lines.append(flow("10.0.1.20", 5432, 6000, "-", at=at, frm="10.0.3.10", eni=jump))
    lines += flows
    write(f"{folder}/flows.log", "\n".join(lines) + "\n")
    write(f"{folder}/queries.log", "".join(asked(*name) + "\n" for name in names))


def posture(name, findings, *more):
    """Findings of GuardDuty, and what the program says of the account."""
    write(f"{scratch}/{name}/guardduty/findings.json", json.dumps({"Findings": findings}))
    policy = {
        "residency": {"regions": [REGION], "countries": ["DE"]},
        "practices": {"anomalies_alerted": True, "auto_block": True},
        "unused_days_min": 1,
    }
    write(f"{scratch}/{name}/policy.json", json.dumps(policy))
    folder = f"{scratch}/{name}"
    args = [outflow, "posture", f"{folder}/logs", "--context", f"{folder}/account", "--policy", f"{folder}/policy.json"]
    args += ["--guardduty", f"{folder}/guardduty", "--at", "2099-01-01", *more]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"{args} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def guardduty(severity, archived):
    return {
        "Id": f"finding-{severity}",
        "AccountId": ACCOUNT,
        "Region": REGION,
        "Type": "Trojan:EC2/DropPoint",
        "Severity": severity,
        "CreatedAt": "2026-09-21T08:00:00Z",
        "UpdatedAt": "2026-09-21T08:00:00Z",
        "Service": {"Archived": archived},
    }



# The account: a VPC with an application, one whose flow logs cannot be delivered, one that is logged by subnet.
without_default(wait())
boto3.client("s3", endpoint_url=url, region_name=REGION).create_bucket(
    Bucket="flow-logs", CreateBucketConfiguration={"LocationConstraint": REGION}
)
vpc, default_group = vpc_of("10.0.0.0/16")
hosts, firewall, public = (subnet_of(vpc, f"10.0.{at}.0/24") for at in (1, 2, 3))
partner = HTTPS | {"IpRanges": [{"CidrIp": "203.0.113.0/24"}]}
inside = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
s3_range = HTTPS | {"IpRanges": [{"CidrIp": "3.5.136.0/22"}]}
web_group = group_of(vpc, "web", partner, inside, s3_range)
https_group = group_of(vpc, "https", HTTPS | {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})
web = interface_of(hosts, "10.0.1.10", web_group)
database = interface_of(hosts, "10.0.1.20", group_of(vpc, "db"))
jump = interface_of(public, "10.0.3.10", web_group)
gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
address = ec2.allocate_address(Domain="vpc")["AllocationId"]
of_jump = ec2.associate_address(
    AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"], NetworkInterfaceId=jump
)["AssociationId"]
nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
table, of_firewall, of_public = table_of(vpc, hosts), table_of(vpc, firewall), table_of(vpc, public)
for own in (table, of_firewall):
    ec2.create_route(RouteTableId=own, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
ec2.create_route(RouteTableId=of_public, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
s3 = ec2.create_vpc_endpoint(
    VpcEndpointType="Gateway", VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[], PolicyDocument=OPEN
)["VpcEndpoint"]["VpcEndpointId"]
messages = ec2.create_vpc_endpoint(
    VpcEndpointType="Interface",
    VpcId=vpc,
    ServiceName=f"com.amazonaws.{REGION}.ec2messages",
    SubnetIds=[hosts],
    PolicyDocument=RESTRICTED,
)["VpcEndpoint"]["VpcEndpointId"]
rejected = log_of("VPC", vpc, "REJECT")
failing, default_of_failing = vpc_of("10.1.0.0/16")
undelivered = log_of("VPC", failing, "ALL")
by_subnet, default_of_by_subnet = vpc_of("10.2.0.0/16")
for cidr in ("10.2.1.0/24", "10.2.2.0/24"):
    log_of("Subnet", subnet_of(by_subnet, cidr), "ALL")
for group in (default_of_failing, default_of_by_subnet):
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[EVERYWHERE])


def firewall_of(vpc, name, endpoint, kind):
    """A Network Firewall with a list of domains, as its API describes it."""
    arn = f"arn:aws:network-firewall:{REGION}:{ACCOUNT}"
    policy, group = f"{arn}:firewall-policy/{name}", f"{arn}:stateful-rulegroup/{name}"
    firewall = {"FirewallName": name, "FirewallArn": f"{arn}:firewall/{name}", "FirewallPolicyArn": policy, "VpcId": vpc}
    states = {f"{REGION}a": {"Attachment": {"EndpointId": endpoint, "Status": "READY"}}}
    domains = {"Targets": [".partner.example"], "TargetTypes": ["TLS_SNI", "HTTP_HOST"], "GeneratedRulesType": kind}
    rules = {
        "StatelessDefaultActions": ["aws:forward_to_sfe"],
        "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "StatefulRuleGroupReferences": [{"ResourceArn": group}],
    }
    return {
        "Firewalls": [{"Firewall": firewall, "FirewallStatus": {"Status": "READY", "SyncStates": states}}],
        "FirewallPolicies": [{"FirewallPolicyResponse": {"FirewallPolicyArn": policy}, "FirewallPolicy": rules}],
        "RuleGroups": [
            {"RuleGroupResponse": {"RuleGroupArn": group}, "RuleGroup": {"RulesSource": {"RulesSourceList": domains}}}
        ],
    }


def undeliver(lists):
    lists["VpcEndpoints"].append(
        {
            "VpcEndpointId": "vpce-00000000000000001",
            "VpcEndpointType": "GatewayLoadBalancer",
            "VpcId": failing,
            "ServiceName": f"com.amazonaws.vpce.{REGION}.vpce-svc-0123456789abcdef0",
            "State": "available",
        }
    )
    for own in lists["RouteTables"]:
        if own["VpcId"] == failing:
            own["Routes"].append({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "vpce-00000000000000001", "State": "active"})
    for log in lists["FlowLogs"]:
        if log["FlowLogId"] == undelivered:
            log["DeliverLogsStatus"] = "FAILED"


def of_resolver(*vpcs):
    return {
        "ResolverQueryLogConfigAssociations": [
            {"Id": f"rslvr-qlcassoc-{own[4:]}", "ResourceId": own, "Status": "ACTIVE"} for own in vpcs
        ],
        "FirewallRuleGroupAssociations": [
            {"Id": f"rslvr-frgassoc-{own[4:]}", "VpcId": own, "Status": "COMPLETE"} for own in vpcs
        ],
    }


only_denies = firewall_of(failing, "only-denies", "vpce-00000000000000001", "DENYLIST")
collect(f"{scratch}/faulty/account", undeliver, **of_resolver(vpc, failing, by_subnet), **only_denies)
traffic(
    f"{scratch}/faulty/logs",
    [
        flow("3.5.136.9", 443, 50_000_000, 1, service="S3", source_port=40001),
        flow("3.120.0.1", 443, 5_000_000, 1, service="EC2", source_port=40002),
        flow("52.216.0.1", 443, 5_000_000, 1, service="S3", source_port=40003),
        flow("203.0.113.30", 443, 5_000_000, 1, source_port=40004),
        flow("203.0.113.53", 853, 5_000_000, 1, source_port=40005),
    ],
    [
        ("bucket.s3.eu-central-1.amazonaws.com", "3.5.136.9"),
        ("ec2.eu-central-1.amazonaws.com", "3.120.0.1"),
        ("bucket.s3.us-east-1.amazonaws.com", "52.216.0.1"),
        ("http-intake.logs.us5.datadoghq.com", "203.0.113.30"),
    ],
)
report = json.loads(posture("faulty", [guardduty(8.0, False)], "--format", "json"))
same(
    "faults",
    sorted(finding["id"] for finding in report["findings"]),
    sorted(
        [
            f"default-group-open:{default_group}",
            f"endpoint-bypassed:{s3}:s3 ({REGION})",
            f"endpoint-policy-open:{s3}",
            "firewall-open:only-denies",
            f"internet-unfiltered:{vpc}",
            f"flow-logs-absent:{failing}",
            f"flow-logs-blind:{vpc}",
            f"guardduty-high:{ACCOUNT}",
            f"nat-unfiltered:{nat}",
            f"open-egress:{default_group}:all protocols to 0.0.0.0/0",
            f"open-egress:{https_group}:tcp/443 to 0.0.0.0/0",
            f"open-rule-unused:{default_group}:all protocols to 0.0.0.0/0",
            f"open-rule-unused:{https_group}:tcp/443 to 0.0.0.0/0",
            f"region-outside:{vpc}:us-east-1",
            f"resolver-bypass:{web}",
            f"s3-public-path:{vpc}:s3 (us-east-1)",
            f"service-without-endpoint:{vpc}:ec2 ({REGION})",
            f"telemetry-abroad:{vpc}:Datadog US5",
        ]
    ),
)
same("the level", report["accounts"][0]["maturity"]["level_at_most"], 1)
events = [json.loads(line) for line in posture("faulty", [guardduty(8.0, False)], "--format", "ocsf").splitlines()]
failed = [event for event in events if event["finding_info"]["types"] == ["finding"]]
same("events", sorted(event["finding_info"]["uid"] for event in failed), sorted(f["id"] for f in report["findings"]))
same("classes", {(event["class_uid"], event["type_uid"]) for event in events}, {(2003, 200301)})
for form in ("html", "markdown", "mapping"):
    text = posture("faulty", [guardduty(8.0, False)], "--format", form)
    same(f"{form} names the account", ACCOUNT in text, True)

failing_criteria = {own["criterion"] for own in report["accounts"][0]["maturity"]["criteria"] if own["state"] == "fails"}
same("forensics without a recorder", "forensics" in failing_criteria, True)

# Repaired.
ec2.disassociate_address(AssociationId=of_jump)
ec2.delete_network_interface(NetworkInterfaceId=jump)
jump = None
config.put_configuration_recorder(
    ConfigurationRecorder={
        "name": "default",
        "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config",
        "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
    }
)
config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "flow-logs"})
config.start_configuration_recorder(ConfigurationRecorderName="default")
ec2.revoke_security_group_egress(GroupId=default_group, IpPermissions=[EVERYWHERE])
ec2.delete_security_group(GroupId=https_group)
ec2.delete_flow_logs(FlowLogIds=[rejected])
log_of("VPC", vpc, "ALL")
for own in (s3, messages):
    ec2.delete_vpc_endpoints(VpcEndpointIds=[own])
s3 = ec2.create_vpc_endpoint(
    VpcEndpointType="Gateway",
    VpcId=vpc,
    ServiceName=f"com.amazonaws.{REGION}.s3",
    RouteTableIds=[table],
    PolicyDocument=RESTRICTED,
)["VpcEndpoint"]["VpcEndpointId"]
filter_endpoint = ec2.create_vpc_endpoint(
    VpcEndpointType="GatewayLoadBalancer",
    VpcId=vpc,
    ServiceName=f"com.amazonaws.vpce.{REGION}.vpce-svc-0123456789abcdef0",
    SubnetIds=[firewall],
)["VpcEndpoint"]["VpcEndpointId"]


def through_firewall(lists):
    """What moto's routes cannot say: the way out of the hosts leads through the firewall, and that to S3 through its gateway."""
    for own in lists["RouteTables"]:
        if own["RouteTableId"] == table:
            own["Routes"] = [route for route in own["Routes"] if "NatGatewayId" not in route]
            own["Routes"].append({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": filter_endpoint, "State": "active"})
            own["Routes"].append({"DestinationPrefixListId": "pl-s3", "GatewayId": s3, "State": "active"})
    of = ("Vpcs", "Subnets", "SecurityGroups", "FlowLogs", "RouteTables", "NetworkAcls")
    for key in of:
        # Nobody used the other two.
        lists[key] = [item for item in lists[key] if item.get("VpcId", vpc) == vpc and item.get("ResourceId", vpc) == vpc]
    # A recorder of moto's never delivers.
    for own in lists["ConfigurationRecordersStatus"]:
        own["lastStatus"] = "SUCCESS"
    lists["VpcEndpoints"] = [item for item in lists["VpcEndpoints"] if item["VpcEndpointId"] in (s3, filter_endpoint)]
    lists["PrefixLists"] = [
        {"PrefixListId": "pl-s3", "PrefixListName": f"com.amazonaws.{REGION}.s3", "Cidrs": ["3.5.136.0/22"]}
    ]


allows = firewall_of(vpc, "egress", filter_endpoint, "ALLOWLIST")
collect(f"{scratch}/repaired/account", through_firewall, **of_resolver(vpc), **allows)
traffic(
    f"{scratch}/repaired/logs",
    [
        flow("3.5.136.9", 443, 50_000_000, 7, service="S3", source_port=40001),
        flow("203.0.113.7", 443, 5_000_000, 1, source_port=40002),
    ],
    [("bucket.s3.eu-central-1.amazonaws.com", "3.5.136.9")],
)
report = json.loads(posture("repaired", [guardduty(8.0, True)], "--format", "json"))
same("findings of the repaired account", report["findings"], [])
maturity = report["accounts"][0]["maturity"]
missing = [f"{own['criterion']}: {own['evidence']}" for own in maturity["criteria"] if own["state"] != "holds"]
same("criteria that do not hold", missing, [])
same("the level of the repaired account", maturity["level"], 5)
print("every fault of the account was found and no other, and the repaired account is at level 5")
