//! A containment as Terraform (hashicorp/aws). `contained = false` takes all of it back.

use std::fmt::{self, Write};

use super::cli::DNS_PRIORITY;
use super::{ACL_RULES_MAX, Containment, Deny, Quarantined, VpcContainment};
use crate::hcl::{description, quoted};

impl Containment {
    /// The containment in one VPC as a module of Terraform. Interfaces whose subnet is not known are not in it.
    pub fn to_terraform(&self, vpc: &VpcContainment) -> String {
        let mut out = String::new();
        // Writing to a text does not fail.
        let _ = self.terraform(&mut out, vpc);
        out
    }

    fn terraform(&self, out: &mut String, vpc: &VpcContainment) -> fmt::Result {
        writeln!(
            out,
            "# Contains incident {} in {}: {}",
            self.incident, vpc.vpc_id, self.title
        )?;
        for note in &self.notes {
            writeln!(out, "# Note: {}.", description(note))?;
        }
        writeln!(
            out,
            "# To undo it: terraform apply -var contained=false. Then `terraform state rm` what is imported before a destroy.\n"
        )?;
        writeln!(
            out,
            "terraform {{\n  required_version = \">= 1.5\"\n  required_providers {{\n    aws = {{\n      source = \
             \"hashicorp/aws\"\n    }}\n  }}\n}}\n"
        )?;
        writeln!(
            out,
            "provider \"aws\" {{\n  region              = {}\n  allowed_account_ids = [{}]\n}}\n",
            quoted(&vpc.region),
            quoted(&vpc.account_id)
        )?;
        writeln!(
            out,
            "variable \"contained\" {{\n  type        = bool\n  default     = true\n  description = \"Whether the incident is \
             shut off\"\n}}\n"
        )?;
        writeln!(
            out,
            "resource \"aws_security_group\" \"quarantine\" {{\n  name        = {}\n  description = {}\n  vpc_id      = {}\n  \
             ingress     = []\n  egress      = []\n  tags = {{\n    \"outflow-incident\" = {}\n  }}\n}}\n",
            quoted(&vpc.name),
            quoted(&format!("Quarantine of incident {}", self.incident)),
            quoted(&vpc.vpc_id),
            quoted(&self.incident)
        )?;
        for own in &vpc.interfaces {
            interface(out, own)?;
        }
        if !vpc.denied.is_empty() {
            match self.deny {
                Deny::NetworkAcl => acl_rules(out, vpc)?,
                Deny::NetworkFirewall => rule_group(out, vpc)?,
            }
        }
        if !vpc.domains.is_empty() {
            dns_firewall(out, vpc)?;
        }
        Ok(())
    }
}

fn list(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    let texts: Vec<String> = texts.map(|text| quoted(text.as_ref())).collect();
    texts.join(", ")
}

fn interface(out: &mut String, own: &Quarantined) -> fmt::Result {
    let id = &own.interface_id;
    let Some(subnet_id) = &own.subnet_id else {
        return writeln!(
            out,
            "# {id} is not in here, as its subnet is not known: use contain.sh.\n"
        );
    };
    if own.groups.is_empty() {
        return writeln!(
            out,
            "# {id} is not in here, as its groups are not known: use contain.sh.\n"
        );
    }
    let label = id.replace('-', "_");
    writeln!(
        out,
        "import {{\n  to = aws_network_interface.{label}\n  id = {}\n}}\n",
        quoted(id)
    )?;
    writeln!(
        out,
        "resource \"aws_network_interface\" \"{label}\" {{\n  subnet_id       = {}\n  security_groups = var.contained ? \
         [aws_security_group.quarantine.id] : [{}]\n\n  lifecycle {{\n    prevent_destroy = true\n    ignore_changes = \
         [attachment, description, private_ips, ipv6_addresses, source_dest_check, tags, tags_all]\n  }}\n}}\n",
        quoted(subnet_id),
        list(own.groups.iter())
    )
}

