//! The vocabulary: every field that any version of VPC Flow Logs can carry, under AWS's own names.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// How the text of a field is read, and which Arrow type its column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A small number (`protocol`, `tcp-flags`, …): `UInt8`.
    U8,
    /// A port: `UInt16`.
    U16,
    /// A count of packets or bytes: `UInt64`.
    U64,
    /// Unix seconds: `Timestamp(Second, "UTC")`.
    Time,
    /// An IPv4 or IPv6 address: `FixedSizeBinary(16)`, IPv4 mapped into IPv6.
    Addr,
    /// Any other text: `Dictionary(Int32, Utf8)`, as its values repeat.
    Text,
    /// The value of a tag: as [`Kind::Text`], but percent-decoded once it is split off.
    Tag,
}

macro_rules! fields {
    ($($variant:ident $name:literal $column:literal $version:literal $kind:ident $doc:literal;)+) => {
        /// A field of a VPC Flow Log record, in the order of AWS's table (version 2 to version 11).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field { $(#[doc = $doc] $variant,)+ }

        impl Field {
            /// Every field, in the order of AWS's table.
            pub const ALL: &'static [Field] = &[$(Field::$variant,)+];

            /// The name in headers and, within `${…}`, in format strings.
            pub const fn name(self) -> &'static str {
                match self { $(Field::$variant => $name,)+ }
            }

            /// The name of the column in Parquet and in SQL: [`Field::name`] with underscores.
            pub const fn column(self) -> &'static str {
                match self { $(Field::$variant => $column,)+ }
            }

            /// The version of VPC Flow Logs that introduced the field.
            pub const fn version(self) -> u8 {
                match self { $(Field::$variant => $version,)+ }
            }

            /// How the field is read.
            pub const fn kind(self) -> Kind {
                match self { $(Field::$variant => Kind::$kind,)+ }
            }
        }
    };
}

