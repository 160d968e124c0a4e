//! One incident as a finding of Security Hub.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use super::resource::Resource;
use super::{AsffOptions, Detail, Importer, fields, resource, text};
use crate::aws::known;
use crate::confidence::confidence;
use crate::{Destination, Family, Finding, Incident, Severity, Why};

const SCHEMA_VERSION: &str = "2018-10-08";
const ID_CHARS_MAX: usize = 512;
const TITLE_CHARS_MAX: usize = 256;
const DESCRIPTION_CHARS_MAX: usize = 1_024;
/// Types of a finding; there are fewer families.
const TYPES_MAX: usize = 50;
/// Of texts for which AWS tells no limit.
const NAME_CHARS_MAX: usize = 256;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AwsSecurityFinding {
    schema_version: &'static str,
    id: String,
    product_arn: String,
    product_name: &'static str,
    company_name: &'static str,
    generator_id: String,
    aws_account_id: String,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_observed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_observed_at: Option<String>,
    finding_provider_fields: FindingProviderFields,
    title: String,
    description: String,
    resources: Vec<Resource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Action>,
    product_fields: BTreeMap<String, String>,
    record_state: &'static str,
}

impl AwsSecurityFinding {
    pub(super) fn new(
        incident: &Incident,
        members: &[&Finding],
        (importer, options): (&Importer<'_>, &AsffOptions),
        detail: Detail,
    ) -> Self {
        let body = &incident.body;
        // Without its findings, an incident stands for them.
        let members = match members {
            [] => vec![body],
            some => some.to_vec(),
        };
        let family = body.family.name();
        let reasons: Vec<String> = body.why.iter().map(Why::sentence).collect();
        let title = text(&body.title, TITLE_CHARS_MAX).unwrap_or_else(|| family.to_owned());
        let description = text(&reasons.join("; "), DESCRIPTION_CHARS_MAX);
        let product_arn = known(&options.product_arn).map(str::to_owned);
        let resources = resource::of(&members, (importer, detail));
        // No later than the update: what a record dates into the future would be refused.
        let created_at = body.first_seen.unwrap_or(options.at).min(options.at);
        Self {
            schema_version: SCHEMA_VERSION,
            id: text(&body.id, ID_CHARS_MAX).unwrap_or_else(|| family.to_owned()),
            product_arn: product_arn.unwrap_or_else(|| importer.default_product()),
            product_name: "Outflow",
            company_name: "Outflow",
            generator_id: format!("outflow/{family}"),
            aws_account_id: importer.account_id.to_owned(),
            created_at: created_at.to_string(),
            updated_at: options.at.to_string(),
            first_observed_at: body.first_seen.map(|at| at.to_string()),
            last_observed_at: body.last_seen.map(|at| at.to_string()),
            finding_provider_fields: FindingProviderFields::new(body, &members),
            description: description.unwrap_or_else(|| title.clone()),
            title,
            product_fields: fields::of(incident, &members, (&resources, detail)),
            resources: resources.shown,
            network: Network::new(body),
            action: Action::new(body),
            record_state: "ACTIVE",
        }
    }
}

/// What the provider of findings says, and Security Hub's users may overrule.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FindingProviderFields {
    severity: SeverityFields,
    types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SeverityFields {
    label: &'static str,
    original: &'static str,
}

impl FindingProviderFields {
    fn new(body: &Finding, members: &[&Finding]) -> Self {
        let mut types = vec![type_of(body.family)];
        for own in members.iter().map(|own| type_of(own.family)) {
            if types.len() < TYPES_MAX && !types.contains(&own) {
                types.push(own);
            }
        }
        Self {
            severity: SeverityFields {
                label: label(body.severity),
                original: body.severity.name(),
            },
            types,
            confidence: confidence(body),
        }
    }
}

const fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "INFORMATIONAL",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

/// `namespace/category/classifier`. The taxonomy has exfiltration among effects, and none among TTPs.
fn type_of(family: Family) -> String {
    let category = match family {
        Family::VolumeLedger
        | Family::VolumeShift
        | Family::VolumeTotal
        | Family::VolumeServed
        | Family::StagingRelay
        | Family::ProtocolMisuse => "Effects/Data Exfiltration",
        Family::DnsTunnel | Family::DnsBypass | Family::Beacon | Family::ConnectionLong => {
            "TTPs/Command and Control"
        }
        Family::ScanFanout => "TTPs/Discovery",
        Family::PolicyJurisdiction | Family::PolicyTelemetry => "Effects/Data Exposure",
        Family::DestinationRare | Family::PolicyPath | Family::PolicyPort => {
            "Unusual Behaviors/Network Flow"
        }
    };
    format!("{category}/{family}")
}

/// Whether the conversations were opened from inside.
fn is_outbound(family: Family) -> bool {
    family != Family::VolumeServed
}

fn first_address(to: &Destination) -> Option<IpAddr> {
    to.addresses.iter().find_map(|address| address.parse().ok())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_ip_v4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_ip_v6: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_domain: Option<String>,
}

impl Network {
    fn new(body: &Finding) -> Option<Self> {
        let address = first_address(&body.destination);
        let domain = known(&body.destination.domain).and_then(|name| text(name, NAME_CHARS_MAX));
        (address.is_some() || domain.is_some()).then(|| Self {
            direction: "OUT",
            destination_ip_v4: address.filter(IpAddr::is_ipv4).map(|ip| ip.to_string()),
            destination_ip_v6: address.filter(IpAddr::is_ipv6).map(|ip| ip.to_string()),
            destination_domain: domain,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    action_type: &'static str,
    network_connection_action: NetworkConnectionAction,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkConnectionAction {
    connection_direction: &'static str,
    remote_ip_details: RemoteIpDetails,
    blocked: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RemoteIpDetails {
    ip_address_v4: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<Organization>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Organization {
    #[serde(skip_serializing_if = "Option::is_none")]
    asn: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asn_org: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Country {
    country_code: String,
}

impl Action {
    /// The connection to the first address; of version 6, the format has no such details.
    fn new(body: &Finding) -> Option<Self> {
        let to = &body.destination;
        let ip = first_address(to).filter(IpAddr::is_ipv4)?;
        let organization = Organization {
            // The format counts with a sign; the few numbers beyond are left out.
            asn: to.asn.and_then(|asn| i32::try_from(asn).ok()),
            asn_org: known(&to.org).and_then(|org| text(org, NAME_CHARS_MAX)),
        };
        let is_known = organization.asn.is_some() || organization.asn_org.is_some();
        let country = known(&to.country).and_then(|code| text(code, NAME_CHARS_MAX));
        let is_outbound = is_outbound(body.family);
        Some(Self {
            action_type: "NETWORK_CONNECTION",
            network_connection_action: NetworkConnectionAction {
                connection_direction: if is_outbound { "OUTBOUND" } else { "INBOUND" },
                remote_ip_details: RemoteIpDetails {
                    ip_address_v4: ip.to_string(),
                    organization: is_known.then_some(organization),
                    country: country.map(|country_code| Country { country_code }),
                },
                // Only accepted flows are charged.
                blocked: false,
            },
        })
    }
}
