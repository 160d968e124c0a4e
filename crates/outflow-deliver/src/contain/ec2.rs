//! Groups, interfaces and network ACLs.

use std::collections::BTreeSet;

use ipnet::IpNet;
use outflow_posture::VpcContainment;

use super::{
    ACL_GONE, AclEntry, Containing, DnsUndo, GROUP_GONE, InterfaceUndo, VpcUndo, refused_for, xml,
};
use crate::Error;

/// The version of the API that is spoken.
const VERSION: &str = "2016-11-15";

/// Where an interface is, and its groups.
pub(super) struct Interface {
    pub(super) groups: Vec<String>,
    subnet_id: String,
    vpc_id: String,
    requester_managed: bool,
}

/// A rule of a network ACL that holds for what leaves.
struct Rule {
    number: u32,
    denies: bool,
    network: String,
}

impl Containing {
    /// What is there of a VPC that a containment would change.
    pub(super) async fn look(
        &self,
        vpc: &VpcContainment,
        denied: &[IpNet],
    ) -> Result<VpcUndo, Error> {
        let mut own = VpcUndo {
            vpc_id: vpc.vpc_id.clone(),
            account_id: vpc.account_id.clone(),
            region: vpc.region.clone(),
            name: vpc.name.clone(),
            group_id: None,
            making: false,
            interfaces: Vec::new(),
            acl_entries: Vec::new(),
            patterns: vpc.patterns(),
            dns: DnsUndo::default(),
        };
        if let Some(group_id) = self.group_of_name(&own).await? {
            let what = format!(
                "{group_id} is its quarantine group: it was applied before; take that back first"
            );
            return Err(Error::Unlike { what });
        }
        let mut subnets = BTreeSet::new();
        for interface in &vpc.interfaces {
            let id = &interface.interface_id;
            let found = self.interface(&own, id).await?;
            if found.vpc_id != vpc.vpc_id || found.requester_managed {
                let of = match found.requester_managed {
                    true => "a service of AWS".to_owned(),
                    false => found.vpc_id,
                };
                return Err(Error::Unlike {
                    what: format!("{id} is of {of}"),
                });
            }
            subnets.insert(found.subnet_id);
            own.interfaces.push(InterfaceUndo {
                interface_id: id.clone(),
                groups: found.groups,
            });
        }
        if denied.is_empty() {
            return Ok(own);
        }
        let mut seen = BTreeSet::new();
        for subnet in subnets {
            let filter = [
                ("Filter.1.Name", "association.subnet-id".to_owned()),
                ("Filter.1.Value.1", subnet.clone()),
            ];
            let said = self.ec2(&own, "DescribeNetworkAcls", &filter).await?;
            let acl_id = xml::text(&said, "networkAclId").ok_or_else(|| Error::Unlike {
                what: format!("no network ACL of {subnet} is told"),
            })?;
            if seen.insert(acl_id.to_owned()) {
                let entries = numbered(acl_id, &rules(&said), denied)?;
                own.acl_entries.extend(entries);
            }
        }
        Ok(own)
    }

    /// Asks of each change whether it would be allowed. What only a group that is made can show is not asked.
    pub(super) async fn rehearse(&self, vpc: &VpcUndo) -> Result<(), Error> {
        let form = self.group_form(vpc, "rehearsal");
        self.rehearsed(vpc, "CreateSecurityGroup", form).await?;
        for interface in &vpc.interfaces {
            self.set_groups(vpc, &interface.interface_id, &interface.groups, true)
                .await?;
        }
        for entry in &vpc.acl_entries {
            self.deny(vpc, entry, true).await?;
        }
        Ok(())
    }

    fn group_form(&self, vpc: &VpcUndo, incident: &str) -> Vec<(&'static str, String)> {
        vec![
            ("GroupName", vpc.name.clone()),
            (
                "GroupDescription",
                format!("Quarantine of incident {incident}"),
            ),
            ("VpcId", vpc.vpc_id.clone()),
            (
                "TagSpecification.1.ResourceType",
                "security-group".to_owned(),
            ),
            (
                "TagSpecification.1.Tag.1.Key",
                "outflow-incident".to_owned(),
            ),
            ("TagSpecification.1.Tag.1.Value", incident.to_owned()),
        ]
    }

    /// Makes the quarantine group; gives its id.
    pub(super) async fn make_group(&self, vpc: &VpcUndo, incident: &str) -> Result<String, Error> {
        let form = self.group_form(vpc, incident);
        let said = self.ec2(vpc, "CreateSecurityGroup", &form).await?;
        let id = xml::text(&said, "groupId").map(str::to_owned);
        // An answer that was lost on its way has made it all the same.
        let id = match id {
            Some(id) => Some(id),
            None => self.group_of_name(vpc).await?,
        };
        id.ok_or_else(|| Error::Unlike {
            what: "the group that was made is not told".to_owned(),
        })
    }

