//! `--config`: names that are not known are errors, and what is known has its effect.

use std::fs;

use super::{LEAK, Record, folder};
use crate::run::{Run, detect};

/// Detects 300 MB under a configuration.
fn under(config: &str) -> Run {
    of(&LEAK, config, &[])
}

fn of(record: &Record, config: &str, args: &[&str]) -> Run {
    let line = record.line();
    let folder = folder(&[
        ("a.log", line.as_bytes()),
        ("outflow.toml", config.as_bytes()),
    ]);
    detect(
        folder.path(),
        &[&["a.log", "--config", "outflow.toml"][..], args].concat(),
    )
}

#[test]
fn an_empty_configuration_changes_nothing() {
    assert_eq!(under("").exits(0).report().severity_max(), 4);
}

#[test]
fn a_name_that_is_not_known_is_an_error_that_names_it() {
    for (config, name) in [
        ("intrenal = []", "intrenal"),
        ("[policy]\nbound = 1", "bound"),
        ("[policy.bounds]\nworkloads = 1", "workloads"),
        (
            "[policy.bounds.workload]\nday = 1\nweek = 1\nmonth = 1\nyear = 1",
            "year",
        ),
        ("[policy.baseline]\nactive_day = 1", "active_day"),
        (
            "[[policy.sanctioned]]\ndestinations = \"203.0.113.0/24\"",
            "destinations",
        ),
    ] {
        let run = under(config).exits(2);
        assert_eq!(run.stdout, "");
        run.says(&[
            "error: configuration `outflow.toml`",
            &format!("unknown field `{name}`"),
            "\nhint: correct the line that is named",
        ]);
    }
}

#[test]
fn a_value_that_makes_no_sense_is_an_error() {
    for (config, told) in [
        ("fail_on = \"grave\"", "`grave` is no severity"),
        ("internal = [\"10.0.0/8\"]", "10.0.0/8"),
        ("[policy.bounds]\nresolver_day = -1", "resolver_day"),
        ("[policy.bounds.workload]\nday = 1", "missing field `week`"),
        ("policy = ", "outflow.toml"),
        (
            "policy.resolvers_allowed = [\"9.9.9\"]",
            "`9.9.9` is no network",
        ),
        (
            "policy.services_served = [\"https\"]",
            "`https` is no protocol and port",
        ),
        ("[policy.bounds]\nicmp_day = 0", "a bound of zero bytes"),
        (
            "[alerting]\nchance_percent = 100",
            "integer `100`, expected a whole number from 1 to 99",
        ),
        (
            "[alerting]\ncooldown_hours = 9000",
            "integer `9000`, expected a whole number of hours from 0 to 8784",
        ),
        (
            "[alerting]\ncooldown_hours = \"3 days\"",
            "string \"3 days\", expected a whole number of hours from 0 to 8784",
        ),
        (
            "[alerting]\nchance_percent = -1",
            "integer `-1`, expected a whole number from 1 to 99",
        ),
        (
            "[alerting]\nchance_percent = 9.5",
            "`9.5`, expected a whole number from 1 to 99",
        ),
        (
            "[alerting]\nbudget = 0.0",
            "`0.0`, expected a number above zero",
        ),
        ("[alerting]\nbudget = inf", "expected a number above zero"),
        ("[alerting]\nbudget = nan", "expected a number above zero"),
        ("[alerting]\nbudget = \"1\"", "expected a number above zero"),
        ("[alerting]\nbudgets = 1.0", "unknown field `budgets`"),
        (
            "[[policy.sanctioned]]\ndestination = \"203.0.113.0/24\"\nbytes_per_day = 1",
            "reason",
        ),
    ] {
        under(config).exits(2).says(&[told, "\nhint: "]);
    }
    let missing = folder(&[("a.log", b"")]);
    let run = detect(missing.path(), &["a.log", "--config", "none.toml"]).exits(2);
    run.says(&[
        "could not read configuration `none.toml`",
        "\nhint: name a file that is there",
    ]);
    fs::write(missing.path().join("bytes.toml"), b"\xff").unwrap();
    detect(missing.path(), &["a.log", "--config", "bytes.toml"])
        .exits(2)
        .says(&["bytes.toml", "\nhint: "]);
}

#[test]
fn what_a_parser_wanted_is_said_in_words() {
    for (config, told) in [
        (
            "[policy.bounds]\nrelay_peers = \"five\"",
            "string \"five\", expected a whole number from 0 to 4294967295",
        ),
        (
            "[policy.bounds]\nicmp_day = 1.5",
            "`1.5`, expected a whole number from 0 on",
        ),
        ("policy = 1", "expected a table of names and values"),
        ("internal = \"10.0.0.0/8\"", "expected a list in brackets"),
    ] {
        under(config).exits(2).says(&[told, "\nhint: "]);
    }
}

