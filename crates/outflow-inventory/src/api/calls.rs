//! The calls that are made, all of which read only.

use super::shape::Shape;
use super::shapes;

/// A call of EC2 that lists resources.
#[derive(Debug)]
pub(crate) struct Ec2Listing {
    pub(crate) call: &'static str,
    /// The element that has the resources.
    pub(crate) set: &'static str,
    /// Key of the list in JSON.
    pub(crate) list: &'static str,
    pub(crate) file: &'static str,
    pub(crate) item: &'static Shape,
    /// Resources of a page: what EC2 allows.
    pub(crate) page_max: u32,
}

/// A call in JSON that lists resources.
#[derive(Debug)]
pub(crate) struct JsonListing {
    pub(crate) service: &'static Service,
    pub(crate) call: &'static str,
    /// Key of the list.
    pub(crate) list: &'static str,
    /// Resources of a page; `None` where all come at once.
    pub(crate) page_max: Option<u32>,
    /// How each of them is described, where the list has no more than names.
    pub(crate) each: Option<Each>,
    pub(crate) file: &'static str,
}

/// The call that describes what a listing names.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) call: &'static str,
    /// Key of what names it, in the listing as in the call.
    pub(crate) key_listed: &'static str,
    pub(crate) key_asked: &'static str,
}

/// A service that speaks JSON.
#[derive(Debug)]
pub(crate) struct Service {
    /// As signatures, addresses and AWS's command line name it.
    pub(crate) name: &'static str,
    /// What stands in front of a call.
    pub(crate) target: &'static str,
    pub(crate) content_type: &'static str,
    /// As permissions name it.
    pub(crate) permission: &'static str,
}

static RESOLVER: Service = Service {
    name: "route53resolver",
    target: "Route53Resolver",
    content_type: "application/x-amz-json-1.1",
    permission: "route53resolver",
};

static FIREWALL: Service = Service {
    name: "network-firewall",
    target: "NetworkFirewall_20201112",
    content_type: "application/x-amz-json-1.0",
    permission: "network-firewall",
};

static CONFIG: Service = Service {
    name: "config",
    target: "StarlingDoveService",
    content_type: "application/x-amz-json-1.1",
    permission: "config",
};

/// Defines listings of EC2: call, element, list, file, shape and size of a page.
macro_rules! ec2 {
    ($($call:literal $set:literal $list:literal $file:literal $item:ident $page_max:literal)*) => {
        &[$(Ec2Listing {
            call: $call, set: $set, list: $list, file: $file, item: &shapes::$item, page_max: $page_max,
        }),*]
    };
}

/// What EC2 is asked. Prefix lists are asked for apart, as no one call tells all of them.
pub(crate) static EC2_LISTINGS: &[Ec2Listing] = ec2! {
    "DescribeVpcs" "vpcSet" "Vpcs" "vpcs.json" VPC 1000
    "DescribeSubnets" "subnetSet" "Subnets" "subnets.json" SUBNET 1000
    "DescribeSecurityGroups" "securityGroupInfo" "SecurityGroups" "security-groups.json" SECURITY_GROUP 1000
    "DescribeSecurityGroupRules" "securityGroupRuleSet" "SecurityGroupRules" "security-group-rules.json" SECURITY_GROUP_RULE 1000
    "DescribeRouteTables" "routeTableSet" "RouteTables" "route-tables.json" ROUTE_TABLE 100
    "DescribeNatGateways" "natGatewaySet" "NatGateways" "nat-gateways.json" NAT_GATEWAY 1000
    "DescribeVpcEndpoints" "vpcEndpointSet" "VpcEndpoints" "vpc-endpoints.json" VPC_ENDPOINT 1000
    "DescribeFlowLogs" "flowLogSet" "FlowLogs" "flow-logs.json" FLOW_LOG 1000
    "DescribeNetworkInterfaces" "networkInterfaceSet" "NetworkInterfaces" "network-interfaces.json" NETWORK_INTERFACE 1000
    "DescribeInstances" "reservationSet" "Reservations" "instances.json" RESERVATION 1000
    "DescribeTransitGatewayAttachments" "transitGatewayAttachments" "TransitGatewayAttachments" "transit-gateway-attachments.json" TRANSIT_GATEWAY_ATTACHMENT 1000
    "DescribeInternetGateways" "internetGatewaySet" "InternetGateways" "internet-gateways.json" INTERNET_GATEWAY 1000
    "DescribeEgressOnlyInternetGateways" "egressOnlyInternetGatewaySet" "EgressOnlyInternetGateways" "egress-only-internet-gateways.json" EGRESS_ONLY_GATEWAY 255
    "DescribeNetworkAcls" "networkAclSet" "NetworkAcls" "network-acls.json" NETWORK_ACL 1000
};

