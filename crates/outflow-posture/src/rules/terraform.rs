//! Rules as Terraform (hashicorp/aws).

use std::fmt::{self, Write};

use outflow_enrich::protocol;

use crate::hcl::{description, label, quoted};

use super::{EgressRule, EndpointProposal, RulePeer, RuleSet, Target};

/// Capacity of a rule group at least. It cannot be changed, so that there is room for names to come.
const CAPACITY_MIN: usize = 100;

impl RuleSet {
    /// The rules, the list of domains and the endpoints as resources of Terraform. Those of a workload ask for the
    /// group that they belong to.
    pub fn to_terraform(&self) -> String {
        let mut out = String::new();
        // Writing to a text does not fail.
        let _ = self.terraform(&mut out);
        out
    }

    fn terraform(&self, out: &mut String) -> fmt::Result {
        let group = match &self.target {
            Target::SecurityGroup(id) => quoted(id),
            Target::Workload(_) => {
                let what = "variable \"security_group_id\" {\n  type        = string\n";
                writeln!(out, "{what}  description = \"Group of the workload\"\n}}\n")?;
                "var.security_group_id".to_owned()
            }
        };
        for note in &self.notes {
            writeln!(out, "# {}", description(note))?;
        }
        for (number, rule) in self.rules.iter().enumerate() {
            egress_rule(out, &group, number + 1, rule)?;
        }
        if !self.domains.is_empty() {
            self.domain_list(out)?;
        }
        for endpoint in &self.endpoints {
            self.endpoint(out, endpoint)?;
        }
        Ok(())
    }

    fn domain_list(&self, out: &mut String) -> fmt::Result {
        // Each name is inspected in TLS and in HTTP.
        let capacity = (self.domains.len() * 4).max(CAPACITY_MIN);
        writeln!(
            out,
            "resource \"aws_networkfirewall_rule_group\" \"egress_domains\" {{"
        )?;
        writeln!(out, "  name     = {}", quoted(&self.list_name()))?;
        writeln!(
            out,
            "  type     = \"STATEFUL\"\n  capacity = {capacity}\n\n  rule_group {{"
        )?;
        if !self.home_nets.is_empty() {
            let nets: Vec<String> = self
                .home_nets
                .iter()
                .map(|net| quoted(&net.to_string()))
                .collect();
            let nets = nets.join(", ");
            writeln!(
                out,
                "    rule_variables {{\n      ip_sets {{\n        key = \"HOME_NET\""
            )?;
            writeln!(out, "        ip_set {{\n          definition = [{nets}]")?;
            writeln!(out, "        }}\n      }}\n    }}")?;
        }
        writeln!(out, "    rules_source {{\n      rules_source_list {{")?;
        writeln!(out, "        generated_rules_type = \"ALLOWLIST\"")?;
        writeln!(
            out,
            "        target_types         = [\"TLS_SNI\", \"HTTP_HOST\"]"
        )?;
        writeln!(out, "        targets = [")?;
        for domain in &self.domains {
            writeln!(out, "          {},", quoted(domain))?;
        }
        writeln!(
            out,
            "        ]\n      }}\n    }}\n    stateful_rule_options {{"
        )?;
        writeln!(
            out,
            "      rule_order = \"STRICT_ORDER\"\n    }}\n  }}\n}}\n"
        )
    }

    /// Letters, digits and hyphens, as AWS names rule groups.
    fn list_name(&self) -> String {
        let name = format!("egress-{}", self.vpc_id);
        let fits = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        name.chars().map(fits).take(128).collect()
    }

    fn endpoint(&self, out: &mut String, endpoint: &EndpointProposal) -> fmt::Result {
        let kind = if endpoint.is_gateway {
            "Gateway"
        } else {
            "Interface"
        };
        let label = label(&endpoint.service_name);
        writeln!(out, "resource \"aws_vpc_endpoint\" \"{label}\" {{")?;
        writeln!(out, "  vpc_id            = {}", quoted(&self.vpc_id))?;
        writeln!(
            out,
            "  service_name      = {}",
            quoted(&endpoint.service_name)
        )?;
        writeln!(out, "  vpc_endpoint_type = \"{kind}\"")?;
        let ids = |ids: &[String]| {
            let ids: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
            ids.join(", ")
        };
        if endpoint.is_gateway {
            writeln!(
                out,
                "  route_table_ids   = [{}]",
                ids(&endpoint.route_table_ids)
            )?;
        } else {
            writeln!(
                out,
                "  subnet_ids          = [{}]",
                ids(&endpoint.subnet_ids)
            )?;
            writeln!(out, "  private_dns_enabled = true")?;
        }
        // Without an account to name, a policy would shut everything out or nothing.
        if !self.account_id.is_empty() {
            writeln!(
                out,
                "  policy = jsonencode({{\n    Version = \"2012-10-17\"\n    Statement = [{{"
            )?;
            writeln!(out, "      Effect    = \"Allow\"\n      Principal = \"*\"")?;
            writeln!(
                out,
                "      Action    = \"*\"\n      Resource  = \"*\"\n      Condition = {{"
            )?;
            writeln!(out, "        StringEquals = {{")?;
            writeln!(
                out,
                "          \"aws:ResourceAccount\" = {}",
                quoted(&self.account_id)
            )?;
            writeln!(out, "        }}\n      }}\n    }}]\n  }})")?;
        }
        writeln!(out, "}}\n")
    }
}

fn egress_rule(out: &mut String, group: &str, number: usize, rule: &EgressRule) -> fmt::Result {
    writeln!(
        out,
        "resource \"aws_vpc_security_group_egress_rule\" \"egress_{number}\" {{"
    )?;
    writeln!(out, "  security_group_id = {group}")?;
    writeln!(
        out,
        "  ip_protocol       = \"{}\"",
        protocol_name(rule.protocol)
    )?;
    match rule.ports {
        Some(ports) => {
            writeln!(out, "  from_port         = {}", ports.first)?;
            writeln!(out, "  to_port           = {}", ports.last)?;
        }
        // Of ICMP for IPv6 all types are meant where none is said; of others, all have to be.
        None if rule.protocol == protocol::ICMPV6 => {}
        None => writeln!(out, "  from_port         = -1\n  to_port           = -1")?,
    }
    let (argument, value) = match &rule.peer {
        RulePeer::PrefixList(id) => ("prefix_list_id", id.clone()),
        RulePeer::SecurityGroup(id) => ("referenced_security_group_id", id.clone()),
        RulePeer::Cidr(net) if net.addr().is_ipv4() => ("cidr_ipv4", net.to_string()),
        RulePeer::Cidr(net) => ("cidr_ipv6", net.to_string()),
    };
    writeln!(out, "  {argument} = {}", quoted(&value))?;
    writeln!(out, "  description = {}\n}}\n", quoted(&rule.description))
}

/// A protocol as AWS calls it: a name, or the number.
fn protocol_name(number: u8) -> String {
    match number {
        protocol::ICMP => "icmp".to_owned(),
        protocol::TCP => "tcp".to_owned(),
        protocol::UDP => "udp".to_owned(),
        protocol::ICMPV6 => "icmpv6".to_owned(),
        other => other.to_string(),
    }
}
