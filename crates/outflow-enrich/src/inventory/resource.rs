//! Resources as the EC2 API describes them, as far as they bear on what leaves a network. Names are AWS's.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A resource that has an id of its own.
pub(super) trait Resource: Ord + for<'de> Deserialize<'de> {
    /// Keys that AWS always tells of it, and without which it would look harmless: a listing of which one lacks them was
    /// cut down by who made it.
    const NEEDED: &'static [&'static str] = &[];
    /// Whether its id is a name that other accounts and regions give, too.
    const IS_NAMED_BY_PLACE: bool = false;
    /// Keys of lists of permissions, of which each is read for itself: one that makes no sense takes no other with it.
    const PERMISSIONS: &'static [&'static str] = &[];
    fn id(&self) -> &str;
    /// Notes that a part of such a list was left out.
    fn lack(&mut self, _: &str) {}
}

/// Defines resources: all fields may be lacking, and what is not named here is passed over.
macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident by $id:ident $(needs [$($needed:literal),*])? $(, named_by_place $named:literal)?
        $(, permissions [$($list:literal lacking $lacking:ident),*])? {
        $($(#[$field_doc:meta])* $field:ident: $kind:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
        }

        impl Resource for $name {
            $(const NEEDED: &'static [&'static str] = &[$($needed),*];)?
            $(const IS_NAMED_BY_PLACE: bool = $named;)?
            $(const PERMISSIONS: &'static [&'static str] = &[$($list),*];)?
            fn id(&self) -> &str {
                &self.$id
            }
            $(fn lack(&mut self, list: &str) {
                match list {
                    $($list => self.$lacking += 1,)*
                    _ => {}
                }
            })?
        }
    )*};
}

