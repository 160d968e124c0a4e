//! Applies a containment to an account, and takes it back.
//!
//! ```text
//! Containment ──prepare──► Undo: what is there now, every change rehearsed (DryRun)
//!                            │ kept by the caller before the first change, and again with each
//!                            ▼
//!                          apply ──► the account is changed ──undo──► as it was
//! ```
//!
//! What is changed is only what [`Undo`] names, and taken back is only what still stands as it was left: who changed the
//! groups of an interface since keeps them.

mod dns;
mod ec2;
mod xml;

use std::io;
use std::sync::Arc;

use outflow_aws::{
    ANSWER_BYTES_MAX, ATTEMPT_MAX, ATTEMPTS_MAX, Aws, AwsOptions, Call, Failed, Http, wait,
};
use outflow_posture::{Containment, Deny};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::sender::is_endpoint;
use crate::{Error, Options};

/// Name and version of the JSON of an [`Undo`]. Keys are only ever added.
pub const UNDO_SCHEMA: &str = "outflow.undo/1";

/// Codes of AWS for an interface, a group and a network ACL that are gone.
const INTERFACE_GONE: [&str; 1] = ["InvalidNetworkInterfaceID.NotFound"];
const GROUP_GONE: [&str; 1] = ["InvalidGroup.NotFound"];
const ACL_GONE: [&str; 2] = [
    "InvalidNetworkAclID.NotFound",
    "InvalidNetworkAclEntry.NotFound",
];

/// What a containment changes, and what was there before: enough to apply it and to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// [`UNDO_SCHEMA`].
    pub schema: String,
    /// The incident's id.
    pub incident: String,
    /// By VPC.
    pub vpcs: Vec<VpcUndo>,
}

/// Of one VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VpcUndo {
    /// `vpc-…`.
    pub vpc_id: String,
    /// Account.
    pub account_id: String,
    /// Region.
    pub region: String,
    /// Name of what is made.
    pub name: String,
    /// The quarantine group, once it is made.
    pub group_id: Option<String>,
    /// Whether the group was asked for, and its id is not known yet: the answer may have been lost.
    #[serde(default)]
    pub making: bool,
    /// Interfaces, with the groups that they had.
    pub interfaces: Vec<InterfaceUndo>,
    /// Rules that network ACLs get.
    pub acl_entries: Vec<AclEntry>,
    /// Patterns of domains that are blocked.
    pub patterns: Vec<String>,
    /// What DNS Firewall gets.
    pub dns: DnsUndo,
}

/// Groups of an interface before it was shut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceUndo {
    /// `eni-…`.
    pub interface_id: String,
    /// Its groups.
    pub groups: Vec<String>,
}

/// A rule of a network ACL that denies a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AclEntry {
    /// `acl-…`.
    pub acl_id: String,
    /// Its number, which was free.
    pub rule_number: u32,
    /// The network.
    pub network: String,
}

/// Parts of DNS Firewall, once they are made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsUndo {
    /// A priority that is free in the VPC.
    pub priority: u32,
    /// List of domains.
    pub list_id: Option<String>,
    /// Rule group.
    pub group_id: Option<String>,
    /// Whether the group has the rule.
    pub has_rule: bool,
    /// Association with the VPC.
    pub association_id: Option<String>,
}

/// Keeps what takes a containment back, so that no crash loses it.
pub type Keep<'a> = &'a mut (dyn FnMut(&Undo) -> io::Result<()> + Send);

/// The API of AWS, to contain by.
#[derive(Debug)]
pub struct Containing {
    aws: Aws,
}

impl Containing {
    /// Finds credentials as AWS's own tools do. Of the options, region, server and machine count.
    ///
    /// # Errors
    /// [`Error::NoCredentials`] and [`Error::Endpoint`].
    pub async fn connect(options: &Options) -> Result<Self, Error> {
        let wrong = |url: &str| Error::Endpoint {
            url: url.to_owned(),
        };
        let endpoint = options.endpoint_url.as_deref();
        let endpoint = endpoint.map(|url| url.parse::<Url>().map_err(|_| wrong(url)));
        let endpoint = endpoint.transpose()?;
        if let Some(url) = endpoint.as_ref().filter(|url| !is_endpoint(url)) {
            return Err(wrong(url.as_str()));
        }
        let of = AwsOptions {
            region: options.region.as_deref(),
            endpoint: endpoint.as_ref(),
        };
        let http = Http::new(Arc::clone(&options.host), ATTEMPT_MAX);
        let aws = Aws::connect(http, of).await;
        let aws = aws.map_err(|none| Error::NoCredentials {
            reason: none.reason,
        })?;
        Ok(Self { aws })
    }

    #[cfg(test)]
    pub(crate) fn with(aws: Aws) -> Self {
        Self { aws }
    }

