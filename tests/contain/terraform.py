"""Reads what is written as Terraform, and the scripts beside it: terraform.py OUTFLOW SCRATCH."""

import json
import os
import subprocess
import sys

import hcl2

outflow, scratch = sys.argv[1:3]

# Arguments of resources: those that are required, and those that may be. A name with a `*` is a block.
ARGUMENTS = {
    "aws_vpc_security_group_egress_rule": (
        "security_group_id ip_protocol",
        "from_port to_port cidr_ipv4 cidr_ipv6 prefix_list_id referenced_security_group_id description tags",
    ),
    "aws_networkfirewall_rule_group": ("name type capacity rule_group*", "count description tags"),
    "aws_vpc_endpoint": (
        "vpc_id service_name",
        "vpc_endpoint_type route_table_ids subnet_ids security_group_ids private_dns_enabled policy",
    ),
    "aws_security_group": ("", "name description vpc_id ingress egress tags"),
    "aws_network_interface": ("subnet_id", "security_groups lifecycle*"),
    "aws_network_acl_rule": (
        "network_acl_id rule_number protocol rule_action",
        "for_each egress cidr_block ipv6_cidr_block",
    ),
    "aws_route53_resolver_firewall_domain_list": ("name", "count domains"),
    "aws_route53_resolver_firewall_rule_group": ("name", "count"),
    "aws_route53_resolver_firewall_rule": (
        "name action priority firewall_rule_group_id",
        "count block_response firewall_domain_list_id",
    ),
    "aws_route53_resolver_firewall_rule_group_association": ("name firewall_rule_group_id priority vpc_id", "count"),
}
# Blocks within a rule group, by the path to them.
RULE_GROUP = {
    "": {"rule_variables", "rules_source", "stateful_rule_options"},
    "rule_variables": {"ip_sets"},
    "ip_sets": {"key", "ip_set"},
    "ip_set": {"definition"},
    "rules_source": {"rules_source_list", "stateful_rule"},
    "rules_source_list": {"generated_rules_type", "target_types", "targets"},
    "stateful_rule": {"action", "header", "rule_option"},
    "header": {"protocol", "source", "source_port", "direction", "destination", "destination_port"},
    "rule_option": {"keyword", "settings"},
    "stateful_rule_options": {"rule_order"},
}
ONE_OF = {
    "aws_vpc_security_group_egress_rule": ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"],
    "aws_network_acl_rule": ["cidr_block", "ipv6_cidr_block"],
}


def fail(reason):
    sys.exit(f"error: {reason}")


def run(*args):
    done = subprocess.run([outflow, *args], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"{args} ended with {done.returncode}:\n{done.stderr}")


def own(body):
    return {name: value for name, value in body.items() if not name.startswith("__")}


def check_rule_group(body, at=""):
    for name, value in own(body).items():
        if name not in RULE_GROUP[at]:
            fail(f"{name} is no part of {at or 'rule_group'}")
        for inner in value if isinstance(value, list) else []:
            if isinstance(inner, dict):
                check_rule_group(inner, name)


def check(path):
    """Parses a file; gives the types of its resources."""
    with open(path, encoding="utf-8") as file:
        parsed = hcl2.load(file)
    types = []
    for resource in parsed.get("resource", []):
        (kind, named), *_ = resource.items()
        kind = kind.strip('"')
        types.append(kind)
        required, allowed = (set(names.split()) for names in ARGUMENTS[kind])
        for label, body in own(named).items():
            found = {
                f"{name}*" if isinstance(value, list) and value and isinstance(value[0], dict) and "__is_block__" in value[0] else name
                for name, value in own(body).items()
            }
            if not required <= found or not found <= required | allowed:
                fail(f"{kind} {label}: {found ^ (required | (found & allowed))}")
            one_of = ONE_OF.get(kind)
            if one_of and len(found & set(one_of)) != 1:
                fail(f"{kind} {label} has not one of {one_of}")
            for group in body.get("rule_group", []):
                check_rule_group(group)
    return types


# Rules of the group of testdata that has most hosts.
rules = os.path.join(scratch, "egress.tf")
account = ["--context", "testdata/account"]
run("rules", "testdata/breach", *account, "--security-group", "sg-0c8e5fa203b71d469", "--out", rules)
types = check(rules)
if types.count("aws_vpc_security_group_egress_rule") < 10:
    fail(f"few rules were learnt: {types}")

# A containment of an incident whose texts mean harm, in either form.
HOSTILE = "\"\n}\nresource \"aws_instance\" \"x\" {} # $(touch x) `id` ' ${path.module} %{ if true }"
incident = {
    "type": "incident",
    "id": "inc-00ff00ff00ff00ff",
    "title": HOSTILE,
    "family": "volume.ledger",
    "account_id": "123456789012",
    "region": "eu-central-1",
    "vpc_id": "vpc-1",
    "interface_id": "eni-1",
    "sender": {"subnet_id": "subnet-1", "security_groups": [{"id": "sg-1"}, {"id": HOSTILE}]},
    "destination": {
        "addresses": ["203.0.113.9", "2001:db8::9", HOSTILE],
        "addresses_total": 3,
        "domain": "drop.example.net",
        "group": HOSTILE,
    },
}
found = os.path.join(scratch, "hostile.jsonl")
with open(found, "w", encoding="utf-8") as file:
    file.write(json.dumps(incident) + "\n")
for deny, kind, count in (("network-acl", "aws_network_acl_rule", 2), ("network-firewall", "aws_networkfirewall_rule_group", 1)):
    folder = os.path.join(scratch, deny)
    run("contain", "inc-00ff", "--incidents", found, "--deny", deny, "--out", folder)
    types = check(os.path.join(folder, "vpc-1/contain.tf"))
    dns = [kind for kind in types if kind.startswith("aws_route53")]
    if types.count(kind) != count or len(dns) != 4 or "aws_instance" in types:
        fail(f"{deny}: {types}")
    for script in ("contain.sh", "undo.sh"):
        subprocess.run(["bash", "-n", os.path.join(folder, "vpc-1", script)], check=True)
print("Terraform is read by a parser of others, with the arguments that its resources have")
