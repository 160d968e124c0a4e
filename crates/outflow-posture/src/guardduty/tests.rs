use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A finding as an export has it.
fn exported(id: &str, severity: f64, created: &str, updated: &str) -> String {
    format!(
        r#"{{"schemaVersion": "2.0", "id": "{id}", "accountId": "1", "region": "eu-west-1", "type": "Trojan:EC2/DropPoint",
        "severity": {severity}, "createdAt": "{created}", "updatedAt": "{updated}", "service": {{"archived": false,
        "additionalInfo": {{}}}}, "resource": {{"instanceDetails": {{"networkInterfaces": [{{"vpcId": "vpc-1"}}]}}}}}}"#
    )
    .replace('\n', " ")
}

#[test]
fn all_three_forms_are_read_alike() {
    let line = exported(
        "a",
        8.0,
        "2026-10-02T08:00:00.000Z",
        "2026-10-02 09:00:00.721",
    );
    let event =
        format!(r#"{{"version": "0", "detail-type": "GuardDuty Finding", "detail": {line}}}"#);
    let answer = r#"{"Findings": [{"SchemaVersion": "2.0", "Id": "a", "AccountId": "1", "Region": "eu-west-1",
        "Type": "Trojan:EC2/DropPoint", "Severity": 8, "CreatedAt": "2026-10-02T08:00:00.000Z",
        "UpdatedAt": "2026-10-02T09:00:00.000Z", "Service": {"Archived": false, "AdditionalInfo": {"Value": "{}"}},
        "Resource": {"InstanceDetails": {"NetworkInterfaces": [{"VpcId": "vpc-1"}]}}}]}"#;
    let read = |json: &str| {
        let mut own = GuardDuty::default();
        own.add("x", json.as_bytes()).unwrap();
        own.of("1").cloned().collect::<Vec<_>>()
    };
    let expected = read(&line);
    assert_eq!(expected[0].vpc_ids, ["vpc-1"]);
    assert_eq!(expected[0].updated_at, at("2026-10-02T09:00:00Z"));
    assert_eq!(read(&event), expected);
    assert_eq!(read(answer), expected);
    assert_eq!(read(&format!("[{line}]")), expected);
}