    /// Reads what is there, and rehearses each change of EC2 that can be rehearsed. Nothing is changed.
    ///
    /// # Errors
    /// [`Error::Unlike`] if the account is not what the containment is for, [`Error::Refused`] if AWS refuses a call.
    pub async fn prepare(&self, containment: &Containment) -> Result<Undo, Error> {
        let mut vpcs = Vec::new();
        for vpc in &containment.vpcs {
            self.is_account(&vpc.account_id, &vpc.region).await?;
            let denied = match containment.deny {
                Deny::NetworkAcl => &vpc.denied[..],
                Deny::NetworkFirewall if vpc.denied.is_empty() => &[],
                Deny::NetworkFirewall => {
                    let what = "a rule group of Network Firewall denies nothing before a policy names it, which only its owner \
                                may say: apply the script, or deny by network ACLs";
                    return Err(Error::Unlike {
                        what: what.to_owned(),
                    });
                }
            };
            let mut own = self.look(vpc, denied).await?;
            if !own.patterns.is_empty() {
                own.dns.priority = self.free_priority(&own).await?;
            }
            self.rehearse(&own).await?;
            vpcs.push(own);
        }
        Ok(Undo {
            schema: UNDO_SCHEMA.to_owned(),
            incident: containment.incident.clone(),
            vpcs,
        })
    }

    /// Changes the account. `keep` is called before the first change and after each thing that is made.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unlike`] and [`Error::Keep`]; then [`Containing::undo`] takes back what was done.
    pub async fn apply(&self, undo: &mut Undo, keep: Keep<'_>) -> Result<(), Error> {
        kept(undo, keep)?;
        for at in 0..undo.vpcs.len() {
            undo.vpcs[at].making = true;
            kept(undo, keep)?;
            let made = self.make_group(&undo.vpcs[at], &undo.incident).await;
            // That of others is theirs to delete.
            let is_of_others =
                matches!(&made, Err(error) if refused_for(error, &["InvalidGroup.Duplicate"]));
            undo.vpcs[at].making = made.is_err() && !is_of_others;
            undo.vpcs[at].group_id = made.as_ref().ok().cloned();
            kept(undo, keep)?;
            let group_id = made?;
            self.empty_group(&undo.vpcs[at], &group_id).await?;
            for interface in 0..undo.vpcs[at].interfaces.len() {
                self.shut_off(undo, at, interface, &group_id, keep).await?;
            }
            for entry in &undo.vpcs[at].acl_entries {
                self.deny(&undo.vpcs[at], entry, false).await?;
            }
            self.block(undo, at, keep).await?;
        }
        Ok(())
    }

    /// Gives an interface the quarantine group alone. Its groups are read anew: since the account was looked at, a person may
    /// have taken a long time to agree.
    async fn shut_off(
        &self,
        undo: &mut Undo,
        at: usize,
        interface: usize,
        group_id: &str,
        keep: Keep<'_>,
    ) -> Result<(), Error> {
        let id = undo.vpcs[at].interfaces[interface].interface_id.clone();
        let now = self.interface(&undo.vpcs[at], &id).await?.groups;
        if now == [group_id] {
            return Ok(());
        }
        if now != undo.vpcs[at].interfaces[interface].groups {
            undo.vpcs[at].interfaces[interface].groups = now;
            kept(undo, keep)?;
        }
        let groups = [group_id.to_owned()];
        self.set_groups(&undo.vpcs[at], &id, &groups, false).await
    }

    /// Takes a containment back; gives what was changed by others since, and left as it is. Hosts come first, so that nothing
    /// else that fails keeps them cut off. What is gone needs nothing.
    ///
    /// # Errors
    /// As [`Containing::apply`]; then the same call goes on where this one stopped.
    pub async fn undo(&self, undo: &mut Undo, keep: Keep<'_>) -> Result<Vec<String>, Error> {
        let mut left = Vec::new();
        let mut groups = Vec::new();
        for vpc in &undo.vpcs {
            self.is_account(&vpc.account_id, &vpc.region).await?;
            let group_id = match &vpc.group_id {
                None if vpc.making => self.group_of_name(vpc).await?,
                known => known.clone(),
            };
            let before = left.len();
            if let Some(group_id) = &group_id {
                self.give_back(vpc, group_id, &mut left).await?;
            }
            groups.push((group_id, left.len() == before));
        }
        for (at, (group_id, is_unused)) in groups.into_iter().enumerate() {
            self.unblock(undo, at, keep).await?;
            let vpc = &undo.vpcs[at];
            for entry in &vpc.acl_entries {
                self.undeny(vpc, entry).await?;
            }
            if !is_unused {
                continue;
            }
            if let Some(group_id) = group_id {
                self.delete_group(vpc, &group_id).await?;
            }
            undo.vpcs[at].group_id = None;
            undo.vpcs[at].making = false;
            kept(undo, keep)?;
        }
        Ok(left)
    }

