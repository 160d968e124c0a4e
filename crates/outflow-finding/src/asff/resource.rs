//! The resources of a finding.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Detail, Importer, text};
use crate::aws::{self, Kind, known, partition};
use crate::{Finding, Sender};

const ID_CHARS_MAX: usize = 512;
const TAG_KEY_CHARS_MAX: usize = 128;
const TAG_VALUE_CHARS_MAX: usize = 256;
const NAME_CHARS_MAX: usize = 256;

/// Resources that a finding shows, of these.
pub(super) struct Resources {
    pub(super) shown: Vec<Resource>,
    pub(super) total: usize,
    /// Whether some resource has more tags than it shows.
    pub(super) lacks_tags: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Resource {
    r#type: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_role: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

/// What the format calls details, by the type of the resource.
#[derive(Serialize)]
enum Details {
    #[serde(rename_all = "PascalCase")]
    AwsEc2Instance {
        #[serde(skip_serializing_if = "Option::is_none")]
        vpc_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        subnet_id: Option<String>,
    },
    #[serde(rename_all = "PascalCase")]
    AwsEc2NetworkInterface {
        network_interface_id: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        security_groups: Vec<SecurityGroup>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SecurityGroup {
    #[serde(skip_serializing_if = "Option::is_none")]
    group_name: Option<String>,
    group_id: String,
}

/// Security groups of an interface: as many as AWS ever lets it have.
const SECURITY_GROUPS_MAX: usize = 16;

/// The resources of these findings; the importing account where none is known.
pub(super) fn of(members: &[&Finding], (importer, detail): (&Importer<'_>, Detail)) -> Resources {
    let all = aws::resources(members.iter().copied());
    let shown: Vec<_> = all.iter().take(detail.resources).collect();
    let lacks_tags = shown.iter().any(|of| of.tags().len() > detail.tags);
    let mut shown: Vec<Resource> = shown
        .into_iter()
        .filter_map(|of| resource(of, detail.tags))
        .collect();
    if shown.is_empty() {
        shown.push(Resource::account(importer.account_id));
    }
    Resources {
        shown,
        total: all.len(),
        lacks_tags,
    }
}

impl Resource {
    fn account(account_id: &str) -> Self {
        Self {
            r#type: "AwsAccount",
            id: format!("AWS::::Account:{account_id}"),
            partition: None,
            region: None,
            resource_role: None,
            tags: BTreeMap::new(),
            details: None,
        }
    }
}

fn resource(of: &aws::Resource<'_>, tags_max: usize) -> Option<Resource> {
    let known_partition = of.region.map(partition);
    Some(Resource {
        r#type: match of.kind {
            Kind::Instance => "AwsEc2Instance",
            Kind::NetworkInterface => "AwsEc2NetworkInterface",
            Kind::Account => "AwsAccount",
            Kind::NatGateway | Kind::Workload => "Other",
        },
        id: text(&of.uid(), ID_CHARS_MAX)?,
        // The format knows no others.
        partition: known_partition.filter(|of| ["aws", "aws-cn", "aws-us-gov"].contains(of)),
        region: of.region.and_then(|region| text(region, NAME_CHARS_MAX)),
        resource_role: Some("Actor"),
        tags: tags(of, tags_max),
        details: of.sender.and_then(|sender| details(of, sender)),
    })
}

fn tags(of: &aws::Resource<'_>, tags_max: usize) -> BTreeMap<String, String> {
    let all = of.tags().into_iter().take(tags_max);
    let fitting = all.filter_map(|(key, value)| {
        Some((
            text(key, TAG_KEY_CHARS_MAX)?,
            text(value, TAG_VALUE_CHARS_MAX)?,
        ))
    });
    fitting.collect()
}

fn details(of: &aws::Resource<'_>, sender: &Sender) -> Option<Details> {
    let name = |name: &str| text(name, NAME_CHARS_MAX);
    match of.kind {
        Kind::Instance => {
            let vpc_id = of.vpc_id.and_then(name);
            let subnet_id = known(&sender.subnet_id).and_then(name);
            (vpc_id.is_some() || subnet_id.is_some())
                .then_some(Details::AwsEc2Instance { vpc_id, subnet_id })
        }
        Kind::NetworkInterface => {
            let groups = sender.security_groups.iter().filter_map(|group| {
                Some(SecurityGroup {
                    group_name: known(&group.name).and_then(name),
                    group_id: name(&group.id)?,
                })
            });
            Some(Details::AwsEc2NetworkInterface {
                network_interface_id: name(of.id)?,
                security_groups: groups.take(SECURITY_GROUPS_MAX).collect(),
            })
        }
        Kind::NatGateway | Kind::Workload | Kind::Account => None,
    }
}
