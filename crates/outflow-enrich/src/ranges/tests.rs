use super::*;
use crate::fixtures::fixture;

fn listed(prefix: &str, service: &str, region: &str) -> String {
    let key = if prefix.contains(':') {
        "ipv6_prefix"
    } else {
        "ip_prefix"
    };
    format!(
        r#"{{"{key}":"{prefix}","region":"{region}","service":"{service}","network_border_group":"{region}"}}"#
    )
}

fn document(v4: &[String], v6: &[String]) -> String {
    let (v4, v6) = (v4.join(","), v6.join(","));
    format!(
        r#"{{"syncToken":"1","createDate":"2026-08-22-21-17-05","prefixes":[{v4}],"ipv6_prefixes":[{v6}]}}"#
    )
}

fn addr(text: &str) -> Addr {
    text.parse().unwrap()
}

#[test]
fn the_label_says_most_and_services_come_from_every_range_around() {
    let json = document(
        &[
            listed("3.0.0.0/9", "AMAZON", "GLOBAL"),
            listed("3.5.0.0/16", "S3", "eu-west-1"),
            listed("3.5.7.0/24", "EC2", "eu-west-2"),
            listed("3.5.7.0/24", "AMAZON", "eu-west-2"),
            listed("52.0.0.0/24", "EBS", "eu-west-1"),
            listed("52.0.0.0/24", "API_GATEWAY", "eu-west-1"),
            listed("54.0.0.0/8", "NEW_THING", "eusc-de-east-1"),
        ],
        &[listed("2a05::/32", "S3", "eu-west-1")],
    );
    let ranges = AwsRanges::from_json(json.as_bytes()).unwrap();
    let said = |text: &str| {
        let range = ranges.lookup(addr(text)).unwrap();
        let services: Vec<&str> = range.services.iter().map(|name| &**name).collect();
        format!("{} {} {}", range.service, range.region, services.join("+"))
    };
    assert_eq!(said("3.5.7.1"), "S3 eu-west-1 AMAZON+EC2+S3");
    assert_eq!(said("3.5.8.1"), "S3 eu-west-1 AMAZON+S3");
    assert_eq!(said("3.6.0.1"), "AMAZON GLOBAL AMAZON");
    assert_eq!(said("52.0.0.1"), "API_GATEWAY eu-west-1 API_GATEWAY+EBS");
    assert_eq!(said("54.1.1.1"), "NEW_THING eusc-de-east-1 NEW_THING");
    // Without an AMAZON twin, and behind NAT64.
    assert_eq!(said("2a05::1"), "S3 eu-west-1 S3");
    assert_eq!(said("64:ff9b::3.6.0.1"), "AMAZON GLOBAL AMAZON");
    assert!(ranges.lookup(addr("8.8.8.8")).is_none());
    assert_eq!((ranges.len(), ranges.is_empty()), (6, false));
}

#[test]
fn what_is_wrong_is_named() {
    let said = |json: &str| {
        AwsRanges::from_json(json.as_bytes())
            .unwrap_err()
            .to_string()
    };
    let good = document(&[listed("3.0.0.0/9", "S3", "x")], &[]);
    assert!(AwsRanges::from_json(good.as_bytes()).is_ok());
    let bad = document(
        &[
            listed("3.0.0.0/9", "S3", "x"),
            listed("3.0.0.0/33", "S3", "x"),
        ],
        &[],
    );
    assert_eq!(
        said(&bad),
        "not AWS's ip-ranges.json: prefixes[1]: `3.0.0.0/33` is no network"
    );
    let date = good.replace("2026-08-22-21-17-05", "2026-08-32-21-17-05");
    assert_eq!(
        said(&date),
        "not AWS's ip-ranges.json: createDate `2026-08-32-21-17-05` is no date"
    );
    let keyless = good.replace("\"region\"", "\"place\"");
    assert!(said(&keyless).contains("missing field `region`"));
    assert!(said("{}").contains("missing field `createDate`"));
    assert!(said("").contains("EOF"));
    assert!(said(&good[..good.len() - 3]).contains("line 1 column"));
    assert_eq!(
        said(&document(&[], &[])),
        "not AWS's ip-ranges.json: it lists no prefix"
    );
}

#[test]
fn the_published_list_is_read_as_a_scan_would() {
    let Some(json) = fixture("joetek__aws-ip-ranges-json/ip-ranges.json") else {
        return;
    };
    let ranges = AwsRanges::from_json(&json).unwrap();
    assert_eq!(ranges.created_at().to_string(), "2026-08-22T21:17:05Z");
    let document: Document = serde_json::from_slice(&json).unwrap();
    let all: Vec<(IpNet, &str)> = document
        .prefixes
        .iter()
        .chain(&document.ipv6_prefixes)
        .map(|range| (range.prefix.parse().unwrap(), &*range.service))
        .collect();
    assert!(all.len() > 16_000);
    let distinct: BTreeSet<IpNet> = all.iter().map(|(net, _)| *net).collect();
    assert_eq!(ranges.len(), distinct.len());
    for (net, _) in all.iter().step_by(37) {
        let ip = net.broadcast();
        let scan: BTreeSet<&str> = all
            .iter()
            .filter(|(net, _)| net.contains(&ip))
            .map(|(_, service)| *service)
            .collect();
        let range = ranges.lookup(ip.into()).unwrap();
        let found: BTreeSet<&str> = range.services.iter().map(|name| &**name).collect();
        assert_eq!(found, scan, "{ip}");
        assert!(scan.contains(&*range.service));
        let specific = scan.iter().any(|name| !["AMAZON", "EC2"].contains(name));
        assert_eq!(!["AMAZON", "EC2"].contains(&&*range.service), specific);
    }
}
