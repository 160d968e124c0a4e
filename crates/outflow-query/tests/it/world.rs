//! A lake of the world in `testdata/breach`.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use outflow_enrich::inventory::{Inventory, InventoryBuilder, Snapshot};
use outflow_ingest::{IngestSettings, Object, Progress, Source};
use outflow_lake::{Access, Lake};
use outflow_query::{Error, Limits, ScalarValue, Session};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A lake, and the runtime that asks it.
pub(crate) struct World {
    pub(crate) lake: Lake,
    /// What the lake was made of.
    pub(crate) objects: Vec<Object>,
    pub(crate) runtime: Runtime,
    _folder: TempDir,
}

/// The world, read once for all tests.
pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("lake").display().to_string();
    let lake = Lake::create(place.parse().unwrap(), &Access::default()).unwrap();
    let more = folder.path().join("more");
    std::fs::create_dir(&more).unwrap();
    std::fs::write(more.join("queries.log"), queries()).unwrap();
    std::fs::write(more.join("refused.log"), refused()).unwrap();
    let archive = workspace().join("testdata/breach");
    let sources = [archive, more].map(|path| Source::named(path.as_os_str()).unwrap());
    let listing = outflow_ingest::list(&sources).unwrap();
    let settings = IngestSettings {
        workers: 2,
        ..IngestSettings::default()
    };
    let done =
        outflow_ingest::ingest(&listing.objects, &settings, &lake, &Progress::default()).unwrap();
    assert!(done.problems.is_empty() && done.accounts.rows > 0);
    World {
        lake,
        objects: listing.objects,
        runtime: Runtime::new().unwrap(),
        _folder: folder,
    }
});

/// A session over a lake of one flow log, and the folder that the lake is in.
pub(crate) fn session_of(log: &str) -> (TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flows.log");
    std::fs::write(&file, log).unwrap();
    let listing = outflow_ingest::list(&[Source::named(file.as_os_str()).unwrap()]).unwrap();
    let place = folder.path().join("lake").display().to_string();
    let lake = Lake::create(place.parse().unwrap(), &Access::default()).unwrap();
    let settings = IngestSettings::default();
    outflow_ingest::ingest(&listing.objects, &settings, &lake, &Progress::default()).unwrap();
    let known = outflow_udf::Known::default();
    let session = Session::over(&lake, Limits::default(), known).unwrap();
    (folder, session)
}

