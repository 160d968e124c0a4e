use super::*;
use crate::inventory::{InventoryBuilder, Place, Snapshot};

fn knowledge(documents: &[(i64, &str)]) -> Knowledge {
    let mut builder = InventoryBuilder::default();
    for (at, json) in documents {
        let snapshot = Snapshot {
            place: Place::default(),
            taken_at: Timestamp(*at),
        };
        builder.add("x", json.as_bytes(), &snapshot).unwrap();
    }
    Knowledge {
        inventory: Arc::new(builder.build().unwrap()),
        ..Knowledge::default()
    }
}

#[test]
fn a_lineage_holds_from_when_it_was_seen() {
    let interface = r#"{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "Attachment": {"InstanceId": "i-1"}}]}"#;
    let instance = |app: &str| {
        format!(
            r#"{{"Reservations": [{{"Instances": [{{"InstanceId": "i-1", "Tags": [{{"Key": "app", "Value": "{app}"}}]}}]}}]}}"#
        )
    };
    let knowledge = knowledge(&[
        (10, interface),
        (20, interface),
        (30, &instance("a")),
        (40, &instance("a")),
        (50, &instance("b")),
    ]);
    let lineages: Vec<(i64, String)> = knowledge
        .lineages("eni-1")
        .into_iter()
        .map(|(at, lineage)| (at.secs(), lineage.to_string()))
        .collect();
    // The instance was first seen later than the interface, and is taken to have been the same before.
    assert_eq!(
        lineages,
        [(10, "app=a".to_owned()), (50, "app=b".to_owned())]
    );
    assert!(knowledge.lineages("eni-2").is_empty());
}

#[test]
fn what_passes_on_is_told_by_its_kind_or_by_aws() {
    let knowledge = knowledge(&[(
        10,
        r#"{"NetworkInterfaces": [
            {"NetworkInterfaceId": "eni-nat", "InterfaceType": "natGateway"},
            {"NetworkInterfaceId": "eni-tgw", "InterfaceType": "transit_gateway"},
            {"NetworkInterfaceId": "eni-alb", "InterfaceType": "interface", "RequesterManaged": true,
             "Description": "ELB app/shop/1"},
            {"NetworkInterfaceId": "eni-false", "InterfaceType": "interface", "RequesterManaged": false,
             "Description": "ELB app/shop/1"},
            {"NetworkInterfaceId": "eni-fn", "InterfaceType": "lambda", "RequesterManaged": true},
            {"NetworkInterfaceId": "eni-1"}],
            "NatGateways": [{"NatGatewayId": "nat-1"}]}"#,
    )]);
    let passing = ["eni-nat", "eni-tgw", "eni-alb", "nat-1"];
    assert!(passing.iter().all(|id| knowledge.passes_on(id)));
    let others = ["eni-false", "eni-fn", "eni-1", "eni-2", ""];
    assert!(!others.iter().any(|id| knowledge.passes_on(id)));
}
