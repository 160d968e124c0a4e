//! What a watch tells of itself, by HTTP: `/healthz`, and `/metrics` in the words of Prometheus.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use outflow_ingest::Progress;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::clock;

/// What a scraper of Prometheus asks for.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Connections at a time, and how long each may take. Those beyond wait; who does not ask in time is cut off, so that
/// nobody takes the files that the watch itself needs.
const CONNECTIONS_MAX: usize = 32;
const CONNECTION_MAX: Duration = Duration::from_secs(10);

/// How long to wait after a connection could not be taken.
const REFUSED_WAIT: Duration = Duration::from_millis(100);

/// Which findings a counter counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BySeverity {
    pub(super) severity: &'static str,
}

/// Counters and gauges.
#[derive(Debug, Default)]
pub(super) struct Meters {
    pub(super) objects: Counter,
    pub(super) damaged: Counter,
    pub(super) records: Counter,
    pub(super) rejects: Counter,
    pub(super) rounds: Counter,
    pub(super) failures: Counter,
    pub(super) set_aside: Counter,
    pub(super) context_loads: Counter,
    pub(super) context_failures: Counter,
    pub(super) findings: Family<BySeverity, Counter>,
    pub(super) waiting: Gauge,
    pub(super) failing: Gauge,
    pub(super) state_bytes: Gauge,
    pub(super) followed: Gauge,
    /// End of the newest record, Unix seconds; 0 before there is one.
    pub(super) newest: Gauge,
    lag: Gauge<f64, AtomicU64>,
    succeeded: Gauge,
    /// What is read and judged: signs of life within a round.
    pub(super) progress: Progress,
    health: Mutex<Health>,
}

/// Whether rounds succeed.
#[derive(Debug, Default)]
struct Health {
    /// When the last one that succeeded ended, Unix seconds.
    since: i64,
    /// Seconds after which its silence is an illness.
    patience: i64,
    /// Why the last one failed, if it did.
    failure: Option<String>,
    /// Rows and objects read when that was last asked for and had changed, and when that was.
    progress: (u64, i64),
}

impl Meters {
    /// Meters of a watch that is well as long as a round succeeds every so many seconds.
    pub(super) fn new(patience: i64) -> Self {
        let meters = Self::default();
        *meters.health() = Health {
            since: clock::unix_secs(),
            patience,
            failure: None,
            progress: (0, 0),
        };
        meters
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a round ended.
    pub(super) fn round(&self, failure: Option<String>) {
        self.rounds.inc();
        let mut health = self.health();
        if failure.is_none() {
            health.since = clock::unix_secs();
            self.succeeded.set(health.since);
        } else {
            self.failures.inc();
        }
        health.failure = failure;
    }

    /// Why the watch is not well, if it is not.
    fn illness(&self) -> Option<String> {
        let mut health = self.health();
        let now = clock::unix_secs();
        let done = self.progress.rows.load(Ordering::Relaxed)
            + self.progress.objects.load(Ordering::Relaxed);
        if done != health.progress.0 {
            health.progress = (done, now);
        }
        // A long round lives; one that fails again and again does not, whatever it reads.
        let alive = if health.failure.is_none() {
            health.progress.1
        } else {
            0
        };
        let silent = now.saturating_sub(health.since.max(alive));
        (silent > health.patience).then(|| {
            let reason = health.failure.as_deref().unwrap_or("a round takes long");
            format!("no round succeeded for {silent} s: {reason}")
        })
    }

    fn registry(&self) -> Registry {
        let mut all = Registry::with_prefix("outflow");
        for (name, help, counter) in [
            ("objects", "Objects committed to the lake", &self.objects),
            (
                "damaged_objects",
                "Objects that were read as far as they are sound",
                &self.damaged,
            ),
            (
                "records",
                "Flow records and queries committed to the lake",
                &self.records,
            ),
            ("rejects", "Lines that are no records", &self.rejects),
            (
                "rounds",
                "Rounds of looking, reading and judging",
                &self.rounds,
            ),
            (
                "failed_rounds",
                "Rounds that failed, and are tried again",
                &self.failures,
            ),
            (
                "set_aside_messages",
                "Messages of the queue that were set aside in the lake",
                &self.set_aside,
            ),
            (
                "context_loads",
                "Times that the folder of --context had changed and was read again",
                &self.context_loads,
            ),
            (
                "context_failures",
                "Times that it could not be read, and what was known before stayed",
                &self.context_failures,
            ),
        ] {
            all.register(name, help, counter.clone());
        }
        self.register_gauges(&mut all);
        all
    }

    fn register_gauges(&self, all: &mut Registry) {
        let findings = self.findings.clone();
        all.register("findings", "Findings told, by severity", findings);
        for (name, help, gauge) in [
            (
                "waiting_objects",
                "Objects that were seen and are not yet read",
                &self.waiting,
            ),
            (
                "failing_objects",
                "Objects that could not be read when they were last tried",
                &self.failing,
            ),
            (
                "followed_objects",
                "Objects of the lake that findings go by",
                &self.followed,
            ),
        ] {
            all.register(name, help, gauge.clone());
        }
        let bytes = self.state_bytes.clone();
        all.register_with_unit(
            "state",
            "Sums, ids, names and evidence in memory, about",
            Unit::Bytes,
            bytes,
        );
        let (name, help) = (
            "last_success_timestamp",
            "End of the last round that succeeded, as Unix time",
        );
        all.register_with_unit(name, help, Unit::Seconds, self.succeeded.clone());
        // Before there is a record, nobody can tell how far behind it is.
        if self.newest.get() > 0 {
            let (name, help) = (
                "newest_record_timestamp",
                "End of the newest record, as Unix time",
            );
            all.register_with_unit(name, help, Unit::Seconds, self.newest.clone());
            let help = "Time since the end of the newest record";
            all.register_with_unit("lag", help, Unit::Seconds, self.lag.clone());
        }
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let newest = self.newest.get();
        if newest > 0 {
            let behind = clock::unix_secs().saturating_sub(newest).max(0);
            #[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
            self.lag.set(behind as f64);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry())?;
        Ok(text)
    }
}

/// Answers requests until the runtime ends.
pub(super) async fn serve(listener: TcpListener, meters: Arc<Meters>) {
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .with_state(meters);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection could not be taken");
                tokio::time::sleep(REFUSED_WAIT).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let answered = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // Whoever asked is gone, or too slow.
            let _ = tokio::time::timeout(CONNECTION_MAX, answered).await;
            drop(place);
        });
    }
}

async fn healthz(State(meters): State<Arc<Meters>>) -> Response {
    match meters.illness() {
        None => (StatusCode::OK, "ok\n").into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(State(meters): State<Arc<Meters>>) -> Response {
    match meters.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