/// A Resolver query log of the same network: what its hosts asked before they talked, and a host that sends data below a
/// domain.
fn queries() -> String {
    let mut lines = String::new();
    let mut line = |time: &str, client: &str, name: &str, kind: &str, rcode: &str, answer: &str| {
        let answers = match answer {
            "" => String::new(),
            answer => format!(r#"{{"Rdata":"{answer}","Type":"{kind}","Class":"IN"}}"#),
        };
        lines += &format!(
            r#"{{"version":"1.100000","account_id":"878788776414","region":"us-east-1","vpc_id":"vpc-0da4ed656691fd69d","query_timestamp":"{time}","query_name":"{name}","query_type":"{kind}","query_class":"IN","rcode":"{rcode}","answers":[{answers}],"srcaddr":"{client}","srcport":"4711","transport":"UDP","srcids":{{}}}}"#
        );
        lines.push('\n');
    };
    let (uploader, other) = ("10.16.37.134", "10.16.65.180");
    line(
        "2026-09-05T13:14:58Z",
        uploader,
        "drop.upload.example.net.",
        "A",
        "NOERROR",
        "45.84.72.193",
    );
    for hour in 0..6 {
        let time = |minute: u32| format!("2026-09-03T{hour:02}:{minute:02}:00Z");
        line(
            &time(5),
            other,
            "www.example.org.",
            "A",
            "NOERROR",
            "52.217.184.223",
        );
        line(
            &time(6),
            other,
            &format!("gone{hour}.example.org."),
            "A",
            "NXDOMAIN",
            "",
        );
        for at in 0..8u32 {
            let below = format!("{:08x}", (hour * 8 + at).wrapping_mul(2_654_435_761));
            line(
                &time(10 + at),
                uploader,
                &format!("{below}.t.example.com."),
                "TXT",
                "NOERROR",
                &below,
            );
        }
    }
    line(
        "2026-09-03T07:00:00Z",
        other,
        "broken.example.edu.",
        "AAAA",
        "SERVFAIL",
        "",
    );
    lines
}

/// Flow records of the same network: a host that tries to get out on one port and then on another, by a resolver of its own,
/// and one protocol that nobody uses.
fn refused() -> String {
    let mut lines = String::from(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status \
         vpc-id flow-direction\n",
    );
    let mut line = |to: &str, port: u16, protocol: u8, bytes: u32, at: i64, action: &str| {
        lines += &format!(
            "5 878788776414 eni-0e9a630bdc46857b6 10.16.142.21 {to} 40000 {port} {protocol} 10 {bytes} {at} {} {action} OK \
             vpc-0da4ed656691fd69d egress\n",
            at + 59
        );
    };
    let monday = 1_788_739_200; // 2026-09-07
    line("198.51.100.77", 25, 6, 600, monday, "REJECT");
    line("198.51.100.77", 587, 6, 600, monday + 60, "REJECT");
    line("198.51.100.77", 443, 6, 90_000, monday + 600, "ACCEPT");
    line("9.9.9.9", 53, 17, 4_000, monday + 700, "ACCEPT");
    line("9.9.9.9", 443, 6, 8_000, monday + 800, "ACCEPT");
    line("198.51.100.78", 0, 47, 50_000, monday + 900, "ACCEPT");
    lines
}

/// Findings of GuardDuty: of the theft, of the same interface a month earlier, of the host that sends data below a domain, of
/// somebody else, and of a host of another account that has the address of that host.
fn guardduty() -> String {
    let line = |id: &str, kind: &str, severity: u8, day: &str, resource: &str, action: &str| {
        format!(
            r#"{{"id":"{id}","accountId":"878788776414","region":"us-east-1","type":"{kind}","severity":{severity},"createdAt":"{day}T14:00:00.000Z","updatedAt":"{day}T15:00:00.000Z","resource":{{{resource}}},"service":{{"archived":false,"count":1,"eventFirstSeen":"{day}T13:20:00Z","eventLastSeen":"{day}T13:40:00Z","action":{{{action}}}}}}}"#
        )
    };
    let host = r#""instanceDetails":{"instanceId":"i-01bead5be9063b83d","networkInterfaces":[{"networkInterfaceId":"eni-01699989a9ca9b4fe","privateIpAddress":"10.16.37.134","vpcId":"vpc-0da4ed656691fd69d"}]}"#;
    let to = |addr: &str| {
        format!(
            r#""actionType":"NETWORK_CONNECTION","networkConnectionAction":{{"connectionDirection":"OUTBOUND","remoteIpDetails":{{"ipAddressV4":"{addr}"}}}}"#
        )
    };
    let asked = r#""actionType":"DNS_REQUEST","dnsRequestAction":{"domain":"abcd.t.example.com"}"#;
    let namesake = r#""instanceDetails":{"instanceId":"i-0c0ffee0c0ffee0c0","networkInterfaces":[{"networkInterfaceId":"eni-0c0ffee0c0ffee0c0","privateIpAddress":"10.16.37.134","vpcId":"vpc-0c0ffee0c0ffee0c0"}]}"#;
    let user = r#""accessKeyDetails":{"userName":"somebody"}"#;
    let volume = "Behavior:EC2/TrafficVolumeUnusual";
    let lines = [
        line("gd-1", volume, 5, "2026-09-05", host, &to("45.84.72.193")),
        line("gd-2", volume, 5, "2026-08-01", host, &to("45.84.72.193")),
        line(
            "gd-3",
            "Trojan:EC2/DNSDataExfiltration",
            8,
            "2026-09-03",
            host,
            asked,
        ),
        line(
            "gd-4",
            "Recon:IAMUser/UserPermissions",
            2,
            "2026-09-05",
            user,
            &to("52.94.36.7"),
        ),
        line("gd-5", volume, 1, "2026-09-03", namesake, &to("52.94.36.8"))
            .replace("878788776414", "111122223333"),
    ];
    lines.join("\n")
}

/// What an account says of two of these interfaces: security groups with rules that are used, one that is not, one that says what
/// another says, too, one for another group, one for a prefix list that nobody described, and one that makes no sense.
fn inventory() -> Inventory {
    let interface = |id: &str, addr: &str, group: &str| {
        format!(
            r#"{{"NetworkInterfaceId":"{id}","VpcId":"vpc-0da4ed656691fd69d","SubnetId":"subnet-1","Groups":[{{"GroupId":"{group}"}}],"PrivateIpAddresses":[{{"PrivateIpAddress":"{addr}"}}],"TagSet":[]}}"#
        )
    };
    let rule = |protocol: &str, port: u16, other: &str| {
        format!(r#"{{"IpProtocol":"{protocol}","FromPort":{port},"ToPort":{port},{other}}}"#)
    };
    let network = |cidr: &str| format!(r#""IpRanges":[{{"CidrIp":"{cidr}"}}]"#);
    let group = |id: &str, rules: &[String]| {
        format!(
            r#"{{"GroupId":"{id}","GroupName":"{id}-name","VpcId":"vpc-0da4ed656691fd69d","IpPermissions":[],"IpPermissionsEgress":[{}]}}"#,
            rules.join(",")
        )
    };
    let interfaces = [
        interface("eni-01699989a9ca9b4fe", "10.16.37.134", "sg-app"),
        interface("eni-0e9a630bdc46857b6", "10.16.142.21", "sg-inner"),
        interface("eni-0f59fcd91c9e41d82", "10.16.72.97", "sg-inner"),
    ];
    let groups = [
        group(
            "sg-app",
            &[
                rule("tcp", 443, &network("0.0.0.0/0")),
                rule("tcp", 443, &network("45.84.72.0/24")),
                rule("tcp", 25, &network("0.0.0.0/0")),
                rule(
                    "tcp",
                    8080,
                    r#""UserIdGroupPairs":[{"GroupId":"sg-inner"}]"#,
                ),
                rule(
                    "udp",
                    53,
                    r#""PrefixListIds":[{"PrefixListId":"pl-nobody"}]"#,
                ),
            ],
        ),
        group(
            "sg-inner",
            &[
                format!(r#"{{"IpProtocol":"-1",{}}}"#, network("198.51.100.0/24")),
                rule("tcp", 443, &network("198.51.100.0/33")),
            ],
        ),
    ];
    let mut builder = InventoryBuilder::default();
    for (name, list) in [
        ("NetworkInterfaces", interfaces.join(",")),
        ("SecurityGroups", groups.join(",")),
    ] {
        let json = format!(r#"{{"{name}":[{list}]}}"#);
        let taken = Snapshot::default();
        builder.add(name, json.as_bytes(), &taken).unwrap();
    }
    let inventory = builder.build().unwrap();
    assert_eq!(inventory.problems.total(), 1, "{:?}", inventory.problems);
    inventory
}

/// What was found of the theft and of the tunnel, as lines of a run.
fn found() -> String {
    let line = |id: &str, family: &str, day: &str, who: &str, to: &str| {
        format!(
            r#"{{"type":"finding","id":"{id}","incident":"inc-{id}","family":"{family}","account_id":"878788776414",{who},"destination":{{{to}}},"first_seen":"{day}T13:15:11Z","last_seen":"{day}T13:35:10Z"}}"#
        )
    };
    let interface =
        r#""interface_id":"eni-01699989a9ca9b4fe","sender":{"instance_id":"i-01bead5be9063b83d"}"#;
    let host = r#""workload":"10.16.37.134 (resolver)","sender":{"instance_id":null}"#;
    let theft =
        r#""group":"45.84.72.0/24","domain":null,"addresses":["45.84.72.193","52.217.141.161"]"#;
    let tunnel = r#""group":"example.com","domain":"example.com","addresses":[]"#;
    [
        line("f-1", "volume.ledger", "2026-09-05", interface, theft),
        line("f-2", "dns.tunnel", "2026-09-03", host, tunnel),
    ]
    .join("\n")
}

impl World {
    /// A session that is given findings of GuardDuty and ours.
    pub(crate) fn given(&self) -> Session {
        let session = self.session();
        self.give(&session);
        session
    }

    /// Gives a session those findings.
    pub(crate) fn give(&self, session: &Session) {
        let mut records = outflow_posture::GuardDutyRecords::default();
        records.add("export", guardduty().as_bytes());
        assert_eq!(records.damaged(), 0, "{:?}", records.damage());
        session
            .give(outflow_query::guardduty(&records).unwrap())
            .unwrap();
        let found = outflow_query::found(found().as_bytes()).unwrap().tables;
        let rules = outflow_query::egress_rules(&inventory()).unwrap();
        for table in found.into_iter().chain(rules) {
            session.give(table).unwrap();
        }
    }

    /// A session with two threads.
    pub(crate) fn session(&self) -> Session {
        let limits = Limits {
            threads: 2,
            ..Limits::default()
        };
        Session::over(&self.lake, limits, outflow_udf::Known::default()).unwrap()
    }

    /// What a query answers, a text for each value.
    pub(crate) fn ask(
        &self,
        session: &Session,
        sql: &str,
        values: Vec<(String, ScalarValue)>,
    ) -> Result<Answer, Error> {
        self.runtime.block_on(async {
            let mut rows = session.query(sql, values).await?;
            let mut answer = Answer {
                columns: names(&rows),
                rows: Vec::new(),
            };
            while let Some(batch) = rows.next().await? {
                for row in 0..batch.num_rows() {
                    let cell = |column: &arrow_array::ArrayRef| {
                        arrow_cast::display::array_value_to_string(column, row)
                    };
                    let cells = batch.columns().iter().map(cell);
                    answer.rows.push(cells.collect::<Result<_, _>>().unwrap());
                }
            }
            Ok(answer)
        })
    }
}

fn names(rows: &outflow_query::Rows) -> Vec<String> {
    let schema = rows.schema();
    schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}

/// An answer as texts.
pub(crate) struct Answer {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}
