use serde_json::Value;

use super::*;
use crate::samples::{HOSTILE, beacon, filled, theft};
use crate::{Family, Severity, finding_id, group};

fn options() -> AsffOptions {
    AsffOptions {
        at: Timestamp(1_790_985_600),
        ..AsffOptions::default()
    }
}

fn importing() -> AsffOptions {
    AsffOptions {
        account_id: Some("111122223333".to_owned()),
        region: Some("us-gov-west-1".to_owned()),
        ..options()
    }
}

fn batches(findings: Vec<Finding>, options: &AsffOptions) -> Vec<String> {
    let (incidents, findings) = group(findings);
    asff_batches(&incidents, &findings, options).unwrap()
}

fn only(findings: Vec<Finding>, options: &AsffOptions) -> Value {
    let batches = batches(findings, options);
    assert_eq!(batches.len(), 1);
    let mut batch: Vec<Value> = serde_json::from_str(&batches[0]).unwrap();
    assert_eq!(batch.len(), 1);
    batch.remove(0)
}

/// The longest that a text at a path may be; `*` stands for any name. What is not here has no text of others.
const LIMITS: &[(&str, usize)] = &[
    ("SchemaVersion", 10),
    ("Id", 512),
    ("ProductArn", 2_048),
    ("ProductName", 128),
    ("CompanyName", 128),
    ("GeneratorId", 512),
    ("AwsAccountId", 12),
    ("CreatedAt", 30),
    ("UpdatedAt", 30),
    ("FirstObservedAt", 30),
    ("LastObservedAt", 30),
    ("FindingProviderFields.Types", 256),
    ("FindingProviderFields.Severity.*", 16),
    ("Title", 256),
    ("Description", 1_024),
    ("Resources.Id", 512),
    ("Resources.Tags.*", 256),
    ("Resources.*", 256),
    ("Resources.Details.*.*", 256),
    ("Resources.Details.*.SecurityGroups.*", 256),
    ("Network.*", 256),
    ("Action.*", 32),
    ("Action.NetworkConnectionAction.*.*.*", 256),
    ("ProductFields.*", 2_048),
    ("RecordState", 8),
];

fn limit(path: &str) -> Option<usize> {
    let names: Vec<&str> = path.split('.').collect();
    let fits = |of: &str| {
        let of: Vec<&str> = of.split('.').collect();
        of.len() == names.len() && of.iter().zip(&names).all(|(a, b)| *a == "*" || a == b)
    };
    LIMITS.iter().find(|(of, _)| fits(of)).map(|(_, max)| *max)
}

/// Checks every text and list of a finding by what `BatchImportFindings` takes.
fn check(value: &Value, path: &str) {
    match value {
        Value::String(text) => {
            let max = limit(path).or(path.starts_with("Action.").then_some(256));
            let max = max.unwrap_or_else(|| panic!("no limit of {path}"));
            assert!(text.encode_utf16().count() <= max, "{path}: {text}");
            assert!(!text.trim().is_empty(), "{path} is blank");
            assert!(!text.contains(char::is_control), "{path}: {text:?}");
        }
        Value::Array(items) => {
            assert!(!items.is_empty(), "{path} is empty");
            items.iter().for_each(|item| check(item, path));
        }
        Value::Object(object) => {
            for (name, value) in object {
                // Names of fields and tags are texts of others, and may hold dots.
                let is_free = path == "ProductFields" || path == "Resources.Tags";
                let name = if is_free { "name" } else { name };
                let own = [path, name].join(".");
                check(value, own.trim_start_matches('.'));
            }
        }
        Value::Null => panic!("{path} is null"),
        Value::Bool(_) | Value::Number(_) => {}
    }
}

const REQUIRED: &[&str] = &[
    "SchemaVersion",
    "Id",
    "ProductArn",
    "GeneratorId",
    "AwsAccountId",
    "CreatedAt",
    "UpdatedAt",
    "Title",
    "Description",
    "Resources",
    "FindingProviderFields",
];