#[test]
fn the_last_change_stays_and_samples_are_left_out() {
    let first = exported("a", 5.0, "2026-10-02T08:00:00Z", "2026-10-02T08:00:00Z");
    let last = exported("a", 8.0, "2026-10-02T08:00:00Z", "2026-10-03T08:00:00Z");
    let sample = exported("b", 8.0, "2026-10-02T08:00:00Z", "2026-10-02T08:00:00Z");
    for flag in [r#"{"sample": true}"#, r#"{"value": "{\"sample\": true}"}"#] {
        let sample = sample.replace(
            r#""additionalInfo": {}"#,
            &format!(r#""additionalInfo": {flag}"#),
        );
        for lines in [[&first, &last, &sample], [&sample, &last, &first]] {
            let mut own = GuardDuty::default();
            own.add("x", lines.map(String::as_str).join("\n").as_bytes())
                .unwrap();
            let severities: Vec<f64> = own.of("1").map(|finding| finding.severity).collect();
            assert_eq!((severities, own.samples()), (vec![8.0], 1));
        }
    }
}

#[test]
fn what_is_no_finding_is_refused_by_its_line() {
    let line = exported("a", 8.0, "2026-10-02T08:00:00Z", "2026-10-02T08:00:00Z");
    for (bad, what) in [
        (r#"{"id": "b"}"#, "missing field"),
        ("{", "EOF"),
        ("7", "invalid type"),
        (
            &*line.replace("2026-10-02T08:00:00Z", "yesterday"),
            "`yesterday` is no time",
        ),
    ] {
        let mut own = GuardDuty::default();
        let error = own
            .add("x.jsonl", format!("{line}\n{bad}").as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("`x.jsonl`, line ") && error.contains(what),
            "{error}"
        );
        assert_eq!(own.of("1").count(), 1);
    }
}

#[test]
fn months_without_findings_are_there_and_the_current_one_is_no_trend() {
    let mut own = GuardDuty::default();
    for (id, severity, created) in [
        ("a", 7.0, "2026-07-31T23:59:59Z"),
        ("b", 8.0, "2026-09-01T00:00:00Z"),
        ("c", 9.0, "2026-09-30T00:00:00Z"),
        ("d", 6.9, "2026-09-30T00:00:00Z"),
        ("e", 9.0, "2026-10-02T00:00:00Z"),
        ("later", 9.0, "2026-12-02T00:00:00Z"),
    ] {
        own.add("x", exported(id, severity, created, created).as_bytes())
            .unwrap();
    }
    let until = at("2026-10-15T00:00:00Z");
    let months = own.months("1", until);
    let said: Vec<String> = months
        .iter()
        .map(|own| format!("{} {}", own.month, own.high))
        .collect();
    assert_eq!(said, ["2026-07 1", "2026-08 0", "2026-09 2", "2026-10 1"]);
    assert_eq!(Trend::of(&months), Trend::Rising);
    own.watch("1", "eu-west-1", Some(at("2026-06-01")));
    assert_eq!(own.months("1", until).len(), 5);
    assert!(own.months("2", until).is_empty() && !own.watches_any("2"));
}

#[test]
fn a_trend_compares_the_last_month_with_the_mean_before_it() {
    let trend = |highs: &[u64]| {
        let months: Vec<Month> = highs
            .iter()
            .map(|high| Month {
                month: String::new(),
                high: *high,
                whole: true,
            })
            .collect();
        Trend::of(&months)
    };
    assert_eq!(trend(&[5]), Trend::Unknown);
    assert_eq!(trend(&[0, 0]), Trend::Level);
    // The mean of 1, 1 and 2 is more than 1; what came before does not count.
    assert_eq!(trend(&[9, 1, 1, 2, 1]), Trend::Falling);
    assert_eq!(trend(&[9, 1, 1, 2, 2]), Trend::Rising);
}

#[test]
fn published_samples_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fixtures/");
    let name = format!("{folder}aws__aws-cli/guardduty/get-findings.1.json");
    let Ok(json) = std::fs::read(&name) else {
        eprintln!("skipped: there are no ../shared/fixtures beside the workspace");
        return;
    };
    let mut own = GuardDuty::default();
    own.add("get-findings.1.json", &json).unwrap();
    assert_eq!(own.accounts().count(), 1);
    let exported =
        format!("{folder}panther-labs__panther-analysis/derived/guardduty_findings.jsonl");
    let exported = std::fs::read_to_string(exported).unwrap();
    let mut read = 0;
    for line in exported.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let record = record["record"].to_string();
        // Some are cut down to what a rule looks at, and name no account or time.
        match own.add("panther", record.as_bytes()) {
            Ok(()) => read += 1,
            Err(error) => assert!(error.to_string().contains("missing field"), "{error}"),
        }
    }
    assert!(read > 0);
}

#[test]
fn detectors_say_that_it_is_on_and_what_is_doubted() {
    let mut own = GuardDuty::default();
    let on = br#"{"Detectors": [{"Status": "ENABLED", "CreatedAt": "2026-09-01T00:00:00.000Z"}]}"#;
    let later = br#"{"Detectors": [{"Status": "DISABLED"}, {"Status": "ENABLED", "CreatedAt": "2026-10-05T00:00:00.000Z"}]}"#;
    own.add_detectors("a", on, ("1", "eu-west-1")).unwrap();
    own.add_detectors("b", later, ("1", "eu-central-1"))
        .unwrap();
    own.add_detectors("c", br#"{"Detectors": []}"#, ("2", "eu-west-1"))
        .unwrap();
    assert!(own.watches("1", "eu-west-1") && own.watches("1", "eu-central-1"));
    assert!(!own.watches("1", "us-east-1"), "it was not asked");
    assert!(own.watches_any("1") && !own.watches_any("2"));
    assert_eq!(own.doubts("1").count(), 0);
    assert_eq!(
        own.doubts("2").collect::<Vec<_>>(),
        ["GuardDuty is not on in eu-west-1"]
    );
    let months = own.months("1", "2026-11-02".parse().unwrap());
    assert_eq!(months[0].month, "2026-10");
    assert!(
        own.add_detectors("d", br#"{"Findings": []}"#, ("1", "x"))
            .is_err()
    );
}
