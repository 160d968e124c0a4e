use super::*;
use crate::reading::{NOTHING, START, state_of_lines, state_of_logs};

const V2: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets \
                  bytes start end action log-status";
const RELAYED: &str = "vpc-id interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport \
                       dstport protocol packets bytes start end flow-direction";

/// What is seen of each pair: remote address, port, whether it is served, bytes up and down.
type Seen = (String, u16, bool, u64, u64);

fn seen(state: &State) -> Vec<Seen> {
    let view = View::new(state, &Policy::default(), &NOTHING, Day(40_000));
    let mut all: Vec<Seen> = shards()
        .into_iter()
        .flat_map(|shard| view.pairs(shard))
        .map(|(key, own, _)| {
            let (port, served) = (key.service.port, key.service.role != Role::Client);
            let (up, down) = (own.up().bytes, own.down().bytes);
            (key.remote.to_string(), port, served, up, down)
        })
        .collect();
    all.sort();
    all
}

fn row(ends: &str, ports: &str, bytes: u64) -> String {
    format!("2 1 eni-a {ends} {ports} 6 10 {bytes} {START} {START} ACCEPT OK\n")
}

fn seen_of(rows: &[String]) -> Vec<Seen> {
    seen(&state_of_lines(V2, &rows.concat()))
}

fn pair(remote: &str, port: u16, served: bool, up: u64, down: u64) -> Seen {
    (remote.to_owned(), port, served, up, down)
}

#[test]
fn the_address_that_all_records_share_is_the_interfaces_own() {
    for own in ["4.4.4.4", "200.1.1.1"] {
        let rows = [
            row(&format!("{own} 45.1.2.3"), "40000 443", 1_000),
            row(&format!("45.1.2.3 {own}"), "443 40000", 2_000),
            row(&format!("46.1.2.3 {own}"), "40000 22", 3_000),
            row(&format!("{own} 46.1.2.3"), "22 40000", 4_000),
        ];
        let expected = [
            pair("45.1.2.3", 443, false, 1_000, 2_000),
            pair("46.1.2.3", 22, true, 4_000, 3_000),
        ];
        assert_eq!(seen_of(&rows), expected, "{own}");
    }
}

#[test]
fn where_two_addresses_may_be_own_the_client_is() {
    for (client, server) in [("4.4.4.4", "45.1.2.3"), ("45.1.2.3", "4.4.4.4")] {
        let rows = [
            row(&format!("{client} {server}"), "40000 443", 1_000),
            row(&format!("{server} {client}"), "443 40000", 2_000),
        ];
        assert_eq!(seen_of(&rows), [pair(server, 443, false, 1_000, 2_000)]);
    }
}

#[test]
fn of_two_flows_to_port_53_inside_the_asking_side_is_the_client() {
    let rows = [
        row("10.0.0.7 10.0.0.2", "53 53", 1_000),
        row("10.0.0.7 10.0.0.2", "40000 53", 2_000),
        row("10.0.0.2 10.0.0.7", "53 40000", 3_000),
    ];
    let seen = seen_of(&rows);
    assert!(seen.contains(&pair("10.0.0.2", 53, false, 2_000, 3_000)));
    let bytes: u64 = seen.iter().map(|(.., up, down)| up + down).sum();
    assert_eq!(bytes, 6_000);
}

#[test]
fn inside_flows_other_than_names_are_not_kept() {
    assert_eq!(seen_of(&[row("10.0.0.7 10.0.0.2", "40000 443", 1_000)]), []);
}

fn host(remote: &str, bytes: u64, at: i64) -> String {
    let at = START + at;
    format!(
        "vpc-a eni-a i-a 10.0.0.7 {remote} 10.0.0.7 {remote} 40000 443 6 10 {bytes} {at} {at} egress\n"
    )
}

fn gateway(remote: &str, bytes: u64, at: i64) -> String {
    let at = START + at;
    format!(
        "vpc-a eni-n - 10.0.0.9 {remote} 10.0.0.7 {remote} 40000 443 6 10 {bytes} {at} {at} egress\n"
    )
}

fn counted(rows: &[String]) -> u64 {
    counted_of(&state_of_lines(RELAYED, &rows.concat()))
}

fn counted_of(state: &State) -> u64 {
    View::new(state, &Policy::default(), &NOTHING, Day(40_000))
        .sift()
        .counted
        .bytes
}