/// The file of prefix lists.
pub(crate) const PREFIX_LISTS_FILE: &str = "prefix-lists.json";

/// Prefix lists that AWS keeps, with their networks; all prefix lists, without; and the networks of one.
pub(crate) static PREFIX_LISTS: Ec2Listing = Ec2Listing {
    call: "DescribePrefixLists",
    set: "prefixListSet",
    list: "PrefixLists",
    file: PREFIX_LISTS_FILE,
    item: &shapes::PREFIX_LIST,
    page_max: 1000,
};
pub(crate) static MANAGED_PREFIX_LISTS: Ec2Listing = Ec2Listing {
    call: "DescribeManagedPrefixLists",
    set: "prefixListSet",
    list: "PrefixLists",
    file: PREFIX_LISTS_FILE,
    item: &shapes::MANAGED_PREFIX_LIST,
    page_max: 100,
};
pub(crate) static PREFIX_LIST_ENTRIES: Ec2Listing = Ec2Listing {
    call: "GetManagedPrefixListEntries",
    set: "entrySet",
    list: "PrefixLists",
    file: PREFIX_LISTS_FILE,
    item: &shapes::PREFIX_LIST_ENTRY,
    page_max: 100,
};

/// What other services are asked.
pub(crate) static JSON_LISTINGS: &[JsonListing] = &[
    JsonListing {
        service: &RESOLVER,
        call: "ListResolverQueryLogConfigAssociations",
        list: "ResolverQueryLogConfigAssociations",
        page_max: Some(100),
        each: None,
        file: "resolver-query-logs.json",
    },
    JsonListing {
        service: &RESOLVER,
        call: "ListFirewallRuleGroupAssociations",
        list: "FirewallRuleGroupAssociations",
        page_max: Some(100),
        each: None,
        file: "dns-firewalls.json",
    },
    JsonListing {
        service: &FIREWALL,
        call: "ListFirewalls",
        list: "Firewalls",
        page_max: Some(100),
        each: Some(Each {
            call: "DescribeFirewall",
            key_listed: "FirewallArn",
            key_asked: "FirewallArn",
        }),
        file: "network-firewalls.json",
    },
    JsonListing {
        service: &FIREWALL,
        call: "ListFirewallPolicies",
        list: "FirewallPolicies",
        page_max: Some(100),
        each: Some(Each {
            call: "DescribeFirewallPolicy",
            key_listed: "Arn",
            key_asked: "FirewallPolicyArn",
        }),
        file: "network-firewall-policies.json",
    },
    JsonListing {
        service: &FIREWALL,
        call: "ListRuleGroups",
        list: "RuleGroups",
        page_max: Some(100),
        each: Some(Each {
            call: "DescribeRuleGroup",
            key_listed: "Arn",
            key_asked: "RuleGroupArn",
        }),
        file: "network-firewall-rule-groups.json",
    },
    JsonListing {
        service: &CONFIG,
        call: "DescribeConfigurationRecorders",
        list: "ConfigurationRecorders",
        page_max: None,
        each: None,
        file: "config-recorders.json",
    },
    JsonListing {
        service: &CONFIG,
        call: "DescribeConfigurationRecorderStatus",
        list: "ConfigurationRecordersStatus",
        page_max: None,
        each: None,
        file: "config-recorder-status.json",
    },
    JsonListing {
        service: &CONFIG,
        call: "DescribeDeliveryChannels",
        list: "DeliveryChannels",
        page_max: None,
        each: None,
        file: "config-delivery-channels.json",
    },
];

/// What GuardDuty is asked: the calls, as they are named in permissions.
pub(crate) const GUARDDUTY_CALLS: [&str; 4] = [
    "ListDetectors",
    "GetDetector",
    "ListFindings",
    "GetFindings",
];
