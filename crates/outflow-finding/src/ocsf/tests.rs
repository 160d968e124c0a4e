pub(super) mod rules;

use serde_json::Value;

use self::rules::{SEVERITIES, at_path, has_attributes, is_millis, is_of, list, validate_base};
use super::*;
use crate::samples::{HOSTILE, beacon, filled, theft};
use crate::{Family, finding_id, group};

const AT: Timestamp = Timestamp(1_790_985_600);

fn render(findings: Vec<Finding>) -> String {
    let (incidents, findings) = group(findings);
    let mut out = Vec::new();
    write_ocsf(&mut out, &incidents, &findings, AT).unwrap();
    String::from_utf8(out).unwrap()
}

fn event(findings: Vec<Finding>) -> Value {
    let text = render(findings);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Attributes of an object, by what the class and its objects allow: `!` stands before those that it requires.
const EVENT: &str = "!activity_id activity_name !category_uid category_name !class_uid class_name !type_uid type_name \
                     !severity_id severity !time start_time end_time message status_id status is_alert confidence_id \
                     confidence confidence_score risk_level_id risk_level risk_score risk_details !metadata !cloud !finding_info \
                     evidences resources observables unmapped";
const FINDING_INFO: &str = "!uid title desc types analytic related_analytics attacks kill_chain created_time modified_time first_seen_time \
                            last_seen_time related_events related_events_count";
const ENDPOINT: &str = "ip hostname name svc_name instance_uid interface_uid vpc_uid subnet_uid zone \
                        autonomous_system location";
const EVIDENCE: &str = "name uid src_endpoint dst_endpoint connection_info data";
const RESOURCE: &str = "uid name type role_id role cloud_partition region owner tags data";
const RELATED: &str = "!uid type title severity_id severity first_seen_time last_seen_time";
/// At least one of these an endpoint has, and of the others an evidence.
const ENDPOINT_ONE_OF: [&str; 6] = [
    "ip",
    "hostname",
    "name",
    "svc_name",
    "instance_uid",
    "interface_uid",
];
const EVIDENCE_ONE_OF: [&str; 4] = ["src_endpoint", "dst_endpoint", "connection_info", "data"];

/// Checks an event by the rules of OCSF 1.8 for Detection Findings with the profile `cloud`.
#[track_caller]
fn validate(event: &Value) {
    has_attributes(event, EVENT);
    validate_base(event, 2004);
    is_of(
        event,
        "confidence",
        &[(0, "Unknown"), (1, "Low"), (2, "Medium"), (3, "High")],
    );
    is_of(
        event,
        "risk_level",
        &[
            (0, "Info"),
            (1, "Low"),
            (2, "Medium"),
            (3, "High"),
            (4, "Critical"),
        ],
    );
    validate_info(&event["finding_info"]);
    for evidence in list(event, "evidences") {
        validate_evidence(evidence);
    }
    for resource in list(event, "resources") {
        has_attributes(resource, RESOURCE);
        is_of(resource, "role", &[(2, "Actor")]);
    }
    for observable in list(event, "observables") {
        has_attributes(observable, "!name !type_id type value");
        is_of(
            observable,
            "type",
            &[
                (1, "Hostname"),
                (2, "IP Address"),
                (10, "Resource UID"),
                (14, "Country"),
                (35, "Account UID"),
            ],
        );
        let path = observable["name"].as_str().unwrap();
        assert!(
            at_path(event, path).contains(&&observable["value"]),
            "{observable}"
        );
    }
}

fn validate_info(info: &Value) {
    has_attributes(info, FINDING_INFO);
    is_millis(
        info,
        &[
            "created_time",
            "modified_time",
            "first_seen_time",
            "last_seen_time",
        ],
    );
    for analytic in std::iter::once(&info["analytic"]).chain(list(info, "related_analytics")) {
        has_attributes(analytic, "uid name version !type_id type");
        is_of(
            analytic,
            "type",
            &[(1, "Rule"), (2, "Behavioral"), (3, "Statistical")],
        );
    }
    for attack in list(info, "attacks") {
        has_attributes(attack, "version tactic !technique sub_technique");
    }
    for phase in list(info, "kill_chain") {
        has_attributes(phase, "!phase_id phase");
        is_of(
            phase,
            "phase",
            &[
                (1, "Reconnaissance"),
                (6, "Command & Control"),
                (7, "Actions on Objectives"),
            ],
        );
    }
    for related in list(info, "related_events") {
        has_attributes(related, RELATED);
        is_of(related, "severity", &SEVERITIES);
        is_millis(related, &["first_seen_time", "last_seen_time"]);
    }
}

fn validate_evidence(evidence: &Value) {
    has_attributes(evidence, EVIDENCE);
    assert!(
        EVIDENCE_ONE_OF
            .iter()
            .any(|name| evidence.get(name).is_some())
    );
    is_of(
        &evidence["connection_info"],
        "direction",
        &[(0, "Unknown"), (1, "Inbound"), (2, "Outbound")],
    );
    if evidence["connection_info"].get("boundary_id").is_some() {
        is_of(
            &evidence["connection_info"],
            "boundary",
            &[
                (4, "Same VPC"),
                (5, "Internet/VPC Gateway"),
                (6, "Virtual Private Gateway"),
                (7, "Intra-region VPC"),
                (8, "Inter-region VPC"),
                (9, "Local Gateway"),
                (10, "Gateway VPC"),
                (11, "Internet Gateway"),
            ],
        );
    }
    for side in ["src_endpoint", "dst_endpoint"] {
        let Some(endpoint) = evidence.get(side) else {
            continue;
        };
        has_attributes(endpoint, ENDPOINT);
        assert!(
            ENDPOINT_ONE_OF
                .iter()
                .any(|name| endpoint.get(name).is_some()),
            "{endpoint}"
        );
        if let Some(ip) = endpoint.get("ip") {
            assert!(ip.as_str().unwrap().parse::<std::net::IpAddr>().is_ok());
        }
    }
}

#[test]
fn what_is_told_again_is_an_update_of_the_same_finding() {
    let (mut incidents, findings) = group(vec![theft(), beacon()]);
    let mut told = |is_again: bool| -> Value {
        incidents[0].is_again = is_again;
        let mut out = Vec::new();
        write_ocsf(&mut out, &incidents, &findings, AT).unwrap();
        serde_json::from_slice(&out).unwrap()
    };
    let (first, again) = (told(false), told(true));
    validate(&again);
    assert_eq!(
        (&first["activity_id"], &first["type_uid"]),
        (&1.into(), &200_401.into())
    );
    assert_eq!(
        (&again["activity_id"], &again["type_uid"]),
        (&2.into(), &200_402.into())
    );
    assert_eq!(again["finding_info"]["uid"], first["finding_info"]["uid"]);
    assert_eq!(
        again["finding_info"]["created_time"],
        first["finding_info"]["created_time"]
    );
    assert_eq!(again["finding_info"]["modified_time"], AT.secs() * 1_000);
    assert_eq!(first["finding_info"].get("modified_time"), None);
}

#[test]
fn an_incident_is_a_detection_finding() {
    insta::assert_snapshot!(render(vec![theft(), beacon()]), @r#"{"activity_id":1,"activity_name":"Create","category_uid":2,"category_name":"Findings","class_uid":2004,"class_name":"Detection Finding","type_uid":200401,"type_name":"Detection Finding: Create","severity_id":5,"severity":"Critical","time":1790985600000,"start_time":1790812800000,"end_time":1790899200000,"message":"48.2 GB to a network never sent to before (+1 more)","status_id":1,"status":"New","is_alert":true,"confidence_id":3,"confidence":"High","confidence_score":99,"risk_level_id":4,"risk_level":"Critical","risk_score":96,"risk_details":"bound 49 + volume 27 + direction 15 + families 5","metadata":{"version":"1.8.0","profiles":["cloud"],"product":{"name":"Outflow","vendor_name":"Outflow","version":"0.1.0"}},"cloud":{"provider":"AWS","cloud_partition":"aws","region":"eu-central-1","account":{"uid":"123456789012","type_id":10,"type":"AWS Account"}},"finding_info":{"uid":"inc-082c3e4497f0f0fd","title":"48.2 GB to a network never sent to before (+1 more)","desc":"2026-10-01: 47.0 GB of payload within 24 hours is explained by nothing known\n60 seconds, against 0.5","types":["volume.ledger","beacon"],"analytic":{"uid":"volume.ledger","name":"volume.ledger","version":"0.1.0","type_id":2,"type":"Behavioral"},"related_analytics":[{"uid":"beacon","name":"beacon","version":"0.1.0","type_id":3,"type":"Statistical"}],"attacks":[{"version":"18.1","tactic":{"uid":"TA0010","name":"Exfiltration"},"technique":{"uid":"T1048","name":"Exfiltration Over Alternative Protocol"},"sub_technique":{"uid":"T1048.003","name":"Exfiltration Over Unencrypted Non-C2 Protocol"}},{"version":"18.1","tactic":{"uid":"TA0010","name":"Exfiltration"},"technique":{"uid":"T1567","name":"Exfiltration Over Web Service"}}],"kill_chain":[{"phase_id":6,"phase":"Command & Control"},{"phase_id":7,"phase":"Actions on Objectives"}],"created_time":1790812800000,"first_seen_time":1790812800000,"last_seen_time":1790899200000,"related_events":[{"uid":"f-0e9bb828f88816fd","type":"volume.ledger","title":"48.2 GB to a network never sent to before","severity_id":5,"severity":"Critical","first_seen_time":1790843400000,"last_seen_time":1790851200000},{"uid":"f-68fe8aa99dec83cd","type":"beacon","title":"A connection every 60 s","severity_id":3,"severity":"Medium","first_seen_time":1790812800000,"last_seen_time":1790899200000}],"related_events_count":2},"evidences":[{"name":"volume.ledger","uid":"f-0e9bb828f88816fd","src_endpoint":{"name":"asg/payments-api","instance_uid":"i-0123456789abcdef0","interface_uid":"eni-0123456789abcdef0","vpc_uid":"vpc-0f00ba11","subnet_uid":"subnet-1"},"dst_endpoint":{"ip":"198.51.100.7","hostname":"drop.example.net","name":"198.51.100.0/24","autonomous_system":{"number":64500,"name":"Example Transit"},"location":{"country":"NL"}},"connection_info":{"direction_id":2,"direction":"Outbound","boundary_id":11,"boundary":"Internet Gateway"},"data":{"type":"finding","id":"f-0e9bb828f88816fd","incident":"inc-082c3e4497f0f0fd","family":"volume.ledger","title":"48.2 GB to a network never sent to before","severity":5,"risk":91,"bits":12.5,"account_id":"123456789012","region":"eu-central-1","vpc_id":"vpc-0f00ba11","interface_id":"eni-0123456789abcdef0","workload":"asg/payments-api","destination":{"group":"198.51.100.0/24","addresses":["198.51.100.7","2001:db8::7"],"domain":"drop.example.net","asn":64500,"org":"Example Transit","country":"NL","service":null,"vendor":null,"product":null,"site":null,"category":null,"domains":[],"domains_total":0,"ambiguous":false,"addresses_total":2,"groups_total":1,"prevalence":{"workloads":1,"of":31},"first_seen":"2026-10-01T08:30:00Z","databases":[{"name":"GeoLite2-City","built_at":"2026-09-15T04:00:00Z"}]},"first_seen":"2026-10-01T08:30:00Z","last_seen":"2026-10-01T10:40:00Z","bytes":48200000000,"payload_bytes":47000000000,"packets":33000000,"flows":410,"attack":["T1048.003","T1567"],"why":[{"observed":47000000000,"expected":null,"bound":100000000,"unit":"bytes","text":"47.0 GB of payload within 24 hours is explained by nothing known"}],"coverage":{"share":0.985,"minutes_covered":985,"minutes_expected":1000,"skipdata":2,"late_bytes":0},"evidence":{"objects":[{"uri":"s3://logs/1.gz","sha256":"00ff","rows":410}],"sql":"SELECT 1","objects_total":1},"sender":{"instance_id":"i-0123456789abcdef0","subnet_id":"subnet-1","availability_zone_id":null,"security_groups":[{"id":"sg-1","name":"web"}],"tags":{"app":"payments"},"tags_total":1,"lineage":null,"observed_at":null},"rate_bits":9,"urgency":null,"q_value":null,"risk_parts":[{"part":"bound","points":49},{"part":"volume","points":27},{"part":"direction","points":15}],"stages":["exfiltration"],"paths":[{"path":8,"name":"internet-gateway"}],"parameters":{"version":"0.1.0","sha256":"00ff"},"harmless":[],"history":null,"state":null}},{"name":"beacon","uid":"f-68fe8aa99dec83cd","src_endpoint":{"name":"asg/payments-api"},"connection_info":{"direction_id":2,"direction":"Outbound"},"data":{"type":"finding","id":"f-68fe8aa99dec83cd","incident":"inc-082c3e4497f0f0fd","family":"beacon","title":"A connection every 60 s","severity":3,"risk":40,"bits":null,"account_id":"123456789012","region":"eu-central-1","vpc_id":null,"interface_id":null,"workload":"asg/payments-api","destination":{"group":null,"addresses":[],"domain":null,"asn":null,"org":null,"country":null,"service":null,"vendor":null,"product":null,"site":null,"category":null,"domains":[],"domains_total":0,"ambiguous":false,"addresses_total":0,"groups_total":0,"prevalence":null,"first_seen":null,"databases":[]},"first_seen":"2026-10-01T00:00:00Z","last_seen":"2026-10-02T00:00:00Z","bytes":1440000,"payload_bytes":0,"packets":0,"flows":0,"attack":[],"why":[{"observed":60,"expected":0.5,"bound":null,"unit":"seconds","text":""}],"coverage":null,"evidence":{"objects":[],"sql":null,"objects_total":0},"sender":{"instance_id":null,"subnet_id":null,"availability_zone_id":null,"security_groups":[],"tags":{},"tags_total":0,"lineage":null,"observed_at":null},"rate_bits":null,"urgency":null,"q_value":null,"risk_parts":[],"stages":["command-and-control"],"paths":[],"parameters":null,"harmless":[],"history":null,"state":null}}],"resources":[{"uid":"arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0","name":"i-0123456789abcdef0","type":"AWS::EC2::Instance","role_id":2,"role":"Actor","cloud_partition":"aws","region":"eu-central-1","owner":{"account":{"uid":"123456789012","type_id":10,"type":"AWS Account"}},"tags":[{"name":"app","value":"payments"}]},{"uid":"arn:aws:ec2:eu-central-1:123456789012:network-interface/eni-0123456789abcdef0","name":"eni-0123456789abcdef0","type":"AWS::EC2::NetworkInterface","role_id":2,"role":"Actor","cloud_partition":"aws","region":"eu-central-1","owner":{"account":{"uid":"123456789012","type_id":10,"type":"AWS Account"}},"tags":[{"name":"app","value":"payments"}],"data":{"instance_id":"i-0123456789abcdef0","subnet_id":"subnet-1","availability_zone_id":null,"security_groups":[{"id":"sg-1","name":"web"}],"tags":{"app":"payments"},"tags_total":1,"lineage":null,"observed_at":null}},{"uid":"asg/payments-api","name":"asg/payments-api","role_id":2,"role":"Actor","cloud_partition":"aws","region":"eu-central-1","owner":{"account":{"uid":"123456789012","type_id":10,"type":"AWS Account"}},"tags":[{"name":"app","value":"payments"}]}],"observables":[{"name":"cloud.account.uid","type_id":35,"type":"Account UID","value":"123456789012"},{"name":"evidences[].dst_endpoint.hostname","type_id":1,"type":"Hostname","value":"drop.example.net"},{"name":"evidences[].dst_endpoint.ip","type_id":2,"type":"IP Address","value":"198.51.100.7"},{"name":"evidences[].dst_endpoint.location.country","type_id":14,"type":"Country","value":"NL"},{"name":"resources[].uid","type_id":10,"type":"Resource UID","value":"arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0"},{"name":"resources[].uid","type_id":10,"type":"Resource UID","value":"arn:aws:ec2:eu-central-1:123456789012:network-interface/eni-0123456789abcdef0"},{"name":"resources[].uid","type_id":10,"type":"Resource UID","value":"asg/payments-api"}],"unmapped":{"bytes":48200000000,"payload_bytes":47000000000,"packets":33000000,"flows":410,"bits":12.5,"rate_bits":9,"why":[{"observed":47000000000,"expected":null,"bound":100000000,"unit":"bytes","text":"2026-10-01: 47.0 GB of payload within 24 hours is explained by nothing known"},{"observed":60,"expected":0.5,"bound":null,"unit":"seconds","text":""}],"coverage":{"share":0.985,"minutes_covered":985,"minutes_expected":1000,"skipdata":2,"late_bytes":0},"risk_parts":[{"part":"bound","points":49},{"part":"volume","points":27},{"part":"direction","points":15},{"part":"families","points":5}],"stages":["command-and-control","exfiltration"],"paths":[{"path":8,"name":"internet-gateway"}],"parameters":{"version":"0.1.0","sha256":"00ff"},"destination":{"prevalence":{"workloads":1,"of":31},"first_seen_time":1790843400000,"databases":[{"name":"GeoLite2-City","built_at":"2026-09-15T04:00:00Z"}]}}}"#);
}

#[test]
fn events_keep_the_rules() {
    validate(&event(vec![theft()]));
    validate(&event(vec![theft(), beacon()]));
    validate(&event(vec![beacon()]));
}

#[test]
fn every_family_and_severity_is_valid_even_if_nothing_else_is_known() {
    for family in Family::ALL {
        let id = finding_id(&[family.name()]);
        validate(&event(vec![Finding {
            id,
            ..Finding::new(*family)
        }]));
    }
    for severity in Severity::ALL {
        let event = event(vec![Finding {
            severity,
            ..theft()
        }]);
        validate(&event);
        assert_eq!(event["severity_id"], severity.id());
    }
    for risk in 0..=100 {
        validate(&event(vec![Finding { risk, ..theft() }]));
    }
}

#[test]
fn the_finding_has_the_id_of_the_incident() {
    let (incidents, findings) = group(vec![theft(), beacon()]);
    let event = event(findings);
    assert_eq!(event["finding_info"]["uid"], incidents[0].body.id);
    assert_eq!(event["finding_info"]["related_events_count"], 2);
    let ids: Vec<&Value> = list(&event["finding_info"], "related_events")
        .iter()
        .map(|of| &of["uid"])
        .collect();
    assert_eq!(ids, [&theft().id, &beacon().id]);
}

#[test]
fn times_are_milliseconds_and_the_event_is_of_when_it_was_found() {
    let event = event(vec![theft()]);
    assert_eq!(event["time"], 1_790_985_600_000_i64);
    assert_eq!(event["start_time"], 1_790_843_400_000_i64);
    assert_eq!(event["end_time"], 1_790_851_200_000_i64);
}

#[test]
fn hostile_texts_stay_texts_on_one_line() {
    for text in HOSTILE {
        let text = render(vec![filled(text, 3)]);
        assert!(
            text.trim_end().chars().all(|c| !crate::escape::acts(c)),
            "{text}"
        );
        let event: Value = serde_json::from_str(&text).unwrap();
        validate(&event);
    }
}

#[test]
fn an_incident_of_many_findings_stays_within_bounds() {
    let many = (0..1_000).map(|at| Finding {
        id: finding_id(&[&at.to_string()]),
        interface_id: Some(format!("eni-{at}")),
        ..theft()
    });
    let text = render(many.collect());
    let event: Value = serde_json::from_str(&text).unwrap();
    validate(&event);
    assert_eq!(list(&event, "evidences").len(), OCSF_EVIDENCES_MAX);
    assert_eq!(list(&event, "resources").len(), OCSF_RELATED_MAX);
    assert_eq!(event["finding_info"]["related_events_count"], 1_000);
    assert!(text.len() < 300_000, "{}", text.len());
}

#[test]
fn what_is_beyond_the_budget_is_no_alert() {
    let (mut incidents, findings) = group(vec![theft()]);
    let mut is_alert = |lane| {
        incidents[0].lane = lane;
        let mut out = Vec::new();
        write_ocsf(&mut out, &incidents, &findings, AT).unwrap();
        let event: Value = serde_json::from_slice(&out).unwrap();
        validate(&event);
        event["is_alert"].as_bool().unwrap()
    };
    assert!(is_alert(None));
    assert!(is_alert(Some(Lane::Alert)));
    assert!(!is_alert(Some(Lane::Digest)));
}