resources! {
    /// An instance, of which only what outlives its interfaces is kept.
    Instance by instance_id {
        /// `i-…`.
        instance_id: String,
        /// Tags; `aws:autoscaling:groupName` is among them where a group made it.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }

    /// A security group. Its rules are allowances only, and answers need none.
    SecurityGroup by group_id needs ["VpcId", "IpPermissionsEgress"],
        permissions ["IpPermissions" lacking unread_ingress, "IpPermissionsEgress" lacking unread_egress] {
        /// `sg-…`.
        group_id: String,
        /// Name.
        group_name: String,
        /// VPC.
        vpc_id: String,
        /// Account that owns it.
        owner_id: String,
        /// What may come in.
        ip_permissions: Vec<Permission>,
        /// What may go out.
        ip_permissions_egress: Vec<Permission>,
        /// Parts of what may come in that were not understood, and are not in the list.
        #[serde(skip)]
        unread_ingress: u64,
        /// Parts of what may go out that were not understood, likewise.
        #[serde(skip)]
        unread_egress: u64,
        /// Tags.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }

    /// A rule of a security group, in the flat form.
    SecurityGroupRule by security_group_rule_id {
        /// `sgr-…`.
        security_group_rule_id: String,
        /// Group to which it belongs.
        group_id: String,
        /// Whether it is about what goes out.
        is_egress: bool,
        /// Name or number of the protocol; `-1` is all.
        ip_protocol: String,
        /// First port, or type of ICMP; -1 is all.
        from_port: Option<i64>,
        /// Last port, or code of ICMP; -1 is all.
        to_port: Option<i64>,
        /// IPv4 network on the other side.
        cidr_ipv4: Option<IpNet>,
        /// IPv6 network on the other side.
        cidr_ipv6: Option<IpNet>,
        /// Prefix list on the other side.
        prefix_list_id: Option<String>,
        /// What the rule says of itself.
        description: Option<String>,
        /// Tags.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }

    /// A VPC. Its networks may be public ones.
    Vpc by vpc_id {
        /// `vpc-…`.
        vpc_id: String,
        /// Account that owns it.
        owner_id: String,
        /// Primary IPv4 network.
        cidr_block: Option<IpNet>,
        /// All IPv4 networks.
        cidr_block_association_set: Vec<CidrAssociation>,
        /// All IPv6 networks.
        ipv6_cidr_block_association_set: Vec<CidrAssociation>,
        /// Whether internet gateways may be used.
        block_public_access_states: BlockPublicAccess,
        /// Tags.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }

    /// A subnet.
    Subnet by subnet_id needs ["VpcId"] {
        /// `subnet-…`.
        subnet_id: String,
        /// VPC.
        vpc_id: String,
        /// IPv4 network.
        cidr_block: Option<IpNet>,
        /// IPv6 networks.
        ipv6_cidr_block_association_set: Vec<CidrAssociation>,
        /// Availability zone as flow logs name it.
        availability_zone_id: String,
        /// Tags.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }

    /// A NAT gateway. A regional one has no subnet, and its addresses no interface.
    NatGateway by nat_gateway_id needs ["VpcId"] {
        /// `nat-…`.
        nat_gateway_id: String,
        /// VPC.
        vpc_id: String,
        /// Subnet.
        subnet_id: String,
        /// `pending`, `failed`, `available`, `deleting` or `deleted`.
        state: String,
        /// `public` or `private`.
        connectivity_type: String,
        /// Route table of a regional one, which has no subnet.
        route_table_id: String,
        /// Its addresses.
        nat_gateway_addresses: Vec<NatGatewayAddress>,
        /// Tags.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }

    /// An endpoint of a VPC.
    VpcEndpoint by vpc_endpoint_id needs ["VpcId", "ServiceName"] {
        /// `vpce-…`.
        vpc_endpoint_id: String,
        /// `Interface`, `Gateway`, `GatewayLoadBalancer`, `Resource` or `ServiceNetwork`.
        vpc_endpoint_type: String,
        /// VPC.
        vpc_id: String,
        /// `com.amazonaws.<region>.<service>` and the like.
        service_name: String,
        /// State; its case differs between outputs.
        state: String,
        /// The policy: JSON as text.
        policy_document: Option<String>,
        /// Route tables of a gateway endpoint.
        route_table_ids: Vec<String>,
        /// Subnets.
        subnet_ids: Vec<String>,
        /// Interfaces of an interface endpoint.
        network_interface_ids: Vec<String>,
        /// Whether the service's public name leads to the endpoint.
        private_dns_enabled: bool,
        /// Tags.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }

    /// A route table.
    RouteTable by route_table_id needs ["VpcId", "Associations", "Routes"] {
        /// `rtb-…`.
        route_table_id: String,
        /// VPC.
        vpc_id: String,
        /// Subnets that use it; a subnet without one uses the main table of the VPC.
        associations: Vec<RouteTableAssociation>,
        /// Routes.
        routes: Vec<Route>,
        /// Tags.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }

    /// A flow log.
    FlowLog by flow_log_id needs ["ResourceId"] {
        /// `fl-…`.
        flow_log_id: String,
        /// VPC, subnet, interface or transit gateway that is logged.
        resource_id: String,
        /// `ACCEPT`, `REJECT` or `ALL`; empty for a transit gateway.
        traffic_type: String,
        /// `ACTIVE`.
        flow_log_status: String,
        /// `SUCCESS` or `FAILED`.
        deliver_logs_status: Option<String>,
        /// Where records go.
        log_destination: Option<String>,
        /// Fields of a record.
        log_format: Option<String>,
        /// Longest time that a record sums up, in seconds.
        max_aggregation_interval: Option<u32>,
        /// Tags.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }

    /// A VPC whose queries to the resolver are logged, as Route 53 Resolver lists it.
    ResolverQueryLogConfigAssociation by id needs ["ResourceId"] {
        /// `rslvr-qlcassoc-…`.
        id: String,
        /// `rslvr-qlc-…`.
        resolver_query_log_config_id: String,
        /// VPC.
        resource_id: String,
        /// `ACTIVE`, or a state on the way there or away.
        status: String,
    }

    /// A VPC whose queries DNS Firewall filters, as Route 53 Resolver lists it.
    FirewallRuleGroupAssociation by id needs ["VpcId"] {
        /// `rslvr-frgassoc-…`.
        id: String,
        /// `rslvr-frg-…`.
        firewall_rule_group_id: String,
        /// VPC.
        vpc_id: String,
        /// `COMPLETE`, or a state on the way there or away.
        status: String,
    }

    /// A prefix list. Only those that AWS keeps are described together with their networks.
    PrefixList by prefix_list_id {
        /// `pl-…`.
        prefix_list_id: String,
        /// `com.amazonaws.<region>.s3` and the like.
        prefix_list_name: String,
        /// Networks, where they are described.
        cidrs: Vec<IpNet>,
    }

    /// A network ACL: what may enter and leave subnets, packet by packet, the lowest number first.
    NetworkAcl by network_acl_id needs ["VpcId", "Associations", "Entries"] {
        /// `acl-…`.
        network_acl_id: String,
        /// VPC.
        vpc_id: String,
        /// Whether it is of those subnets that have none of their own.
        is_default: bool,
        /// Subnets.
        associations: Vec<NetworkAclAssociation>,
        /// Its rules.
        entries: Vec<NetworkAclEntry>,
    }

    /// An internet gateway.
    InternetGateway by internet_gateway_id needs ["Attachments"] {
        /// `igw-…`.
        internet_gateway_id: String,
        /// VPCs that have it.
        attachments: Vec<GatewayAttachment>,
    }

    /// An internet gateway for IPv6 outwards.
    EgressOnlyInternetGateway by egress_only_internet_gateway_id needs ["Attachments"] {
        /// `eigw-…`.
        egress_only_internet_gateway_id: String,
        /// VPCs that have it.
        attachments: Vec<GatewayAttachment>,
    }

    /// A recorder of AWS Config.
    ConfigurationRecorder by name, named_by_place true {
        /// Name; `default` nearly everywhere.
        name: String,
        /// What it records; `None` where it is not described.
        recording_group: Option<RecordingGroup>,
    }

    /// How a recorder of AWS Config does.
    ConfigurationRecorderStatus by name, named_by_place true {
        /// Name.
        name: String,
        /// Whether it records.
        recording: bool,
        /// `SUCCESS`, `FAILURE`, `PENDING` or `NOT_APPLICABLE`; its case differs between outputs.
        last_status: String,
    }

    /// Where AWS Config delivers what it records.
    DeliveryChannel by name, named_by_place true {
        /// Name.
        name: String,
        /// Bucket.
        s3_bucket_name: String,
    }

    /// An attachment to a transit gateway.
    TransitGatewayAttachment by transit_gateway_attachment_id {
        /// `tgw-attach-…`.
        transit_gateway_attachment_id: String,
        /// `tgw-…`.
        transit_gateway_id: String,
        /// `vpc`, `vpn`, `direct-connect-gateway`, `peering` and others.
        resource_type: String,
        /// What is attached.
        resource_id: String,
        /// Account that owns what is attached.
        resource_owner_id: String,
        /// State.
        state: String,
        /// Tags.
        #[serde(deserialize_with = "tags")]
        tags: Tags,
    }
}

/// An allowance of a security group.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Permission {
    /// Name or number of the protocol; `-1` is all.
    pub ip_protocol: String,
    /// First port, or type of ICMP.
    pub from_port: Option<i64>,
    /// Last port, or code of ICMP.
    pub to_port: Option<i64>,
    /// IPv4 networks on the other side.
    pub ip_ranges: Vec<IpRange>,
    /// IPv6 networks on the other side.
    pub ipv6_ranges: Vec<IpRange>,
    /// Prefix lists on the other side.
    pub prefix_list_ids: Vec<PrefixListId>,
    /// Groups on the other side.
    pub user_id_group_pairs: Vec<GroupPair>,
}

impl Permission {
    /// Takes out of a list of permissions what cannot be read: of a permission whose other sides are at fault only those, else
    /// the whole; says where each was, by its place below the list, and what is wrong with it.
    pub(super) fn sift(list: &mut Value) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        keep(list, "", &mut wrong, |permission, at, wrong| {
            keep_list::<IpRange>(permission, "IpRanges", at, wrong);
            keep_list::<IpRange>(permission, "Ipv6Ranges", at, wrong);
            keep_list::<PrefixListId>(permission, "PrefixListIds", at, wrong);
            keep_list::<GroupPair>(permission, "UserIdGroupPairs", at, wrong);
            read::<Self>(permission)
        });
        wrong
    }
}

/// Keeps of a list what can be read as this.
fn keep_list<T: DeserializeOwned>(
    permission: &mut Value,
    key: &str,
    at: &str,
    wrong: &mut Vec<(String, String)>,
) {
    if let Some(list) = permission.get_mut(key) {
        let at = format!("{at}.{key}");
        keep(list, &at, wrong, |item, _, _| read::<T>(item));
    }
}

/// Keeps of a list what this can read.
fn keep(
    list: &mut Value,
    at: &str,
    wrong: &mut Vec<(String, String)>,
    mut read: impl FnMut(&mut Value, &str, &mut Vec<(String, String)>) -> Result<(), String>,
) {
    // What is no list is told when the permission, or all of the group, is read.
    let Some(items) = list.as_array_mut() else {
        return;
    };
    let mut place = 0;
    items.retain_mut(|item| {
        let at = format!("{at}[{place}]");
        place += 1;
        match read(item, &at, wrong) {
            Ok(()) => true,
            Err(what) => {
                wrong.push((at, what));
                false
            }
        }
    });
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    let read = T::deserialize(value);
    read.map(drop).map_err(|error| error.to_string())
}

/// A network in a permission.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "AnyIpRange")]
pub struct IpRange {
    /// The network.
    pub net: IpNet,
    /// What the rule says of itself.
    pub description: Option<String>,
}

/// EC2 has objects, AWS Config also bare networks.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a network of a rule is none: as 10.0.0.0/8, bare or in CidrIp"
)]
enum AnyIpRange {
    Bare(IpNet),
    #[serde(rename_all = "PascalCase")]
    Object {
        #[serde(alias = "CidrIpv6")]
        cidr_ip: IpNet,
        description: Option<String>,
    },
}

impl From<AnyIpRange> for IpRange {
    fn from(range: AnyIpRange) -> Self {
        match range {
            AnyIpRange::Bare(net) => Self {
                net,
                description: None,
            },
            AnyIpRange::Object {
                cidr_ip,
                description,
            } => Self {
                net: cidr_ip,
                description,
            },
        }
    }
}

/// A prefix list in a permission.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PrefixListId {
    /// `pl-…`.
    pub prefix_list_id: String,
    /// What the rule says of itself.
    pub description: Option<String>,
}

/// A group in a permission.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GroupPair {
    /// `sg-…`.
    pub group_id: String,
    /// Account that owns it.
    pub user_id: String,
    /// What the rule says of itself.
    pub description: Option<String>,
}

/// A network of a VPC or subnet.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CidrAssociation {
    /// The network.
    #[serde(alias = "Ipv6CidrBlock")]
    pub cidr_block: Option<IpNet>,
    /// Whether it is associated.
    #[serde(alias = "Ipv6CidrBlockState")]
    pub cidr_block_state: CidrState,
}

/// Whether a network is associated.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CidrState {
    /// `associated`, or a state on the way there or away.
    pub state: String,
}

/// An address of a NAT gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NatGatewayAddress {
    /// Interface.
    pub network_interface_id: Option<String>,
    /// Address inside.
    pub private_ip: Option<String>,
    /// Address outside.
    pub public_ip: Option<String>,
}