fn acl_rules(out: &mut String, vpc: &VpcContainment) -> fmt::Result {
    let subnets = vpc.subnets();
    if subnets.is_empty() {
        return writeln!(
            out,
            "# The subnets are not known, so that no network ACL denies anything.\n"
        );
    }
    writeln!(
        out,
        "data \"aws_network_acls\" \"of_subnets\" {{\n  vpc_id = {}\n\n  filter {{\n    name   = \"association.subnet-id\"\n    \
         values = [{}]\n  }}\n}}\n",
        quoted(&vpc.vpc_id),
        list(subnets.into_iter())
    )?;
    for (number, net) in (1..).zip(&vpc.denied) {
        let argument = if net.addr().is_ipv4() {
            "cidr_block"
        } else {
            "ipv6_cidr_block"
        };
        writeln!(
            out,
            "resource \"aws_network_acl_rule\" \"deny_{number}\" {{\n  for_each       = var.contained ? \
             toset(data.aws_network_acls.of_subnets.ids) : toset([])\n  network_acl_id = each.value\n  rule_number    = \
             {number}\n  egress         = true\n  protocol       = \"-1\"\n  rule_action    = \"deny\"\n  {argument} = {}\n}}\n",
            quoted(&net.to_string())
        )?;
    }
    Ok(())
}

fn rule_group(out: &mut String, vpc: &VpcContainment) -> fmt::Result {
    writeln!(
        out,
        "resource \"aws_networkfirewall_rule_group\" \"deny\" {{\n  count    = var.contained ? 1 : 0\n  name     = {}\n  type     \
         = \"STATEFUL\"\n  capacity = {ACL_RULES_MAX}\n\n  rule_group {{\n    rules_source {{",
        quoted(&vpc.name)
    )?;
    for (sid, net) in (1..).zip(&vpc.denied) {
        writeln!(
            out,
            "      stateful_rule {{\n        action = \"DROP\"\n        header {{\n          protocol         = \"IP\"\n          \
             source           = \"ANY\"\n          source_port      = \"ANY\"\n          direction        = \"FORWARD\"\n          \
             destination      = {}\n          destination_port = \"ANY\"\n        }}\n        rule_option {{\n          keyword  \
             = \"sid\"\n          settings = [\"{sid}\"]\n        }}\n      }}",
            quoted(&net.to_string())
        )?;
    }
    writeln!(
        out,
        "    }}\n    stateful_rule_options {{\n      rule_order = \"STRICT_ORDER\"\n    }}\n  }}\n}}\n"
    )
}

fn dns_firewall(out: &mut String, vpc: &VpcContainment) -> fmt::Result {
    writeln!(
        out,
        "variable \"dns_priority\" {{\n  type        = number\n  default     = {DNS_PRIORITY}\n  description = \"A priority that no \
         rule group of DNS Firewall has in the VPC\"\n}}\n"
    )?;
    let name = quoted(&vpc.name);
    let head = |kind: &str| {
        format!(
            "resource \"aws_route53_resolver_{kind}\" \"quarantine\" {{\n  count = var.contained ? 1 : 0\n  name = {name}\n"
        )
    };
    let patterns = list(vpc.patterns().iter());
    writeln!(
        out,
        "{}  domains = [{patterns}]\n}}\n",
        head("firewall_domain_list")
    )?;
    writeln!(out, "{}}}\n", head("firewall_rule_group"))?;
    writeln!(
        out,
        "{}  action = \"BLOCK\"\n  block_response = \"NODATA\"\n  priority = 1\n  firewall_domain_list_id = \
         aws_route53_resolver_firewall_domain_list.quarantine[0].id\n  firewall_rule_group_id = \
         aws_route53_resolver_firewall_rule_group.quarantine[0].id\n}}\n",
        head("firewall_rule")
    )?;
    writeln!(
        out,
        "{}  firewall_rule_group_id = aws_route53_resolver_firewall_rule_group.quarantine[0].id\n  priority = \
         var.dns_priority\n  vpc_id = {}\n}}\n",
        head("firewall_rule_group_association"),
        quoted(&vpc.vpc_id)
    )
}
