//! Network interfaces as the inventory has them.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use outflow_record::Addr;
use serde::Deserialize;

use super::resource::{Resource, Tags, tags};

/// What an interface belongs to: its `InterfaceType`, in one spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are AWS's, and say what they are")]
pub enum InterfaceKind {
    /// An ordinary one, of an instance, a container or a service that does not say.
    #[default]
    Interface,
    NatGateway,
    Efa,
    EfaOnly,
    Trunk,
    Branch,
    LoadBalancer,
    NetworkLoadBalancer,
    GatewayLoadBalancer,
    GatewayLoadBalancerEndpoint,
    VpcEndpoint,
    TransitGateway,
    Lambda,
    Quicksight,
    GlobalAcceleratorManaged,
    ApiGatewayManaged,
    IotRulesManaged,
    CodestarConnectionsManaged,
    /// A type that AWS has named since.
    Other(String),
}

impl InterfaceKind {
    /// The kind of an `InterfaceType`. Outputs differ in case and joints: `natGateway` is `nat_gateway`.
    pub fn named(name: &str) -> Self {
        let letters: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        match letters.as_str() {
            "interface" => Self::Interface,
            "natgateway" => Self::NatGateway,
            "efa" => Self::Efa,
            "efaonly" => Self::EfaOnly,
            "trunk" => Self::Trunk,
            "branch" => Self::Branch,
            "loadbalancer" => Self::LoadBalancer,
            "networkloadbalancer" => Self::NetworkLoadBalancer,
            "gatewayloadbalancer" => Self::GatewayLoadBalancer,
            "gatewayloadbalancerendpoint" => Self::GatewayLoadBalancerEndpoint,
            "vpcendpoint" => Self::VpcEndpoint,
            "transitgateway" => Self::TransitGateway,
            "lambda" => Self::Lambda,
            "quicksight" => Self::Quicksight,
            "globalacceleratormanaged" => Self::GlobalAcceleratorManaged,
            "apigatewaymanaged" => Self::ApiGatewayManaged,
            "iotrulesmanaged" => Self::IotRulesManaged,
            "awscodestarconnectionsmanaged" => Self::CodestarConnectionsManaged,
            _ => Self::Other(name.to_owned()),
        }
    }
}

/// A network interface as it was at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "Described")]
pub struct InterfaceInfo {
    /// `eni-…`.
    pub interface_id: String,
    /// Account that owns it; in a shared VPC not the owner of the VPC.
    pub owner_id: String,
    /// VPC.
    pub vpc_id: String,
    /// Subnet.
    pub subnet_id: String,
    /// Availability zone as flow logs name it, where it is described.
    pub availability_zone_id: String,
    /// What it belongs to.
    pub kind: InterfaceKind,
    /// Whether a service of AWS manages it.
    pub requester_managed: bool,
    /// Instance to which it is attached.
    pub instance_id: Option<String>,
    /// Ids of its security groups, each with its name, which is empty where it is not described.
    pub security_groups: BTreeMap<String, String>,
    /// Its addresses inside, IPv4 and IPv6.
    pub addresses: BTreeSet<Addr>,
    /// Public addresses that stand for its own outside.
    pub public_addresses: BTreeSet<Addr>,
    /// Networks delegated to it, of which it hands out addresses (pods).
    pub prefixes: BTreeSet<IpNet>,
    /// Whether packets not from or to itself are dropped; `false` for what passes on those of others.
    pub source_dest_check: bool,
    /// What it says of itself.
    pub description: String,
    /// Tags.
    pub tags: Tags,
}

impl Resource for InterfaceInfo {
    fn id(&self) -> &str {
        &self.interface_id
    }
}

impl InterfaceInfo {
    /// Whether it passes on what others send, so that its log has the bytes of theirs again: the interface of a NAT
    /// gateway, a transit gateway, a load balancer or an endpoint.
    pub fn passes_on(&self) -> bool {
        const SAID_BEFORE: [&str; 4] = [
            "Interface for NAT Gateway ",
            "VPC Endpoint Interface ",
            "ELB ",
            "Network Interface for Transit Gateway Attachment ",
        ];
        match self.kind {
            InterfaceKind::NatGateway
            | InterfaceKind::TransitGateway
            | InterfaceKind::LoadBalancer
            | InterfaceKind::NetworkLoadBalancer
            | InterfaceKind::GatewayLoadBalancer
            | InterfaceKind::GatewayLoadBalancerEndpoint
            | InterfaceKind::VpcEndpoint => true,
            // Some load balancers and endpoints have ordinary ones, which AWS manages; one's own may say anything.
            InterfaceKind::Interface if self.requester_managed => {
                let mut said = SAID_BEFORE.iter();
                said.any(|before| self.description.starts_with(before))
            }
            _ => false,
        }
    }