fields! {
    Version "version" "version" 2 U8 "Highest version among the selected fields; says nothing about their order.";
    AccountId "account-id" "account_id" 2 Text "Owner of the recorded network interface; 12 digits or `unknown`.";
    InterfaceId "interface-id" "interface_id" 2 Text "The recorded network interface.";
    SrcAddr "srcaddr" "srcaddr" 2 Addr "Source address as the interface sees it.";
    DstAddr "dstaddr" "dstaddr" 2 Addr "Destination address as the interface sees it.";
    SrcPort "srcport" "srcport" 2 U16 "Source port; 0 where the protocol has none.";
    DstPort "dstport" "dstport" 2 U16 "Destination port; 0 where the protocol has none.";
    Protocol "protocol" "protocol" 2 U8 "IANA protocol number.";
    Packets "packets" "packets" 2 U64 "Packets in this direction in the window.";
    Bytes "bytes" "bytes" 2 U64 "Bytes in this direction in the window, IP and transport headers included.";
    Start "start" "start" 2 Time "First packet of the window.";
    End "end" "end" 2 Time "Last packet of the window.";
    Action "action" "action" 2 Text "`ACCEPT` or `REJECT`.";
    LogStatus "log-status" "log_status" 2 Text "`OK`, `NODATA` or `SKIPDATA`.";
    VpcId "vpc-id" "vpc_id" 3 Text "VPC of the interface.";
    SubnetId "subnet-id" "subnet_id" 3 Text "Subnet of the interface.";
    InstanceId "instance-id" "instance_id" 3 Text "Instance; absent on requester-managed interfaces.";
    TcpFlags "tcp-flags" "tcp_flags" 3 U8 "TCP flags OR-ed over the window.";
    Type "type" "type" 3 Text "`IPv4`, `IPv6` or `EFA`.";
    PktSrcAddr "pkt-srcaddr" "pkt_srcaddr" 3 Addr "Source address in the packet.";
    PktDstAddr "pkt-dstaddr" "pkt_dstaddr" 3 Addr "Destination address in the packet.";
    Region "region" "region" 4 Text "Region of the interface.";
    AzId "az-id" "az_id" 4 Text "Availability zone id.";
    SublocationType "sublocation-type" "sublocation_type" 4 Text "`wavelength`, `outpost` or `localzone`.";
    SublocationId "sublocation-id" "sublocation_id" 4 Text "Id of the sublocation.";
    PktSrcAwsService "pkt-src-aws-service" "pkt_src_aws_service" 5 Text "AWS service range that holds `pkt-srcaddr`.";
    PktDstAwsService "pkt-dst-aws-service" "pkt_dst_aws_service" 5 Text "AWS service range that holds `pkt-dstaddr`.";
    FlowDirection "flow-direction" "flow_direction" 5 Text "`ingress` or `egress`, relative to the interface.";
    TrafficPath "traffic-path" "traffic_path" 5 U8 "The path that egress traffic takes (1 to 8).";
    EcsClusterArn "ecs-cluster-arn" "ecs_cluster_arn" 7 Text "ECS cluster.";
    EcsClusterName "ecs-cluster-name" "ecs_cluster_name" 7 Text "Name of the ECS cluster.";
    EcsContainerInstanceArn "ecs-container-instance-arn" "ecs_container_instance_arn" 7 Text "ECS container instance.";
    EcsContainerInstanceId "ecs-container-instance-id" "ecs_container_instance_id" 7 Text "Id of the ECS container instance.";
    EcsContainerId "ecs-container-id" "ecs_container_id" 7 Text "Runtime id of the first container.";
    EcsSecondContainerId "ecs-second-container-id" "ecs_second_container_id" 7 Text "Runtime id of the second container.";
    EcsServiceName "ecs-service-name" "ecs_service_name" 7 Text "ECS service that started the task.";
    EcsTaskDefinitionArn "ecs-task-definition-arn" "ecs_task_definition_arn" 7 Text "ECS task definition.";
    EcsTaskArn "ecs-task-arn" "ecs_task_arn" 7 Text "ECS task.";
    EcsTaskId "ecs-task-id" "ecs_task_id" 7 Text "Id of the ECS task.";
    RejectReason "reject-reason" "reject_reason" 8 Text "`BPA`, `EC` or absent.";
    ResourceId "resource-id" "resource_id" 9 Text "Regional NAT gateway, where there is no interface.";
    EncryptionStatus "encryption-status" "encryption_status" 10 U8 "0 clear, 1 Nitro, 2 application, 3 both.";
    InstanceTag "instance-tag" "instance_tag" 11 Tag "Value of the first selected tag of the instance.";
    InstanceTag2 "instance-tag-2" "instance_tag_2" 11 Tag "Value of the second selected tag of the instance.";
    InterfaceTag "interface-tag" "interface_tag" 11 Tag "Value of the first selected tag of the interface.";
    InterfaceTag2 "interface-tag-2" "interface_tag_2" 11 Tag "Value of the second selected tag of the interface.";
    AsgTag "asg-tag" "asg_tag" 11 Tag "Value of the first selected tag of the Auto Scaling group.";
    AsgTag2 "asg-tag-2" "asg_tag_2" 11 Tag "Value of the second selected tag of the Auto Scaling group.";
    InterfaceType "interface-type" "interface_type" 11 Text "Kind of the recorded interface (`nat_gateway`, …).";
    NextHopInterfaceId "next-hop-interface-id" "next_hop_interface_id" 11 Text "Interface at the next hop.";
    NextHopSubnetId "next-hop-subnet-id" "next_hop_subnet_id" 11 Text "Subnet of the next hop.";
    NextHopAzId "next-hop-az-id" "next_hop_az_id" 11 Text "Availability zone of the next hop.";
    NextHopVpcId "next-hop-vpc-id" "next_hop_vpc_id" 11 Text "VPC of the next hop.";
    NextHopInterfaceType "next-hop-interface-type" "next_hop_interface_type" 11 Text "Kind of the next hop's interface.";
}

impl Field {
    /// Position in [`Field::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Field {
    type Err = Error;

    /// Reads the name as headers and format strings have it; column names with underscores are taken too.
    fn from_str(name: &str) -> Result<Self, Error> {
        Field::ALL
            .iter()
            .copied()
            .find(|field| field.name() == name || field.column() == name)
            .ok_or_else(|| Error::UnknownField {
                field: name.to_owned(),
            })
    }
}
