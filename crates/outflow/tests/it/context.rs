//! What `--context` knows of interfaces and destinations, end to end.

use std::fs;
use std::path::Path;

use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::run::{Report, Run, count, detect, text, workspace};

/// Fields of the default format: no VPC, no instance, no addresses of packets.
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                      action log-status";

const START: i64 = 1_790_000_000; // 2026-09-21T14:13:20Z

/// A record of megabytes without headers to speak of.
fn upload(interface: &str, from: &str, to: &str, megabytes: u64) -> String {
    let (bytes, end) = (megabytes * 1_000_000, START + 10);
    format!(
        "2 123456789012 {interface} {from} {to} 40000 443 6 1000 {bytes} {START} {end} ACCEPT OK"
    )
}

/// A folder of a log with these records, and of files.
fn folder(records: &[String], files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let log = format!("{HEADER}\n{}\n", records.join("\n"));
    let log = ("flows.log", log.into_bytes());
    for (name, content) in files.iter().chain([&log]) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn judged(folder: &Path) -> (Run, Report) {
    let run = detect(folder, &["flows.log", "--context", "context"]).exits(0);
    let report = run.report();
    report.reconciles();
    (run, report)
}

fn bytes(of: &Value) -> Vec<u8> {
    of.to_string().into_bytes()
}

fn interfaces() -> Value {
    let of_instance = |id: &str, instance: &str| {
        json!({"NetworkInterfaceId": id, "VpcId": "vpc-1", "SubnetId": "subnet-1", "InterfaceType": "interface",
            "Attachment": {"InstanceId": instance}, "Groups": [{"GroupId": "sg-1"}], "TagSet": []})
    };
    json!({"NetworkInterfaces": [
        of_instance("eni-a", "i-a"),
        of_instance("eni-b", "i-b"),
        {"NetworkInterfaceId": "eni-nat", "VpcId": "vpc-1", "InterfaceType": "nat_gateway", "RequesterManaged": true,
         "Description": "Interface for NAT Gateway nat-1"},
    ]})
}

fn instances() -> Value {
    let grouped = |id: &str| json!({"InstanceId": id, "Tags": [{"Key": "aws:autoscaling:groupName", "Value": "web"}]});
    json!({"Reservations": [{"Instances": [grouped("i-a")]}, {"Instances": [grouped("i-b")]}]})
}

#[test]
fn an_inventory_makes_interfaces_one_workload_and_counts_a_gateway_once() {
    let records = [
        upload("eni-a", "10.0.0.5", "203.0.113.9", 70),
        upload("eni-b", "10.0.0.6", "203.0.113.9", 70),
        upload("eni-nat", "10.0.0.9", "203.0.113.9", 140),
    ];
    let folder = folder(
        &records,
        &[
            ("context/interfaces.json", bytes(&interfaces())),
            ("context/instances.json", bytes(&instances())),
        ],
    );
    let (_, report) = judged(folder.path());
    let [finding] = report.findings.as_slice() else {
        panic!("{:#?}", report.findings);
    };
    assert_eq!(text(finding, "workload"), Some("asg/web"));
    assert_eq!(text(finding, "vpc_id"), Some("vpc-1"));
    assert_eq!(report.account("counted_bytes"), 140_000_000);
    // By records alone the gateway is a host that sends what hosts send, and the hosts stay below their bounds.
    let alone = detect(folder.path(), &["flows.log"]).exits(0).report();
    assert_eq!(alone.account("counted_bytes"), 280_000_000);
    assert_eq!(text(&alone.findings[0], "workload"), Some("eni-nat"));
}

#[test]
fn aws_config_tells_the_region_and_what_is_not_read_is_said() {
    let configuration = json!({"networkInterfaceId": "eni-a", "vpcId": "vpc-1", "tagSet": [
        {"key": "app", "value": "shop"}], "groups": [{"groupId": "sg-1", "groupName": "web"}]});
    let snapshot = json!({"fileVersion": "1.0", "configSnapshotId": "1", "configurationItems": [
        {"resourceType": "AWS::EC2::NetworkInterface", "resourceId": "eni-a", "awsAccountId": "123456789012",
         "awsRegion": "eu-south-2", "configurationItemCaptureTime": "2026-09-21T00:00:00.000Z",
         "configurationItemStatus": "OK", "configuration": configuration},
        {"resourceType": "AWS::S3::Bucket", "resourceId": "b"},
        {"resourceType": "AWS::IAM::Role", "resourceId": "r"},
    ]});
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &bytes(&snapshot)).unwrap();
    let folder = folder(
        &[upload("eni-a", "10.0.0.5", "203.0.113.9", 300)],
        &[("context/config.json.gz", encoder.finish().unwrap())],
    );
    let (run, report) = judged(folder.path());
    let finding = &report.findings[0];
    let seen = json!({"instance_id": null, "subnet_id": null, "availability_zone_id": null,
        "security_groups": [{"id": "sg-1", "name": "web"}], "tags": {"app": "shop"}, "tags_total": 1,
        "lineage": "app=shop", "observed_at": "2026-09-21T00:00:00Z"});
    assert_eq!(finding["sender"], seen);
    assert_eq!(text(finding, "workload"), Some("app=shop"));
    assert_eq!(text(finding, "region"), Some("eu-south-2"));
    run.says(&[
        "config.json.gz`, ConfigurationItems: resources of type `AWS::IAM::Role` are not read (and 1 more)",
        "--context names no AWS services (ip-ranges.json), and no countries and networks (.mmdb)",
    ]);
}