#[test]
fn a_gateway_counts_where_hosts_do_not_hold_nine_tenths_of_it() {
    let remote = "45.1.2.3";
    assert_eq!(counted(&[host(remote, 1_000, 0)]), 1_000);
    assert_eq!(counted(&[gateway(remote, 1_000, 0)]), 1_000);
    let both = |by_host| counted(&[host(remote, by_host, 0), gateway(remote, 1_000, 5)]);
    assert_eq!(both(1_000), 1_000);
    assert_eq!(both(900), 900);
    // Its own log has lost some: then the gateway's counts, as a whole.
    assert_eq!(both(890), 1_000);
    // An address and a day are told apart from others.
    let other = [host(remote, 1_000, 0), gateway("45.1.2.4", 1_000, 0)];
    assert_eq!(counted(&other), 2_000);
    let next_day = [host(remote, 1_000, 0), gateway(remote, 1_000, 86_400)];
    assert_eq!(counted(&next_day), 2_000);
}

#[test]
fn the_own_address_that_one_flow_log_tells_holds_for_another() {
    let server = [
        row("46.1.2.3 200.1.1.1", "40000 22", 3_000),
        row("200.1.1.1 46.1.2.3", "22 40000", 4_000),
    ];
    let call = row("200.1.1.1 45.1.2.3", "40000 443", 1_000);
    let (one, other) = (server.concat(), server.concat() + &call);
    let expected = [
        pair("45.1.2.3", 443, false, 1_000, 0),
        pair("46.1.2.3", 22, true, 4_000, 3_000),
    ];
    for logs in [[&one, &other], [&other, &one]] {
        let state = state_of_logs(V2, &[("fl-a", logs[0]), ("fl-b", logs[1])]);
        assert_eq!(seen(&state), expected);
    }
}

#[test]
fn a_flow_log_in_which_a_host_sent_nothing_is_still_the_hosts() {
    let remote = "45.1.2.3";
    let sent = host(remote, 1_000, 0) + &gateway(remote, 1_000, 0);
    let answers = |at: i64| {
        let at = START + 3_600 * at;
        let ports = format!("443 40000 6 10 500 {at} {at} ingress");
        let at_host = format!("vpc-a eni-a i-a {remote} 10.0.0.7 {remote} 10.0.0.7 {ports}\n");
        let at_gateway = format!("vpc-a eni-n - {remote} 10.0.0.9 {remote} 10.0.0.7 {ports}\n");
        at_host + &at_gateway
    };
    let answered: String = (1..5).map(answers).collect();
    let state = state_of_logs(RELAYED, &[("fl-a", &sent), ("fl-b", &answered)]);
    assert_eq!(counted_of(&state), 1_000);
}

#[test]
fn whom_an_interface_called_in_one_flow_log_it_serves_in_none() {
    let format = "interface-id srcaddr dstaddr srcport dstport protocol tcp-flags packets bytes start end \
                  flow-direction";
    let line = |remote: &str, flags: u8, bytes: u64, at: i64| {
        let at = START + at;
        format!("eni-a 10.0.0.7 {remote} 8443 50000 6 {flags} 1 {bytes} {at} {at} egress\n")
    };
    let accepts_and_calls = line("46.1.2.3", 18, 152, 0) + &line("45.1.2.3", 2, 152, 0);
    let goes_on = line("45.1.2.3", 0, 1_052, 7 * 3_600);
    for second in ["fl-a", "fl-b"] {
        let logs = [("fl-a", &*accepts_and_calls), (second, &*goes_on)];
        let state = state_of_logs(format, &logs);
        let view = View::new(&state, &Policy::default(), &NOTHING, Day(40_000));
        let sifted = view.sift();
        let chosen = sifted.chosen.iter().flatten();
        let payload: u64 = chosen.map(|entry| entry.counters.up().payload).sum();
        assert_eq!(payload, 1_100, "{second}");
    }
}

#[test]
fn a_gateway_of_another_network_passes_on_what_has_the_same_sum() {
    let format = "account-id vpc-id interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr \
                  bytes start flow-direction";
    let counted = |gateway: &str, bytes: u64| {
        let ends = "10.0.0.7 45.1.2.3 10.0.0.7 45.1.2.3";
        let rows = format!(
            "1 vpc-a eni-a i-a {ends} 1000 {START} egress\n\
             {gateway} eni-n - 10.0.0.9 45.1.2.3 10.0.0.7 45.1.2.3 {bytes} {START} egress\n"
        );
        counted_of(&state_of_lines(format, &rows))
    };
    assert_eq!(counted("1 vpc-a", 400), 1_000);
    assert_eq!(counted("1 vpc-b", 400), 1_400);
    // Shared with another account.
    assert_eq!(counted("2 vpc-a", 400), 1_000);
    // The same sum of the same address: it came from there, through a transit gateway.
    assert_eq!(counted("2 vpc-b", 1_000), 1_000);
}