/// A use of a route table.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RouteTableAssociation {
    /// Whether it is the main table of the VPC.
    pub main: bool,
    /// Subnet.
    pub subnet_id: Option<String>,
    /// Gateway.
    pub gateway_id: Option<String>,
}

/// A route: one destination, one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Route {
    /// IPv4 destination.
    pub destination_cidr_block: Option<IpNet>,
    /// IPv6 destination.
    pub destination_ipv6_cidr_block: Option<IpNet>,
    /// Prefix list as destination.
    pub destination_prefix_list_id: Option<String>,
    /// `local`, `igw-…`, `vgw-…` or `vpce-…`.
    pub gateway_id: Option<String>,
    /// `nat-…`.
    pub nat_gateway_id: Option<String>,
    /// `tgw-…`.
    pub transit_gateway_id: Option<String>,
    /// `pcx-…`.
    pub vpc_peering_connection_id: Option<String>,
    /// `eni-…`.
    pub network_interface_id: Option<String>,
    /// `eigw-…`.
    pub egress_only_internet_gateway_id: Option<String>,
    /// `active`, `blackhole` or `filtered`.
    pub state: String,
}

/// Whether the internet gateways of a VPC may be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BlockPublicAccess {
    /// `off`, `block-bidirectional` or `block-ingress`.
    pub internet_gateway_block_mode: String,
}

