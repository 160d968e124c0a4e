//! What Terraform's resources are as AWS describes them. What a plan does not know is left out, never made up.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::values::Ids;
use super::{Resource, Values};

/// Resources by the key of their list, each list by id.
pub(in crate::import) type Lists = BTreeMap<&'static str, BTreeMap<String, Value>>;

/// What became of resources.
#[derive(Debug, Default, PartialEq)]
pub(in crate::import) struct Mapped {
    pub(in crate::import) lists: Lists,
    /// Kinds that are not understood, and how many there are of each.
    pub(in crate::import) passed_over: BTreeMap<String, u64>,
    /// What of those that are understood is known only once the plan is applied, or refers to nothing that is there.
    pub(in crate::import) unknown: Vec<String>,
    /// Addresses of rules and groups by id.
    addresses: BTreeMap<String, String>,
}

/// Describes all resources. Those that are parts of others come last, as they are put into them.
pub(in crate::import) fn describe(resources: &[Resource]) -> Mapped {
    let ids = Ids::of(resources);
    let mut mapped = Mapped::default();
    let parts: Vec<Values<'_>> = resources
        .iter()
        .map(|resource| Values::new(resource, &ids))
        .filter(|own| !mapped.whole(*own))
        .collect();
    for own in parts {
        if !mapped.part(own) {
            let kind = own.resource.kind.clone();
            *mapped.passed_over.entry(kind).or_default() += 1;
        }
    }
    for resource in resources {
        mapped.note_unknown(Values::new(resource, &ids));
    }
    mapped.place_in_vpcs();
    mapped.put_rules_in_groups();
    mapped.note_groups_without_vpc();
    mapped.name_vpcs();
    mapped
}

/// Attributes without which a resource may let out more than is told of it.
const TELLING: [&str; 14] = [
    "cidr_blocks",
    "cidr_ipv4",
    "cidr_ipv6",
    "egress",
    "from_port",
    "ip_protocol",
    "ipv6_cidr_blocks",
    "log_format",
    "policy",
    "prefix_list_ids",
    "protocol",
    "route",
    "to_port",
    "traffic_type",
];

impl Mapped {
    fn put(&mut self, list: &'static str, id: String, value: Value) {
        let value = without_nulls(value);
        self.lists.entry(list).or_default().insert(id, value);
    }

    /// Says of interfaces and NAT gateways, of which Terraform knows the subnet, in which VPC they are.
    fn place_in_vpcs(&mut self) {
        let subnets = self.lists.get("Subnets").into_iter().flatten();
        let vpcs: BTreeMap<String, Value> = subnets
            .filter_map(|(id, subnet)| Some((id.clone(), subnet.get("VpcId")?.clone())))
            .collect();
        for list in ["NetworkInterfaces", "NatGateways"] {
            for value in self
                .lists
                .get_mut(list)
                .into_iter()
                .flat_map(BTreeMap::values_mut)
            {
                let subnet = value.get("SubnetId").and_then(Value::as_str);
                let vpc = subnet.and_then(|id| vpcs.get(id));
                if let (Some(vpc), Some(object)) = (vpc.cloned(), value.as_object_mut()) {
                    object.entry("VpcId").or_insert(vpc);
                }
            }
        }
    }

    /// Puts rules that are resources of their own into the descriptions of their groups, which AWS has whole. A state has
    /// some of them there already.
    fn put_rules_in_groups(&mut self) {
        let rules = self.lists.get("SecurityGroupRules").cloned();
        for (id, rule) in rules.unwrap_or_default() {
            let is_egress = rule.get("IsEgress") == Some(&Value::Bool(true));
            let key = match is_egress {
                true => "IpPermissionsEgress",
                false => "IpPermissions",
            };
            let group = rule.get("GroupId").and_then(Value::as_str);
            let groups = self.lists.get_mut("SecurityGroups");
            let group = group.and_then(|id| groups?.get_mut(id));
            if group.is_none() && is_egress {
                let address = self.addresses.get(&id).unwrap_or(&id);
                self.unknown.push(format!(
                    "{address}: its group is not among the resources: what it lets out is not judged"
                ));
            }
            let permissions = group.and_then(|group| group.get_mut(key)?.as_array_mut());
            if let (Some(permissions), Some(permission)) = (permissions, permission(&rule))
                && !permissions.iter().any(|known| covers(known, &permission))
            {
                permissions.push(permission);
            }
        }
    }

