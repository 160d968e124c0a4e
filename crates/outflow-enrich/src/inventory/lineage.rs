//! What outlives an interface and stands for it.

use std::collections::BTreeSet;
use std::fmt;

use super::interface::InterfaceInfo;
use super::resource::{Instance, Tags};

/// Keys of tags that name a workload, the most telling first, whatever their case. `Name` comes last, as some number
/// their instances with it.
pub const LINEAGE_TAGS: [&str; 7] = [
    "app",
    "application",
    "service",
    "component",
    "role",
    "workload",
    "name",
];

/// The workload to which an interface belongs: the first of these that is known. A new interface of a workload takes
/// over its past, so this is never the interface where something longer-lived is known.
///
/// Names are unique within an account and region only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lineage {
    /// The Auto Scaling group of the instance.
    AutoScalingGroup(String),
    /// The ECS service of the task.
    EcsService {
        /// Cluster, where the tags tell it.
        cluster: Option<String>,
        /// Service.
        service: String,
    },
    /// A tag of [`LINEAGE_TAGS`] on the interface, or else on its instance.
    Tag {
        /// Key, in lower case.
        key: String,
        /// Value.
        value: String,
    },
    /// What a service of AWS has the interface for: a load balancer, NAT gateway, endpoint or function.
    Managed(String),
    /// The security groups, and the subnet.
    SecurityGroups {
        /// `sg-…`.
        security_groups: BTreeSet<String>,
        /// `subnet-…`.
        subnet_id: String,
    },
    /// The instance.
    Instance(String),
    /// The interface, of which nothing else is known.
    Interface(String),
}

impl Lineage {
    /// Whether it may outlive the instance and the interface.
    pub fn is_lasting(&self) -> bool {
        !matches!(self, Self::Instance(_) | Self::Interface(_))
    }

    /// The lineage of an interface, and of its instance where that is known.
    pub fn of(interface: &InterfaceInfo, instance: Option<&Instance>) -> Self {
        let both = [
            Some(&interface.tags),
            instance.map(|instance| &instance.tags),
        ];
        let tag = |key: &str| both.into_iter().flatten().find_map(|tags| named(tags, key));
        if let Some(group) = tag("aws:autoscaling:groupName") {
            return Self::AutoScalingGroup(group);
        }
        if let Some(service) = tag("aws:ecs:serviceName") {
            let cluster = tag("aws:ecs:clusterName");
            return Self::EcsService { cluster, service };
        }
        for key in LINEAGE_TAGS {
            if let Some(value) = tag(key) {
                let key = key.to_owned();
                return Self::Tag { key, value };
            }
        }
        if let Some(name) = interface.managed_for() {
            return Self::Managed(name.to_owned());
        }
        if !interface.security_groups.is_empty() {
            return Self::SecurityGroups {
                security_groups: interface.security_groups.keys().cloned().collect(),
                subnet_id: interface.subnet_id.clone(),
            };
        }
        match &interface.instance_id {
            Some(instance_id) => Self::Instance(instance_id.clone()),
            None => Self::Interface(interface.interface_id.clone()),
        }
    }
}

/// The value of a tag whose key is equal but for case, unless it is empty.
fn named(tags: &Tags, key: &str) -> Option<String> {
    let mut matching = tags
        .iter()
        .filter(|(own, value)| own.eq_ignore_ascii_case(key) && !value.trim().is_empty());
    matching.next().map(|(_, value)| value.trim().to_owned())
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AutoScalingGroup(group) => write!(f, "asg/{group}"),
            Self::EcsService { cluster, service } => {
                let cluster = cluster.as_deref().unwrap_or("-");
                write!(f, "ecs/{cluster}/{service}")
            }
            Self::Tag { key, value } => write!(f, "{key}={value}"),
            Self::SecurityGroups {
                security_groups,
                subnet_id,
            } => {
                let groups: Vec<&str> = security_groups.iter().map(String::as_str).collect();
                write!(f, "{}@{subnet_id}", groups.join("+"))
            }
            Self::Managed(name) | Self::Instance(name) | Self::Interface(name) => f.write_str(name),
        }
    }
}
