//! The shapes of EC2's answers, as its model has them: every member with its name on either side.

use super::shape::{Shape, object};

/// A VPC.
pub(super) const VPC: Shape = object! {
    ownerId, instanceTenancy, ipv6CidrBlockAssociationSet: [associationId, ipv6CidrBlock,
    ipv6CidrBlockState: {state, statusMessage}, networkBorderGroup, ipv6Pool,
    ipv6AddressAttribute, ipSource], cidrBlockAssociationSet: [associationId, cidrBlock,
    cidrBlockState: {state, statusMessage}], isDefault: bool, encryptionControl: {vpcId,
    vpcEncryptionControlId, mode, state, stateMessage, resourceExclusions: {internetGateway:
    {state, stateMessage}, egressOnlyInternetGateway: {state, stateMessage}, natGateway: {state,
    stateMessage}, virtualPrivateGateway: {state, stateMessage}, vpcPeering: {state,
    stateMessage}, lambda: {state, stateMessage}, vpcLattice: {state, stateMessage},
    elasticFileSystem: {state, stateMessage}, globalAccelerator: {state, stateMessage},
    apiGatewayV2: {state, stateMessage}}, tagSet as Tags: [key, value]}, tagSet as Tags: [key,
    value], blockPublicAccessStates: {internetGatewayBlockMode}, networkFirewallAssociationSet as
    NetworkFirewallAssociations: [firewallArn, firewallOnboardingStatus, firewallMode], vpcId,
    state, cidrBlock, dhcpOptionsId
};

/// A subnet.
pub(super) const SUBNET: Shape = object! {
    availabilityZoneId, enableLniAtDeviceIndex: int, mapCustomerOwnedIpOnLaunch: bool,
    customerOwnedIpv4Pool, ownerId, assignIpv6AddressOnCreation: bool,
    ipv6CidrBlockAssociationSet: [associationId, ipv6CidrBlock, ipv6CidrBlockState: {state,
    statusMessage}, ipv6AddressAttribute, ipSource], tagSet as Tags: [key, value], subnetArn,
    outpostArn, enableDns64: bool, ipv6Native: bool, privateDnsNameOptionsOnLaunch: {hostnameType,
    enableResourceNameDnsARecord: bool, enableResourceNameDnsAAAARecord: bool},
    blockPublicAccessStates: {internetGatewayBlockMode}, type, networkFirewallConnectivityType,
    subnetId, state, vpcId, cidrBlock, availableIpAddressCount: int, availabilityZone,
    defaultForAz: bool, mapPublicIpOnLaunch: bool
};

/// A security group.
pub(super) const SECURITY_GROUP: Shape = object! {
    groupId, ipPermissionsEgress: [ipProtocol, fromPort: int, toPort: int, groups as
    UserIdGroupPairs: [description, userId, groupName, groupId, vpcId, vpcPeeringConnectionId,
    peeringStatus], ipRanges: [description, cidrIp], ipv6Ranges: [description, cidrIpv6],
    prefixListIds: [description, prefixListId]], tagSet as Tags: [key, value], vpcId,
    securityGroupArn, ownerId, groupName, groupDescription as Description, ipPermissions:
    [ipProtocol, fromPort: int, toPort: int, groups as UserIdGroupPairs: [description, userId,
    groupName, groupId, vpcId, vpcPeeringConnectionId, peeringStatus], ipRanges: [description,
    cidrIp], ipv6Ranges: [description, cidrIpv6], prefixListIds: [description, prefixListId]]
};

/// A rule of a security group.
pub(super) const SECURITY_GROUP_RULE: Shape = object! {
    securityGroupRuleId, groupId, groupOwnerId, isEgress: bool, ipProtocol, fromPort: int, toPort:
    int, cidrIpv4, cidrIpv6, prefixListId, referencedGroupInfo: {groupId, peeringStatus, userId,
    vpcId, vpcPeeringConnectionId}, description, tagSet as Tags: [key, value],
    securityGroupRuleArn
};