    /// Says of which groups it is not known where they are: no VPC is judged by them.
    fn note_groups_without_vpc(&mut self) {
        for (id, group) in self.lists.get("SecurityGroups").into_iter().flatten() {
            if group.get("VpcId").is_none() {
                let address = self.addresses.get(id).unwrap_or(id);
                self.unknown.push(format!(
                    "{address}: its VPC is not known: what it lets out is not judged"
                ));
            }
        }
    }

    /// Names VPCs that others manage and resources are in, of which no more is known: those are judged, too.
    fn name_vpcs(&mut self) {
        let items = self.lists.values().flat_map(BTreeMap::values);
        let named: BTreeSet<String> = items
            .filter_map(|item| Some(item.get("VpcId")?.as_str()?.to_owned()))
            .collect();
        for id in named {
            let vpcs = self.lists.entry("Vpcs").or_default();
            vpcs.entry(id.clone())
                .or_insert_with(|| json!({"VpcId": id}));
        }
    }

    fn note_unknown(&mut self, own: Values<'_>) {
        let resource = own.resource;
        if self.passed_over.contains_key(&resource.kind) {
            return;
        }
        let unknown = resource.unknown.iter();
        let telling: Vec<&str> = unknown
            .map(String::as_str)
            .filter(|key| TELLING.contains(key))
            .collect();
        if !telling.is_empty() {
            let address = resource.address();
            let telling = telling.join(", ");
            self.unknown
                .push(format!("{address}: {telling} is known after apply"));
        }
        for (key, from) in own.lost() {
            let address = resource.address();
            let why = match from.contains("local.") {
                true => "and plans do not tell what locals are",
                false => "which is not among the resources",
            };
            self.unknown
                .push(format!("{address}: {key} is taken from {from}, {why}"));
        }
    }

    /// Takes a resource that AWS describes by itself.
    fn whole(&mut self, own: Values<'_>) -> bool {
        let id = own.resource.id();
        let (list, mut value) = match own.resource.kind.as_str() {
            "aws_vpc" | "aws_default_vpc" => ("Vpcs", vpc(own)),
            "aws_subnet" | "aws_default_subnet" => ("Subnets", subnet(own)),
            "aws_security_group" | "aws_default_security_group" => ("SecurityGroups", group(own)),
            "aws_route_table" | "aws_default_route_table" => ("RouteTables", table(own)),
            "aws_nat_gateway" => ("NatGateways", nat(own)),
            "aws_internet_gateway" => ("InternetGateways", gateway(own, "InternetGatewayId")),
            "aws_egress_only_internet_gateway" => (
                "EgressOnlyInternetGateways",
                gateway(own, "EgressOnlyInternetGatewayId"),
            ),
            "aws_vpc_endpoint" => ("VpcEndpoints", endpoint(own)),
            "aws_flow_log" => ("FlowLogs", flow_log(own)),
            "aws_network_interface" => ("NetworkInterfaces", interface(own)),
            "aws_instance" => ("Reservations", json!({"Instances": [instance(own)]})),
            "aws_network_acl" | "aws_default_network_acl" => ("NetworkAcls", acl(own)),
            "aws_ec2_managed_prefix_list" => ("PrefixLists", prefix_list(own)),
            "aws_ec2_transit_gateway_vpc_attachment" => {
                ("TransitGatewayAttachments", attachment(own))
            }
            "aws_route53_resolver_query_log_config_association" => (
                "ResolverQueryLogConfigAssociations",
                json!({"Id": id, "ResolverQueryLogConfigId": own.id("resolver_query_log_config_id"),
                    "ResourceId": own.id("resource_id")}),
            ),
            "aws_route53_resolver_firewall_rule_group_association" => (
                "FirewallRuleGroupAssociations",
                json!({"Id": id, "FirewallRuleGroupId": own.id("firewall_rule_group_id"),
                    "VpcId": own.id("vpc_id")}),
            ),
            _ => return false,
        };
        if let Some(object) = value
            .as_object_mut()
            .filter(|own| !own.contains_key("Instances"))
        {
            object.insert("OwnerId".to_owned(), own.text("owner_id").into());
            object.insert("Tags".to_owned(), own.tags());
        }
        if own.resource.kind == "aws_network_interface" {
            // AWS calls the tags of interfaces differently from all others.
            value["TagSet"] = own.tags();
        }
        if list == "SecurityGroups" {
            self.addresses.insert(id.clone(), own.resource.address());
        }
        self.put(list, id, value);
        true
    }

