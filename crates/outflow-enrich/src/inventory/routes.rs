//! Which way the inventory says that a service is to be reached: endpoints of a VPC, and the route tables that lead to them.

use outflow_record::Timestamp;

use super::{Inventory, Known, RouteTable, VpcEndpoint, When};
use crate::ApiService;

/// An endpoint of a VPC for a service, and how a subnet stands to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEndpoint<'a> {
    /// The endpoint.
    pub endpoint: &'a VpcEndpoint,
    /// Whether that holds for the time asked for.
    pub when: When,
    /// When it was seen.
    pub seen_at: Timestamp,
}

impl ServiceEndpoint<'_> {
    /// Whether it is a gateway: then the service keeps its public addresses, and routes lead to it. All others have
    /// addresses inside.
    pub fn is_gateway(&self) -> bool {
        self.endpoint
            .vpc_endpoint_type
            .eq_ignore_ascii_case("Gateway")
    }

    /// Whether the routes of a table lead to it. Only a gateway needs any.
    pub fn is_routed(&self, table: &RouteTable) -> bool {
        let listed = &self.endpoint.route_table_ids;
        let by_route = table
            .routes
            .iter()
            .any(|route| route.gateway_id.as_ref() == Some(&self.endpoint.vpc_endpoint_id));
        by_route || listed.contains(&table.route_table_id)
    }
}

impl Inventory {
    /// The endpoint of a VPC that takes what is sent to a service, as of a time. A gateway goes before others, as public
    /// addresses lead to it; one that was gone by then, or does not work, is none.
    pub fn endpoint_for(
        &self,
        vpc_id: &str,
        service: &ApiService,
        at: Timestamp,
    ) -> Option<ServiceEndpoint<'_>> {
        let known = self.vpc_endpoints.iter(at).map(|(_, known)| known);
        let takes = |known: &Known<'_, VpcEndpoint>| {
            let endpoint = known.value;
            let stands =
                endpoint.state.is_empty() || endpoint.state.eq_ignore_ascii_case("available");
            let own = ApiService::of_endpoint(&endpoint.service_name);
            known.when != When::Gone
                && stands
                && endpoint.vpc_id == vpc_id
                && own.is_some_and(|own| service.is_served_by(&own))
        };
        let own = known.filter(takes).map(|known| ServiceEndpoint {
            endpoint: known.value,
            when: known.when,
            seen_at: known.seen_at,
        });
        own.min_by_key(|own| (!own.is_gateway(), &own.endpoint.vpc_endpoint_id))
    }

    /// The table that routes for a subnet as of a time: its own, or else the main one of the VPC.
    pub fn route_table(&self, vpc_id: &str, subnet_id: &str, at: Timestamp) -> Option<&RouteTable> {
        let known = self.route_tables.iter(at).map(|(_, known)| known);
        let tables = known.filter(|known| known.when != When::Gone && known.value.vpc_id == vpc_id);
        let mut main = None;
        for known in tables {
            for association in &known.value.associations {
                if association.subnet_id.as_deref() == Some(subnet_id) {
                    return Some(known.value);
                }
                if association.main {
                    main = Some(known.value);
                }
            }
        }
        main
    }
}

#[cfg(test)]
mod tests {
    use super::super::{InventoryBuilder, Place, Snapshot};
    use super::*;

    fn inventory() -> Inventory {
        let json = br#"{
            "VpcEndpoints": [
                {"VpcEndpointId": "vpce-gw", "VpcEndpointType": "Gateway", "VpcId": "vpc-1", "State": "available",
                 "ServiceName": "com.amazonaws.eu-central-1.s3", "RouteTableIds": ["rtb-own"]},
                {"VpcEndpointId": "vpce-if", "VpcEndpointType": "Interface", "VpcId": "vpc-1", "State": "available",
                 "ServiceName": "com.amazonaws.eu-central-1.s3"},
                {"VpcEndpointId": "vpce-kms", "VpcEndpointType": "Interface", "VpcId": "vpc-1", "State": "deleting",
                 "ServiceName": "com.amazonaws.eu-central-1.kms"}],
            "RouteTables": [
                {"RouteTableId": "rtb-own", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-1"}]},
                {"RouteTableId": "rtb-main", "VpcId": "vpc-1", "Associations": [{"Main": true}]}]}"#;
        let mut builder = InventoryBuilder::default();
        let snapshot = Snapshot {
            place: Place::default(),
            taken_at: Timestamp(1_000),
        };
        builder.add("x", json, &snapshot).unwrap();
        builder.build().unwrap()
    }

    fn service(name: &str) -> ApiService {
        ApiService::of_domain(&format!("{name}.amazonaws.com")).unwrap()
    }

    #[test]
    fn a_gateway_goes_before_others_and_what_does_not_stand_is_none() {
        let inventory = inventory();
        let of = |vpc: &str, name: &str| {
            let known = inventory.endpoint_for(vpc, &service(name), Timestamp(2_000));
            known.map(|known| known.endpoint.vpc_endpoint_id.clone())
        };
        assert_eq!(of("vpc-1", "s3.eu-central-1").as_deref(), Some("vpce-gw"));
        assert_eq!(of("vpc-1", "s3.us-east-1"), None);
        assert_eq!(of("vpc-1", "kms.eu-central-1"), None);
        assert_eq!(of("vpc-2", "s3.eu-central-1"), None);
    }

    #[test]
    fn a_subnet_without_a_table_uses_the_main_one() {
        let inventory = inventory();
        let at = Timestamp(2_000);
        let table = |subnet: &str| inventory.route_table("vpc-1", subnet, at).unwrap();
        let s3 = service("s3.eu-central-1");
        let endpoint = inventory.endpoint_for("vpc-1", &s3, at).unwrap();
        assert!(endpoint.is_routed(table("subnet-1")));
        assert_eq!(table("subnet-2").route_table_id, "rtb-main");
        assert!(!endpoint.is_routed(table("subnet-2")));
        assert!(inventory.route_table("vpc-2", "subnet-1", at).is_none());
    }
}
