//! Account, region and resources.

use serde::Serialize;

use super::OCSF_RELATED_MAX;
use crate::aws::{self, Kind, known, partition};
use crate::{Finding, Sender};

/// Where in AWS the gravest finding of an incident is.
#[derive(Serialize)]
pub(super) struct Cloud<'a> {
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_partition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<Account<'a>>,
}

#[derive(Serialize)]
pub(super) struct Account<'a> {
    pub(super) uid: &'a str,
    type_id: u8,
    r#type: &'static str,
}

impl<'a> Account<'a> {
    fn new(uid: &'a str) -> Self {
        Self {
            uid,
            type_id: 10,
            r#type: "AWS Account",
        }
    }
}

impl<'a> Cloud<'a> {
    pub(super) fn new(body: &'a Finding) -> Self {
        let region = known(&body.region);
        Self {
            provider: "AWS",
            cloud_partition: region.map(partition),
            region,
            account: known(&body.account_id).map(Account::new),
        }
    }

    /// Of an account and a region, either of which may be unknown and then is empty.
    pub(super) fn of(account_id: &'a str, region: &'a str) -> Self {
        let named = |text: &'a str| Some(text).filter(|text| !text.trim().is_empty());
        Self {
            provider: "AWS",
            cloud_partition: named(region).map(partition),
            region: named(region),
            account: named(account_id).map(Account::new),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Resource<'a> {
    pub(super) uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    role_id: u8,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_partition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Sender>,
}

#[derive(Serialize)]
struct Owner<'a> {
    account: Account<'a>,
}

#[derive(Serialize)]
struct Tag<'a> {
    name: &'a str,
    value: &'a str,
}

/// The resources of these findings, each as the one that acted.
pub(super) fn resources<'a>(members: &[&'a Finding]) -> Vec<Resource<'a>> {
    let all = aws::resources(members.iter().copied()).into_iter();
    all.take(OCSF_RELATED_MAX).map(resource).collect()
}

fn resource(of: aws::Resource<'_>) -> Resource<'_> {
    let tags = of.tags().into_iter();
    Resource {
        uid: of.uid(),
        name: Some(of.id),
        r#type: type_of(of.kind),
        role_id: 2,
        role: "Actor",
        cloud_partition: of.region.map(partition),
        region: of.region,
        owner: of.account_id.map(|uid| Owner {
            account: Account::new(uid),
        }),
        tags: tags.map(|(name, value)| Tag { name, value }).collect(),
        // The groups and places of a sender are those of its interface.
        data: of.sender.filter(|_| of.kind == Kind::NetworkInterface),
    }
}

/// What CloudFormation calls it.
const fn type_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Instance => Some("AWS::EC2::Instance"),
        Kind::NetworkInterface => Some("AWS::EC2::NetworkInterface"),
        Kind::NatGateway => Some("AWS::EC2::NatGateway"),
        Kind::Account => Some("AWS::::Account"),
        Kind::Workload => None,
    }
}
