use std::collections::BTreeMap;

use super::*;
use crate::fixtures::{fixture, folder};

const DATA: &str = "maxmind__MaxMind-DB/test-data";

fn addr(text: &str) -> Addr {
    text.parse().unwrap()
}

fn databases(names: &[&str]) -> Option<GeoDatabases> {
    let mut databases = GeoDatabases::default();
    for name in names {
        databases.add(fixture(&format!("{DATA}/{name}"))?).unwrap();
    }
    Some(databases)
}

/// A record as a database would hand it out, but written as JSON.
fn geo(json: &str) -> Geo<'_> {
    serde_json::from_str::<Shape<'_>>(json).unwrap().geo()
}

#[test]
fn every_publishers_shape_is_read() {
    let lite = r#"{"country": "Australia", "country_code": "AU", "continent": "Oceania",
                   "asn": "AS13335", "as_name": "Cloudflare, Inc.", "as_domain": "cloudflare.com"}"#;
    let sample =
        r#"{"country": "SG", "country_name": "Singapore", "asn": "AS32787", "as_name": "Akamai"}"#;
    let place = r#"{"country": "SG", "city": "Singapore", "latitude": "1.28967"}"#;
    let dbip = r#"{"country": {"iso_code": "DE", "names": {"en": "Germany"}}, "continent": {"code": "EU"}}"#;
    let asn = r#"{"autonomous_system_number": 1221, "autonomous_system_organization": "Telstra"}"#;
    let said = |json| {
        let geo = geo(json);
        let text = |text: Option<&'static str>| text.unwrap_or("-");
        let number = geo.asn.map_or("-".to_owned(), |asn| asn.to_string());
        format!(
            "{} {} {number} {}",
            text(geo.country_code),
            text(geo.country_name),
            text(geo.org)
        )
    };
    assert_eq!(said(lite), "AU Australia 13335 Cloudflare, Inc.");
    assert_eq!(said(sample), "SG Singapore 32787 Akamai");
    assert_eq!(said(place), "SG - - -");
    assert_eq!(said(dbip), "DE Germany - -");
    assert_eq!(said(asn), "- - 1221 Telstra");
}

