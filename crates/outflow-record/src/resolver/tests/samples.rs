//! Resolver query logs that others published. They are not in the repository; without them the tests say so.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::*;

const AWS: &str = "awsdocs__amazon-route53-docs/derived/resolver-query-log.jsonl";
const OCSF: &str =
    "aws-samples__amazon-security-lake-ocsf-validation/samples/1.0.0-rc.2/ROUTE53/inputs";
const PANTHER: &str = "panther-labs__panther-analysis/derived/vpc_dns_resolver.jsonl";

fn fixtures() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let there = folder.canonicalize().ok();
    if there.is_none() {
        eprintln!("skipped: there is no folder ../shared/fixtures beside the workspace");
    }
    there
}

#[test]
fn the_sample_of_the_documentation_is_a_query() {
    let Some(folder) = fixtures() else { return };
    let text = fs::read(folder.join(AWS)).unwrap();
    assert!(is_resolver_query_log(&text));
    let found = decode(&text, &[7]);
    assert_eq!(
        (found.rows.len(), found.rejects.len(), found.unknown_keys),
        (1, 0, 0)
    );
    assert_eq!(found.rows[0].query_name, "15.3.4.32.in-addr.arpa");
}

#[test]
fn the_samples_of_security_lake_are_queries() {
    let Some(folder) = fixtures() else { return };
    for number in 0..4 {
        let stored = fs::read(
            folder
                .join(OCSF)
                .join(format!("route53-inputs{number}.json.gz")),
        )
        .unwrap();
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(&stored[..])
            .read_to_end(&mut text)
            .unwrap();
        assert!(is_resolver_query_log(&text));
        let found = decode(&text, &[100]);
        assert_eq!(
            (found.rows.len(), found.rejects.len(), found.unknown_keys),
            (1, 0, 0)
        );
    }
}

#[test]
fn the_records_within_the_samples_of_panther_are_queries() {
    let Some(folder) = fixtures() else { return };
    let text = fs::read_to_string(folder.join(PANTHER)).unwrap();
    assert!(
        !is_resolver_query_log(text.as_bytes()),
        "each is within an envelope"
    );
    let found = decode(text.as_bytes(), &[]);
    let lines = text.lines().count();
    assert_eq!(
        (found.rows.len(), found.rejects.len()),
        (0, lines),
        "none is lost"
    );
    for line in text.lines() {
        let envelope: Value = serde_json::from_str(line).unwrap();
        let record = &envelope["record"];
        let found = decode(record.to_string().as_bytes(), &[]);
        if record["class_name"] == "DNS Activity" {
            // A record that was translated to OCSF.
            assert_eq!(found.reasons(), ["missing:query_timestamp"]);
        } else {
            assert_eq!((found.rows.len(), found.unknown_keys), (1, 1), "{found:?}");
        }
    }
}