#[test]
fn a_view_ends_with_its_day() {
    let rows = [host("45.1.2.3", 1_000, 0), host("45.1.2.3", 500, 86_400)];
    let state = state_of_lines(RELAYED, &rows.concat());
    let through = |day| {
        View::new(&state, &Policy::default(), &NOTHING, Day(day))
            .sift()
            .counted
            .bytes
    };
    assert_eq!([19_999, 20_000, 20_001].map(through), [0, 1_000, 1_500]);
}

#[test]
fn workloads_are_numbered_by_account_and_name() {
    let format = "account-id interface-id instance-id srcaddr dstaddr bytes start";
    let rows = [
        format!("2 eni-z i-a 10.0.0.7 45.1.2.3 1 {START}\n"),
        format!("1 eni-y i-b 10.0.0.7 45.1.2.3 1 {START}\n"),
        format!("1 eni-x i-b 10.0.0.8 45.1.2.3 1 {START}\n"),
        format!("1 eni-w - 10.0.0.9 45.1.2.3 1 {START}\n"),
    ];
    let state = state_of_lines(format, &rows.concat());
    let view = View::new(&state, &Policy::default(), &NOTHING, Day(40_000));
    let workload = |id| {
        (
            view.workload(id).account_id.as_str(),
            view.workload(id).name.as_str(),
        )
    };
    assert_eq!(
        [0, 1, 2].map(workload),
        [("1", "eni-w"), ("1", "i-b"), ("2", "i-a")]
    );
    let of_second = view
        .sift()
        .chosen
        .iter()
        .flatten()
        .filter(|e| e.workload == 1)
        .count();
    assert_eq!(of_second, 2);
}

#[test]
fn flags_of_one_window_tell_who_opened_the_others() {
    let format = "interface-id srcaddr dstaddr srcport dstport protocol tcp-flags packets bytes start end \
                  flow-direction";
    let guessed = |rows: &[&str]| {
        let text: String = rows.iter().map(|row| format!("eni-a {row}\n")).collect();
        let text = text.replace("AT", &START.to_string());
        let state = state_of_lines(format, &text);
        let view = View::new(&state, &Policy::default(), &NOTHING, Day(40_000));
        view.sift().guessed_payload_bytes
    };
    let opens = "10.0.0.7 45.1.2.3 40000 443 6 2 1 152 AT AT egress";
    let answers = "45.1.2.3 10.0.0.7 443 40000 6 18 1 152 AT AT ingress";
    let goes_on = "10.0.0.7 45.1.2.3 40000 443 6 0 1 152 AT AT egress";
    assert_eq!(guessed(&[goes_on]), 100);
    assert_eq!(guessed(&[goes_on, opens]), 0);
    assert_eq!(guessed(&[goes_on, answers]), 0);
    // What a port accepts, it accepts from all.
    let accepts = "10.0.0.7 46.1.2.3 8443 50000 6 18 1 152 AT AT egress";
    let serves = "10.0.0.7 45.1.2.3 8443 40000 6 0 1 152 AT AT egress";
    assert_eq!(guessed(&[serves]), 100);
    assert_eq!(guessed(&[serves, accepts]), 0);
    let udp = "10.0.0.7 45.1.2.3 40000 443 17 - 1 128 AT AT egress";
    assert_eq!(guessed(&[udp]), 100);
    // Ports of one rank suggest nothing: the later windows of what is served stay with the host, as chosen.
    let accepted = "10.0.0.7 45.1.2.3 8080 20000 6 18 1 152 AT AT egress";
    let later = "10.0.0.7 45.1.2.3 8080 20000 6 0 1 152 AT AT egress";
    assert_eq!(guessed(&[accepted, later]), 100);
    // Nor do flags of another six hours tell.
    let next_slot = goes_on.replace("AT", &(START + crate::time::SLOT_SECS).to_string());
    assert_eq!(guessed(&[opens, &next_slot]), 100);
}

#[test]
fn the_query_of_a_host_behind_a_gateway_asks_for_its_packets() {
    let row = format!(
        "vpc-a eni-n - 10.0.0.7 10.0.0.9 10.0.0.7 45.1.2.3 40000 443 6 300000 400000000 {START} {START} ingress\n"
    );
    let state = state_of_lines(RELAYED, &row);
    let found = crate::judge::judge(&state, &Policy::default(), Day(40_000)).findings;
    let finding = &found[0].finding;
    assert_eq!(finding.workload.as_deref(), Some("10.0.0.7 in vpc-a"));
    assert_eq!(finding.interface_id.as_deref(), Some("eni-n"));
    let sql = finding.evidence.sql.clone().unwrap();
    let asked = "(dstaddr IN ('45.1.2.3') OR srcaddr IN ('45.1.2.3') OR pkt_dstaddr IN ('45.1.2.3') \
                 OR pkt_srcaddr IN ('45.1.2.3')) AND (pkt_srcaddr IN ('10.0.0.7') OR pkt_dstaddr IN ('10.0.0.7'))";
    assert!(sql.contains(asked), "{sql}");
}

