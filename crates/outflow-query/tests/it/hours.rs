//! The coarse rollup says what the records say.

use std::fmt::Write as _;

use crate::once::{DAY, Logs};

/// Two hosts that send to more and more addresses for four hours, are answered, and are refused now and then.
fn records() -> String {
    let mut lines = String::new();
    for at in 0..3_000_i64 {
        let (host, start) = (at % 2, DAY + at * 5);
        let remote = format!("203.0.113.{}", at % (40 + host * 160));
        let inside = format!("10.0.0.{}", 10 + host);
        let action = if at % 11 == 0 { "REJECT" } else { "ACCEPT" };
        let (from, to) = match at % 3 {
            0 => (&remote, &inside),
            _ => (&inside, &remote),
        };
        let end = start + 60;
        writeln!(
            lines,
            "5 111122223333 eni-0{host} {from} {to} 443 {} 6 3 {} {start} {end} {action} OK vpc-1 i-0{host} {from} {to}",
            40_000 + at,
            1_000 + at
        )
        .unwrap();
    }
    lines
}

const OF_FLOWS: &str = "SELECT date_trunc('hour', start) AS hour, interface_id, direction, scope, action, counted, \
    count(*) AS flows, sum(packets) AS packets, sum(bytes) AS bytes, sum(payload_bytes) AS payload_bytes, \
    min(start) AS first, max(\"end\") AS last, \
    CASE direction WHEN 'egress' THEN distinct_hll(remote_addr) ELSE 0 END AS sent_to \
    FROM flows GROUP BY 1, 2, 3, 4, 5, 6";

const OF_HOURS: &str = "SELECT hour, interface_id, direction, scope, action, counted, sum(flows) AS flows, \
    sum(packets) AS packets, sum(bytes) AS bytes, sum(payload_bytes) AS payload_bytes, min(first) AS first, \
    max(last) AS last, distinct_hll_merge(sent_to_hll) AS sent_to \
    FROM hours GROUP BY 1, 2, 3, 4, 5, 6";

#[test]
fn hours_say_what_flows_say() {
    let logs = Logs::new(&[("fl-1", records())]);
    assert_eq!(logs.longs("SELECT sum(flows) FROM hours"), [3_000]);
    let other = |one: &str, two: &str| {
        logs.longs(&format!(
            "SELECT count(*) FROM (SELECT * FROM ({one}) EXCEPT SELECT * FROM ({two}))"
        ))[0]
    };
    assert_eq!(other(OF_FLOWS, OF_HOURS), 0);
    assert_eq!(other(OF_HOURS, OF_FLOWS), 0);
    // Few are counted exactly; of many, both count the same within some percent.
    assert_eq!(
        logs.longs("SELECT distinct_hll_merge(sent_to_hll) FROM hours WHERE interface_id = 'eni-00'"),
        logs.longs("SELECT count(DISTINCT remote_addr) FROM flows WHERE interface_id = 'eni-00' AND direction = 'egress'")
    );
}

#[test]
fn hours_add_up_over_objects_and_flow_logs() {
    let half = records();
    let (one, two) = half.split_at(
        half.len() / 2
            - half[..half.len() / 2]
                .chars()
                .rev()
                .take_while(|c| *c != '\n')
                .count(),
    );
    let logs = Logs::new(&[("fl-1", one.to_owned()), ("fl-2", two.to_owned())]);
    assert_eq!(
        logs.longs("SELECT sum(flows) FROM hours GROUP BY flow_log_id ORDER BY 1"),
        logs.longs("SELECT count(*) FROM flows GROUP BY flow_log_id ORDER BY 1")
    );
}
