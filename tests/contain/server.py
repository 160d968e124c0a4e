"""moto, with DNS Firewall, and in which network ACLs keep to DryRun and are found by their id as those of AWS do:
server.py [ARGUMENT…]."""

import sys

import dns_firewall
from moto.ec2.models.network_acls import NetworkAcl
from moto.ec2.responses.network_acls import NetworkACLs
from moto.server import main


def rehearsed(call):
    def keeping(self):
        self.error_on_dryrun()
        return call(self)

    return keeping


def by_id(value):
    def found(self, name, method=None):
        return self.id if name == "network-acl-id" else value(self, name, method)

    return found


NetworkACLs.create_network_acl_entry = rehearsed(NetworkACLs.create_network_acl_entry)
NetworkAcl.get_filter_value = by_id(NetworkAcl.get_filter_value)
dns_firewall.add()
main(sys.argv[1:])