    /// Gives interfaces the groups that they had; adds those that are left as they are.
    async fn give_back(
        &self,
        vpc: &VpcUndo,
        group_id: &str,
        left: &mut Vec<String>,
    ) -> Result<(), Error> {
        for interface in &vpc.interfaces {
            let id = &interface.interface_id;
            let now = match self.interface(vpc, id).await {
                Err(error) if refused_for(&error, &INTERFACE_GONE) => continue,
                found => found?.groups,
            };
            if now == [group_id] {
                match self.set_groups(vpc, id, &interface.groups, false).await {
                    Err(error) if refused_for(&error, &INTERFACE_GONE) => {}
                    Err(error) if refused_for(&error, &GROUP_GONE) => {
                        left.push(format!("{id}: one of its groups is gone: {error}"));
                    }
                    given => given?,
                }
            } else if now != interface.groups {
                let now = now.join(", ");
                left.push(format!(
                    "{id}: its groups were changed since, and are left: {now}"
                ));
            }
        }
        Ok(())
    }

    async fn is_account(&self, account_id: &str, region: &str) -> Result<(), Error> {
        let form = [("Version", "2011-06-15".to_owned())];
        let said = self
            .query("sts", region, "GetCallerIdentity", &form)
            .await?;
        let found = xml::text(&said, "Account").unwrap_or_default();
        if found != account_id {
            let what =
                format!("the credentials are of account {found}, and it is for {account_id}");
            return Err(Error::Unlike { what });
        }
        Ok(())
    }

    /// A call of an API that takes forms; gives the answer.
    async fn query(
        &self,
        service: &'static str,
        region: &str,
        action: &'static str,
        form: &[(&str, String)],
    ) -> Result<String, Error> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("Action", action);
        for (name, value) in form {
            body.append_pair(name, value);
        }
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        let headers = vec![("content-type", kind.to_owned())];
        self.call(service, region, action, headers, body.finish())
            .await
    }

    /// A call of an API that takes JSON; gives the answer.
    async fn json(
        &self,
        region: &str,
        action: &'static str,
        body: serde_json::Value,
    ) -> Result<serde_json::Value, Error> {
        let headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("Route53Resolver.{action}")),
        ];
        let said = self
            .call("route53resolver", region, action, headers, body.to_string())
            .await?;
        serde_json::from_str(&said).map_err(|error| Error::Refused {
            call: action,
            reason: format!("its answer is no JSON: {error}"),
        })
    }

    /// Sends, and again while what fails may pass. That a rehearsal would have passed is an answer, too, and so is that an
    /// earlier attempt, whose answer was lost, has done it.
    async fn call(
        &self,
        service: &'static str,
        region: &str,
        action: &'static str,
        headers: Vec<(&'static str, String)>,
        body: String,
    ) -> Result<String, Error> {
        let refused = |reason| Error::Refused {
            call: action,
            reason,
        };
        for attempt in 1.. {
            let call = Call {
                service,
                region,
                method: "POST",
                url: format!("{}/", self.aws.base(service, region)),
                headers: headers.clone(),
                body: body.clone(),
                read_too: &[412],
            };
            let sent = self.aws.send(call).await;
            let said = match sent {
                Ok(answer) => answer.text(ANSWER_BYTES_MAX).await,
                Err(failed) => Err(failed),
            };
            match said {
                Ok(said) => return Ok(said),
                Err(Failed::Passing { after, .. }) if attempt < ATTEMPTS_MAX => {
                    let host = self.aws.host();
                    host.sleep(wait(attempt, after, host.chance())).await;
                }
                Err(Failed::Lasting(reason)) if attempt > 1 && names(&reason, done_by(action)) => {
                    return Ok(reason);
                }
                Err(
                    Failed::Passing { reason, .. }
                    | Failed::Lasting(reason)
                    | Failed::TooLarge(reason),
                ) => return Err(refused(reason)),
            }
        }
        Err(refused("it was asked too often".to_owned()))
    }
}

impl Undo {
    /// Reads what [`Undo`] was kept as.
    ///
    /// # Errors
    /// [`Error::Unlike`] if it is no such thing.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let unlike = |what: String| Error::Unlike { what };
        let undo: Self = serde_json::from_slice(json)
            .map_err(|error| unlike(format!("the file is no undo file: {error}")))?;
        if undo.schema != UNDO_SCHEMA {
            return Err(unlike(format!("the undo file is of `{}`", undo.schema)));
        }
        Ok(undo)
    }
}

/// By which codes AWS refuses what an earlier attempt of the same call has done.
fn done_by(action: &str) -> &'static [&'static str] {
    match action {
        "CreateSecurityGroup" => &["InvalidGroup.Duplicate"],
        "RevokeSecurityGroupEgress" => &["InvalidPermission.NotFound"],
        "CreateNetworkAclEntry" => &["NetworkAclEntryAlreadyExists"],
        _ => &[],
    }
}

fn names(reason: &str, codes: &[&str]) -> bool {
    codes.iter().any(|code| reason.contains(code))
}

/// Whether AWS refused a call for one of these codes.
fn refused_for(error: &Error, codes: &[&str]) -> bool {
    matches!(error, Error::Refused { reason, .. } if names(reason, codes))
}

fn kept(undo: &Undo, keep: Keep<'_>) -> Result<(), Error> {
    keep(undo).map_err(|source| Error::Keep { source })
}

#[cfg(test)]
mod tests;
