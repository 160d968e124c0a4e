//! The tables of a report.

use outflow_finding::human_bytes;

use super::{FalseAlarm, Grid, OfMethod, OfScenario, Report};
use crate::attack::{Kind, Scenario};
use crate::budget::Level;

impl Report {
    /// The report for a terminal.
    pub fn text(&self) -> String {
        let grids = self.grids();
        let texts: Vec<String> = grids.iter().map(Grid::text).collect();
        format!("{}\n\n{}", self.heading(), texts.join("\n"))
    }

    /// The report as Markdown.
    pub fn markdown(&self) -> String {
        let grids = self.grids();
        let texts: Vec<String> = grids.iter().map(Grid::markdown).collect();
        format!("{}\n\n{}", self.heading(), texts.join("\n"))
    }

    fn heading(&self) -> String {
        let Self {
            seed,
            placements,
            enis,
            accounts,
            learn_days,
            test_days,
            window_secs,
            eni_days,
            ..
        } = self;
        format!(
            "Seed {seed}: {enis} interfaces in {accounts} accounts, {learn_days} days to learn from and {test_days} to test \
             on ({eni_days} interface-days), windows of {window_secs} s; every scenario {placements} times. Thresholds were \
             set on another world. Not evaluated, as it needs a policy: {}.",
            self.not_evaluated.join("; ")
        )
    }

    fn grids(&self) -> Vec<Grid> {
        vec![
            self.overview(),
            self.recalls(Kind::Malicious, "Recall at N=1, by method:"),
            self.own(Level::MAIN),
            self.own(Level::DEFAULT),
            self.recalls(
                Kind::Benign,
                "Harmless scenarios about which something is told at N=1, by method:",
            ),
            self.bits(),
            self.alarms(),
        ]
    }

    /// Each method at each level.
    fn overview(&self) -> Grid {
        let mut header = vec!["method".to_owned()];
        for level in Level::ALL {
            header.push(format!("recall {}", level.name()));
            header.push("false per 1000".to_owned());
        }
        let row = |own: &OfMethod| {
            let mut row = vec![own.method.to_owned()];
            for level in &own.levels {
                let (mean, low, high) = level.mean_recall;
                row.push(format!("{mean:.2} ({low:.2}-{high:.2})"));
                let (per, low, high) = level.false_per_thousand;
                row.push(format!("{per:.2} ({low:.2}-{high:.2})"));
            }
            row
        };
        Grid {
            title: "Mean recall over the malicious scenarios, and false incidents for 1,000 interface-days where nothing \
                    happens, with 95 % intervals:"
                .to_owned(),
            header,
            rows: self.methods.iter().map(row).collect(),
        }
    }

    /// Scenarios by methods.
    fn recalls(&self, kind: Kind, title: &str) -> Grid {
        let mut header = vec!["scenario".to_owned()];
        header.extend(self.methods.iter().map(|own| own.method.to_owned()));
        let row = |name: &'static str| {
            let mut row = vec![name.to_owned()];
            for method in &self.methods {
                let own = find(&method.levels[Level::MAIN].scenarios, name);
                row.push(own.map_or_else(String::new, |own| format!("{:.2}", own.found.value)));
            }
            row
        };
        Grid {
            title: title.to_owned(),
            header,
            rows: self.names(kind).map(row).collect(),
        }
    }

    /// The names of the scenarios of a kind that were evaluated.
    fn names(&self, kind: Kind) -> impl Iterator<Item = &'static str> {
        let evaluated = move |own: &&Scenario| {
            let scenarios = &self.methods[0].levels[0].scenarios;
            own.kind() == kind && find(scenarios, own.name()).is_some()
        };
        Scenario::ALL.iter().filter(evaluated).map(|own| own.name())
    }

    /// The detector against its targets: recall at each level, all else at one.
    fn own(&self, shown: usize) -> Grid {
        let header = [
            "scenario",
            "target",
            "N=0.5",
            "N=1",
            "(95 %)",
            "N=5",
            "default",
            "told after (median, 90 %)",
            "watch",
            "target",
            "lost",
            "lost (watch)",
            "target",
        ];
        let levels = &self.methods[0].levels;
        let row = |name: &'static str| {
            let target = Scenario::ALL
                .iter()
                .find(|own| own.name() == name)
                .and_then(|own| own.target());
            let of = |level: usize| find(&levels[level].scenarios, name);
            let recall = |level: usize| {
                of(level).map_or_else(String::new, |own| format!("{:.2}", own.found.value))
            };
            let main = of(shown);
            let (low, high) = main.map_or((0.0, 0.0), |own| own.found.interval);
            let two = |of: Option<(u32, u32)>| {
                of.map_or_else(none, |(a, b)| format!("{}, {}", span(a), span(b)))
            };
            let bytes = |of: Option<u64>| of.map_or_else(none, human_bytes);
            vec![
                name.to_owned(),
                target.map_or_else(none, |target| format!("{:.2}", target.recall)),
                recall(0),
                recall(1),
                format!("{low:.2}-{high:.2}"),
                recall(2),
                recall(3),
                two(main.and_then(|own| own.secs)),
                two(main.and_then(|own| own.live_secs)),
                target.map_or_else(none, |target| span(target.secs)),
                bytes(main.and_then(|own| own.bytes_lost)),
                bytes(main.and_then(|own| own.live_bytes_lost)),
                bytes(target.and_then(|target| target.bytes)),
            ]
        };
        Grid {
            title: format!(
                "The detector, recall at each level; and at {}: interval, time until it is told and payload lost until then \
                 (`watch` judges after every minute, of some placements only):",
                Level::ALL[shown].name()
            ),
            header: header.map(str::to_owned).to_vec(),
            rows: self.names(Kind::Malicious).map(row).collect(),
        }
    }

    /// What is told where nothing happens.
    fn alarms(&self) -> Grid {
        let row = |own: &FalseAlarm| {
            vec![
                own.family.to_string(),
                format!("{:.1}", own.score),
                own.times.to_string(),
                own.title.clone(),
            ]
        };
        Grid {
            title: "What the detector tells by default where nothing happens, by score:".to_owned(),
            header: ["family", "score", "times", "the strongest"]
                .map(str::to_owned)
                .to_vec(),
            rows: self.false_alarms.iter().map(row).collect(),
        }
    }

    /// How well bits are calibrated.
    fn bits(&self) -> Grid {
        let header = ["family", "bits", "expected", "observed"];
        let rows = self.calibration.iter().map(|own| {
            vec![
                own.family.to_string(),
                own.bits.to_string(),
                format!("{:.1}", own.expected),
                own.observed.to_string(),
            ]
        });
        Grid {
            title: "Interface-days with a finding of at least so many bits, where nothing happens:"
                .to_owned(),
            header: header.map(str::to_owned).to_vec(),
            rows: rows.collect(),
        }
    }
}

fn find<'o>(scenarios: &'o [OfScenario], name: &str) -> Option<&'o OfScenario> {
    scenarios.iter().find(|own| own.scenario == name)
}

fn none() -> String {
    "-".to_owned()
}

/// A time as people say it.
fn span(secs: u32) -> String {
    match secs {
        0..7_200 => format!("{} min", (secs + 30) / 60),
        7_200..172_800 => format!("{:.1} h", f64::from(secs) / 3_600.0),
        _ => format!("{:.1} d", f64::from(secs) / 86_400.0),
    }
}