/// A route table.
pub(super) const ROUTE_TABLE: Shape = object! {
    associationSet as Associations: [main: bool, routeTableAssociationId, routeTableId, subnetId,
    gatewayId, publicIpv4Pool, associationState: {state, statusMessage}], propagatingVgwSet as
    PropagatingVgws: [gatewayId], routeTableId, routeSet as Routes: [destinationCidrBlock,
    destinationIpv6CidrBlock, destinationPrefixListId, egressOnlyInternetGatewayId, gatewayId,
    instanceId, instanceOwnerId, natGatewayId, transitGatewayId, localGatewayId, carrierGatewayId,
    networkInterfaceId, origin, state, vpcPeeringConnectionId, coreNetworkArn, odbNetworkArn,
    ipAddress, igwFirewall: {firewallArn, status}], tagSet as Tags: [key, value], vpcId, ownerId
};

/// A NAT gateway.
pub(super) const NAT_GATEWAY: Shape = object! {
    createTime, deleteTime, failureCode, failureMessage, natGatewayAddressSet as
    NatGatewayAddresses: [allocationId, networkInterfaceId, privateIp, publicIp, associationId,
    isPrimary: bool, failureMessage, status, availabilityZone, availabilityZoneId], natGatewayId,
    provisionedBandwidth: {provisionTime, provisioned, requestTime, requested, status}, state,
    subnetId, vpcId, tagSet as Tags: [key, value], connectivityType, availabilityMode,
    autoScalingIps, autoProvisionZones, attachedApplianceSet as AttachedAppliances: [type,
    applianceArn, vpcEndpointId, attachmentState, modificationState, failureCode, failureMessage],
    routeTableId
};

/// An endpoint.
pub(super) const VPC_ENDPOINT: Shape = object! {
    vpcEndpointId, vpcEndpointType, vpcId, serviceName, state, policyDocument, routeTableIdSet as
    RouteTableIds: [], subnetIdSet as SubnetIds: [], groupSet as Groups: [groupId, groupName],
    ipAddressType, dnsOptions: {dnsRecordIpType, privateDnsOnlyForInboundResolverEndpoint: bool,
    privateDnsPreference, privateDnsSpecifiedDomainSet as PrivateDnsSpecifiedDomains: []},
    privateDnsEnabled: bool, requesterManaged: bool, networkInterfaceIdSet as NetworkInterfaceIds:
    [], dnsEntrySet as DnsEntries: [dnsName, hostedZoneId], creationTimestamp, tagSet as Tags:
    [key, value], ownerId, lastError: {message, code}, ipv4PrefixSet as Ipv4Prefixes: [subnetId,
    ipPrefixSet as IpPrefixes: []], ipv6PrefixSet as Ipv6Prefixes: [subnetId, ipPrefixSet as
    IpPrefixes: []], failureReason, serviceNetworkArn, resourceConfigurationArn, serviceRegion,
    payerResponsibilitySet as PayerResponsibilities: [scope, payerResponsibilityType]
};

/// A flow log.
pub(super) const FLOW_LOG: Shape = object! {
    creationTime, deliverLogsErrorMessage, deliverLogsPermissionArn, deliverCrossAccountRole,
    deliverLogsStatus, flowLogId, flowLogStatus, logGroupName, resourceId, trafficType,
    logDestinationType, logDestination, logFormat, tagSet as Tags: [key, value],
    maxAggregationInterval: int, destinationOptions: {fileFormat, hiveCompatiblePartitions: bool,
    perHourPartition: bool}, tagFieldSpecificationSet as TagFieldSpecifications: [resourceType,
    tagKeySet as TagKeys: []]
};

/// A prefix list that AWS keeps.
pub(super) const PREFIX_LIST: Shape = object! {
    cidrSet as Cidrs: [], prefixListId, prefixListName
};

/// A prefix list, whoever keeps it.
pub(super) const MANAGED_PREFIX_LIST: Shape = object! {
    prefixListId, addressFamily, state, stateMessage, prefixListArn, prefixListName, maxEntries:
    int, version: int, tagSet as Tags: [key, value], ownerId, ipamPrefixListResolverTargetId,
    ipamPrefixListResolverSyncEnabled: bool
};

/// An entry of a prefix list.
pub(super) const PREFIX_LIST_ENTRY: Shape = object! {
    cidr, description
};

