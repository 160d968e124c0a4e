//! Views in which each byte that crosses the border is seen at one point.
//!
//! The same packets are logged by each flow log that covers an interface, by the host that sent them, and by each gateway that
//! passed them on. What `outflow detect` weighs pair by pair is told here by interfaces, hours and days, so that SQL can do it:
//!
//! - of several flow logs that tell of one interface, group of destinations, verdict and hour, the one with the most records counts;
//! - what a gateway says in its own name does not count, for it is told on the side of the hosts;
//! - what it passed on for a host counts on days on which no interface of the host itself is logged, and there at the gateway that
//!   passed on most.
//!
//! What stays inside is seen at both its ends, as before.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use outflow_lake::Table;
use outflow_lake::table::{enriched, profiled};

/// `flows`, of several flow logs of an interface the one that tells most.
pub(crate) const FLOWS_LOGGED: &str = "flows_logged";
/// `flows`, each packet at one point.
pub(crate) const FLOWS_ONCE: &str = "flows_once";
/// `profiles`, likewise.
pub(crate) const PROFILES_ONCE: &str = "profiles_once";

/// All of these, which look through a lake.
pub(crate) const SEEN_AT_ONE_POINT: [&str; 5] = [
    FLOWS_LOGGED,
    FLOWS_ONCE,
    PROFILES_ONCE,
    REPEATED_LOGS,
    PASSED_HOSTS,
];

/// What the views leave out and take in: not listed, as few ask for it.
pub(crate) const REPEATED_LOGS: &str = "repeated_logs";
pub(crate) const PASSED_HOSTS: &str = "passed_hosts";

/// What the views add to the columns of their tables: the interface, or the address of a host that has no log of its own.
pub(crate) const SENDER: &str = "sender";

/// Flow logs that tell of an interface and a destination in an hour what another one tells.
const REPEATED_LOGS_SQL: &str = "
    WITH doubled AS (
        SELECT interface_id FROM hours GROUP BY interface_id
        HAVING min(coalesce(flow_log_id, '')) <> max(coalesce(flow_log_id, ''))
    ), told AS (
        SELECT interface_id, action, coalesce(flow_log_id, '') AS flow_log_id, date_trunc('hour', bucket) AS hour,
            coalesce(destination, '') AS destination, sum(flows) AS flows
        FROM profiles
        WHERE interface_id IN (SELECT interface_id FROM doubled)
        GROUP BY 1, 2, 3, 4, 5
    ), ranked AS (
        SELECT *, row_number() OVER (
            PARTITION BY interface_id, action, hour, destination ORDER BY flows DESC, flow_log_id
        ) AS place
        FROM told
    )
    SELECT interface_id, action, flow_log_id, hour, destination FROM ranked WHERE place > 1";

const GATEWAYS_SQL: &str =
    "SELECT DISTINCT interface_id FROM flows WHERE via <> 'own' AND interface_id IS NOT NULL";

/// By day, hosts that are not logged themselves, and the gateway that tells of them.
fn passed_hosts_sql(gateways: &str) -> String {
    format!(
        "WITH passed AS (
            SELECT day, local_addr, interface_id, via, sum(bytes) AS bytes
            FROM flows
            WHERE via <> 'own' AND local_addr IS NOT NULL
            GROUP BY 1, 2, 3, 4
        ), logged AS (
            SELECT DISTINCT day, local_addr
            FROM flows
            WHERE via = 'own' AND interface_id NOT IN ({gateways})
                AND local_addr IN (SELECT local_addr FROM passed)
        ), ranked AS (
            SELECT passed.*, row_number() OVER (
                PARTITION BY passed.day, passed.local_addr
                ORDER BY passed.via = 'received' DESC, passed.bytes DESC, passed.interface_id
            ) AS place
            FROM passed
            LEFT ANTI JOIN logged ON logged.day = passed.day AND logged.local_addr = passed.local_addr
        )
        SELECT day, local_addr, interface_id, via FROM ranked WHERE place = 1"
    )
}

/// What the views stand on, as a lake has it.
#[derive(Debug, Clone)]
pub(crate) struct Sightings {
    repeated_logs: Answer,
    /// Interfaces that pass on what others sent, as a list of literals.
    gateways: String,
    passed_hosts: Answer,
}

/// What a query answered.
#[derive(Debug, Clone)]
struct Answer {
    table: Arc<MemTable>,
    rows: usize,
}

impl Sightings {
    /// Looks through a lake.
    pub(crate) async fn look(context: &SessionContext) -> Result<Self, DataFusionError> {
        let gateways = context.sql(GATEWAYS_SQL).await?.collect().await?;
        let gateways = gateways.iter().flat_map(literals).collect::<Vec<_>>();
        // Of no gateways, too, a list must have something; no interface has this name.
        let gateways = match gateways.is_empty() {
            true => "''".to_owned(),
            false => gateways.join(", "),
        };
        Ok(Self {
            repeated_logs: Answer::of(context, REPEATED_LOGS_SQL).await?,
            passed_hosts: Answer::of(context, &passed_hosts_sql(&gateways)).await?,
            gateways,
        })
    }

    /// One of the tables that the views stand on.
    pub(crate) fn table(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        let answer = match name {
            REPEATED_LOGS => &self.repeated_logs,
            PASSED_HOSTS => &self.passed_hosts,
            _ => return None,
        };
        Some(Arc::clone(&answer.table) as Arc<dyn TableProvider>)
    }

