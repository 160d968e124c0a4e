//! What a watch tells of itself, by HTTP: `/healthz`, and `/metrics` in the words of Prometheus.

use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::net::TcpListener;

use crate::clock;

/// What a scraper of Prometheus asks for.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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
    pub(super) findings: Family<BySeverity, Counter>,
    pub(super) waiting: Gauge,
    pub(super) state_bytes: Gauge,
    pub(super) followed: Gauge,
    /// End of the newest record, Unix seconds; 0 before there is one.
    pub(super) newest: Gauge,
    lag: Gauge<f64, AtomicU64>,
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
}

impl Meters {
    /// Meters of a watch that is well as long as a round succeeds every so many seconds.
    pub(super) fn new(patience: i64) -> Self {
        let meters = Self::default();
        *meters.health() = Health {
            since: clock::unix_secs(),
            patience,
            failure: None,
        };
        meters
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a round ended.
    pub(super) fn round(&self, failure: Option<String>) {
        self.rounds.inc();
        let mut health = self.health();
        if failure.is_none() {
            health.since = clock::unix_secs();
        } else {
            self.failures.inc();
        }
        health.failure = failure;
    }

    /// Why the watch is not well, if it is not.
    fn illness(&self) -> Option<String> {
        let health = self.health();
        let silent = clock::unix_secs().saturating_sub(health.since);
        (silent > health.patience).then(|| {
            let reason = health.failure.as_deref().unwrap_or("a round takes long");
            format!("no round succeeded for {silent} s: {reason}")
        })
    }

    fn registry(&self) -> Registry {
        let mut all = Registry::with_prefix("outflow");
        all.register(
            "objects",
            "Objects committed to the lake",
            self.objects.clone(),
        );
        all.register(
            "damaged_objects",
            "Objects that were damaged, or could not be read",
            self.damaged.clone(),
        );
        all.register(
            "records",
            "Flow records and queries committed to the lake",
            self.records.clone(),
        );
        all.register("rejects", "Lines that are no records", self.rejects.clone());
        all.register(
            "rounds",
            "Rounds of looking, reading and judging",
            self.rounds.clone(),
        );
        all.register(
            "failed_rounds",
            "Rounds that failed, and are tried again",
            self.failures.clone(),
        );
        all.register(
            "set_aside_messages",
            "Messages of the queue that were set aside, with the reason, in the lake",
            self.set_aside.clone(),
        );
        all.register(
            "findings",
            "Findings told, by severity",
            self.findings.clone(),
        );
        all.register(
            "waiting_objects",
            "Objects that were seen and are not yet read",
            self.waiting.clone(),
        );
        all.register(
            "followed_objects",
            "Objects of the lake that findings go by",
            self.followed.clone(),
        );
        all.register_with_unit(
            "state",
            "Sums in memory",
            Unit::Bytes,
            self.state_bytes.clone(),
        );
        all.register_with_unit(
            "newest_record_timestamp",
            "End of the newest record, as Unix time",
            Unit::Seconds,
            self.newest.clone(),
        );
        all.register_with_unit(
            "lag",
            "Time since the end of the newest record",
            Unit::Seconds,
            self.lag.clone(),
        );
        all
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
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "health and metrics are no longer told");
    }
}

/// Where it may be asked.
pub(super) async fn listen(at: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(at).await
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