#[test]
fn a_list_of_what_is_allowed_is_not_written_and_empty() {
    for list in [
        "jurisdiction.countries_allowed",
        "jurisdiction.asns_allowed",
        "path.regions_allowed",
        "telemetry.sites_allowed",
        "telemetry.customers_allowed",
        "telemetry.buckets_allowed",
    ] {
        let empty = format!("[policy]\n{list} = []");
        under(&empty).exits(2).says(&[
            "line 2",
            "an empty list would allow nothing: name what is allowed, or leave the list out to allow all",
        ]);
    }
    // Of these, an empty list says what it means.
    under("[policy]\njurisdiction.asns_denied = []\nresolvers_allowed = []\nservices_allowed = []")
        .exits(0);
}

#[test]
fn a_budget_of_the_configuration_parts_incidents_unless_an_option_does() {
    let lanes = |config: &str, args: &[&str]| {
        let report = of(&LEAK, config, args).exits(0).report();
        report.incidents[0]["lane"].clone()
    };
    assert_eq!(lanes("", &[]), serde_json::Value::Null);
    assert_eq!(lanes("[alerting]\nbudget = 1.0", &[]), "alert");
    assert_eq!(lanes("[alerting]\nbudget = 1", &[]), "alert");
    assert_eq!(
        lanes("[alerting]\nbudget = 1.0", &["--budget", "2"]),
        "alert"
    );
}

#[test]
fn bounds_are_changed() {
    let bounds = |size: u64| {
        let horizons = format!("day = {size}\nweek = {size}\nmonth = {size}\n");
        ["workload", "destination", "account"]
            .map(|name| format!("[policy.bounds.{name}]\n{horizons}"))
            .concat()
    };
    assert_eq!(
        under(&bounds(10_000_000_000))
            .exits(0)
            .report()
            .incidents
            .len(),
        0
    );
    let small = Record {
        bytes: 3_000_000,
        ..LEAK
    };
    assert_eq!(of(&small, "", &[]).exits(0).report().incidents.len(), 0);
    let report = of(&small, &bounds(1_000_000), &[]).exits(0).report();
    assert!(report.severity_max() >= 3);
    let first = &report.findings[0]["why"][0];
    assert_eq!(first["bound"], 1_000_000, "{first}");
}

#[test]
fn sanctioned_destinations_have_their_allowance() {
    let sanctioned = |bytes: u64, more: &str| {
        format!(
            "[[policy.sanctioned]]\ndestination = \"203.0.113.0/24\"\nbytes_per_day = {bytes}\n\
             reason = \"nightly backup\"\n{more}"
        )
    };
    assert!(
        under(&sanctioned(1_000_000_000, ""))
            .exits(0)
            .report()
            .incidents
            .is_empty()
    );
    let above = under(&sanctioned(1_000_000, "")).exits(0).report();
    assert_eq!(
        above.incidents.len(),
        1,
        "what exceeds the allowance is charged"
    );
    let other = under(&sanctioned(1_000_000_000, "workload = \"i-other\""))
        .exits(0)
        .report();
    assert_eq!(
        other.incidents.len(),
        1,
        "the allowance is of another workload"
    );
}

#[test]
fn inside_and_fail_on_are_as_the_options() {
    assert_eq!(
        under("internal = [\"203.0.113.0/24\"]")
            .exits(0)
            .report()
            .account("counted_bytes"),
        0
    );
    under("fail_on = \"high\"").exits(1);
    under("fail_on = \"critical\"").exits(0);
    of(&LEAK, "fail_on = \"low\"", &["--fail-on", "critical"]).exits(0);
}

#[test]
fn addresses_alone_are_networks_too() {
    under("policy.resolvers_allowed = [\"9.9.9.9\", \"2620:fe::/48\"]").exits(0);
}

#[test]
fn a_configuration_is_not_written_over_and_ends() {
    let record = LEAK.line();
    let folder = folder(&[("a.log", record.as_bytes()), ("outflow.toml", b"")]);
    let args = ["a.log", "--config", "outflow.toml", "--out", "outflow.toml"];
    let run = detect(folder.path(), &args).exits(2);
    run.says(&["--out", "is the configuration", "\nhint: name another file"]);
    fs::write(folder.path().join("long.toml"), "#".repeat((1 << 20) + 1)).unwrap();
    let run = detect(folder.path(), &["a.log", "--config", "long.toml"]).exits(2);
    run.says(&["more than a megabyte", "\nhint: "]);
}