#[test]
fn destinations_are_compared_by_service_and_by_name() {
    let range = |net: &str, service: &str| json!({"ip_prefix": net, "region": "eu-central-1", "service": service, "network_border_group": "x"});
    let ranges = json!({"syncToken": "1", "createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
        range("3.5.0.0/16", "S3"), range("52.0.0.0/11", "EC2")]});
    let query = |name: &str, addr: &str| {
        let answers = json!([{"Rdata": addr, "Type": "A", "Class": "IN"}]);
        json!({"version": "1.1", "account_id": "123456789012", "region": "eu-central-1", "vpc_id": "vpc-1",
            "query_timestamp": "2026-09-21T14:00:00Z", "query_name": name, "query_type": "A", "query_class": "IN",
            "rcode": "NOERROR", "answers": answers, "srcaddr": "10.0.0.5", "srcport": "4000", "transport": "UDP",
            "srcids": {"instance": "i-a"}})
    };
    let queries = [
        query("http-intake.logs.datadoghq.eu.", "52.1.1.1"),
        query("api.datadoghq.eu.", "52.2.2.2"),
        query("a.example.com.", "52.3.3.3"),
        query("b.example.com.", "52.4.4.4"),
    ];
    let queries: String = queries.iter().map(|query| format!("{query}\n")).collect();
    let pairs = [
        ("eni-a", ["3.5.1.1", "3.5.2.2"]),
        ("eni-b", ["52.1.1.1", "52.2.2.2"]),
        ("eni-c", ["52.3.3.3", "52.4.4.4"]),
        ("eni-d", ["52.5.5.5", "52.5.5.6"]),
    ];
    let records = pairs.map(|(interface, to)| to.map(|to| upload(interface, "10.0.0.5", to, 90)));
    let listed = pairs.map(|(id, _)| json!({"NetworkInterfaceId": id, "VpcId": "vpc-1"}));
    let folder = folder(
        records.as_flattened(),
        &[
            ("context/ip-ranges.json", bytes(&ranges)),
            (
                "context/interfaces.json",
                bytes(&json!({"NetworkInterfaces": listed})),
            ),
            ("queries.log", queries.into_bytes()),
        ],
    );
    let args = ["flows.log", "queries.log", "--context", "context"];
    let report = detect(folder.path(), &args).exits(0).report();
    let of = |interface: &str| {
        let mut findings = report.findings.iter();
        let finding = findings.find(|finding| text(finding, "interface_id") == Some(interface));
        text(&finding.unwrap()["destination"], "group")
            .unwrap()
            .to_owned()
    };
    assert_eq!(of("eni-a"), "s3.eu-central-1");
    assert_eq!(of("eni-b"), "datadoghq.eu");
    let mut findings = report.findings.iter();
    let to_site = findings.find(|finding| text(finding, "interface_id") == Some("eni-b"));
    let to_site = &to_site.unwrap()["destination"];
    let told = ["vendor", "site", "category"].map(|key| text(to_site, key).unwrap());
    assert_eq!(told, ["Datadog", "EU1", "telemetry"]);
    let names = json!(["api.datadoghq.eu", "http-intake.logs.datadoghq.eu"]);
    assert_eq!(to_site["domains"], names);
    assert_eq!(of("eni-c"), "example.com");
    assert_eq!(of("eni-d"), "52.5.5.0/24");
}

#[test]
fn a_damaged_inventory_ends_the_run() {
    let whole = bytes(&interfaces());
    let folder = folder(
        &[upload("eni-a", "10.0.0.5", "203.0.113.9", 300)],
        &[("context/cut.json", whole[..whole.len() - 9].to_vec())],
    );
    let run = detect(folder.path(), &["flows.log", "--context", "context"]).exits(2);
    run.says(&["cut.json", "not an inventory", "hint: "]);
}

