//! The vocabulary: every field that any version of VPC or Transit Gateway Flow Logs can carry, under AWS's own names.

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
        /// A field of a flow log record: those of VPC Flow Logs in the order of AWS's table (version 2 to
        /// version 11), then those that only Transit Gateway Flow Logs have.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field { $(#[doc = $doc] $variant,)+ }

        impl Field {
            /// Every field, in the order of AWS's tables.
            pub const ALL: &'static [Field] = &[$(Field::$variant,)+];

            /// The name in headers and, within `${…}`, in format strings.
            pub const fn name(self) -> &'static str {
                match self { $(Field::$variant => $name,)+ }
            }

            /// The name of the column in Parquet and in SQL: [`Field::name`] with underscores.
            pub const fn column(self) -> &'static str {
                match self { $(Field::$variant => $column,)+ }
            }

            /// The version of flow logs that introduced the field.
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
    ResourceType "resource-type" "resource_type" 6 Text "`TransitGateway` or `TransitGatewayAttachment`.";
    TgwId "tgw-id" "tgw_id" 6 Text "The transit gateway.";
    TgwAttachmentId "tgw-attachment-id" "tgw_attachment_id" 6 Text "The attachment at which the traffic is recorded.";
    TgwSrcVpcAccountId "tgw-src-vpc-account-id" "tgw_src_vpc_account_id" 6 Text "Owner of the VPC that the traffic comes from.";
    TgwDstVpcAccountId "tgw-dst-vpc-account-id" "tgw_dst_vpc_account_id" 6 Text "Owner of the VPC that the traffic goes to.";
    TgwSrcVpcId "tgw-src-vpc-id" "tgw_src_vpc_id" 6 Text "VPC that the traffic comes from; absent for VPN, Direct Connect and peering.";
    TgwDstVpcId "tgw-dst-vpc-id" "tgw_dst_vpc_id" 6 Text "VPC that the traffic goes to.";
    TgwSrcSubnetId "tgw-src-subnet-id" "tgw_src_subnet_id" 6 Text "Subnet of the gateway's interface in the source VPC.";
    TgwDstSubnetId "tgw-dst-subnet-id" "tgw_dst_subnet_id" 6 Text "Subnet of the gateway's interface in the destination VPC.";
    TgwSrcEni "tgw-src-eni" "tgw_src_eni" 6 Text "The gateway's interface in the source VPC, not the workload's.";
    TgwDstEni "tgw-dst-eni" "tgw_dst_eni" 6 Text "The gateway's interface in the destination VPC, not the workload's.";
    TgwSrcAzId "tgw-src-az-id" "tgw_src_az_id" 6 Text "Availability zone id of the source.";
    TgwDstAzId "tgw-dst-az-id" "tgw_dst_az_id" 6 Text "Availability zone id of the destination.";
    TgwPairAttachmentId "tgw-pair-attachment-id" "tgw_pair_attachment_id" 6 Text "The other attachment that the flow passes.";
    PacketsLostNoRoute "packets-lost-no-route" "packets_lost_no_route" 6 U64 "Packets lost for want of a route.";
    PacketsLostBlackhole "packets-lost-blackhole" "packets_lost_blackhole" 6 U64 "Packets lost to a route that leads nowhere.";
    PacketsLostMtuExceeded "packets-lost-mtu-exceeded" "packets_lost_mtu_exceeded" 6 U64 "Packets lost because they were too large.";
    PacketsLostTtlExpired "packets-lost-ttl-expired" "packets_lost_ttl_expired" 6 U64 "Packets lost because their time to live ran out.";
}

/// What a flow log records. Both kinds see the same traffic at different places, so their records are never mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogKind {
    /// Traffic of network interfaces.
    Vpc,
    /// Traffic that passes the attachments of a transit gateway.
    TransitGateway,
}

impl Field {
    /// Position in [`Field::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The only kind of log that has the field; `None` if both have it.
    pub const fn only_in(self) -> Option<LogKind> {
        use Field::*;
        match self {
            Version | AccountId | SrcAddr | DstAddr | SrcPort | DstPort | Protocol | Packets
            | Bytes | Start | End | LogStatus | TcpFlags | Type | Region | PktSrcAwsService
            | PktDstAwsService | FlowDirection => None,
            _ if self.index() >= ResourceType.index() => Some(LogKind::TransitGateway),
            _ => Some(LogKind::Vpc),
        }
    }
}

impl LogKind {
    /// The kind of a log with these fields: of a transit gateway if it has a field that only such logs have.
    ///
    /// # Errors
    /// [`Error::MixedKinds`] names a field that only the one has beside one that only the other has.
    pub(crate) fn of(fields: &[Field]) -> Result<Self, Error> {
        let only = |kind| {
            fields
                .iter()
                .copied()
                .find(|field| field.only_in() == Some(kind))
        };
        match (only(Self::Vpc), only(Self::TransitGateway)) {
            (Some(vpc), Some(gateway)) => Err(Error::MixedKinds { vpc, gateway }),
            (None, Some(_)) => Ok(Self::TransitGateway),
            (_, None) => Ok(Self::Vpc),
        }
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
