//! Rows and objects that cannot be counted are told as such.

use super::*;

#[test]
fn rows_that_cannot_be_measured_are_remarked() {
    let text = b"interface-id srcaddr dstaddr\neni-0a1 10.0.0.5 203.0.113.9\neni-0a1 - -\n";
    let outcome = outcome(&[("a.log", text)]);
    assert_eq!((outcome.accounts.rows, outcome.accounts.rejects), (2, 0));
    assert_eq!(outcome.accounts.unmeasured, 2);
    assert!(outcome.remarks[0].starts_with("2 rows lack the addresses, times or bytes"));
}

/// The hints and reasons of an outcome, the reasons without the folder's name.
fn told(outcome: &Outcome) -> Vec<(String, &str)> {
    let told = outcome.problems.iter().map(|problem| {
        let name = problem.uri.rsplit_once('/').unwrap().1;
        let reason = problem.reason.replace(&problem.uri, name);
        (reason, problem.hint.as_str())
    });
    told.collect()
}

#[test]
fn an_object_whose_format_lacks_what_counts_is_a_problem() {
    let leak = leak("eni-0a1", START);
    let lacking = [
        (
            "srcaddr dstaddr start end",
            "eni-0a1 10.0.0.5 203.0.113.9 1 2",
            "bytes",
        ),
        ("bytes start", "eni-0a1 5 1", "srcaddr, dstaddr"),
        (
            "srcaddr dstaddr bytes",
            "eni-0a1 10.0.0.5 203.0.113.9 5",
            "start",
        ),
    ];
    for (fields, line, names) in lacking {
        let text = format!("interface-id {fields}\n{line}\n");
        let outcome = outcome(&[("a.log", leak.as_bytes()), ("b.log", text.as_bytes())]);
        let [(reason, hint)] = &told(&outcome)[..] else {
            panic!("{fields}: {:?}", outcome.problems);
        };
        assert_eq!(
            *reason,
            format!("`b.log` cannot be counted: its format has no {names}")
        );
        assert!(hint.contains("create the flow log with srcaddr"), "{hint}");
        let accounts = &outcome.accounts;
        assert_eq!((accounts.damaged, accounts.unmeasured), (1, 1), "{fields}");
        assert_eq!(outcome.incidents.len(), 1, "the leak is found all the same");
    }
    let end_alone = outcome(&[(
        "a.log",
        b"interface-id srcaddr dstaddr bytes end\neni-0a1 10.0.0.5 203.0.113.9 5 1790000000\n",
    )]);
    assert_eq!(end_alone.problems, [], "one of the times is enough");
    let header_alone = outcome(&[("a.log", b"interface-id srcaddr dstaddr\n")]);
    assert_eq!(header_alone.problems, [], "without rows nothing is lost");
}

#[test]
fn an_object_in_which_no_row_has_values_is_a_problem() {
    let fields = "interface-id srcaddr dstaddr bytes packets start end log-status";
    let text = format!("{fields}\neni-0a1 - - - - 1 2 OK\neni-0a1 10.0.0.5 - 5 1 1 2 OK\n");
    let whole = leak("eni-0a1", START);
    let blank = outcome(&[("a.log", text.as_bytes()), ("b.log", whole.as_bytes())]);
    let [(reason, _)] = &told(&blank)[..] else {
        panic!("{:?}", blank.problems);
    };
    assert!(
        reason.starts_with("`a.log` cannot be counted: `-` stands for addresses"),
        "{reason}"
    );
    assert_eq!((blank.accounts.damaged, blank.accounts.unmeasured), (1, 2));
    let mixed = format!("{text}eni-0a1 10.0.0.5 203.0.113.9 5 1 1 2 OK\n");
    let mixed = outcome(&[("a.log", mixed.as_bytes())]);
    assert_eq!(mixed.problems, [], "one row is counted");
    assert_eq!((mixed.accounts.damaged, mixed.accounts.unmeasured), (0, 2));
}

#[test]
fn a_quiet_object_without_log_status_is_a_problem_only_if_nothing_else_was_counted() {
    let fields = "interface-id srcaddr dstaddr bytes packets start end";
    let quiet = format!("{fields}\neni-0a1 - - - - 1790000000 1790000060\n");
    let busy = format!("{fields}\neni-0a1 10.0.0.5 203.0.113.9 5 1 1790000000 1790000060\n");
    let alone = outcome(&[("a.log", quiet.as_bytes())]);
    assert_eq!((alone.problems.len(), alone.accounts.damaged), (1, 1));
    assert!(alone.problems[0].hint.contains("${log-status}"));
    let beside = outcome(&[("a.log", quiet.as_bytes()), ("b.log", busy.as_bytes())]);
    assert_eq!(beside.problems, [], "no traffic looks the same");
    assert_eq!(
        (beside.accounts.damaged, beside.accounts.unmeasured),
        (0, 1)
    );
}

#[test]
fn rows_of_a_format_without_packets_are_remarked() {
    let text = b"interface-id srcaddr dstaddr bytes start end\n\
        eni-0a1 10.0.0.5 203.0.113.9 5 1790000000 1790000060\neni-0a1 - - - 1790000000 1790000060\n";
    let outcome = outcome(&[("a.log", text)]);
    let remark = outcome
        .remarks
        .iter()
        .find(|remark| remark.contains("`packets`"));
    assert!(
        remark
            .unwrap()
            .starts_with("1 rows are of a format without")
    );
    assert_eq!(outcome.problems, []);
}

#[test]
fn what_was_kept_of_addresses_is_in_the_books() {
    let outcome = outcome(&[("a.log", leak("eni-0a1", START).as_bytes())]);
    assert_eq!(
        outcome.accounts.resolution,
        outflow_finding::Resolution::Address
    );
    let coarse = [Resolution::Address, Resolution::Group, Resolution::Service].map(kept);
    let names = coarse.map(|kept| format!("{kept:?}"));
    assert_eq!(names, ["Address", "Group", "Service"]);
}
