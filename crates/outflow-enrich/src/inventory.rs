//! What the account says of its network, over time.

mod builder;
mod collected;
mod firewall;
mod interface;
mod lineage;
mod problems;
mod resource;
mod routes;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use outflow_record::{Addr, Timestamp};

use crate::Error;
use crate::prefixes::PrefixTable;

pub use builder::{InventoryBuilder, OBSERVATIONS_MAX, Snapshot, is_inventory};
pub use collected::{COLLECTED_FILE, COLLECTED_SCHEMA, CallState, Collected, CollectedCall};
pub use firewall::{
    AddressDefinition, DomainRules, FirewallPolicy, FirewallPolicyRules, FirewallRuleGroup,
    NetworkFirewall, RuleGroupOverride, RuleGroupReference, RuleOption, RulesSource,
    StatefulHeader, StatefulRule, StatelessDefinition, StatelessMatch, StatelessRule,
    StatelessRules,
};
pub use interface::{InterfaceInfo, InterfaceKind};
pub use lineage::{LINEAGE_TAGS, Lineage};
pub use problems::{PROBLEMS_MAX, Problem, Problems};
pub use resource::{
    BlockPublicAccess, CidrAssociation, CidrState, ConfigurationRecorder,
    ConfigurationRecorderStatus, DeliveryChannel, EgressOnlyInternetGateway, ExcludedTypes,
    FirewallRuleGroupAssociation, FlowLog, GatewayAttachment, GroupPair, Instance, InternetGateway,
    IpRange, NatGateway, NatGatewayAddress, NetworkAcl, NetworkAclAssociation, NetworkAclEntry,
    Permission, PortSpan, PrefixList, PrefixListId, RecordingGroup, RecordingStrategy,
    ResolverQueryLogConfigAssociation, Route, RouteTable, RouteTableAssociation, SecurityGroup,
    SecurityGroupRule, Subnet, Tags, TransitGatewayAttachment, Vpc, VpcEndpoint,
};
pub use routes::ServiceEndpoint;
pub use timeline::{Known, Place, Timeline, When};

/// Resources of one's network over time, from outputs of the EC2 API and from AWS Config.
///
/// ```
/// use outflow_enrich::inventory::{InventoryBuilder, Place, Snapshot, When};
/// use outflow_record::Timestamp;
/// let mut builder = InventoryBuilder::default();
/// let snapshot = Snapshot { place: Place::default(), taken_at: Timestamp(1_000) };
/// let json = br#"{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1",
///     "PrivateIpAddress": "10.0.0.7", "Groups": [{"GroupId": "sg-1"}]}]}"#;
/// builder.add("interfaces.json", json, &snapshot).unwrap();
/// let inventory = builder.build().unwrap();
/// let known = inventory.interfaces.get("eni-1", Timestamp(2_000)).unwrap();
/// assert_eq!((known.value.subnet_id.as_str(), known.when), ("subnet-1", When::Current));
/// let lineage = inventory.lineage("eni-1", Timestamp(2_000)).unwrap();
/// assert_eq!(lineage.to_string(), "sg-1@subnet-1");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Network interfaces.
    pub interfaces: Timeline<InterfaceInfo>,
    /// Instances.
    pub instances: Timeline<Instance>,
    /// Security groups.
    pub security_groups: Timeline<SecurityGroup>,
    /// Rules of security groups, in the flat form.
    pub security_group_rules: Timeline<SecurityGroupRule>,
    /// VPCs.
    pub vpcs: Timeline<Vpc>,
    /// Subnets.
    pub subnets: Timeline<Subnet>,
    /// NAT gateways.
    pub nat_gateways: Timeline<NatGateway>,
    /// Endpoints.
    pub vpc_endpoints: Timeline<VpcEndpoint>,
    /// Route tables.
    pub route_tables: Timeline<RouteTable>,
    /// Flow logs.
    pub flow_logs: Timeline<FlowLog>,
    /// Prefix lists.
    pub prefix_lists: Timeline<PrefixList>,
    /// Network ACLs.
    pub network_acls: Timeline<NetworkAcl>,
    /// Internet gateways.
    pub internet_gateways: Timeline<InternetGateway>,
    /// Internet gateways for IPv6 outwards.
    pub egress_only_gateways: Timeline<EgressOnlyInternetGateway>,
    /// Network Firewalls.
    pub network_firewalls: Timeline<NetworkFirewall>,
    /// Policies of Network Firewalls.
    pub firewall_policies: Timeline<FirewallPolicy>,
    /// Groups of rules of Network Firewalls.
    pub firewall_rule_groups: Timeline<FirewallRuleGroup>,
    /// Recorders of AWS Config, by account, region and name.
    pub config_recorders: Timeline<ConfigurationRecorder>,
    /// How these do, by the same.
    pub config_recorder_states: Timeline<ConfigurationRecorderStatus>,
    /// Where AWS Config delivers, by the same.
    pub config_channels: Timeline<DeliveryChannel>,
    /// VPCs whose queries to the resolver are logged.
    pub resolver_query_logs: Timeline<ResolverQueryLogConfigAssociation>,
    /// VPCs whose queries DNS Firewall filters.
    pub dns_firewalls: Timeline<FirewallRuleGroupAssociation>,
    /// Attachments to transit gateways.
    pub transit_gateway_attachments: Timeline<TransitGatewayAttachment>,
    /// Places that were collected, also those that told nothing.
    pub places: BTreeSet<Place>,
    /// What was not understood.
    pub problems: Problems,
    /// By VPC: ids of the interfaces that at some time held an address or network. Private addresses repeat, so
    /// only the VPC makes them one.
    holders: BTreeMap<String, PrefixTable<String>>,
}

