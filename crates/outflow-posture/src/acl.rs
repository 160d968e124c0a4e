//! Network ACLs: whether a subnet can reach more than some networks.

use std::fmt;

use ipnet::IpNet;
use outflow_enrich::inventory::{NetworkAcl, NetworkAclEntry};

use crate::rule::is_open;

/// Whether IPv4 or IPv6 is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// Whether an ACL lets packets of a family out to some networks only. It asks packet by packet, the lowest number first,
/// and drops what no rule takes.
pub(crate) fn is_narrow(acl: &NetworkAcl, family: Family) -> bool {
    let mut entries: Vec<&NetworkAclEntry> = acl.entries.iter().filter(|own| own.egress).collect();
    entries.sort_by_key(|entry| entry.rule_number);
    let mut denied: Vec<IpNet> = Vec::new();
    for entry in entries {
        let net = match family {
            Family::V4 => entry.cidr_block,
            Family::V6 => entry.ipv6_cidr_block,
        };
        let Some(net) = net else { continue };
        let is_denied = denied.iter().any(|wider| wider.contains(&net));
        if entry.rule_action.eq_ignore_ascii_case("deny") {
            if takes_all(entry) {
                denied.push(net);
            }
        } else if is_open(net) && !is_denied {
            return false;
        }
    }
    true
}

/// Whether a rule takes packets of all protocols and ports.
fn takes_all(entry: &NetworkAclEntry) -> bool {
    entry.protocol == "-1"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn narrow(entries: &[(i64, &str, &str, &str)], family: Family) -> bool {
        let entries = entries.iter().map(|(number, action, protocol, net)| {
            let key = if net.contains(':') { "Ipv6CidrBlock" } else { "CidrBlock" };
            json!({"Egress": true, "RuleNumber": number, "RuleAction": action, "Protocol": protocol, key: net})
        });
        let mut all: Vec<serde_json::Value> = entries.collect();
        all.push(json!({"Egress": false, "RuleNumber": 1, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}));
        let acl = json!({"NetworkAclId": "acl-1", "VpcId": "vpc-1", "Entries": all});
        is_narrow(&serde_json::from_value(acl).unwrap(), family)
    }

    #[test]
    fn an_acl_is_narrow_unless_a_rule_lets_out_to_anywhere_before_one_denies_it() {
        let rest = (32_767, "deny", "-1", "0.0.0.0/0");
        let all = (100, "allow", "-1", "0.0.0.0/0");
        assert!(!narrow(&[rest, all], Family::V4), "the default");
        assert!(narrow(&[rest], Family::V4) && narrow(&[], Family::V4));
        assert!(narrow(
            &[rest, (100, "allow", "6", "203.0.113.0/24")],
            Family::V4
        ));
        assert!(
            !narrow(&[rest, (100, "allow", "6", "128.0.0.0/1")], Family::V4),
            "one protocol is enough"
        );
        assert!(narrow(
            &[rest, all, (50, "deny", "-1", "0.0.0.0/0")],
            Family::V4
        ));
        assert!(
            !narrow(&[rest, all, (50, "deny", "17", "0.0.0.0/0")], Family::V4),
            "another protocol"
        );
        assert!(
            !narrow(&[rest, all, (150, "deny", "-1", "0.0.0.0/0")], Family::V4),
            "too late"
        );
        assert!(narrow(&[all], Family::V6), "of another family");
        assert!(!narrow(&[(100, "allow", "-1", "::/0")], Family::V6));
    }
}