    pub(super) async fn group_of_name(&self, vpc: &VpcUndo) -> Result<Option<String>, Error> {
        let filter = [
            ("Filter.1.Name", "group-name".to_owned()),
            ("Filter.1.Value.1", vpc.name.clone()),
            ("Filter.2.Name", "vpc-id".to_owned()),
            ("Filter.2.Value.1", vpc.vpc_id.clone()),
        ];
        let said = self.ec2(vpc, "DescribeSecurityGroups", &filter).await?;
        Ok(xml::text(&said, "groupId").map(str::to_owned))
    }

    /// Takes all rules out of a new group, and looks that none is left.
    pub(super) async fn empty_group(&self, vpc: &VpcUndo, group_id: &str) -> Result<(), Error> {
        let open = self.open_ranges(vpc, group_id).await?;
        for range in &open {
            let argument = match range.contains(':') {
                true => "IpPermissions.1.Ipv6Ranges.1.CidrIpv6",
                false => "IpPermissions.1.IpRanges.1.CidrIp",
            };
            let form = [
                ("GroupId", group_id.to_owned()),
                ("IpPermissions.1.IpProtocol", "-1".to_owned()),
                (argument, range.clone()),
            ];
            self.ec2(vpc, "RevokeSecurityGroupEgress", &form).await?;
        }
        let left = self.open_ranges(vpc, group_id).await?;
        if left.is_empty() {
            return Ok(());
        }
        let what = format!("{group_id} still lets out to {}", left.join(", "));
        Err(Error::Unlike { what })
    }

    /// Networks to which a group lets out.
    async fn open_ranges(&self, vpc: &VpcUndo, group_id: &str) -> Result<Vec<String>, Error> {
        let form = [("GroupId.1", group_id.to_owned())];
        let said = self.ec2(vpc, "DescribeSecurityGroups", &form).await?;
        let egress = xml::block(&said, "ipPermissionsEgress").unwrap_or_default();
        let mut open = xml::texts(egress, "cidrIp");
        open.extend(xml::texts(egress, "cidrIpv6"));
        if open.is_empty() && egress.contains("<item>") {
            open.push("somewhere".to_owned());
        }
        Ok(open)
    }

    pub(super) async fn interface(&self, vpc: &VpcUndo, id: &str) -> Result<Interface, Error> {
        let form = [("NetworkInterfaceId.1", id.to_owned())];
        let said = self.ec2(vpc, "DescribeNetworkInterfaces", &form).await?;
        let told = |name: &str| xml::text(&said, name).unwrap_or_default().to_owned();
        let mut groups = xml::texts(xml::block(&said, "groupSet").unwrap_or_default(), "groupId");
        groups.sort();
        if groups.is_empty() {
            return Err(Error::Unlike {
                what: format!("{id} has no groups"),
            });
        }
        Ok(Interface {
            groups,
            subnet_id: told("subnetId"),
            vpc_id: told("vpcId"),
            requester_managed: told("requesterManaged") == "true",
        })
    }

    pub(super) async fn set_groups(
        &self,
        vpc: &VpcUndo,
        id: &str,
        groups: &[String],
        is_rehearsal: bool,
    ) -> Result<(), Error> {
        let names: Vec<String> = (1..=groups.len())
            .map(|at| format!("SecurityGroupId.{at}"))
            .collect();
        let mut form = vec![("NetworkInterfaceId", id.to_owned())];
        let groups = names.iter().map(String::as_str).zip(groups.iter().cloned());
        form.extend(groups);
        let action = "ModifyNetworkInterfaceAttribute";
        match is_rehearsal {
            true => self.rehearsed(vpc, action, form).await,
            false => self.ec2(vpc, action, &form).await.map(drop),
        }
    }

    pub(super) async fn deny(
        &self,
        vpc: &VpcUndo,
        entry: &AclEntry,
        is_rehearsal: bool,
    ) -> Result<(), Error> {
        let argument = match entry.network.contains(':') {
            true => "Ipv6CidrBlock",
            false => "CidrBlock",
        };
        let form = vec![
            ("NetworkAclId", entry.acl_id.clone()),
            ("RuleNumber", entry.rule_number.to_string()),
            ("Protocol", "-1".to_owned()),
            ("RuleAction", "deny".to_owned()),
            ("Egress", "true".to_owned()),
            (argument, entry.network.clone()),
        ];
        let action = "CreateNetworkAclEntry";
        match is_rehearsal {
            true => self.rehearsed(vpc, action, form).await,
            false => {
                let said = self.ec2(vpc, action, &form).await?;
                // A rule of that number may be of others, too.
                if said.contains("NetworkAclEntryAlreadyExists") && !self.denies(vpc, entry).await?
                {
                    let (number, acl_id) = (entry.rule_number, &entry.acl_id);
                    return Err(Error::Unlike {
                        what: format!("rule {number} of {acl_id} was made by others since"),
                    });
                }
                Ok(())
            }
        }
    }