/// A network interface.
pub(super) const NETWORK_INTERFACE: Shape = object! {
    association: {allocationId, associationId, ipOwnerId, publicDnsName, publicIp,
    customerOwnedIp, carrierIp}, attachment: {attachTime, attachmentId, deleteOnTermination: bool,
    deviceIndex: int, networkCardIndex: int, instanceId, instanceOwnerId, status,
    enaSrdSpecification: {enaSrdEnabled: bool, enaSrdUdpSpecification: {enaSrdUdpEnabled: bool}},
    enaQueueCount: int}, availabilityZone, connectionTrackingConfiguration:
    {tcpEstablishedTimeout: int, udpStreamTimeout: int, udpTimeout: int}, description, groupSet as
    Groups: [groupId, groupName], interfaceType, ipv6AddressesSet as Ipv6Addresses: [ipv6Address,
    publicIpv6DnsName, isPrimaryIpv6: bool], macAddress, networkInterfaceId, outpostArn, ownerId,
    privateDnsName, publicDnsName, publicIpDnsNameOptions: {dnsHostnameType, publicIpv4DnsName,
    publicIpv6DnsName, publicDualStackDnsName}, privateIpAddress, privateIpAddressesSet as
    PrivateIpAddresses: [association: {allocationId, associationId, ipOwnerId, publicDnsName,
    publicIp, customerOwnedIp, carrierIp}, primary: bool, privateDnsName, privateIpAddress],
    ipv4PrefixSet as Ipv4Prefixes: [ipv4Prefix], ipv6PrefixSet as Ipv6Prefixes: [ipv6Prefix],
    requesterId, requesterManaged: bool, sourceDestCheck: bool, status, subnetId, tagSet: [key,
    value], vpcId, denyAllIgwTraffic: bool, ipv6Native: bool, ipv6Address, operator: {managed:
    bool, principal, hiddenByDefault: bool}, associatedSubnetSet as AssociatedSubnets: [],
    availabilityZoneId
};

/// An internet gateway.
pub(super) const INTERNET_GATEWAY: Shape = object! {
    attachmentSet as Attachments: [state, vpcId], internetGatewayId, ownerId, tagSet as Tags:
    [key, value]
};

/// An internet gateway for IPv6 outwards.
pub(super) const EGRESS_ONLY_GATEWAY: Shape = object! {
    attachmentSet as Attachments: [state, vpcId], egressOnlyInternetGatewayId, tagSet as Tags:
    [key, value]
};

/// A network ACL.
pub(super) const NETWORK_ACL: Shape = object! {
    associationSet as Associations: [networkAclAssociationId, networkAclId, subnetId], entrySet as
    Entries: [cidrBlock, egress: bool, icmpTypeCode: {code: int, type: int}, ipv6CidrBlock,
    portRange: {from: int, to: int}, protocol, ruleAction, ruleNumber: int], default as IsDefault:
    bool, networkAclId, tagSet as Tags: [key, value], vpcId, ownerId
};

/// An attachment to a transit gateway.
pub(super) const TRANSIT_GATEWAY_ATTACHMENT: Shape = object! {
    transitGatewayAttachmentId, transitGatewayId, transitGatewayOwnerId, resourceOwnerId,
    resourceType, resourceId, state, association: {transitGatewayRouteTableId,
    transitGatewayPolicyTableId, state}, creationTime, tagSet as Tags: [key, value],
    natGatewaySupport
};