#[test]
fn what_has_another_shape_tells_nothing() {
    for json in [
        "{}",
        r#"{"country": ["SE"], "asn": -1, "as_name": 7.5}"#,
        r#"{"country": "Sweden", "country_code": "", "country_name": "Sweden"}"#,
        r#"{"country": {"names": {"en": "Nowhere"}}, "asn": "AS", "as_name": ""}"#,
    ] {
        assert_eq!(geo(json), Geo::default(), "{json}");
    }
    let registered = geo(r#"{"registered_country": {"iso_code": "AU"}}"#);
    assert_eq!(registered.country_code, None);
    assert_eq!(registered.registered_country_code, Some("AU"));
}

#[test]
fn known_networks_are_found() {
    let Some(all) = databases(&["GeoLite2-Country-Test.mmdb", "GeoLite2-ASN-Test.mmdb"]) else {
        return;
    };
    let country = |text| all.lookup(addr(text)).country_code;
    assert_eq!(country("81.2.69.142"), Some("GB"));
    assert_eq!(country("89.160.20.112"), Some("SE"));
    assert_eq!(country("2001:218::1"), Some("JP"));
    assert_eq!(country("64:ff9b::81.2.69.142"), Some("GB"));
    assert_eq!(
        all.lookup(addr("81.2.69.142")).country_name,
        Some("United Kingdom")
    );
    assert_eq!(all.lookup(addr("2600:6000::1")).asn, Some(237));
    let telstra = all.lookup(addr("1.128.0.0"));
    assert_eq!(
        (telstra.asn, telstra.org),
        (Some(1221), Some("Telstra Pty Ltd"))
    );
    assert_eq!(all.lookup(addr("10.0.0.1")), Geo::default());
    let sources: Vec<&str> = all.sources().map(|(name, _)| name).collect();
    assert_eq!(sources, ["GeoLite2-Country", "GeoLite2-ASN"]);
}

#[test]
fn every_network_of_the_source_is_found() {
    let (Some(all), Some(source)) = (
        databases(&["GeoLite2-ASN-Test.mmdb"]),
        fixture("maxmind__MaxMind-DB/source-data/GeoLite2-ASN-Test.json"),
    ) else {
        return;
    };
    let source: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_slice(&source).unwrap();
    let mut seen = 0;
    for (net, value) in source.iter().flatten() {
        let net: ipnet::IpNet = net.parse().unwrap();
        let geo = all.lookup(net.broadcast().into());
        let asn = value
            .get("autonomous_system_number")
            .and_then(|asn| asn.as_u64());
        assert_eq!(geo.asn.map(u64::from), asn, "{net}");
        let org = value.get("autonomous_system_organization");
        assert_eq!(geo.org, org.and_then(|org| org.as_str()), "{net}");
        seen += 1;
    }
    assert!(seen > 100);
}

#[test]
fn of_each_attribute_the_first_database_that_has_it_tells() {
    let mut first = geo(r#"{"country": "SG", "as_name": "Alone"}"#);
    first.fill(geo(
        r#"{"country": "DE", "country_name": "Germany", "asn": "AS7", "as_name": "Seven"}"#,
    ));
    assert_eq!(first.country_code, Some("SG"));
    assert_eq!(first.country_name, None, "Germany is no name of SG");
    assert_eq!((first.asn, first.org), (Some(7), Some("Seven")));
    first.fill(geo(
        r#"{"country": "SG", "country_name": "Singapore", "asn": "AS9"}"#,
    ));
    assert_eq!(
        (first.country_name, first.asn),
        (Some("Singapore"), Some(7))
    );
}

/// Every file of the folder, whole, cut and with bytes changed: an error or nothing, and an end.
#[test]
fn damaged_databases_are_refused_or_harmless() {
    let Some(folder) = folder(DATA) else {
        return;
    };
    let mut accepted = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let whole = std::fs::read(&path).unwrap();
        if try_out(whole.clone()) {
            accepted.push(name);
        }
        for part in 1..8 {
            try_out(whole[..whole.len() * part / 8].to_vec());
            try_out(whole[whole.len() * part / 8..].to_vec());
        }
        for seed in 0..60usize {
            let mut changed = whole.clone();
            for step in 1..=5usize {
                let at = (seed * 7_919 + step * 104_729) % changed.len();
                changed[at] ^= u8::try_from((seed * 31 + step * 17) % 255 + 1).unwrap();
            }
            try_out(changed);
        }
    }
    accepted.sort();
    assert_eq!(
        accepted,
        [
            "GeoIP2-Country-Test.mmdb",
            "GeoIP2-ISP-Test.mmdb",
            "GeoLite2-ASN-Test.mmdb",
            "GeoLite2-City-Test.mmdb",
            "GeoLite2-Country-Test.mmdb",
        ]
    );
}

/// Whether a database is accepted; if so, addresses from all over are looked up.
fn try_out(database: Vec<u8>) -> bool {
    let mut databases = GeoDatabases::default();
    if databases.add(database).is_err() {
        return false;
    }
    for step in 0..=255u8 {
        databases.lookup(Addr::from_v4([step, 160, 20, step]));
        let mut bytes = [step; 16];
        bytes[0] = 0x20;
        databases.lookup(Addr::from_bytes(bytes));
    }
    true
}

#[test]
fn what_is_wrong_with_a_database_is_said() {
    let said = |bytes: Vec<u8>| {
        let error = GeoDatabases::default().add(bytes).unwrap_err();
        error.to_string()
    };
    assert!(said(Vec::new()).starts_with("not a database of addresses: "));
    let Some(other) = fixture(&format!("{DATA}/GeoIP2-Anonymous-IP-Test.mmdb")) else {
        return;
    };
    assert_eq!(
        said(other),
        "not a database of addresses: `GeoIP2-Anonymous-IP` tells neither countries nor networks"
    );
}