#[track_caller]
fn validate(finding: &Value) {
    for name in REQUIRED {
        assert!(finding.get(*name).is_some(), "{name} is required");
    }
    check(finding, "");
    assert!(finding.to_string().len() <= ASFF_FINDING_BYTES_MAX);
    assert_eq!(finding["SchemaVersion"], "2018-10-08");
    let own = &finding["FindingProviderFields"];
    let labels = ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"];
    assert!(labels.contains(&own["Severity"]["Label"].as_str().unwrap()));
    let types = own["Types"].as_array().unwrap();
    assert!((1..=50).contains(&types.len()));
    const NAMESPACES: [&str; 4] = [
        "Effects",
        "TTPs",
        "Unusual Behaviors",
        "Software and Configuration Checks",
    ];
    for of in types {
        let parts: Vec<&str> = of.as_str().unwrap().split('/').collect();
        assert!(parts.len() == 3 && NAMESPACES.contains(&parts[0]), "{of}");
    }
    let resources = finding["Resources"].as_array().unwrap();
    assert!((1..=32).contains(&resources.len()));
    for resource in resources {
        let tags = resource.get("Tags").and_then(Value::as_object);
        let keys = tags.into_iter().flat_map(|tags| tags.keys());
        assert!(keys.clone().count() <= 50);
        assert!(
            keys.into_iter()
                .all(|key| key.encode_utf16().count() <= 128)
        );
    }
    let fields = finding["ProductFields"].as_object().unwrap();
    assert!((1..=50).contains(&fields.len()));
    assert!(fields.keys().all(|key| key.len() <= 128));
}