    /// Whether a rule is there as it is made here.
    async fn denies(&self, vpc: &VpcUndo, entry: &AclEntry) -> Result<bool, Error> {
        let form = [("NetworkAclId.1", entry.acl_id.clone())];
        let said = self.ec2(vpc, "DescribeNetworkAcls", &form).await?;
        let is_own = |rule: &Rule| {
            rule.number == entry.rule_number && rule.denies && rule.network == entry.network
        };
        Ok(rules(&said).iter().any(is_own))
    }

    /// Takes a rule out, if it is there as it was made.
    pub(super) async fn undeny(&self, vpc: &VpcUndo, entry: &AclEntry) -> Result<(), Error> {
        match self.denies(vpc, entry).await {
            Ok(true) => {}
            Err(error) if !refused_for(&error, &ACL_GONE) => return Err(error),
            Ok(false) | Err(_) => return Ok(()),
        }
        let form = [
            ("NetworkAclId", entry.acl_id.clone()),
            ("RuleNumber", entry.rule_number.to_string()),
            ("Egress", "true".to_owned()),
        ];
        match self.ec2(vpc, "DeleteNetworkAclEntry", &form).await {
            Err(error) if refused_for(&error, &ACL_GONE) => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    pub(super) async fn delete_group(&self, vpc: &VpcUndo, group_id: &str) -> Result<(), Error> {
        if self.group_of_name(vpc).await?.as_deref() != Some(group_id) {
            return Ok(());
        }
        let form = [("GroupId", group_id.to_owned())];
        match self.ec2(vpc, "DeleteSecurityGroup", &form).await {
            Err(error) if refused_for(&error, &GROUP_GONE) => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    async fn ec2(
        &self,
        vpc: &VpcUndo,
        action: &'static str,
        form: &[(&str, String)],
    ) -> Result<String, Error> {
        let version = [("Version", VERSION.to_owned())];
        let form = [&version[..], form].concat();
        self.query("ec2", &vpc.region, action, &form).await
    }

    /// Asks whether a call would be allowed.
    async fn rehearsed(
        &self,
        vpc: &VpcUndo,
        action: &'static str,
        mut form: Vec<(&str, String)>,
    ) -> Result<(), Error> {
        form.push(("DryRun", "true".to_owned()));
        let said = self.ec2(vpc, action, &form).await?;
        if xml::text(&said, "Code") == Some("DryRunOperation") {
            return Ok(());
        }
        Err(Error::Refused {
            call: action,
            reason: "it was to be rehearsed only, and the answer does not say that it was"
                .to_owned(),
        })
    }
}

/// Rules of the ACL of an answer that hold for what leaves.
fn rules(said: &str) -> Vec<Rule> {
    let entries = xml::block(said, "entrySet").unwrap_or_default();
    let of = |item: &str| {
        let told = |name| xml::text(item, name);
        Some(Rule {
            number: told("ruleNumber")?.parse().ok()?,
            denies: told("ruleAction")? == "deny",
            network: told("cidrBlock").or(told("ipv6CidrBlock"))?.to_owned(),
        })
        .filter(|_| told("egress") == Some("true"))
    };
    entries.split("<item>").filter_map(of).collect()
}

/// Rules with numbers that are free and come before all that allows.
fn numbered(acl_id: &str, rules: &[Rule], denied: &[IpNet]) -> Result<Vec<AclEntry>, Error> {
    let allows = rules.iter().filter(|rule| !rule.denies);
    let first = allows.map(|rule| rule.number).min().unwrap_or(u32::MAX);
    let is_taken = |number: &u32| rules.iter().any(|rule| rule.number == *number);
    let free = (1..first.min(32_767)).filter(|number| !is_taken(number));
    let entries: Vec<AclEntry> = free
        .zip(denied)
        .map(|(rule_number, network)| AclEntry {
            acl_id: acl_id.to_owned(),
            rule_number,
            network: network.to_string(),
        })
        .collect();
    if entries.len() < denied.len() {
        let (room, wanted) = (entries.len(), denied.len());
        let what = format!(
            "{acl_id} has room for {room} rules before rule {first}, which allows, and {wanted} are needed"
        );
        return Err(Error::Unlike { what });
    }
    Ok(entries)
}
