//! DNS Firewall: a list of domains, a rule group that blocks them, and the VPC that asks it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Containing, Keep, Undo, VpcUndo, kept, refused_for};
use crate::Error;

/// Priorities that an association may have: those below are AWS's.
const PRIORITIES: std::ops::RangeInclusive<u32> = 101..=8_999;

/// How often it is asked whether an association is gone, and how long is waited before each.
const GONE_ATTEMPTS_MAX: u32 = 60;
const GONE_WAIT: Duration = Duration::from_secs(2);

impl Containing {
    /// A priority that no rule group has in a VPC.
    pub(super) async fn free_priority(&self, vpc: &VpcUndo) -> Result<u32, Error> {
        let (mut taken, mut token) = (BTreeSet::new(), Value::Null);
        let mut seen = BTreeSet::new();
        loop {
            let mut ask = json!({"VpcId": vpc.vpc_id, "MaxResults": 100});
            if !token.is_null() {
                ask["NextToken"] = token.take();
            }
            let call = "ListFirewallRuleGroupAssociations";
            let mut said = self.json(&vpc.region, call, ask).await?;
            let all = said["FirewallRuleGroupAssociations"].as_array();
            let priorities = all
                .into_iter()
                .flatten()
                .filter_map(|of| of["Priority"].as_u64());
            taken.extend(priorities);
            token = said["NextToken"].take();
            if token.is_null() || token == "" {
                break;
            }
            if !seen.insert(token.to_string()) {
                return Err(Error::Refused {
                    call,
                    reason: "its pages go in a circle".to_owned(),
                });
            }
        }
        let free = PRIORITIES
            .into_iter()
            .find(|at| !taken.contains(&u64::from(*at)));
        free.ok_or_else(|| Error::Unlike {
            what: format!("no priority of DNS Firewall is free in {}", vpc.vpc_id),
        })
    }

    /// Blocks the domains of a VPC.
    pub(super) async fn block(
        &self,
        undo: &mut Undo,
        at: usize,
        keep: Keep<'_>,
    ) -> Result<(), Error> {
        let VpcUndo {
            name,
            region,
            vpc_id,
            patterns,
            ..
        } = undo.vpcs[at].clone();
        if patterns.is_empty() {
            return Ok(());
        }
        let named = json!({"CreatorRequestId": name, "Name": name});
        let list = self
            .json(&region, "CreateFirewallDomainList", named.clone())
            .await?;
        let list_id = id(&list["FirewallDomainList"], "CreateFirewallDomainList")?;
        undo.vpcs[at].dns.list_id = Some(list_id.clone());
        kept(undo, keep)?;
        let domains =
            json!({"FirewallDomainListId": list_id, "Operation": "REPLACE", "Domains": patterns});
        self.json(&region, "UpdateFirewallDomains", domains).await?;
        let group = self.json(&region, "CreateFirewallRuleGroup", named).await?;
        let group_id = id(&group["FirewallRuleGroup"], "CreateFirewallRuleGroup")?;
        undo.vpcs[at].dns.group_id = Some(group_id.clone());
        kept(undo, keep)?;
        let rule = json!({"CreatorRequestId": name, "Name": name, "FirewallRuleGroupId": group_id,
            "FirewallDomainListId": list_id, "Priority": 1, "Action": "BLOCK", "BlockResponse": "NODATA"});
        self.json(&region, "CreateFirewallRule", rule).await?;
        undo.vpcs[at].dns.has_rule = true;
        kept(undo, keep)?;
        let priority = undo.vpcs[at].dns.priority;
        let association = json!({"CreatorRequestId": name, "Name": name, "FirewallRuleGroupId": group_id, "VpcId": vpc_id,
            "Priority": priority});
        let call = "AssociateFirewallRuleGroup";
        let said = self.json(&region, call, association).await?;
        undo.vpcs[at].dns.association_id = Some(id(&said["FirewallRuleGroupAssociation"], call)?);
        kept(undo, keep)
    }

    /// Takes the block back, from its end to its beginning.
    pub(super) async fn unblock(
        &self,
        undo: &mut Undo,
        at: usize,
        keep: Keep<'_>,
    ) -> Result<(), Error> {
        let region = undo.vpcs[at].region.clone();
        if let Some(id) = undo.vpcs[at].dns.association_id.clone() {
            let of = json!({"FirewallRuleGroupAssociationId": id});
            self.gone(&region, "DisassociateFirewallRuleGroup", of.clone())
                .await?;
            self.wait_until_gone(&region, &of).await?;
            undo.vpcs[at].dns.association_id = None;
            kept(undo, keep)?;
        }
        let (list, group) = {
            let dns = &undo.vpcs[at].dns;
            (dns.list_id.clone(), dns.group_id.clone())
        };
        if let (true, Some(list), Some(group)) = (undo.vpcs[at].dns.has_rule, &list, &group) {
            let of = json!({"FirewallRuleGroupId": group, "FirewallDomainListId": list});
            self.gone(&region, "DeleteFirewallRule", of).await?;
            undo.vpcs[at].dns.has_rule = false;
            kept(undo, keep)?;
        }
        if let Some(group) = group {
            let of = json!({"FirewallRuleGroupId": group});
            self.gone(&region, "DeleteFirewallRuleGroup", of).await?;
            undo.vpcs[at].dns.group_id = None;
            kept(undo, keep)?;
        }
        if let Some(list) = list {
            let of = json!({"FirewallDomainListId": list});
            self.gone(&region, "DeleteFirewallDomainList", of).await?;
            undo.vpcs[at].dns.list_id = None;
            kept(undo, keep)?;
        }
        Ok(())
    }

    /// Takes something away, which may be away already.
    async fn gone(&self, region: &str, call: &'static str, of: Value) -> Result<(), Error> {
        match self.json(region, call, of).await {
            Err(error) if is_absent(&error) => Ok(()),
            other => other.map(drop),
        }
    }

    async fn wait_until_gone(&self, region: &str, of: &Value) -> Result<(), Error> {
        let call = "GetFirewallRuleGroupAssociation";
        for _ in 0..GONE_ATTEMPTS_MAX {
            match self.json(region, call, of.clone()).await {
                Err(error) if is_absent(&error) => return Ok(()),
                other => drop(other?),
            }
            self.aws.host().sleep(GONE_WAIT).await;
        }
        Err(Error::Refused {
            call,
            reason: "the association is still being taken away".to_owned(),
        })
    }
}

fn is_absent(error: &Error) -> bool {
    refused_for(error, &["ResourceNotFoundException"])
}

fn id(of: &Value, call: &'static str) -> Result<String, Error> {
    let id = of["Id"].as_str().filter(|id| !id.is_empty());
    id.map(str::to_owned).ok_or_else(|| Error::Refused {
        call,
        reason: "its answer names no id".to_owned(),
    })
}