#[test]
fn an_incident_is_a_finding_of_security_hub() {
    insta::assert_snapshot!(batches(vec![theft(), beacon()], &options()).join("\n"), @r#"[{"SchemaVersion":"2018-10-08","Id":"inc-082c3e4497f0f0fd","ProductArn":"arn:aws:securityhub:eu-central-1:123456789012:product/123456789012/default","ProductName":"Outflow","CompanyName":"Outflow","GeneratorId":"outflow/volume.ledger","AwsAccountId":"123456789012","CreatedAt":"2026-10-01T00:00:00Z","UpdatedAt":"2026-10-03T00:00:00Z","FirstObservedAt":"2026-10-01T00:00:00Z","LastObservedAt":"2026-10-02T00:00:00Z","FindingProviderFields":{"Severity":{"Label":"CRITICAL","Original":"critical"},"Types":["Effects/Data Exfiltration/volume.ledger","TTPs/Command and Control/beacon"],"Confidence":99},"Title":"48.2 GB to a network never sent to before (+1 more)","Description":"2026-10-01: 47.0 GB of payload within 24 hours is explained by nothing known; 60 seconds, against 0.5","Resources":[{"Type":"AwsEc2Instance","Id":"arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0","Partition":"aws","Region":"eu-central-1","ResourceRole":"Actor","Tags":{"app":"payments"},"Details":{"AwsEc2Instance":{"VpcId":"vpc-0f00ba11","SubnetId":"subnet-1"}}},{"Type":"AwsEc2NetworkInterface","Id":"arn:aws:ec2:eu-central-1:123456789012:network-interface/eni-0123456789abcdef0","Partition":"aws","Region":"eu-central-1","ResourceRole":"Actor","Tags":{"app":"payments"},"Details":{"AwsEc2NetworkInterface":{"NetworkInterfaceId":"eni-0123456789abcdef0","SecurityGroups":[{"GroupName":"web","GroupId":"sg-1"}]}}},{"Type":"Other","Id":"asg/payments-api","Partition":"aws","Region":"eu-central-1","ResourceRole":"Actor","Tags":{"app":"payments"}}],"Network":{"Direction":"OUT","DestinationIpV4":"198.51.100.7","DestinationDomain":"drop.example.net"},"Action":{"ActionType":"NETWORK_CONNECTION","NetworkConnectionAction":{"ConnectionDirection":"OUTBOUND","RemoteIpDetails":{"IpAddressV4":"198.51.100.7","Organization":{"Asn":64500,"AsnOrg":"Example Transit"},"Country":{"CountryCode":"NL"}},"Blocked":false}},"ProductFields":{"outflow/AccountId":"123456789012","outflow/Attack":"T1048.003 T1567","outflow/Bits":"12.5","outflow/Bytes":"48200000000","outflow/CoverageShare":"0.985","outflow/Destination/Country":"NL","outflow/Destination/Databases":"GeoLite2-City of 2026-09-15","outflow/Destination/Group":"198.51.100.0/24","outflow/Destination/KnownTo":"known to 1 of 31 workloads, since 2026-10-01T08:30:00Z","outflow/Evidence/1":"s3://logs/1.gz sha256=00ff rows=410","outflow/Family":"volume.ledger","outflow/Findings":"2","outflow/Flows":"410","outflow/Packets":"33000000","outflow/Parameters":"0.1.0 00ff","outflow/Paths":"internet-gateway","outflow/PayloadBytes":"47000000000","outflow/RateBits":"9","outflow/Region":"eu-central-1","outflow/Risk":"96","outflow/RiskParts":"bound 49 + volume 27 + direction 15 + families 5","outflow/Sql/1":"SELECT 1","outflow/Stages":"command-and-control, exfiltration","outflow/VpcId":"vpc-0f00ba11","outflow/Why/1":"2026-10-01: 47.0 GB of payload within 24 hours is explained by nothing known","outflow/Why/2":"60 seconds, against 0.5","outflow/Workload":"asg/payments-api"},"RecordState":"ACTIVE"}]"#);
}

#[test]
fn findings_keep_the_rules() {
    validate(&only(vec![theft(), beacon()], &options()));
    validate(&only(vec![beacon()], &options()));
}

#[test]
fn every_family_and_severity_is_taken_even_if_nothing_else_is_known() {
    for family in Family::ALL {
        let finding = only(vec![Finding::new(*family)], &importing());
        validate(&finding);
        assert_eq!(finding["Resources"][0]["Type"], "AwsAccount");
    }
    for severity in Severity::ALL {
        let finding = only(
            vec![Finding {
                severity,
                ..theft()
            }],
            &options(),
        );
        validate(&finding);
        let own = &finding["FindingProviderFields"]["Severity"];
        assert_eq!(own["Label"], severity.name().to_uppercase());
        assert_eq!(own["Original"], severity.name());
    }
}

#[test]
fn what_nobody_names_is_an_error_that_names_it() {
    let unnamed = |finding: Finding, options: &AsffOptions| {
        let (incidents, findings) = group(vec![finding]);
        let error = asff_batches(&incidents, &findings, options).unwrap_err();
        error.to_string().replace(&incidents[0].body.id, "ID")
    };
    let no_account = Finding {
        account_id: Some("12".to_owned()),
        ..theft()
    };
    assert_eq!(
        unnamed(no_account, &options()),
        "incident `ID` names no account"
    );
    let no_region = Finding {
        region: None,
        ..theft()
    };
    assert_eq!(
        unnamed(no_region, &options()),
        "incident `ID` names no region"
    );
}

#[test]
fn the_importer_is_who_is_named_and_the_resource_stays_where_it_is() {
    let finding = only(vec![theft()], &importing());
    validate(&finding);
    assert_eq!(finding["AwsAccountId"], "111122223333");
    assert_eq!(
        finding["ProductArn"],
        "arn:aws-us-gov:securityhub:us-gov-west-1:111122223333:product/111122223333/default"
    );
    assert_eq!(
        finding["Resources"][0]["Id"],
        "arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0"
    );
    let own = AsffOptions {
        product_arn: Some("arn:aws:securityhub:eu-central-1::product/a/b".to_owned()),
        ..options()
    };
    let finding = only(vec![theft()], &own);
    assert_eq!(
        finding["ProductArn"],
        "arn:aws:securityhub:eu-central-1::product/a/b"
    );
}

#[test]
fn nothing_is_created_after_it_was_updated() {
    let early = AsffOptions {
        at: Timestamp(0),
        ..options()
    };
    let finding = only(vec![theft()], &early);
    assert_eq!(finding["CreatedAt"], finding["UpdatedAt"]);
    let finding = only(vec![theft()], &options());
    assert_eq!(finding["CreatedAt"], "2026-10-01T08:30:00Z");
}

#[test]
fn hostile_texts_stay_texts_within_the_limits() {
    for text in HOSTILE {
        for repeated in [1, 50, 300] {
            for batch in batches(vec![filled(text, repeated)], &importing()) {
                assert!(batch.chars().all(|c| !crate::escape::acts(c)));
                let findings: Vec<Value> = serde_json::from_str(&batch).unwrap();
                findings.iter().for_each(validate);
            }
        }
    }
}

#[test]
fn the_least_detail_fits_whatever_the_texts_are() {
    // Three bytes or, as it would act on a terminal, twelve: what takes most of each character.
    for text in ["\u{e0001}", "\u{ffa0}", "\u{4e00}", "\\"] {
        let (incidents, findings) = group(vec![filled(text, 5_000)]);
        let own: Vec<&Finding> = findings.iter().collect();
        let options = importing();
        let importer = Importer::of(&incidents[0], &options).unwrap();
        let least = DETAILS[DETAILS.len() - 1];
        let finding = AwsSecurityFinding::new(&incidents[0], &own, (&importer, &options), least);
        assert!(line(&finding).len() <= ASFF_FINDING_BYTES_MAX, "{text:?}");
    }
}

#[test]
fn what_is_left_out_is_said() {
    let many = (0..100).map(|at| Finding {
        id: finding_id(&[&at.to_string()]),
        interface_id: Some(format!("eni-{at}")),
        ..theft()
    });
    let finding = only(many.collect(), &options());
    validate(&finding);
    assert_eq!(finding["Resources"].as_array().unwrap().len(), 32);
    assert_eq!(
        finding["ProductFields"]["outflow/LeftOut"],
        "resources, queries"
    );
    let whole = only(vec![theft()], &options());
    assert!(whole["ProductFields"].get("outflow/LeftOut").is_none());
    assert_eq!(whole["ProductFields"]["outflow/Sql/1"], "SELECT 1");
}

#[test]
fn batches_hold_as_much_as_a_call_takes_and_one_importer_each() {
    let apart = |at: usize, account: &str| Finding {
        id: finding_id(&[&at.to_string(), account]),
        account_id: Some(account.to_owned()),
        interface_id: Some(format!("eni-{at}")),
        workload: None,
        severity: Severity::Low,
        sender: crate::Sender::default(),
        ..theft()
    };
    let sizes = |findings: Vec<Finding>| -> Vec<usize> {
        let batches = batches(findings, &options());
        let read = batches.iter().map(|batch| {
            assert!(batch.len() <= ASFF_BATCH_BYTES_MAX);
            let findings: Vec<Value> = serde_json::from_str(batch).unwrap();
            findings.iter().for_each(validate);
            let own = &findings[0]["AwsAccountId"];
            assert!(findings.iter().all(|of| of["AwsAccountId"] == *own));
            findings.len()
        });
        read.collect()
    };
    let many = (0..250).map(|at| apart(at, "111122223333"));
    let other = (0..3).map(|at| apart(at, "444455556666"));
    assert_eq!(sizes(many.chain(other).collect()), [100, 100, 50, 3]);
    assert_eq!(sizes(Vec::new()), [0_usize; 0]);
}

#[test]
fn a_batch_of_large_findings_is_parted() {
    let large = vec!["x".repeat(ASFF_FINDING_BYTES_MAX); 60];
    let sizes: Vec<usize> = super::batches(large).iter().map(String::len).collect();
    assert_eq!(sizes.len(), 3);
    assert!(
        sizes.iter().all(|size| *size <= ASFF_BATCH_BYTES_MAX),
        "{sizes:?}"
    );
}

#[test]
fn texts_are_cut_by_the_characters_that_java_counts() {
    assert_eq!(text("abc", 3).as_deref(), Some("abc"));
    assert_eq!(text("abcd", 3).as_deref(), Some("ab…"));
    assert_eq!(text("\u{1f4a9}\u{1f4a9}", 3).as_deref(), Some("\u{1f4a9}…"));
    assert_eq!(text("a\nb\u{0}", 9).as_deref(), Some("a b"));
    assert_eq!(text(" \n ", 9), None);
}