    /// The query that a view stands for.
    pub(crate) fn sql(&self, view: &str) -> Option<String> {
        match view {
            FLOWS_LOGGED => Some(format!(
                "SELECT {}{}",
                list(Table::Flows),
                self.logged(Table::Flows)
            )),
            FLOWS_ONCE => Some(self.flows_once()),
            PROFILES_ONCE => Some(self.profiles_once()),
            _ => None,
        }
    }

    /// `FROM` a table, without what another flow log tells.
    fn logged(&self, table: Table) -> String {
        let name = table.name();
        if self.repeated_logs.rows == 0 {
            return format!(" FROM {name}");
        }
        let (time, group) = match table {
            Table::Profiles => (profiled::BUCKET, "profiles.destination"),
            _ => ("start", GROUP),
        };
        format!(
            " FROM {name} LEFT ANTI JOIN {REPEATED_LOGS} AS other
                ON {name}.interface_id = other.interface_id AND {name}.action = other.action
                AND coalesce({name}.flow_log_id, '') = other.flow_log_id
                AND date_trunc('hour', {name}.{time}) = other.hour
                AND coalesce({group}, '') = other.destination"
        )
    }

    /// What of a table hosts say themselves.
    fn by_hosts(&self, table: Table) -> String {
        let (columns, from, gateways) = (list(table), self.logged(table), &self.gateways);
        format!(
            "SELECT {columns}, interface_id AS {SENDER}{from}
             WHERE interface_id IS NULL OR interface_id NOT IN ({gateways})"
        )
    }

    fn flows_once(&self) -> String {
        let by_hosts = self.by_hosts(Table::Flows);
        if self.passed_hosts.rows == 0 {
            return by_hosts;
        }
        // A record without `flow-direction` that a host sent through a gateway does not show by itself that it was passed on: its
        // address does.
        let columns = columns(Table::Flows).map(|column| match column.as_str() {
            enriched::WORKLOAD => "logged.local_addr AS workload".to_owned(),
            enriched::COUNTED => format!("{CROSSES} AS counted"),
            _ => format!("logged.\"{column}\""),
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        format!(
            "{by_hosts} UNION ALL
             SELECT {columns}, logged.local_addr AS {SENDER}
             FROM {FLOWS_LOGGED} AS logged
             JOIN {PASSED_HOSTS} AS host ON logged.day = host.day AND logged.local_addr = host.local_addr
                AND logged.interface_id = host.interface_id AND logged.via IN (host.via, 'own')"
        )
    }

    fn profiles_once(&self) -> String {
        let by_hosts = self.by_hosts(Table::Profiles);
        if self.passed_hosts.rows == 0 {
            return by_hosts;
        }
        let (mut told, mut keys) = (Vec::new(), Vec::new());
        for column in columns(Table::Profiles) {
            let sum = match column.as_str() {
                profiled::FLOWS => "count(*)",
                profiled::FIRST => "min(start)",
                profiled::LAST => "max(\"end\")",
                "packets" | "bytes" | enriched::PAYLOAD_BYTES => {
                    told.push(format!("coalesce(sum({column}), 0) AS {column}"));
                    continue;
                }
                _ => {
                    let key = match column.as_str() {
                        profiled::BUCKET => "date_bin(INTERVAL '10 minutes', start)".to_owned(),
                        profiled::PORT => PORT.to_owned(),
                        profiled::DESTINATION => GROUP.to_owned(),
                        _ => format!("\"{column}\""),
                    };
                    told.push(format!("{key} AS \"{column}\""));
                    keys.push(key);
                    continue;
                }
            };
            told.push(format!("{sum} AS \"{column}\""));
        }
        let (told, keys) = (told.join(", "), keys.join(", "));
        format!(
            "{by_hosts} UNION ALL
             SELECT {told}, {SENDER}
             FROM {FLOWS_ONCE} AS flows
             WHERE {SENDER} <> interface_id
             GROUP BY {keys}, {SENDER}"
        )
    }
}

/// As the lake tells `counted` of what a host sent itself.
const CROSSES: &str =
    "(logged.action = 'ACCEPT' AND logged.scope = 'external' AND logged.direction IS NOT NULL)";

/// As the lake tells `port` in `profiles`.
const PORT: &str = "CASE initiator WHEN 'local' THEN remote_port WHEN 'remote' THEN local_port
    ELSE least(local_port, remote_port) END";

/// As the lake tells `destination` in `profiles`.
const GROUP: &str = "CASE WHEN scope = 'external' THEN coalesce(flows.destination,
    ip_prefix(remote_addr, CASE WHEN remote_addr LIKE '%:%' THEN 48 ELSE 24 END)) END";

impl Answer {
    async fn of(context: &SessionContext, sql: &str) -> Result<Self, DataFusionError> {
        let frame = context.sql(sql).await?;
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await?;
        Ok(Self {
            rows: batches.iter().map(RecordBatch::num_rows).sum(),
            table: Arc::new(MemTable::try_new(schema, vec![batches])?),
        })
    }
}

fn columns(table: Table) -> impl Iterator<Item = String> {
    let schema = table.schema();
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    names.into_iter()
}

/// The columns of a table, as a list.
fn list(table: Table) -> String {
    let columns = columns(table).map(|column| format!("\"{column}\""));
    columns.collect::<Vec<_>>().join(", ")
}

/// The texts of a batch's first column, as literals.
fn literals(batch: &RecordBatch) -> Vec<String> {
    let texts = batch.column(0).as_string_view();
    let texts = texts.iter().flatten();
    texts
        .map(|text| format!("'{}'", text.replace('\'', "''")))
        .collect()
}
