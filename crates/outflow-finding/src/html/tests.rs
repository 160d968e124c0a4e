use super::*;
use crate::samples::{HOSTILE, beacon, filled, theft};
use crate::{
    Family, Harmless, Held, History, InterfaceCoverage, JudgedState, Minutes, RowCounts,
    SuppressionBook, Tested, finding_id, group,
};
use outflow_record::Timestamp;

fn accounts() -> Accounts {
    Accounts {
        objects: 2,
        lines: 1_000,
        rows: 1_000,
        bytes: 100_000_000_000,
        counted_bytes: 60_000_000_000,
        received_bytes: 40_000_000_000,
        counted_payload_bytes: 58_000_000_000,
        enis: 2,
        first: "2026-10-01T00:00:00Z".parse().ok(),
        last: "2026-10-02T00:00:00Z".parse().ok(),
        seconds: 0.5,
        ..Accounts::default()
    }
}

fn coverage() -> CoverageReport {
    CoverageReport {
        interfaces: vec![InterfaceCoverage {
            interface_id: Some("eni-1".to_owned()),
            minutes: Minutes {
                ok: 900,
                nodata: 60,
                missing: 40,
                ..Minutes::default()
            },
            rows: RowCounts {
                accepted: 900,
                ..RowCounts::default()
            },
            ..InterfaceCoverage::default()
        }],
        ..CoverageReport::default()
    }
}

fn page_of(findings: Vec<Finding>, accounts: &Accounts, coverage: &CoverageReport) -> String {
    let (incidents, findings) = group(findings);
    let mut out = Vec::new();
    write_html(&mut out, &incidents, &findings, accounts, coverage).unwrap();
    String::from_utf8(out).unwrap()
}

fn page(findings: Vec<Finding>) -> String {
    page_of(findings, &accounts(), &coverage())
}

fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}

const ELEMENTS: &[&str] = &[
    "!DOCTYPE",
    "a",
    "article",
    "b",
    "body",
    "br",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "li",
    "line",
    "main",
    "meta",
    "p",
    "pre",
    "rect",
    "section",
    "span",
    "style",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];

const ATTRIBUTES: &[&str] = &[
    "html",
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "id",
    "href",
    "title",
    "scope",
    "viewBox",
    "preserveAspectRatio",
    "aria-hidden",
    "aria-label",
    "role",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "width",
    "height",
];

/// Elements that have no end.
const VOID: &[&str] = &["!DOCTYPE", "br", "meta"];

/// Reads the page as a strict browser would, and checks that no element and no attribute is there but ours, each with
/// its quotes and its end.
#[track_caller]
fn is_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        // Within the style, `>` and quotes have another meaning.
        assert!(
            open.last() == Some(&"style") || !before.contains('>'),
            "{before}"
        );
        let end = end_of(tag);
        let (tag, behind) = (&tag[..end], &tag[end + 1..]);
        rest = behind;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "ends what is not open");
            continue;
        }
        let is_closed = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(ELEMENTS.contains(&name), "<{tag}>");
        has_known_attributes(attributes);
        if !is_closed && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} have no end");
}

/// Where the tag ends: at the first `>` that is not quoted.
fn end_of(tag: &str) -> usize {
    let mut is_quoted = false;
    let end = tag.char_indices().find(|(_, c)| {
        is_quoted ^= *c == '"';
        *c == '>' && !is_quoted
    });
    end.unwrap_or_else(|| panic!("no end of <{tag}")).0
}

#[track_caller]
fn has_known_attributes(mut attributes: &str) {
    while !attributes.trim().is_empty() {
        let trimmed = attributes.trim_start();
        let Some((name, value)) = trimmed.split_once("=\"") else {
            assert_eq!(trimmed, "html", "an attribute without a value");
            return;
        };
        assert!(ATTRIBUTES.contains(&name), "{name}");
        let (value, rest) = value.split_once('"').unwrap();
        assert!(!value.contains('<'), "{value}");
        assert!(name != "href" || value.starts_with("#incident-"), "{value}");
        attributes = rest;
    }
}