    /// What the interface serves, where a service of AWS manages it and its description says: load balancer, NAT
    /// gateway, endpoint, function, file system. It outlives the interface.
    pub fn managed_for(&self) -> Option<&str> {
        const SAID_BEHIND: [&str; 6] = [
            "Interface for NAT Gateway ",
            "VPC Endpoint Interface ",
            "ELB ",
            "EFS mount target for ",
            "Network Interface for Transit Gateway Attachment ",
            "AWS Lambda VPC ENI-",
        ];
        // Anybody may describe an interface of one's own as one likes.
        if !self.requester_managed && self.kind == InterfaceKind::Interface {
            return None;
        }
        let description = self.description.as_str();
        let behind = SAID_BEHIND
            .iter()
            .find_map(|before| description.strip_prefix(before))?;
        let name = behind.split_ascii_whitespace().next()?;
        // Lambda appends a UUID, new with each interface.
        let uuid = name
            .len()
            .checked_sub("-00000000-0000-0000-0000-000000000000".len());
        let (function, uuid) = name.split_at_checked(uuid.unwrap_or(name.len()))?;
        let is_uuid = uuid.matches('-').count() == 5 && uuid.starts_with('-');
        let name = if is_uuid { function } else { name };
        (!name.is_empty()).then_some(name)
    }
}

/// An interface as EC2 describes it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Described {
    network_interface_id: String,
    owner_id: String,
    vpc_id: String,
    subnet_id: String,
    availability_zone_id: String,
    interface_type: Option<String>,
    requester_managed: bool,
    attachment: Attachment,
    groups: Vec<Group>,
    private_ip_address: Option<IpAddr>,
    private_ip_addresses: Vec<PrivateAddress>,
    association: Association,
    ipv6_addresses: Vec<Ipv6Address>,
    ipv4_prefixes: Vec<Prefix>,
    ipv6_prefixes: Vec<Prefix>,
    source_dest_check: bool,
    description: String,
    #[serde(deserialize_with = "tags", alias = "Tags")]
    tag_set: Tags,
}

type IpAddr = std::net::IpAddr;

impl Default for Described {
    fn default() -> Self {
        Self {
            network_interface_id: String::new(),
            owner_id: String::new(),
            vpc_id: String::new(),
            subnet_id: String::new(),
            availability_zone_id: String::new(),
            interface_type: None,
            requester_managed: false,
            attachment: Attachment::default(),
            groups: Vec::new(),
            private_ip_address: None,
            private_ip_addresses: Vec::new(),
            association: Association::default(),
            ipv6_addresses: Vec::new(),
            ipv4_prefixes: Vec::new(),
            ipv6_prefixes: Vec::new(),
            // What AWS sets, too, where nothing else is said.
            source_dest_check: true,
            description: String::new(),
            tag_set: Tags::new(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attachment {
    instance_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    group_id: String,
    #[serde(default)]
    group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrivateAddress {
    private_ip_address: IpAddr,
    #[serde(default)]
    association: Association,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Association {
    public_ip: Option<IpAddr>,
    carrier_ip: Option<IpAddr>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipv6Address {
    ipv6_address: IpAddr,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Prefix {
    #[serde(alias = "Ipv4Prefix", alias = "Ipv6Prefix")]
    net: IpNet,
}

impl From<Described> for InterfaceInfo {
    fn from(described: Described) -> Self {
        let private = described.private_ip_addresses.iter();
        let v6 = described.ipv6_addresses.iter();
        let addresses = private
            .clone()
            .map(|private| private.private_ip_address)
            .chain(described.private_ip_address)
            .chain(v6.map(|v6| v6.ipv6_address));
        let associations = private.map(|private| &private.association);
        let public = associations
            .chain([&described.association])
            .flat_map(|association| [association.public_ip, association.carrier_ip]);
        let prefixes = described
            .ipv4_prefixes
            .iter()
            .chain(&described.ipv6_prefixes);
        Self {
            addresses: addresses.map(Addr::from).collect(),
            public_addresses: public.flatten().map(Addr::from).collect(),
            prefixes: prefixes.map(|prefix| prefix.net.trunc()).collect(),
            interface_id: described.network_interface_id,
            owner_id: described.owner_id,
            vpc_id: described.vpc_id,
            subnet_id: described.subnet_id,
            availability_zone_id: described.availability_zone_id,
            kind: described
                .interface_type
                .map(|name| InterfaceKind::named(&name))
                .unwrap_or_default(),
            requester_managed: described.requester_managed,
            instance_id: described.attachment.instance_id,
            security_groups: described
                .groups
                .into_iter()
                .map(|group| (group.group_id, group.group_name))
                .collect(),
            source_dest_check: described.source_dest_check,
            description: described.description,
            tags: described.tag_set,
        }
    }
}