impl Inventory {
    /// An interface as of a time.
    pub fn interface(&self, interface_id: &str, at: Timestamp) -> Option<Known<'_, InterfaceInfo>> {
        self.interfaces.get(interface_id, at)
    }

    /// The interface that holds an address of a VPC as of a time, its own or one of a delegated network. One that
    /// held it then goes before one of another time, and its own address before a network.
    pub fn holder(
        &self,
        vpc_id: &str,
        addr: Addr,
        at: Timestamp,
    ) -> Option<Known<'_, InterfaceInfo>> {
        let ids = self.holders.get(vpc_id)?.covering(addr);
        let known = ids.filter_map(|(net, id)| {
            let known = self.interfaces.get(id, at)?;
            let held = networks(known.value).any(|held| held == net);
            (held && known.value.vpc_id == vpc_id).then_some(known)
        });
        known.min_by_key(|known| known.when)
    }

    /// All networks that a VPC was ever seen to have, IPv4 and IPv6. They may be public ones.
    pub fn vpc_cidrs(&self, vpc_id: &str) -> BTreeSet<IpNet> {
        let seen = self.vpcs.history(vpc_id).map(|(_, vpc)| vpc);
        seen.flat_map(|vpc| {
            resource::associated(&vpc.cidr_block_association_set)
                .chain(resource::associated(&vpc.ipv6_cidr_block_association_set))
                .chain(vpc.cidr_block)
        })
        .collect()
    }

    /// All networks that any VPC was ever seen to have.
    pub fn cidrs(&self) -> BTreeSet<IpNet> {
        let of_vpc = |vpc_id| self.vpc_cidrs(vpc_id);
        self.vpcs.ids().flat_map(of_vpc).collect()
    }

    /// What outlives an interface and stands for it: see [`Lineage`]. `None` for an interface that is not known.
    pub fn lineage(&self, interface_id: &str, at: Timestamp) -> Option<Lineage> {
        let interface = self.interfaces.get(interface_id, at)?.value;
        let instance = interface.instance_id.as_deref();
        let instance = instance.and_then(|id| self.instances.get(id, at));
        Some(Lineage::of(interface, instance.map(|known| known.value)))
    }

    /// Builds what [`Inventory::holder`] looks up.
    fn index(&mut self) -> Result<(), Error> {
        let mut held: BTreeMap<String, BTreeSet<(IpNet, String)>> = BTreeMap::new();
        for id in self.interfaces.ids() {
            for (_, interface) in self.interfaces.history(id) {
                let vpc = held.entry(interface.vpc_id.clone()).or_default();
                vpc.extend(networks(interface).map(|net| (net, id.to_owned())));
            }
        }
        for (vpc_id, held) in held {
            self.holders.insert(vpc_id, PrefixTable::new(held)?);
        }
        Ok(())
    }
}

/// The addresses and delegated networks of an interface.
fn networks(interface: &InterfaceInfo) -> impl Iterator<Item = IpNet> {
    let own = interface.addresses.iter();
    let own = own.map(|addr| IpNet::from(addr.to_ip()));
    own.chain(interface.prefixes.iter().copied())
}

#[cfg(test)]
mod tests;
