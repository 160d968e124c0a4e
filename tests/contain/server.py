"""moto, in which network ACLs keep to DryRun as those of AWS do: server.py [ARGUMENT…]."""

import sys

from moto.ec2.responses.network_acls import NetworkACLs
from moto.server import main


def rehearsed(call):
    def keeping(self):
        self.error_on_dryrun()
        return call(self)

    return keeping


NetworkACLs.create_network_acl_entry = rehearsed(NetworkACLs.create_network_acl_entry)
main(sys.argv[1:])
