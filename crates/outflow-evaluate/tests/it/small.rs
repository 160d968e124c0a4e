//! A few thefts in a small network.

use std::sync::LazyLock;

use outflow_evaluate::{Kind, Level, OfLevel, Report, Scenario, Settings, WorldConfig, evaluate};

fn settings() -> Settings {
    Settings {
        seed: 11,
        placements: 1,
        followed: 1,
        world: WorldConfig {
            enis: 32,
            accounts: 2,
            learn_days: 21,
            test_days: 8,
            window_secs: 300,
            ..WorldConfig::default()
        },
        scenarios: vec![
            Scenario::Burst,
            Scenario::Once,
            Scenario::Drip,
            Scenario::SplitSenders,
            Scenario::ResolverBypass,
            Scenario::IcmpTunnel,
            Scenario::DnsSlow,
            Scenario::DnsWords,
            Scenario::BigDownload,
            Scenario::MailBurst,
        ],
    }
}

fn run() -> Report {
    evaluate(&settings(), &|_, _| {}).unwrap()
}

static REPORT: LazyLock<Report> = LazyLock::new(run);

fn level(method: &str, at: usize) -> &'static OfLevel {
    let own = REPORT.methods.iter().find(|own| own.method == method);
    &own.unwrap().levels[at]
}

#[test]
fn the_same_seed_has_the_same_report() {
    assert_eq!(REPORT.json().unwrap(), run().json().unwrap());
}

#[test]
fn what_is_above_the_bounds_is_found_by_default() {
    for own in &level("outflow", Level::DEFAULT).scenarios {
        let scenario = Scenario::ALL
            .iter()
            .find(|known| known.name() == own.scenario);
        match scenario.unwrap().kind() {
            Kind::Malicious => assert_eq!(own.found.value, 1.0, "{}", own.scenario),
            Kind::Benign => assert_eq!(own.found.of, 0, "{}", own.scenario),
        }
    }
}

#[test]
fn a_watch_tells_a_burst_long_before_the_day_is_over() {
    let scenarios = &level("outflow", Level::DEFAULT).scenarios;
    let burst = scenarios
        .iter()
        .find(|own| own.scenario == "burst-50gb")
        .unwrap();
    // Told within the first minutes, and delivered ten minutes later.
    assert!(burst.live_secs.unwrap().0 < 1_800, "{burst:?}");
    assert!(burst.live_bytes_lost.unwrap() < burst.bytes_lost.unwrap());
}

#[test]
fn a_larger_budget_finds_no_less_and_methods_have_words_for_it() {
    for method in &REPORT.methods {
        let recalls: Vec<f64> = method.levels[..Level::DEFAULT]
            .iter()
            .map(|own| own.mean_recall.0)
            .collect();
        assert!(recalls.is_sorted(), "{}: {recalls:?}", method.method);
    }
    let text = REPORT.text();
    for word in [
        "RITA-like",
        "burst-50gb",
        "big-download",
        "N=0.5",
        "volume.ledger",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(REPORT.markdown().contains("| burst-50gb |"));
}

#[test]
fn constants_and_averages_miss_what_a_ledger_finds() {
    let recall = |method| level(method, Level::DEFAULT).mean_recall.0;
    assert!(recall("Tailpipe-like") < recall("outflow"));
    assert!(recall("Elastic-like") < recall("outflow"));
}

#[test]
fn counting_names_alarms_where_lists_are_asked_and_the_meter_does_not() {
    let recall = |method, name| {
        let scenarios = &level(method, Level::DEFAULT).scenarios;
        let own = scenarios.iter().find(|own| own.scenario == name);
        own.unwrap().found.value
    };
    for name in ["dns-query-a-minute", "dns-words"] {
        assert_eq!(
            (recall("outflow", name), recall("subdomains", name)),
            (1.0, 1.0),
            "{name}"
        );
    }
    assert_eq!(
        (
            recall("outflow", "mail-burst"),
            recall("subdomains", "mail-burst")
        ),
        (0.0, 1.0)
    );
}
