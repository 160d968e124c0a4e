//! Services of AWS by the names that their endpoints have.

use std::fmt;

use serde::Serialize;

/// A service of AWS, and the region in which it was asked.
///
/// Names are compared whole: `ec2` is not `ec2messages`.
///
/// ```
/// use outflow_enrich::ApiService;
/// let of = |domain| ApiService::of_domain(domain).unwrap().to_string();
/// assert_eq!(of("bucket.s3.eu-central-1.amazonaws.com"), "s3 (eu-central-1)");
/// assert_eq!(of("123456789012.dkr.ecr.eu-west-1.amazonaws.com."), "ecr.dkr (eu-west-1)");
/// assert_eq!(ApiService::of_domain("s3.eu-central-1.evil-amazonaws.com"), None);
/// let endpoint = ApiService::of_endpoint("com.amazonaws.eu-west-1.ec2messages").unwrap();
/// assert_eq!(endpoint.name, "ec2messages");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ApiService {
    /// The name behind the region in the name of its endpoint, such as `s3`, `ecr.api` or `kinesis-streams`.
    pub name: String,
    /// Region; `None` for a name without one.
    pub region: Option<String>,
}

/// Domains below which AWS names its services.
const SUFFIXES: [&str; 4] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.aws",
];

/// Services whose endpoints are called otherwise than their hosts.
const CALLED: [(&str, &str); 5] = [
    ("firehose", "kinesis-firehose"),
    ("kinesis", "kinesis-streams"),
    ("s3-accesspoint", "s3"),
    ("s3-control", "s3"),
    ("s3-website", "s3"),
];

/// Services of which each kind of host has an endpoint of its own: `api.ecr` is that of `ecr.api`.
const PARTED: [&str; 2] = ["ecr", "sagemaker"];

/// What customers have hosts of their own below: nothing of AWS's API. Below `execute-api` are APIs that customers publish,
/// and its endpoint takes private ones alone.
const OF_CUSTOMERS: [&str; 9] = [
    "cache",
    "compute",
    "eks",
    "elasticbeanstalk",
    "elb",
    "es",
    "execute-api",
    "rds",
    "redshift",
];

impl ApiService {
    /// The service that an endpoint is for; `None` for a service of others (`vpce-svc-…`).
    pub fn of_endpoint(service_name: &str) -> Option<Self> {
        let rest = service_name
            .strip_prefix("com.amazonaws.")
            .or_else(|| service_name.strip_prefix("cn.com.amazonaws."))?;
        let (region, name) = rest.split_once('.')?;
        (is_region(region) && !name.is_empty()).then(|| Self {
            name: name.to_owned(),
            region: Some(region.to_owned()),
        })
    }

    /// The service that a host belongs to; `None` for hosts of others, and for what customers have there.
    pub fn of_domain(domain: &str) -> Option<Self> {
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let domain = domain.to_ascii_lowercase();
        let before = SUFFIXES.iter().find_map(|suffix| {
            let before = domain.strip_suffix(suffix)?;
            before.strip_suffix('.')
        })?;
        let labels: Vec<&str> = before.split('.').collect();
        let (labels, region) = match &labels[..] {
            [labels @ .., region] if is_region(region) => (labels, Some((*region).to_owned())),
            // Hosts of old: `eu-west-1.queue.amazonaws.com`.
            [.., region, "queue"] if is_region(region) => {
                return Some(Self {
                    name: "sqs".to_owned(),
                    region: Some((*region).to_owned()),
                });
            }
            // And `bucket.s3-eu-west-1.amazonaws.com`.
            [.., last] => match last.strip_prefix("s3-").filter(|region| is_region(region)) {
                Some(region) => (&["s3"][..], Some(region.to_owned())),
                None => (&labels[..], None),
            },
            [] => return None,
        };
        let (labels, own) = match labels {
            [labels @ .., own, "dualstack"] => (labels, *own),
            [labels @ .., own] => (labels, *own),
            [] => return None,
        };
        let own = own.strip_suffix("-fips").unwrap_or(own);
        // Without a region, only S3 has names of customers before its own.
        let is_global = region.is_none() && !labels.is_empty() && own != "s3";
        if OF_CUSTOMERS.contains(&own) || is_global {
            return None;
        }
        let called = CALLED.iter().find(|(host, _)| *host == own);
        let name = match (called, labels.last()) {
            (Some((_, name)), _) => (*name).to_owned(),
            (None, Some(part)) if PARTED.contains(&own) => format!("{own}.{part}"),
            (None, Some(&"streams")) if own == "dynamodb" => "dynamodb-streams".to_owned(),
            (None, _) => own.to_owned(),
        };
        Some(Self { name, region })
    }