/// A use of a network ACL.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkAclAssociation {
    /// Subnet.
    pub subnet_id: String,
}

/// A rule of a network ACL.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkAclEntry {
    /// Whether it is about what goes out.
    pub egress: bool,
    /// The lowest goes first.
    pub rule_number: i64,
    /// `allow` or `deny`.
    pub rule_action: String,
    /// Number of the protocol; `-1` is all.
    pub protocol: String,
    /// IPv4 network on the other side.
    pub cidr_block: Option<IpNet>,
    /// IPv6 network on the other side.
    pub ipv6_cidr_block: Option<IpNet>,
    /// Ports; all without them.
    pub port_range: Option<PortSpan>,
}

/// Ports from one to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PortSpan {
    /// First.
    pub from: Option<i64>,
    /// Last.
    pub to: Option<i64>,
}

/// A VPC that has a gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GatewayAttachment {
    /// VPC.
    pub vpc_id: String,
    /// `available` or `attached`, or a state on the way there or away.
    pub state: String,
}

/// What a recorder of AWS Config records.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RecordingGroup {
    /// Whether all types that AWS Config knows.
    pub all_supported: bool,
    /// Else these, such as `AWS::EC2::NetworkInterface`.
    pub resource_types: Vec<String>,
    /// Or all but these.
    pub exclusion_by_resource_types: ExcludedTypes,
    /// Which of these it is.
    pub recording_strategy: RecordingStrategy,
}

/// Types that a recorder leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ExcludedTypes {
    /// The types.
    pub resource_types: Vec<String>,
}

/// How a recorder chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RecordingStrategy {
    /// `ALL_SUPPORTED_RESOURCE_TYPES`, `INCLUSION_BY_RESOURCE_TYPES` or `EXCLUSION_BY_RESOURCE_TYPES`.
    pub use_only: String,
}

/// The networks of associations that stand.
pub(super) fn associated(associations: &[CidrAssociation]) -> impl Iterator<Item = IpNet> {
    let stands = |association: &&CidrAssociation| {
        association.cidr_block_state.state.is_empty()
            || association.cidr_block_state.state == "associated"
    };
    let nets = associations.iter().filter(stands);
    nets.filter_map(|association| association.cidr_block)
}

/// Reads `[{"Key": …, "Value": …}]`.
pub(super) fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tags, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Tag {
        key: String,
        #[serde(default)]
        value: String,
    }
    let tags = Vec::<Tag>::deserialize(deserializer)?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}
