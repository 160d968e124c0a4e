//! What hosts take in from others inside: backups of others, logs, artefacts, and now and then a database as a whole.

use outflow_enrich::protocol;
use outflow_sim::{Domain, Rng};

use super::hosts::{Host, Role};
use super::{DAY_SECS, WORLD_START, WorldConfig};
use crate::row::{Row, Transfer};

/// One host in so many collects the logs of others.
const HOSTS_PER_COLLECTOR: u64 = 20;

/// One of so many days brings a copy of something large.
const DAYS_PER_COPY: u64 = 200;

const MB: u64 = 1_000_000;

/// Deliveries to a host, in the order of time. They come from a stream of numbers of their own, so that what crosses the
/// border is the same with and without them.
pub(super) fn rows(config: &WorldConfig, host: &Host) -> Vec<Row> {
    let mut rng = Rng::keyed(
        config.seed,
        Domain::Evaluation,
        [4, 1 << 32 | u64::from(host.eni)],
    );
    let is_collector = rng.once_in(HOSTS_PER_COLLECTOR);
    let mut rows = Vec::new();
    for day in 0..config.learn_days + config.test_days {
        let start = WORLD_START + day * DAY_SECS;
        if host.role == Role::Backup {
            // As much as it sends out in the night.
            let all = if day % 7 == 6 {
                12_000 * MB
            } else {
                1_500 * MB
            };
            deliver(
                config,
                host,
                (1, 12),
                (start + 1_800, rng.around(all)),
                &mut rows,
            );
        }
        if is_collector {
            for hour in 0..24 {
                let at = start + hour * 3_600;
                deliver(config, host, (40, 20), (at, rng.around(20 * MB)), &mut rows);
            }
        }
        if rng.once_in(4) {
            let at = start + 36_000;
            deliver(
                config,
                host,
                (80, 1),
                (at, rng.heavy(2 * MB, 400 * MB)),
                &mut rows,
            );
        }
        if rng.once_in(DAYS_PER_COPY) {
            let peers = 1 + u32::try_from(rng.below(8)).unwrap_or(0);
            let all = rng.between(5_000 * MB, 50_000 * MB);
            deliver(config, host, (100, peers), (start + 50_400, all), &mut rows);
        }
    }
    let end = config.end();
    rows.retain(|row| row.end < end);
    rows.sort_unstable();
    rows
}

/// Appends what some peers, by the first of their numbers, deliver from an instant on.
pub(crate) fn deliver(
    config: &WorldConfig,
    host: &Host,
    (first, peers): (u32, u32),
    (at, all): (u32, u64),
    rows: &mut Vec<Row>,
) {
    for peer in first..first + peers {
        let transfer = Transfer {
            eni: host.eni,
            // Behind those of the world's own hosts.
            peer: 0x0a00_8000 | host.account << 16 | peer,
            port: 443,
            client_port: 40_000 + u16::try_from(peer).unwrap_or(0),
            protocol: protocol::TCP,
            served: false,
            start: at + peer * 7,
            secs: 600,
            up: 20_000,
            down: all / u64::from(peers),
        };
        transfer.cut(config.window_secs, rows);
    }
}