/// A reservation, with the instances that it made.
pub(super) const RESERVATION: Shape = object! {
    reservationId, ownerId, requesterId, groupSet as Groups: [groupId, groupName], instancesSet as
    Instances: [architecture, blockDeviceMapping as BlockDeviceMappings: [deviceName, ebs:
    {attachTime, deleteOnTermination: bool, status, volumeId, associatedResource, volumeOwnerId,
    operator: {managed: bool, principal, hiddenByDefault: bool}, ebsCardIndex: int}], clientToken,
    ebsOptimized: bool, enaSupport: bool, hypervisor, iamInstanceProfile: {arn, id},
    instanceLifecycle, elasticGpuAssociationSet as ElasticGpuAssociations: [elasticGpuId,
    elasticGpuAssociationId, elasticGpuAssociationState, elasticGpuAssociationTime],
    elasticInferenceAcceleratorAssociationSet as ElasticInferenceAcceleratorAssociations:
    [elasticInferenceAcceleratorArn, elasticInferenceAcceleratorAssociationId,
    elasticInferenceAcceleratorAssociationState, elasticInferenceAcceleratorAssociationTime],
    networkInterfaceSet as NetworkInterfaces: [association: {carrierIp, customerOwnedIp,
    ipOwnerId, publicDnsName, publicIp}, attachment: {attachTime, attachmentId,
    deleteOnTermination: bool, deviceIndex: int, status, networkCardIndex: int,
    enaSrdSpecification: {enaSrdEnabled: bool}, enaQueueCount: int}, description, groupSet as
    Groups: [groupId, groupName], ipv6AddressesSet as Ipv6Addresses: [ipv6Address, isPrimaryIpv6:
    bool], macAddress, networkInterfaceId, ownerId, privateDnsName, privateIpAddress,
    privateIpAddressesSet as PrivateIpAddresses: [primary: bool, privateDnsName,
    privateIpAddress], sourceDestCheck: bool, status, subnetId, vpcId, interfaceType,
    ipv4PrefixSet as Ipv4Prefixes: [ipv4Prefix], ipv6PrefixSet as Ipv6Prefixes: [ipv6Prefix],
    connectionTrackingConfiguration: {tcpEstablishedTimeout: int, udpStreamTimeout: int,
    udpTimeout: int}, operator: {managed: bool, principal, hiddenByDefault: bool}], outpostArn,
    rootDeviceName, rootDeviceType, groupSet as SecurityGroups: [groupId, groupName],
    sourceDestCheck: bool, spotInstanceRequestId, sriovNetSupport, stateReason: {code, message},
    tagSet as Tags: [key, value], virtualizationType, cpuOptions: {coreCount: int, threadsPerCore:
    int, amdSevSnp, nestedVirtualization}, capacityBlockId, capacityReservationId,
    capacityReservationSpecification: {capacityReservationPreference, capacityReservationTarget:
    {capacityReservationId, capacityReservationResourceGroupArn}}, hibernationOptions:
    {configured: bool}, licenseSet as Licenses: [licenseConfigurationArn], metadataOptions:
    {state, httpTokens, httpPutResponseHopLimit: int, httpEndpoint, httpProtocolIpv6,
    instanceMetadataTags}, enclaveOptions: {enabled: bool}, bootMode, platformDetails,
    usageOperation, usageOperationUpdateTime, privateDnsNameOptions: {hostnameType,
    enableResourceNameDnsARecord: bool, enableResourceNameDnsAAAARecord: bool}, ipv6Address,
    tpmSupport, maintenanceOptions: {autoRecovery, rebootMigration}, currentInstanceBootMode,
    networkPerformanceOptions: {bandwidthWeighting}, operator: {managed: bool, principal,
    hiddenByDefault: bool}, secondaryInterfaceSet as SecondaryInterfaces: [attachment:
    {attachTime, attachmentId, deleteOnTermination: bool, deviceIndex: int, status,
    networkCardIndex: int}, macAddress, secondaryInterfaceId, ownerId, privateIpAddressSet as
    PrivateIpAddresses: [privateIpAddress], sourceDestCheck: bool, status, secondarySubnetId,
    secondaryNetworkId, interfaceType], instanceId, imageId, instanceState as State: {code: int,
    name}, privateDnsName, dnsName as PublicDnsName, reason as StateTransitionReason, keyName,
    amiLaunchIndex: int, productCodes: [productCode as ProductCodeId, type as ProductCodeType],
    instanceType, launchTime, placement: {availabilityZoneId, affinity, groupName,
    partitionNumber: int, hostId, tenancy, spreadDomain, hostResourceGroupArn, groupId,
    availabilityZone}, kernelId, ramdiskId, platform, monitoring: {metricCategoryIdSet as
    MetricCategoryIds: [], state}, subnetId, vpcId, privateIpAddress, ipAddress as
    PublicIpAddress]
};
