//! What AWS calls the resources that an incident is about.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Finding, Sender};

/// The partition of a region.
pub(crate) fn partition(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    let known = PREFIXES
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    known.map_or("aws", |(_, partition)| partition)
}

/// Whether this is the number of an account: 12 digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this has the form of a region, such as `eu-central-1`.
pub fn is_region(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(is_part)
}

/// What kind of resource a sender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Instance,
    NetworkInterface,
    NatGateway,
    Workload,
    Account,
}

/// A resource that sent.
#[derive(Debug, Clone)]
pub(crate) struct Resource<'a> {
    pub(crate) kind: Kind,
    /// What it is called; the number of an account.
    pub(crate) id: &'a str,
    pub(crate) account_id: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) vpc_id: Option<&'a str>,
    /// What is known of the sender; of an account, nothing.
    pub(crate) sender: Option<&'a Sender>,
}

impl<'a> Resource<'a> {
    /// Its ARN, where account and region are known; else what it is called.
    pub(crate) fn uid(&self) -> String {
        let folder = match self.kind {
            Kind::Instance => "instance",
            Kind::NetworkInterface => "network-interface",
            Kind::NatGateway => "natgateway",
            Kind::Workload => return self.id.to_owned(),
            Kind::Account => return format!("AWS::::Account:{}", self.id),
        };
        match (self.account_id, self.region) {
            (Some(account), Some(region)) => format!(
                "arn:{}:ec2:{region}:{account}:{folder}/{}",
                partition(region),
                self.id
            ),
            _ => self.id.to_owned(),
        }
    }

    /// Tags that have a value, by key.
    pub(crate) fn tags(&self) -> BTreeMap<&'a str, &'a str> {
        let tags = self.sender.into_iter().flat_map(|sender| &sender.tags);
        tags.map(|(key, value)| (key.as_str(), value.as_str()))
            .filter(|(key, value)| !key.trim().is_empty() && !value.trim().is_empty())
            .collect()
    }
}

/// A resource that is configured, told by what its id begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Configured {
    SecurityGroup,
    Vpc,
    Subnet,
    VpcEndpoint,
    NatGateway,
    NetworkInterface,
    Account,
}

impl Configured {
    /// What an id is of; nothing if it is none of these.
    pub(crate) fn of(id: &str) -> Option<Self> {
        const PREFIXES: [(&str, Configured); 6] = [
            ("sg-", Configured::SecurityGroup),
            ("vpc-", Configured::Vpc),
            ("subnet-", Configured::Subnet),
            ("vpce-", Configured::VpcEndpoint),
            ("nat-", Configured::NatGateway),
            ("eni-", Configured::NetworkInterface),
        ];
        let known = PREFIXES.iter().find(|(prefix, _)| id.starts_with(prefix));
        let account = is_account(id).then_some(Self::Account);
        known.map(|(_, kind)| *kind).or(account)
    }

    /// What CloudFormation calls it.
    pub(crate) const fn type_name(self) -> &'static str {
        match self {
            Self::SecurityGroup => "AWS::EC2::SecurityGroup",
            Self::Vpc => "AWS::EC2::VPC",
            Self::Subnet => "AWS::EC2::Subnet",
            Self::VpcEndpoint => "AWS::EC2::VPCEndpoint",
            Self::NatGateway => "AWS::EC2::NatGateway",
            Self::NetworkInterface => "AWS::EC2::NetworkInterface",
            Self::Account => "AWS::::Account",
        }
    }

    /// The ARN of an id, where account and region are known; else the id.
    pub(crate) fn uid(
        kind: Option<Self>,
        id: &str,
        account: Option<&str>,
        region: Option<&str>,
    ) -> String {
        let folder = match kind {
            Some(Self::SecurityGroup) => "security-group",
            Some(Self::Vpc) => "vpc",
            Some(Self::Subnet) => "subnet",
            Some(Self::VpcEndpoint) => "vpc-endpoint",
            Some(Self::NatGateway) => "natgateway",
            Some(Self::NetworkInterface) => "network-interface",
            Some(Self::Account) => return format!("AWS::::Account:{id}"),
            None => return id.to_owned(),
        };
        match (account, region) {
            (Some(account), Some(region)) => {
                let partition = partition(region);
                format!("arn:{partition}:ec2:{region}:{account}:{folder}/{id}")
            }
            _ => id.to_owned(),
        }
    }
}

/// The resources of these findings, each once, those of the first finding first: instances, interfaces, what else a
/// workload is called; and the account where nothing else is known.
pub(crate) fn resources<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Resource<'a>> {
    let mut known = BTreeSet::new();
    let all = findings.into_iter().flat_map(of_finding);
    all.filter(|of| known.insert((of.kind, of.account_id, of.region, of.id)))
        .collect()
}

fn of_finding(finding: &Finding) -> Vec<Resource<'_>> {
    let account_id = known(&finding.account_id).filter(|id| is_account(id));
    let of = |kind, id| Resource {
        kind,
        id,
        account_id,
        region: known(&finding.region).filter(|region| is_region(region)),
        vpc_id: known(&finding.vpc_id),
        sender: (kind != Kind::Account).then_some(&finding.sender),
    };
    let instance = known(&finding.sender.instance_id);
    let interface = known(&finding.interface_id);
    let workload = known(&finding.workload);
    // A workload is called by its instance or interface where nothing outlives them.
    let workload = workload.filter(|id| Some(*id) != instance && Some(*id) != interface);
    let interface = interface.map(|id| match id.starts_with("nat-") {
        true => of(Kind::NatGateway, id),
        false => of(Kind::NetworkInterface, id),
    });
    let workload = workload.map(|id| match id.starts_with("i-") {
        true => of(Kind::Instance, id),
        false => of(Kind::Workload, id),
    });
    let named = [
        instance.map(|id| of(Kind::Instance, id)),
        interface,
        workload,
    ];
    let named: Vec<_> = named.into_iter().flatten().collect();
    if named.is_empty() {
        return account_id
            .map(|id| of(Kind::Account, id))
            .into_iter()
            .collect();
    }
    named
}

/// A text that says something.
pub(crate) fn known(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests;
