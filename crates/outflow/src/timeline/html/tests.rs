use outflow_finding::{Family, Incident, Severity};
use outflow_query::{Entity, Timeline, Why};

use super::*;

const HOSTILE: &str = "</td><script>alert(\"1\")</script>'\u{202e}\u{1b}[2J";

fn episode_at(at: i64, sent: u64) -> Moment {
    Moment {
        at: Timestamp(at),
        until: Timestamp(at + 60),
        what: What::Episode(Box::new(Episode {
            interface_id: "eni-1".to_owned(),
            workload: HOSTILE.to_owned(),
            local_addr: "10.0.0.1".to_owned(),
            remote_addr: "203.0.113.9".to_owned(),
            port: Some(443),
            protocol: Some(6),
            initiator: "local".to_owned(),
            action: "ACCEPT".to_owned(),
            scope: "external".to_owned(),
            name: Some(HOSTILE.to_owned()),
            destination: None,
            country: None,
            org: None,
            service: None,
            connections: 1,
            flows: 1,
            sent_payload_bytes: sent,
            received_payload_bytes: 7,
            first_seen: true,
        })),
    }
}

fn asked_at(at: i64) -> Moment {
    Moment {
        at: Timestamp(at),
        until: Timestamp(at),
        what: What::Questions(Questions {
            srcaddr: "10.0.0.1".to_owned(),
            domain: HOSTILE.to_owned(),
            queries: 3,
            names: 2,
            a_name: HOSTILE.to_owned(),
            types: HOSTILE.to_owned(),
            failed: 1,
            first_seen: false,
        }),
    }
}

fn gap_of(at: i64, until: i64) -> Moment {
    Moment {
        at: Timestamp(at),
        until: Timestamp(until),
        what: What::Gap(Gap {
            interface_id: HOSTILE.to_owned(),
            why: Why::Missing,
        }),
    }
}

fn story(moments: Vec<Moment>) -> Story {
    let timeline = Timeline {
        moments,
        omitted: 0,
    };
    let entity = Entity::Workload(HOSTILE.to_owned());
    Story::of(&entity, (None, None), timeline)
}

fn page(story: &Story) -> String {
    let mut out = Vec::new();
    write(story, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Every element has its end, and none is there but ours.
#[track_caller]
fn is_well_formed(page: &str) {
    const OURS: &[&str] = &[
        "!DOCTYPE",
        "b",
        "body",
        "br",
        "code",
        "dd",
        "defs",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "head",
        "header",
        "html",
        "li",
        "line",
        "main",
        "meta",
        "p",
        "path",
        "pattern",
        "rect",
        "section",
        "span",
        "style",
        "svg",
        "table",
        "tbody",
        "td",
        "text",
        "th",
        "thead",
        "time",
        "title",
        "tr",
        "ul",
    ];
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        assert!(OURS.contains(&name), "<{tag}>");
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        if !tag.ends_with('/') && !["!DOCTYPE", "br", "meta"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} have no end");
}

#[test]
fn hostile_texts_stay_texts() {
    let mut told = story(vec![
        episode_at(1_000, 500),
        asked_at(1_030),
        gap_of(1_100, 9_000),
    ]);
    let finding = Finding {
        id: HOSTILE.to_owned(),
        title: HOSTILE.to_owned(),
        severity: Severity::High,
        workload: Some(HOSTILE.to_owned()),
        ..Finding::new(Family::Beacon)
    };
    told.incident = Some(Incident {
        finding_ids: Vec::new(),
        body: finding.clone(),
        lane: None,
        is_again: false,
    });
    told.entries.push(Entry::Finding(Box::new(finding)));
    let page = page(&told);
    is_well_formed(&page);
    assert!(!page.contains("<script") && !page.contains(['\u{202e}', '\u{1b}']));
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn a_gap_is_seen_in_the_chart_and_in_the_order_of_things() {
    let page = page(&story(vec![episode_at(1_000, 500), gap_of(1_060, 8_260)]));
    assert!(page.contains("<rect class=\"gap\" x="));
    let row = page.split_once("<tr class=\"gap\">").unwrap().1;
    let row = row.split_once("</tr>").unwrap().0;
    assert!(row.contains("00:17:40") && row.contains(">2 h<"), "{row}");
    assert!(row.contains("no record of this time"), "{row}");
    assert!(page.contains("<dt>Without a record</dt><dd>2 h</dd>"));
    assert!(page.contains("first seen"));
}

#[test]
fn of_more_moments_than_a_page_has_room_for_those_that_tell_most_stay() {
    let mut moments: Vec<Moment> = (0..3_000).map(|at| episode_at(at * 60, 10)).collect();
    moments.insert(2_000, episode_at(2_000 * 60, 1_000_000));
    moments.push(gap_of(180_000, 190_000));
    let page = page(&story(moments));
    is_well_formed(&page);
    let rows = page.matches("<td class=\"when\"><time").count();
    assert_eq!(rows, HTML_ROWS_MAX);
    assert!(page.contains("<td class=\"number\">1.0 MB</td>"));
    assert!(page.contains("<tr class=\"gap\">"));
    assert!(page.contains("of lesser volume, which <code>--format json</code> has"));
}

#[test]
fn charts_keep_to_their_place_whatever_the_times_and_bytes_are() {
    for (at, sent) in [
        (0, 0),
        (i64::MAX / 4, u64::MAX),
        (-5_000_000_000, 1),
        (1_000, u64::MAX),
    ] {
        let page = page(&story(vec![episode_at(1_000, 5), episode_at(at, sent)]));
        let chart = page.split_once("<svg class=\"chart\"").unwrap().1;
        let chart = chart.split_once("</svg>").unwrap().0;
        for (name, most) in [
            ("x", 860.0),
            ("y", 290.0),
            ("width", 860.0),
            ("height", 290.0),
        ] {
            for value in chart.split(&format!(" {name}=\"")).skip(1) {
                let number: f64 = value.split_once('"').unwrap().0.parse().unwrap();
                assert!((0.0..=most).contains(&number), "{name} {number} of {at}");
            }
        }
    }
}