#[test]
fn the_networks_of_a_vpc_are_inside_also_where_they_are_public() {
    // Without a direction in the records, and hosts of public addresses on both sides.
    let records: Vec<String> = ["9.9.9.9", "203.0.113.9", "8.8.4.4"]
        .map(|to| upload("eni-a", "44.1.2.3", to, 200))
        .to_vec();
    let vpcs = json!({"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "44.1.0.0/16", "OwnerId": "123456789012"}]});
    let folder = folder(&records, &[("context/vpcs.json", bytes(&vpcs))]);
    let (_, report) = judged(folder.path());
    assert_eq!(report.account("counted_bytes"), 600_000_000);
}

/// A log of three uploads of 300 kB: to Sweden, to Great Britain, and to what no database knows.
const PLACES: [(&str, &str); 3] = [
    ("eni-a", "89.160.20.112"),
    ("eni-a", "81.2.69.160"),
    ("eni-a", "198.51.100.9"),
];

/// What a jurisdiction finds of the places: titles and severities.
fn forbidden(database: &[u8], jurisdiction: &str) -> Vec<(String, u64)> {
    let lines: Vec<String> = PLACES
        .iter()
        .map(|(eni, addr)| upload(eni, "10.0.0.5", addr, 3))
        .collect();
    let config = format!("[policy.jurisdiction]\n{jurisdiction}\n");
    let files = [
        ("context/countries.mmdb", database.to_vec()),
        ("outflow.toml", config.into_bytes()),
    ];
    let folder = folder(&lines, &files);
    let args = [
        "flows.log",
        "--context",
        "context",
        "--config",
        "outflow.toml",
    ];
    let findings = detect(folder.path(), &args).exits(0).report().findings;
    let own = findings
        .iter()
        .filter(|of| text(of, "family") == Some("policy.jurisdiction"));
    let mut told: Vec<(String, u64)> = own
        .map(|of| (text(of, "title").unwrap().to_owned(), count(of, "severity")))
        .collect();
    told.sort();
    told
}

#[test]
fn payload_to_places_that_policy_forbids_is_told() {
    let path = workspace()
        .join("../shared/fixtures/maxmind__MaxMind-DB/test-data/GeoLite2-Country-Test.mmdb");
    let Ok(database) = fs::read(&path) else {
        println!("skipped: there is no database of countries beside the repository");
        return;
    };
    let title = |place: &str| format!("2.9 MB of payload to {place}, against policy");
    assert_eq!(
        forbidden(&database, "countries_denied = [\"SE\"]"),
        [(title("SE"), 4)]
    );
    assert_eq!(
        forbidden(&database, "countries_allowed = [\"SE\"]"),
        [
            (title("GB"), 3),
            (title("places that no database knows"), 2)
        ]
    );
    assert_eq!(forbidden(&database, "asns_denied = [64500]"), []);
    // It tells no networks: a list of these judges nothing.
    assert_eq!(forbidden(&database, "asns_allowed = [64500]"), []);
}

#[test]
fn payload_to_networks_that_policy_does_not_allow_is_told() {
    let path =
        workspace().join("../shared/fixtures/maxmind__MaxMind-DB/test-data/GeoLite2-ASN-Test.mmdb");
    let Ok(database) = fs::read(&path) else {
        println!("skipped: there is no database of networks beside the repository");
        return;
    };
    let title = |place: &str| format!("2.9 MB of payload to {place}, against policy");
    let unknown = "5.9 MB of payload to networks that no database knows, against policy";
    assert_eq!(
        forbidden(&database, "asns_allowed = [64500]"),
        [(title("AS29518"), 3), (unknown.to_owned(), 2)]
    );
    assert_eq!(
        forbidden(&database, "asns_allowed = [29518]"),
        [(unknown.to_owned(), 2)]
    );
    assert_eq!(
        forbidden(&database, "asns_denied = [29518]"),
        [(title("AS29518"), 4)]
    );
}

#[test]
fn a_jurisdiction_without_a_database_is_said_to_judge_nothing() {
    let config = b"[policy.jurisdiction]\ncountries_allowed = [\"DE\"]\n".to_vec();
    let lines = [upload("eni-a", "10.0.0.5", "203.0.113.9", 3)];
    let folder = folder(&lines, &[("outflow.toml", config)]);
    let run = detect(folder.path(), &["flows.log", "--config", "outflow.toml"]).exits(0);
    run.says(&["policy names countries or networks, and no database tells where addresses are"]);
    fs::write(
        folder.path().join("outflow.toml"),
        "[policy.jurisdiction]\ncountries_denied = [\"Sweden\"]\n",
    )
    .unwrap();
    let run = detect(folder.path(), &["flows.log", "--config", "outflow.toml"]).exits(2);
    run.says(&["`Sweden` is no country in two capital letters"]);
}
