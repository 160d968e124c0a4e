//! States of a few conversations, as tests want them.

use std::sync::LazyLock;

use outflow_enrich::{Enricher, Knowledge, Networks, Origin};
use outflow_record::{Decoder, Format};

use crate::judge::{Judged, judge};
use crate::policy::Policy;
use crate::state::State;
use crate::time::Day;

/// 2024-10-04T00:00:00Z, day 20,000.
pub(crate) const START: i64 = 1_728_000_000;

/// Knowledge of nothing.
pub(crate) static NOTHING: LazyLock<Knowledge> = LazyLock::new(Knowledge::default);

/// A conversation of the host `eni-<host>` at 10.0.0.7, which opened it unless `served`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk<'t> {
    pub(crate) host: &'t str,
    pub(crate) remote: &'t str,
    pub(crate) protocol: u8,
    pub(crate) port: u16,
    pub(crate) served: bool,
    /// Seconds after [`START`].
    pub(crate) at: i64,
    pub(crate) secs: i64,
    /// Packets from the host, and payload of each.
    pub(crate) up: (u64, u64),
    /// Packets to the host, and payload of each.
    pub(crate) down: (u64, u64),
}

impl Default for Talk<'_> {
    fn default() -> Self {
        Self {
            host: "a",
            remote: "45.1.2.3",
            protocol: 6,
            port: 443,
            served: false,
            at: 0,
            secs: 59,
            up: (0, 0),
            down: (0, 0),
        }
    }
}

const FORMAT: &str = "account-id interface-id instance-id srcaddr dstaddr srcport dstport protocol \
                      packets bytes start end action flow-direction";

impl Talk<'_> {
    fn lines(&self) -> String {
        let header = match self.protocol {
            6 => 52,
            1 | 17 => 28,
            _ => 20,
        };
        let (own, other) = if self.served {
            (self.port, 40_000)
        } else {
            (40_000, self.port)
        };
        let (host, remote, protocol) = (self.host, self.remote, self.protocol);
        let (start, end) = (START + self.at, START + self.at + self.secs);
        let mut out = String::new();
        for ((packets, payload), ends, direction) in [
            (
                self.up,
                format!("10.0.0.7 {remote} {own} {other}"),
                "egress",
            ),
            (
                self.down,
                format!("{remote} 10.0.0.7 {other} {own}"),
                "ingress",
            ),
        ] {
            let bytes = packets * (payload + header);
            if packets > 0 {
                out += &format!(
                    "1 eni-{host} i-{host} {ends} {protocol} {packets} {bytes} {start} {end} ACCEPT \
                     {direction}\n"
                );
            }
        }
        out
    }
}

/// The state of lines of a format.
pub(crate) fn state_of_lines(format: &str, lines: &str) -> State {
    state_of_logs(format, &[("", lines)])
}

/// The state of several flow logs of one format.
pub(crate) fn state_of_logs(format: &str, logs: &[(&str, &str)]) -> State {
    let format: Format = format.parse().unwrap();
    let mut state = State::default();
    let mut enricher = Enricher::new(Networks::default());
    for (flow_log, lines) in logs {
        let origin = Origin {
            flow_log: Some((*flow_log).to_owned()),
            ..Origin::default()
        };
        let mut decoder = Decoder::new(Some(format.clone()));
        assert_eq!(decoder.decode(lines.as_bytes()).unwrap(), lines.len());
        if let Some(decoded) = decoder.flush() {
            assert_eq!(decoded.rejects, []);
            state.fold(&enricher.enrich(&decoded.flows, &origin), 0);
        }
    }
    state
}

/// The state of conversations.
pub(crate) fn state(talks: &[Talk<'_>]) -> State {
    let lines: String = talks.iter().map(Talk::lines).collect();
    state_of_lines(FORMAT, &lines)
}

/// What a policy finds in conversations.
pub(crate) fn findings(policy: &Policy, talks: &[Talk<'_>]) -> Vec<Judged> {
    judge(&state(talks), policy, Day(40_000)).findings
}