    /// Takes a resource that is a part of another, or a rule.
    fn part(&mut self, own: Values<'_>) -> bool {
        match own.resource.kind.as_str() {
            "aws_vpc_security_group_egress_rule" => self.flat_rule(own, true),
            "aws_vpc_security_group_ingress_rule" => self.flat_rule(own, false),
            "aws_security_group_rule" => self.rules(own),
            "aws_vpc_ipv4_cidr_block_association" => {
                let block = own.text("cidr_block").map(associated);
                self.push(
                    "Vpcs",
                    own.id("vpc_id"),
                    "CidrBlockAssociationSet",
                    block,
                    own,
                );
            }
            "aws_route" => {
                let table = own.id("route_table_id");
                self.push("RouteTables", table, "Routes", Some(route(own)), own);
            }
            "aws_route_table_association" => {
                let association = json!({"Main": false, "SubnetId": own.id("subnet_id"),
                    "GatewayId": own.id("gateway_id")});
                let table = own.id("route_table_id");
                self.push("RouteTables", table, "Associations", Some(association), own);
            }
            "aws_main_route_table_association" => {
                let table = own.id("route_table_id");
                let association = Some(json!({"Main": true}));
                self.push("RouteTables", table, "Associations", association, own);
            }
            _ => return false,
        }
        true
    }

    /// Puts a part into what it is a part of.
    fn push(
        &mut self,
        list: &'static str,
        id: Option<String>,
        key: &str,
        part: Option<Value>,
        own: Values<'_>,
    ) {
        let whole = id.and_then(|id| self.lists.get_mut(list)?.get_mut(&id));
        let parts = whole.and_then(|whole| whole.get_mut(key)?.as_array_mut());
        match (parts, part) {
            (Some(parts), Some(part)) => parts.push(without_nulls(part)),
            _ => {
                let address = own.resource.address();
                self.unknown.push(format!(
                    "{address}: what it belongs to is not among the resources"
                ));
            }
        }
    }

    fn flat_rule(&mut self, own: Values<'_>, is_egress: bool) {
        let id = own.text("security_group_rule_id").map(str::to_owned);
        let id = id.unwrap_or_else(|| own.resource.id());
        let referenced = own.id("referenced_security_group_id");
        let value = json!({
            "SecurityGroupRuleId": id, "GroupId": own.id("security_group_id"), "IsEgress": is_egress,
            "IpProtocol": own.text("ip_protocol"), "FromPort": own.number("from_port"), "ToPort": own.number("to_port"),
            "CidrIpv4": own.text("cidr_ipv4"), "CidrIpv6": own.text("cidr_ipv6"),
            "PrefixListId": own.id("prefix_list_id"), "Description": own.text("description"),
            "ReferencedGroupInfo": referenced.map(|id| json!({"GroupId": id})), "Tags": own.tags(),
        });
        self.addresses.insert(id.clone(), own.resource.address());
        self.put("SecurityGroupRules", id, value);
    }

    /// A rule that stands for several: one for each other side.
    fn rules(&mut self, own: Values<'_>) {
        let base = own.text("security_group_rule_id").map(str::to_owned);
        let base = base.unwrap_or_else(|| own.resource.id());
        let v4 = own
            .texts("cidr_blocks")
            .into_iter()
            .map(|net| json!({"CidrIpv4": net}));
        let v6 = own
            .texts("ipv6_cidr_blocks")
            .into_iter()
            .map(|net| json!({"CidrIpv6": net}));
        let lists = own
            .ids_of("prefix_list_ids")
            .into_iter()
            .map(|id| json!({"PrefixListId": id}));
        let itself = own.bool("self") == Some(true);
        let group = own.id("security_group_id");
        let source = own
            .id("source_security_group_id")
            .or(group.clone().filter(|_| itself));
        let groups = source.map(|id| json!({"ReferencedGroupInfo": {"GroupId": id}}));
        let is_all = own.text("protocol") == Some("-1");
        for (at, mut side) in v4.chain(v6).chain(lists).chain(groups).enumerate() {
            let id = format!("{base}#{at}");
            let rule = json!({"SecurityGroupRuleId": id, "GroupId": group, "IsEgress": own.text("type") == Some("egress"),
                "IpProtocol": own.text("protocol"), "Description": own.text("description"),
                "FromPort": own.number("from_port").filter(|_| !is_all),
                "ToPort": own.number("to_port").filter(|_| !is_all)});
            if let (Some(side), Some(rule)) = (side.as_object_mut(), rule.as_object()) {
                side.extend(rule.clone());
            }
            self.addresses.insert(id.clone(), own.resource.address());
            self.put("SecurityGroupRules", id, side);
        }
    }
}

