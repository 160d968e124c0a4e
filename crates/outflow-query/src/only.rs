//! Which rows of a lake a session sees.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, ident, lit};
use datafusion::scalar::ScalarValue;
use outflow_enrich::ANSWER_WINDOW_SECS;
use outflow_lake::Table;
use outflow_lake::table::{FLOWS_BUCKET_SECS, HOUR_SECS, REGION, hourly, profiled};
use outflow_record::Timestamp;

/// Seconds before a time in which answers were given that count then: those of a day, to the hour.
const NAMED_SECS: i64 = ANSWER_WINDOW_SECS + 3_600;

/// Which rows of a lake a session sees; by default all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Only {
    /// What started, or was asked, then or later; of `profiles` and `hours`, ten minutes and hours that ended later.
    pub since: Option<Timestamp>,
    /// What started, or was asked, before then.
    pub until: Option<Timestamp>,
    /// What is of these accounts; of all, if there are none.
    pub accounts: Vec<String>,
    /// What is of these regions, likewise.
    pub regions: Vec<String>,
}

impl Only {
    /// As this, with what was answered a day earlier: what is seen may be named by it.
    pub(crate) fn with_answers_before(&self) -> Self {
        let since = self.since;
        Self {
            since: since.map(|at| Timestamp(at.secs().saturating_sub(NAMED_SECS))),
            ..self.clone()
        }
    }

    /// A table, as a session sees it.
    pub(crate) fn of(
        &self,
        table: Table,
        provider: Arc<dyn TableProvider>,
    ) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let Some(wanted) = self.wanted(table).into_iter().reduce(Expr::and) else {
            return Ok(provider);
        };
        let plan = LogicalPlanBuilder::scan(table.name(), provider_as_source(provider), None)?
            .filter(wanted)?
            .build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }

    fn wanted(&self, table: Table) -> Vec<Expr> {
        let (time, has_account) = match table {
            Table::Flows | Table::Coverage => ("start", true),
            Table::Profiles => (profiled::BUCKET, true),
            Table::Hours => (hourly::HOUR, true),
            Table::Dns => ("query_timestamp", true),
            // They tell of what was read, not of what happened.
            Table::Sources | Table::Rejects => return Vec::new(),
        };
        let instant = |at: Timestamp| {
            let micros = at.secs().saturating_mul(1_000_000);
            lit(ScalarValue::TimestampMicrosecond(
                Some(micros),
                Some("UTC".into()),
            ))
        };
        // Sums over a time tell of it to its end.
        let secs = match table {
            Table::Profiles => Some(FLOWS_BUCKET_SECS),
            Table::Hours => Some(HOUR_SECS),
            _ => None,
        };
        let since = self.since.map(|since| match secs {
            Some(secs) => {
                let before = since.secs().saturating_sub(secs.into());
                ident(time).gt(instant(Timestamp(before)))
            }
            None => ident(time).gt_eq(instant(since)),
        });
        let until = self.until.map(|until| ident(time).lt(instant(until)));
        let one_of = |column: &str, names: &[String]| {
            let names: Vec<Expr> = names.iter().map(|name| lit(name.as_str())).collect();
            (!names.is_empty()).then(|| ident(column).in_list(names, false))
        };
        let account = one_of("account_id", &self.accounts).filter(|_| has_account);
        let wanted = [since, until, account, one_of(REGION, &self.regions)];
        wanted.into_iter().flatten().collect()
    }
}