    /// The service of a published range, where that names one with an endpoint of its own: of `EC2` and `AMAZON` it
    /// is not known which.
    pub fn of_range(aws_service: &str, region: Option<&str>) -> Option<Self> {
        let name = match aws_service {
            "S3" => "s3",
            "DYNAMODB" => "dynamodb",
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            region: region.filter(|region| is_region(region)).map(str::to_owned),
        })
    }

    /// Whether AWS offers gateway endpoints for it.
    pub fn has_gateway(&self) -> bool {
        self.name == "s3" || self.name == "dynamodb"
    }

    /// Whether an endpoint for `other` takes what is sent to this one: the same service, and the same region where
    /// both are known.
    pub fn is_served_by(&self, other: &Self) -> bool {
        let regions = (self.region.as_ref(), other.region.as_ref());
        let same_region = match regions {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        self.name == other.name && same_region
    }
}

impl fmt::Display for ApiService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.region {
            Some(region) => write!(f, "{} ({region})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Whether a label has the form of a region, such as `eu-central-1` or `us-gov-west-1`.
pub fn is_region(label: &str) -> bool {
    let mut parts = label.split('-').rev();
    let number = parts.next().unwrap_or("");
    let letters =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    numbered && number.len() <= 2 && parts.clone().count() >= 2 && parts.all(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(domain: &str) -> String {
        ApiService::of_domain(domain).map_or("-".to_owned(), |service| service.to_string())
    }

    #[test]
    fn hosts_tell_their_service() {
        let cases = [
            ("s3.amazonaws.com", "s3"),
            ("a.b.s3.amazonaws.com", "s3"),
            (
                "my.s3.bucket.s3.dualstack.eu-west-1.amazonaws.com",
                "s3 (eu-west-1)",
            ),
            ("bucket.s3-eu-west-1.amazonaws.com", "s3 (eu-west-1)"),
            (
                "ap-1.s3-accesspoint.eu-west-1.amazonaws.com",
                "s3 (eu-west-1)",
            ),
            ("KMS.eu-west-1.amazonaws.com.", "kms (eu-west-1)"),
            ("kms-fips.us-east-1.amazonaws.com", "kms (us-east-1)"),
            ("api.ecr.eu-west-1.amazonaws.com", "ecr.api (eu-west-1)"),
            (
                "streams.dynamodb.eu-west-1.amazonaws.com",
                "dynamodb-streams (eu-west-1)",
            ),
            (
                "kinesis.eu-west-1.amazonaws.com",
                "kinesis-streams (eu-west-1)",
            ),
            ("eu-west-1.queue.amazonaws.com", "sqs (eu-west-1)"),
            ("sts.amazonaws.com", "sts"),
            ("sts.cn-north-1.amazonaws.com.cn", "sts (cn-north-1)"),
            ("logs.eusc-de-east-1.amazonaws.eu", "logs (eusc-de-east-1)"),
        ];
        for (domain, service) in cases {
            assert_eq!(of(domain), service, "{domain}");
        }
    }

    #[test]
    fn hosts_of_customers_and_of_others_are_no_service() {
        for domain in [
            "evil-amazonaws.com",
            "s3.eu-west-1.evil-amazonaws.com",
            "amazonaws.com.example.net",
            "ec2-203-0-113-5.eu-west-1.compute.amazonaws.com",
            "name.elb.eu-west-1.amazonaws.com",
            "db.abc.eu-west-1.rds.amazonaws.com",
            "abc.execute-api.eu-west-1.amazonaws.com",
            "amazonaws.com",
            "",
        ] {
            assert_eq!(of(domain), "-", "{domain}");
        }
    }

    #[test]
    fn an_endpoint_serves_its_own_service_alone() {
        let endpoint = |name: &str| ApiService::of_endpoint(name).unwrap();
        let ec2 = ApiService::of_domain("ec2.eu-west-1.amazonaws.com").unwrap();
        assert!(ec2.is_served_by(&endpoint("com.amazonaws.eu-west-1.ec2")));
        assert!(!ec2.is_served_by(&endpoint("com.amazonaws.eu-west-1.ec2messages")));
        assert!(!ec2.is_served_by(&endpoint("com.amazonaws.eu-central-1.ec2")));
        assert_eq!(endpoint("com.amazonaws.eu-west-1.ecr.dkr").name, "ecr.dkr");
        assert_eq!(endpoint("cn.com.amazonaws.cn-north-1.ecs").name, "ecs");
        assert_eq!(
            ApiService::of_endpoint("com.amazonaws.vpce.eu-west-1.vpce-svc-0a"),
            None
        );
    }

    #[test]
    fn ranges_tell_a_service_only_where_it_has_them_alone() {
        let of = |name| ApiService::of_range(name, Some("eu-west-1")).map(|service| service.name);
        assert_eq!(of("S3").as_deref(), Some("s3"));
        assert_eq!([of("EC2"), of("AMAZON")], [None, None]);
        assert_eq!(
            ApiService::of_range("S3", Some("GLOBAL")).unwrap().region,
            None
        );
    }
}