/// The sides that a rule may have: key in the rule, and list and key in a permission.
const SIDES: [(&str, &str, &str); 4] = [
    ("CidrIpv4", "IpRanges", "CidrIp"),
    ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
    ("PrefixListId", "PrefixListIds", "PrefixListId"),
    ("ReferencedGroupInfo", "UserIdGroupPairs", "GroupId"),
];

/// A rule in the form that groups have it in; nothing if its other side is not known.
fn permission(rule: &Value) -> Option<Value> {
    let (list, side) = SIDES.iter().find_map(|(key, list, inner)| {
        let side = rule.get(*key)?;
        let side = side.get("GroupId").unwrap_or(side).clone();
        let description = rule.get("Description").cloned().unwrap_or_default();
        let side = Map::from_iter([
            ((*inner).to_owned(), side),
            ("Description".to_owned(), description),
        ]);
        Some((*list, Value::from(side)))
    })?;
    let mut permission = Map::from_iter([(list.to_owned(), Value::from(vec![side]))]);
    for key in ["IpProtocol", "FromPort", "ToPort"] {
        permission.extend(rule.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    Some(without_nulls(permission.into()))
}

/// Whether a permission of a group lets through what another does, which has one other side.
fn covers(known: &Value, one: &Value) -> bool {
    let same = |key| known.get(key) == one.get(key);
    let sides = |of: &Value, list: &str, key: &str| -> Vec<Value> {
        let sides = of.get(list).and_then(Value::as_array).into_iter().flatten();
        sides.filter_map(|side| side.get(key).cloned()).collect()
    };
    ["IpProtocol", "FromPort", "ToPort"].into_iter().all(same)
        && SIDES.iter().all(|(_, list, key)| {
            let known = sides(known, list, key);
            sides(one, list, key)
                .iter()
                .all(|side| known.contains(side))
        })
}

fn associated(net: &str) -> Value {
    json!({"CidrBlock": net, "CidrBlockState": {"State": "associated"}})
}

fn associated_v6(own: Values<'_>) -> Value {
    let net = own.text("ipv6_cidr_block").into_iter();
    net.map(|net| json!({"Ipv6CidrBlock": net, "Ipv6CidrBlockState": {"State": "associated"}}))
        .collect()
}

fn vpc(own: Values<'_>) -> Value {
    let nets: Value = own.text("cidr_block").map(associated).into_iter().collect();
    json!({"VpcId": own.resource.id(), "CidrBlock": own.text("cidr_block"), "CidrBlockAssociationSet": nets,
        "Ipv6CidrBlockAssociationSet": associated_v6(own), "IsDefault": own.resource.kind == "aws_default_vpc",
        "InstanceTenancy": own.text("instance_tenancy"), "DhcpOptionsId": own.text("dhcp_options_id")})
}

fn subnet(own: Values<'_>) -> Value {
    json!({"SubnetId": own.resource.id(), "SubnetArn": own.text("arn"), "VpcId": own.id("vpc_id"),
        "CidrBlock": own.text("cidr_block"), "Ipv6CidrBlockAssociationSet": associated_v6(own),
        "AvailabilityZone": own.text("availability_zone"), "AvailabilityZoneId": own.text("availability_zone_id"),
        "MapPublicIpOnLaunch": own.bool("map_public_ip_on_launch")})
}

fn group(own: Values<'_>) -> Value {
    let name = match own.resource.kind.as_str() {
        "aws_default_security_group" => Some("default"),
        _ => own.text("name"),
    };
    json!({"GroupId": own.resource.id(), "GroupName": name, "Description": own.text("description"),
        "VpcId": own.id("vpc_id"), "SecurityGroupArn": own.text("arn"), "IpPermissions": permissions(own, "ingress"),
        "IpPermissionsEgress": permissions(own, "egress")})
}

/// Rules that stand within a group.
fn permissions(own: Values<'_>, blocks: &'static str) -> Value {
    let blocks = own.blocks(blocks).into_iter();
    blocks
        .map(|block| {
            let description = block.text("description");
            let v4 = block.texts("cidr_blocks").into_iter();
            let v6 = block.texts("ipv6_cidr_blocks").into_iter();
            let lists = block.ids_of("prefix_list_ids").into_iter();
            let itself = (block.bool("self") == Some(true)).then(|| own.resource.id());
            let groups = block.ids_of("security_groups").into_iter().chain(itself);
            let is_all = block.text("protocol") == Some("-1");
            json!({
                "IpProtocol": block.text("protocol"),
                "FromPort": block.number("from_port").filter(|_| !is_all),
                "ToPort": block.number("to_port").filter(|_| !is_all),
                "IpRanges": v4.map(|net| json!({"CidrIp": net, "Description": description})).collect::<Value>(),
                "Ipv6Ranges": v6.map(|net| json!({"CidrIpv6": net, "Description": description})).collect::<Value>(),
                "PrefixListIds":
                    lists.map(|id| json!({"PrefixListId": id, "Description": description})).collect::<Value>(),
                "UserIdGroupPairs":
                    groups.map(|id| json!({"GroupId": id, "Description": description})).collect::<Value>(),
            })
        })
        .collect()
}

fn table(own: Values<'_>) -> Value {
    let main = own.resource.kind == "aws_default_route_table";
    let associations: Vec<Value> = main.then(|| json!({"Main": true})).into_iter().collect();
    let routes: Value = own.blocks("route").into_iter().map(route).collect();
    json!({"RouteTableId": own.resource.id(), "VpcId": own.id("vpc_id"), "Associations": associations,
        "Routes": routes})
}

/// A route, within a table or of its own: the names of attributes differ.
fn route(own: Values<'_>) -> Value {
    let either = |first, second| own.text(first).or_else(|| own.text(second));
    let list = own.id("destination_prefix_list_id");
    // An endpoint is a gateway to the API.
    let gateway = own.id("gateway_id").or_else(|| own.id("vpc_endpoint_id"));
    json!({"DestinationCidrBlock": either("destination_cidr_block", "cidr_block"),
        "DestinationIpv6CidrBlock": either("destination_ipv6_cidr_block", "ipv6_cidr_block"),
        "DestinationPrefixListId": list, "GatewayId": gateway, "NatGatewayId": own.id("nat_gateway_id"),
        "TransitGatewayId": own.id("transit_gateway_id"), "NetworkInterfaceId": own.id("network_interface_id"),
        "VpcPeeringConnectionId": own.id("vpc_peering_connection_id"),
        "EgressOnlyInternetGatewayId":
            own.id("egress_only_gateway_id")})
}

fn nat(own: Values<'_>) -> Value {
    let address = json!({"NetworkInterfaceId": own.text("network_interface_id"), "PrivateIp": own.text("private_ip"),
        "PublicIp": own.text("public_ip"), "AllocationId": own.id("allocation_id")});
    json!({"NatGatewayId": own.resource.id(), "SubnetId": own.id("subnet_id"), "VpcId": own.id("vpc_id"),
        "ConnectivityType": own.text("connectivity_type"), "NatGatewayAddresses": [address]})
}

fn gateway(own: Values<'_>, key: &str) -> Value {
    let attached: Value = own
        .id("vpc_id")
        .map(|id| json!({"VpcId": id}))
        .into_iter()
        .collect();
    Map::from_iter([
        (key.to_owned(), own.resource.id().into()),
        ("Attachments".to_owned(), attached),
    ])
    .into()
}

fn endpoint(own: Values<'_>) -> Value {
    // What Terraform takes for granted where nothing is said.
    let kind = own.text("vpc_endpoint_type").unwrap_or("Gateway");
    json!({"VpcEndpointId": own.resource.id(), "VpcEndpointType": kind, "VpcId": own.id("vpc_id"),
        "ServiceName": own.text("service_name"), "State": own.text("state"), "PolicyDocument": own.text("policy"),
        "RouteTableIds": own.ids_of("route_table_ids"), "SubnetIds": own.ids_of("subnet_ids"),
        "NetworkInterfaceIds": own.texts("network_interface_ids"), "PrivateDnsEnabled": own.bool("private_dns_enabled")})
}

fn flow_log(own: Values<'_>) -> Value {
    let kinds = [
        "vpc_id",
        "subnet_id",
        "eni_id",
        "transit_gateway_id",
        "transit_gateway_attachment_id",
    ];
    let resource = kinds.into_iter().find_map(|key| own.id(key));
    // Whether it works and delivers only AWS can say.
    json!({"FlowLogId": own.resource.id(), "ResourceId": resource, "TrafficType": own.text("traffic_type"),
        "LogDestinationType": own.text("log_destination_type"), "LogDestination": own.text("log_destination"),
        "LogFormat": own.text("log_format"), "MaxAggregationInterval": own.number("max_aggregation_interval")})
}

fn interface(own: Values<'_>) -> Value {
    let addresses = own.texts("private_ips").into_iter();
    let first = own.text("private_ip").map(str::to_owned);
    let addresses: Value = addresses
        .map(|ip| json!({"PrivateIpAddress": ip}))
        .collect();
    let groups = own.ids_of("security_groups").into_iter();
    let groups: Value = groups.map(|id| json!({"GroupId": id})).collect();
    let attached = own.blocks("attachment");
    let instance = attached.iter().find_map(|block| block.id("instance"));
    let v6: Value = own
        .texts("ipv6_addresses")
        .into_iter()
        .map(|ip| json!({"Ipv6Address": ip}))
        .collect();
    json!({"NetworkInterfaceId": own.resource.id(), "SubnetId": own.id("subnet_id"), "Description": own.text("description"),
        "PrivateIpAddress": first, "PrivateIpAddresses": addresses, "Ipv6Addresses": v6, "Groups": groups,
        "InterfaceType": own.text("interface_type"), "SourceDestCheck": own.bool("source_dest_check"),
        "Attachment": instance.map(|id| json!({"InstanceId": id}))})
}

fn instance(own: Values<'_>) -> Value {
    let groups = own.ids_of("vpc_security_group_ids").into_iter();
    let groups: Value = groups.map(|id| json!({"GroupId": id})).collect();
    json!({"InstanceId": own.resource.id(), "SubnetId": own.id("subnet_id"), "SecurityGroups": groups,
        "PrivateIpAddress": own.text("private_ip"), "PublicIpAddress": own.text("public_ip"),
        "InstanceType": own.text("instance_type"), "ImageId": own.text("ami"), "Tags": own.tags()})
}

fn acl(own: Values<'_>) -> Value {
    let entries = |blocks, egress: bool| {
        let blocks = own.blocks(blocks).into_iter();
        blocks.map(move |block| {
            json!({"Egress": egress, "CidrBlock": block.text("cidr_block"), "Ipv6CidrBlock": block.text("ipv6_cidr_block"),
                "Protocol": block.text("protocol"), "RuleAction": block.text("action"),
                "RuleNumber": block.number("rule_no"),
                "PortRange": {"From": block.number("from_port"), "To": block.number("to_port")}})
        })
    };
    let entries: Value = entries("egress", true)
        .chain(entries("ingress", false))
        .collect();
    json!({"NetworkAclId": own.resource.id(), "VpcId": own.id("vpc_id"), "Entries": entries,
        "IsDefault": own.resource.kind == "aws_default_network_acl"})
}

fn prefix_list(own: Values<'_>) -> Value {
    let is_known = !own.resource.unknown.iter().any(|key| key == "entry");
    let cidrs = own.blocks("entry").into_iter();
    let cidrs = cidrs
        .filter_map(|entry| entry.text("cidr"))
        .map(Value::from);
    json!({"PrefixListId": own.resource.id(), "PrefixListName": own.text("name"),
        "Cidrs": is_known.then(|| cidrs.collect::<Value>())})
}

fn attachment(own: Values<'_>) -> Value {
    json!({"TransitGatewayAttachmentId": own.resource.id(), "TransitGatewayId": own.id("transit_gateway_id"),
        "ResourceType": "vpc", "ResourceId": own.id("vpc_id"), "ResourceOwnerId": own.text("vpc_owner_id")})
}

/// Without keys whose value is null: what is not known is not there.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}