#[test]
fn what_does_not_count_is_told_by_reason() {
    let format = "vpc-id interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport dstport protocol \
                  packets bytes start end action tcp-flags flow-direction";
    let row = |ends: &str, rest: &str| {
        let addrs = ends.split_once(' ').unwrap().1.split_once(' ').unwrap().1;
        let packets = if addrs.split(' ').count() == 2 {
            format!("{ends} {addrs}")
        } else {
            ends.to_owned()
        };
        let (what, end) = rest.split_once(" | ").unwrap();
        format!("vpc-a {packets} {what} {START} {START} {end}\n")
    };
    let host = "eni-a i-a 10.0.0.7";
    let rows = [
        // Sent, and its answer.
        row(
            &format!("{host} 45.1.2.3"),
            "40000 443 6 1 1052 | ACCEPT 2 egress",
        ),
        row(
            "eni-a i-a 45.1.2.3 10.0.0.7",
            "443 40000 6 1 200 | ACCEPT 18 ingress",
        ),
        // What the gateway had from the host, and sent on in its own name.
        row(
            "eni-n - 10.0.0.7 10.0.0.9 10.0.0.7 45.1.2.3",
            "40000 443 6 1 1052 | ACCEPT 2 ingress",
        ),
        row(
            "eni-n - 10.0.0.9 45.1.2.3",
            "50000 443 6 1 1052 | ACCEPT 2 egress",
        ),
        // A client of what is served, and what it got.
        row(
            "eni-a i-a 46.1.2.3 10.0.0.7",
            "50000 443 6 1 70 | ACCEPT 2 ingress",
        ),
        row(
            &format!("{host} 46.1.2.3"),
            "443 50000 6 1 400 | ACCEPT 18 egress",
        ),
        // Inside, of which name resolution is kept.
        row(
            &format!("{host} 10.0.0.8"),
            "40000 5432 6 1 152 | ACCEPT 2 egress",
        ),
        row(
            &format!("{host} 10.0.0.2"),
            "40000 53 17 1 78 | ACCEPT 0 egress",
        ),
        row(
            "eni-a i-a 10.0.0.2 10.0.0.7",
            "53 40000 17 1 58 | ACCEPT 0 ingress",
        ),
        row(
            "eni-a i-a 47.1.2.3 10.0.0.7",
            "50000 22 6 1 60 | REJECT 2 ingress",
        ),
    ];
    let state = state_of_lines(format, &rows.concat());
    let verdict = crate::judge::judge(&state, &Policy::default(), Day(40_000));
    assert_eq!(verdict.counted_bytes, 1_052 + 400);
    let expected = Uncounted {
        repeated_bytes: 2 * 1_052,
        received_bytes: 200 + 70,
        inside_bytes: 152 + 78 + 58,
        inside_payload_bytes: 100 + 50 + 30,
        rejected_bytes: 60,
    };
    assert_eq!(verdict.uncounted, expected);
}

#[test]
fn overlapping_flow_logs_count_once_where_coverage_was_dropped() {
    let mut decoder = outflow_record::Decoder::new(Some(V2.parse().unwrap()));
    let rows =
        row("10.0.0.7 45.1.2.3", "40000 443", 1_000) + &row("45.1.2.3 10.0.0.7", "443 40000", 300);
    decoder.decode(rows.as_bytes()).unwrap();
    let decoded = decoder.flush().unwrap();
    let mut state = State::default();
    let mut enricher = outflow_enrich::Enricher::new(outflow_enrich::Networks::default());
    for flow_log in ["fl-1", "fl-2"] {
        let origin = outflow_enrich::Origin {
            flow_log: Some(flow_log.to_owned()),
            ..outflow_enrich::Origin::default()
        };
        state.fold(&enricher.enrich(&decoded.flows, &origin), 0);
    }
    let counted = |state: &State| {
        let verdict = crate::judge::judge(state, &Policy::default(), Day(40_000));
        (verdict.counted_bytes, verdict.uncounted.repeated_bytes)
    };
    assert_eq!(counted(&state), (1_000, 1_000));
    state.entities.keep_from(crate::time::Hour(u32::MAX));
    assert_eq!(counted(&state), (1_000, 1_000));
}
