use super::*;

const CONNECTION: &str = r#"{"schemaVersion":"2.0","accountId":"1","region":"eu-west-1","id":"a","type":"Trojan:EC2/DropPoint","severity":8,"title":"T","createdAt":"2026-10-02T08:00:00.000Z","updatedAt":"2026-10-02T09:00:00.000Z","resource":{"resourceType":"Instance","instanceDetails":{"instanceId":"i-1","networkInterfaces":[{"networkInterfaceId":"eni-1","privateIpAddress":"10.0.0.1","vpcId":"vpc-1","ipv6Addresses":[]}]}},"service":{"resourceRole":"ACTOR","archived":false,"count":3,"eventFirstSeen":"2026-10-02T07:50:00Z","eventLastSeen":"2026-10-02T08:50:00Z","additionalInfo":{"value":"{}","type":"default"},"action":{"actionType":"NETWORK_CONNECTION","networkConnectionAction":{"connectionDirection":"OUTBOUND","protocol":"TCP","blocked":false,"localPortDetails":{"port":40000},"remotePortDetails":{"port":443},"localNetworkInterface":"eni-2","remoteIpDetails":{"ipAddressV4":"203.0.113.9","organization":{"asn":"-1","asnOrg":"Example"},"country":{"countryName":"Nowhere"}}}}}}"#;

fn read(json: &str) -> GuardDutyRecords {
    let mut records = GuardDutyRecords::default();
    records.add("x", json.as_bytes());
    records
}

fn upper(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let raised = object.into_iter().map(|(key, value)| {
                let (first, rest) = key.split_at(1);
                (first.to_ascii_uppercase() + rest, upper(value))
            });
            Value::Object(raised.collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(upper).collect()),
        other => other,
    }
}

#[test]
fn a_connection_has_both_its_sides_whichever_form_it_comes_in() {
    let exported = read(CONNECTION);
    let record = exported.iter().next().unwrap();
    assert_eq!((record.severity, record.count), (8.0, Some(3)));
    let interfaces: Vec<&str> = record.interface_ids.iter().map(String::as_str).collect();
    assert_eq!(interfaces, ["eni-1", "eni-2"]);
    assert_eq!(record.instance_id.as_deref(), Some("i-1"));
    assert_eq!(record.direction.as_deref(), Some("OUTBOUND"));
    assert_eq!(
        (record.local_port, record.remote_port),
        (Some(40_000), Some(443))
    );
    assert!(
        record
            .remote_addrs
            .contains(&"203.0.113.9".parse().unwrap())
    );
    assert!(record.private_addrs.contains(&"10.0.0.1".parse().unwrap()));
    assert_eq!(record.remote_org.as_deref(), Some("Example"));
    assert_eq!(record.first_seen, "2026-10-02T07:50:00Z".parse().ok());
    assert_eq!((record.blocked, record.archived), (Some(false), false));

    let answered = upper(serde_json::from_str(CONNECTION).unwrap());
    let answered = serde_json::to_string_pretty(&serde_json::json!({ "Findings": [answered] }));
    let answered = read(&answered.unwrap());
    assert_eq!(answered.iter().next(), Some(record));
    let event = format!(r#"{{"detail-type":"GuardDuty Finding","detail":{CONNECTION}}}"#);
    assert_eq!(read(&event).iter().next(), Some(record));
}

#[test]
fn what_is_no_finding_is_counted_and_the_rest_is_kept() {
    let cut = &CONNECTION[..200];
    let bare = r#"{"id":"b","accountId":"1"}"#;
    let lines = format!("{cut}\n{CONNECTION}\n\n{bare}\n[1]\nnot json at all\n");
    let records = read(&lines);
    assert_eq!((records.iter().count(), records.damaged()), (1, 4));
    let lines: Vec<usize> = records.damage().iter().map(|of| of.line).collect();
    assert_eq!(lines, [1, 4, 5, 6]);
    assert!(
        records.damage()[1].what.contains("/type"),
        "{:?}",
        records.damage()
    );
    let many = read(&"x\n".repeat(50));
    assert_eq!(
        (many.damaged(), many.damage().len()),
        (50, GUARDDUTY_DAMAGE_TOLD_MAX)
    );
}

#[test]
fn the_last_change_stays_and_samples_are_left_out() {
    let newer = CONNECTION
        .replace("T09:00:00.000Z", "T12:00:00.000Z")
        .replace(r#""count":3"#, r#""count":9"#);
    let sample = CONNECTION.replace(r#""value":"{}""#, r#""value":"{\"sample\": true}""#);
    for lines in [
        [CONNECTION, newer.as_str(), sample.as_str()],
        [sample.as_str(), newer.as_str(), CONNECTION],
    ] {
        let records = read(&lines.join("\n"));
        let counts: Vec<_> = records.iter().map(|of| of.count).collect();
        assert_eq!((counts, records.samples()), (vec![Some(9)], 1));
    }
}