#[test]
fn an_incident_says_who_where_why_and_what_to_look_at() {
    let page = page(vec![theft(), beacon()]);
    insta::assert_snapshot!(between(&page, "<article ", "<h3>Evidence</h3>"), @r#"
    id="incident-1" class="critical">
    <p class="kind"><span class="badge critical">Critical</span> <span>risk 96</span> <span>volume.ledger</span> <span>inc-082c3e4497f0f0fd</span></p>
    <h2><span class="rank">1</span> 48.2 GB to a network never sent to before (+1 more)</h2>
    <ul class="why">
    <li>2026-10-01: 47.0 GB of payload within 24 hours is explained by nothing known</li>
    <li>60 seconds, against 0.5</li>
    </ul>
    <dl class="facts">
    <dt>Who</dt><dd>asg/payments-api</dd>
    <dt>Account</dt><dd>123456789012</dd>
    <dt>Region</dt><dd>eu-central-1</dd>
    <dt>VPC</dt><dd>vpc-0f00ba11</dd>
    <dt>Interface</dt><dd>eni-0123456789abcdef0</dd>
    <dt>Instance</dt><dd>i-0123456789abcdef0</dd>
    <dt>Subnet</dt><dd>subnet-1</dd>
    <dt>Security groups</dt><dd>sg-1 (web)</dd>
    <dt>Tags</dt><dd>app=payments</dd>
    <dt>Where</dt><dd>drop.example.net</dd>
    <dt>Addresses</dt><dd>198.51.100.7, 2001:db8::7</dd>
    <dt>Network</dt><dd>AS64500 Example Transit NL</dd>
    <dt>Prevalence</dt><dd>known to 1 of 31 workloads, since 2026-10-01T08:30:00Z</dd>
    <dt>Located by</dt><dd>GeoLite2-City of 2026-09-15</dd>
    <dt>First packet</dt><dd>2026-10-01T00:00:00Z</dd>
    <dt>Last packet</dt><dd>2026-10-02T00:00:00Z</dd>
    <dt>Path</dt><dd>internet-gateway</dd>
    <dt>Stages</dt><dd>command-and-control, exfiltration</dd>
    <dt>Techniques</dt><dd>T1048.003 Exfiltration Over Unencrypted Non-C2 Protocol, T1567 Exfiltration Over Web Service</dd>
    <dt>Risk</dt><dd>96 = bound 49 + volume 27 + direction 15 + families 5</dd>
    <dt>Covered</dt><dd>98.5 % of 1,000 minutes</dd>
    <dt>Judged by</dt><dd>Outflow 0.1.0, parameters 00ff</dd>
    </dl>
    <figure>
    <figcaption>Payload of each finding, from its first to its last packet; dashed is the bound that each crossed</figcaption>
    <svg class="chart" viewBox="0 0 860 210" role="img" aria-label="Payload over time">
    <line class="grid" x1="74" y1="176.0" x2="818" y2="176.0"/><text class="y" x="66.0" y="180.0">0 B</text>
    <line class="grid" x1="74" y1="95.0" x2="818" y2="95.0"/><text class="y" x="66.0" y="99.0">23.5 GB</text>
    <line class="grid" x1="74" y1="14.0" x2="818" y2="14.0"/><text class="y" x="66.0" y="18.0">47.0 GB</text>
    <line class="tick" x1="91.7" y1="176" x2="91.7" y2="181.0"/><text class="x" x="91.7" y="196.0">10-01 00:00</text>
    <line class="tick" x1="268.9" y1="176" x2="268.9" y2="181.0"/><text class="x" x="268.9" y="196.0">10-01 06:00</text>
    <line class="tick" x1="446.0" y1="176" x2="446.0" y2="181.0"/><text class="x" x="446.0" y="196.0">10-01 12:00</text>
    <line class="tick" x1="623.1" y1="176" x2="623.1" y2="181.0"/><text class="x" x="623.1" y="196.0">10-01 18:00</text>
    <line class="tick" x1="800.3" y1="176" x2="800.3" y2="181.0"/><text class="x" x="800.3" y="196.0">10-02 00:00</text>
    <rect class="critical" x="342.7" y="14.0" width="64.0" height="162.0"><title>48.2 GB to a network never sent to before: 47.0 GB</title></rect>
    <line class="bound" x1="336.7" y1="175.7" x2="412.6" y2="175.7"/>
    <rect class="medium" x="91.7" y="174.5" width="708.6" height="1.5"><title>A connection every 60 s: 0 B</title></rect>
    </svg>
    </figure>
    <figure>
    <figcaption>Payload by destination, as findings charge it</figcaption>
    <table class="bars">
    <tr><th scope="row">drop.example.net</th><td><svg viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true"><rect width="1000" height="14"/></svg></td><td class="number">47.0 GB</td></tr>
    <tr><th scope="row">unknown</th><td><svg viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true"><rect width="0" height="14"/></svg></td><td class="number">0 B</td></tr>
    </table>
    </figure>
    <h3>Ledger</h3>
    <div class="wide"><table>
    <thead><tr><th>Finding</th><th>First, last packet</th><th>Where</th><th class="number">Flows</th><th class="number">Packets</th><th class="number">Bytes</th><th class="number">Payload</th></tr></thead>
    <tbody>
    <tr><td class="name"><span title="48.2 GB to a network never sent to before">volume.ledger</span><br><span class="note">f-0e9bb828f88816fd</span></td><td class="name">2026-10-01T08:30:00Z<br>2026-10-01T10:40:00Z</td><td>drop.example.net</td><td class="number">410</td><td class="number">33,000,000</td><td class="number">48.2 GB</td><td class="number">47.0 GB</td></tr>
    <tr><td class="name"><span title="A connection every 60 s">beacon</span><br><span class="note">f-68fe8aa99dec83cd</span></td><td class="name">2026-10-01T00:00:00Z<br>2026-10-02T00:00:00Z</td><td>unknown</td><td class="number">0</td><td class="number">0</td><td class="number">1.4 MB</td><td class="number">0 B</td></tr>
    </tbody>
    <tfoot>
    <tr><td class="name">Incident, each byte of several families once</td><td class="name"></td><td></td><td class="number">410</td><td class="number">33,000,000</td><td class="number">48.2 GB</td><td class="number">47.0 GB</td></tr>
    </tfoot>
    </table></div>
    "#);
}

#[test]
fn an_incident_says_what_else_it_might_have_been_what_was_sent_before_and_from_what_it_was_judged()
{
    let tested = |explanation, outcome, text: &str| Tested {
        explanation,
        outcome,
        text: text.to_owned(),
    };
    let finding = Finding {
        harmless: vec![
            tested(Harmless::OwnHistory, Held::Rejected, "47 GB & more"),
            tested(Harmless::KnownService, Held::Unknown, "nobody was asked"),
        ],
        history: History::of(vec![1_000_000, 2_000_000, 9_000_000], 47_000_000_000),
        state: Some(JudgedState {
            objects: 2,
            rows: 410,
            sha256: "01".into(),
        }),
        ..theft()
    };
    let page = page(vec![finding]);
    for part in [
        "<h3>Harmless explanations</h3>",
        "<tr><td class=\"name\">own-history</td><td class=\"name\">rejected</td><td>47 GB &amp; more</td></tr>",
        "<tr><td class=\"name\">known-service</td><td class=\"name\">unknown</td><td>nobody was asked</td></tr>",
        "<dt>Sent before</dt><dd>median 2.0 MB a day, 99th percentile 9.0 MB, over 3 days before; 47.0 GB on the greatest day of this</dd>",
        "<dt>Judged from</dt><dd>410 records of 2 objects, state 01</dd>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    is_well_formed(&page);
}

#[test]
fn evidence_has_objects_with_hashes_and_the_query() {
    let page = page(vec![theft(), beacon()]);
    let evidence = between(&page, "<h3>Evidence</h3>", "</article>");
    assert!(
        evidence.contains("<td>s3://logs/1.gz<br><span class=\"note\">00ff</span></td>"),
        "{evidence}"
    );
    let query = format!("<pre><code>-- {}\nSELECT 1;</code></pre>", theft().id);
    assert!(evidence.contains(&query), "{evidence}");
}

#[test]
fn the_page_begins_with_the_run_and_ends_with_its_books() {
    let page = page(vec![theft()]);
    insta::assert_snapshot!(between(&page, "<main>", "<article "), @r##"

    <header>
    <p class="brand">Outflow</p>
    <h1>1 incident</h1>
    <p class="span">Flow logs of 2026-10-01T00:00:00Z to 2026-10-02T00:00:00Z</p>
    <dl class="tiles">
    <div class="tile critical"><dt>Critical</dt><dd>1</dd></div>
    <div class="tile"><dt>Payload that left</dt><dd>58.0 GB</dd></div>
    <div class="tile"><dt>Charged to incidents</dt><dd>47.0 GB</dd></div>
    <div class="tile"><dt>Interfaces</dt><dd>2</dd></div>
    <div class="tile"><dt>Minutes covered</dt><dd>96.0 %</dd></div>
    </dl>
    </header>
    <section>
    <h2>Incidents by risk</h2>
    <div class="wide"><table>
    <thead><tr><th class="number">#</th><th class="number">Risk</th><th>Severity</th><th>What</th><th>Who</th><th>Where</th><th class="number">Sent</th></tr></thead>
    <tbody>
    <tr><td class="number">1</td><td class="number">91</td><td><span class="badge critical">Critical</span></td><td><a href="#incident-1">48.2 GB to a network never sent to before</a></td><td class="name">asg/payments-api</td><td class="name">drop.example.net</td><td class="number">48.2 GB</td></tr>
    </tbody>
    </table></div>
    </section>
    "##);
    insta::assert_snapshot!(between(&page, "</article>", "</main>"), @r#"

    <section class="books">
    <h2>What was read</h2>
    <h3>Where the bytes of all records went</h3>
    <svg class="stack" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">
    <rect class="part-0" x="0.00" y="0" width="600.00" height="24"/>
    <rect class="part-2" x="600.00" y="0" width="400.00" height="24"/>
    </svg>
    <ul class="legend">
    <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="part-0" width="10" height="10"/></svg> Counted as leaving <b>60.0 GB</b> <span class="note">60.0 %</span></li>
    <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="part-2" width="10" height="10"/></svg> Received <b>40.0 GB</b> <span class="note">40.0 %</span></li>
    </ul>
    <h3>What became of the payload that left</h3>
    <svg class="stack" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">
    <rect class="part-0" x="0.00" y="0" width="810.34" height="24"/>
    <rect class="part-2" x="810.34" y="0" width="189.66" height="24"/>
    </svg>
    <ul class="legend">
    <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="part-0" width="10" height="10"/></svg> Charged to incidents <b>47.0 GB</b> <span class="note">81.0 %</span></li>
    <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="part-2" width="10" height="10"/></svg> Explained, served, or below every bound <b>11.0 GB</b> <span class="note">19.0 %</span></li>
    </ul>
    <h3>The books</h3>
    <dl class="facts long">
    <dt>Objects</dt><dd>2, damaged 0</dd>
    <dt>Lines</dt><dd>1,000 = rows 1,000 + coverage 0 + rejects 0; besides, headers 0, blank 0</dd>
    <dt>Bytes</dt><dd>100 GB = counted 60.0 GB + received 40.0 GB</dd>
    <dt>Opened by</dt><dd>TCP flags for 100.0 % of 58.0 GB payload, ports alone for 0.0 %</dd>
    <dt>ENIs</dt><dd>2</dd>
    <dt>Span</dt><dd>2026-10-01T00:00:00Z → 2026-10-02T00:00:00Z (1 d)</dd>
    <dt>Seconds</dt><dd>0.50</dd>
    </dl>
    </section>
    <section>
    <h2>What the logs cover</h2>
    <p>96.0 % of 1,000 minutes of 1 interfaces are covered: 900 with traffic, 60 idle, 0 between records; 0 have <code>SKIPDATA</code>, and 40 are missing. 0 of the interfaces cannot be judged.</p>
    <div class="wide"><table>
    <thead><tr><th>Interface</th><th>Account</th><th>Instance</th><th class="number">Covered</th><th class="number">Missing minutes</th><th>Cannot be judged</th></tr></thead>
    <tbody>
    <tr><td class="name">eni-1</td><td>unknown</td><td class="name"></td><td class="number">96.0 %</td><td class="number">40</td><td></td></tr>
    </tbody>
    </table></div>
    </section>
    <footer>Written by Outflow 0.1.0. Times are UTC; a megabyte has a million bytes.</footer>
    "#);
}

#[test]
fn a_run_without_incidents_says_what_that_rests_on() {
    let page = page(Vec::new());
    is_well_formed(&page);
    assert!(page.contains("<h1>No incidents</h1>"));
    assert!(page.contains("Nothing was charged"));
    assert!(page.contains("96.0 % of 1,000 minutes"));
    is_well_formed(&page_of(
        Vec::new(),
        &Accounts::default(),
        &CoverageReport::default(),
    ));
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let page = page(vec![theft(), beacon()]);
    is_well_formed(&page);
    for asking in [
        "http:",
        "https:",
        "src=",
        "url(",
        "@import",
        "<script",
        "<link",
        "javascript:",
    ] {
        assert!(!page.contains(asking), "{asking}");
    }
    assert!(page.contains("Content-Security-Policy"));
}

#[test]
fn hostile_texts_stay_texts() {
    for text in HOSTILE {
        for repeated in [1, 300] {
            let of = || text.repeat(repeated);
            let books = Accounts {
                suppressions: vec![SuppressionBook {
                    id: of(),
                    owner: of(),
                    reason: of(),
                    expires: of(),
                    findings: 1,
                    payload_bytes: 1,
                    exceeded_days: 0,
                    expired_findings: 0,
                }],
                rejects_by_reason: [(of(), 1)].into(),
                ..accounts()
            };
            let mut covered = coverage();
            covered.interfaces[0].interface_id = Some(of());
            covered.interfaces[0].account_id = Some(of());
            covered.interfaces[0].instance_id = Some(of());
            let page = page_of(vec![filled(text, repeated)], &books, &covered);
            is_well_formed(&page);
            let acts = |c: char| crate::escape::acts(c) && c != '\n';
            assert!(!page.contains(acts), "{text:?}");
        }
    }
}

#[test]
fn the_order_is_that_of_risk_and_digests_come_last() {
    let (mut incidents, findings) = group(vec![
        theft(),
        Finding {
            workload: Some("other".to_owned()),
            sender: crate::Sender::default(),
            ..beacon()
        },
    ]);
    incidents[0].lane = Some(Lane::Digest);
    incidents[1].lane = Some(Lane::Alert);
    let mut out = Vec::new();
    write_html(&mut out, &incidents, &findings, &accounts(), &coverage()).unwrap();
    let page = String::from_utf8(out).unwrap();
    is_well_formed(&page);
    let first = between(&page, "id=\"incident-1\"", "</article>");
    assert!(first.contains("A connection every 60 s"), "{first}");
    let second = between(&page, "id=\"incident-2\"", "</article>");
    assert!(second.contains("digest: beyond the budget"), "{second}");
}

#[test]
fn an_archive_of_incidents_makes_a_page_that_opens() {
    let many = (0..1_500).map(|at| Finding {
        id: finding_id(&[&at.to_string()]),
        interface_id: Some(format!("eni-{at}")),
        workload: None,
        severity: Severity::Low,
        ..theft()
    });
    let page = page(many.collect());
    is_well_formed(&page);
    assert_eq!(page.matches("<article ").count(), HTML_INCIDENTS_MAX);
    assert!(page.contains("500 more incidents are in the JSON lines of the run."));
    assert!(page.len() < 4_000_000, "{}", page.len());
}

#[test]
fn charts_keep_to_their_place_whatever_the_times_and_bytes_are() {
    let at = [i64::MIN, -1, 0, 1_790_985_600, i64::MAX];
    for first in at {
        for last in at {
            for payload_bytes in [0, 1, u64::MAX] {
                let finding = Finding {
                    first_seen: Some(Timestamp(first)),
                    last_seen: Some(Timestamp(last)),
                    payload_bytes,
                    ..theft()
                };
                let mut out = Vec::new();
                timeline::write(&mut out, &[&finding]).unwrap();
                let chart = String::from_utf8(out).unwrap();
                for (name, most) in [
                    ("x", 860.0),
                    ("x1", 860.0),
                    ("y", 210.0),
                    ("y1", 210.0),
                    ("height", 210.0),
                ] {
                    for value in chart.split(&format!(" {name}=\"")).skip(1) {
                        let value: f64 = value.split_once('"').unwrap().0.parse().unwrap();
                        assert!((0.0..=most).contains(&value), "{name} {value}: {chart}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_chart_needs_a_time_and_shows_the_bound() {
    let chart = |finding: &Finding| {
        let mut out = Vec::new();
        timeline::write(&mut out, &[finding]).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(chart(&Finding::new(Family::Beacon)), "");
    assert!(chart(&theft()).contains("class=\"bound\""));
    assert!(!chart(&beacon()).contains("class=\"bound\""));
}

#[test]
fn destinations_beyond_the_largest_share_a_bar() {
    let to = |at: u64| {
        let mut finding = theft();
        finding.destination.domain = Some(format!("host{at}.example.net"));
        finding.payload_bytes = at * 1_000;
        finding
    };
    let findings: Vec<Finding> = (1..=12).map(to).collect();
    let own: Vec<&Finding> = findings.iter().collect();
    let mut out = Vec::new();
    bars::destinations(&mut out, &own).unwrap();
    let bars = String::from_utf8(out).unwrap();
    assert_eq!(bars.matches("<tr>").count(), 9);
    assert!(bars.contains("host12.example.net"));
    assert!(bars.contains("4 others"));
    assert!(bars.contains("10.0 kB"), "{bars}");
    let mut out = Vec::new();
    bars::destinations(&mut out, &own[..1]).unwrap();
    assert!(out.is_empty(), "one destination needs no bars");
}
