//! What `name_at` knows: the answers in `dns`, as they are when a query asks.
//!
//! The function of a query is made for it: it holds the names by the version of `dns` that the query began with.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionContext;
use futures::StreamExt as _;
use outflow_enrich::{DnsAnswer, NamesByTime, PassiveDns};
use outflow_record::Addr;
use outflow_udf::{CalledNames, NAME_AT};

use crate::row::rows;

/// `dns` with the answers that name what a session sees: those of a day before it, too. Not listed.
pub(crate) const ANSWERS_KNOWN: &str = "answers_known";

/// Names change by the hour: of those who ask again and again, one of an hour is enough.
const ANSWERS_SQL: &str = "
    SELECT DISTINCT vpc_id, query_name, date_trunc('hour', query_timestamp) AS hour, answer['rdata'] AS rdata
    FROM (
        SELECT vpc_id, query_name, query_timestamp, unnest(answers) AS answer
        FROM answers_known
        WHERE rcode = 'NOERROR'
    ) AS answered
    WHERE answer['type'] IN ('A', 'AAAA')";

/// What was read of a version of `dns`.
#[derive(Debug, Default)]
pub(crate) struct Read {
    version: u64,
    names: CalledNames,
}

/// What a query asks of names: with VPCs, or without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    by_vpc: bool,
    anywhere: bool,
}

impl Asked {
    /// What a plan asks.
    pub(crate) fn of(plan: &LogicalPlan) -> Result<Self, DataFusionError> {
        let mut asked = Self::default();
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expr| {
                expr.apply(|expr| {
                    if let Some(call) = call(expr) {
                        match call.args.len() {
                            2 => asked.anywhere = true,
                            _ => asked.by_vpc = true,
                        }
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })?;
        Ok(asked)
    }

    /// Whether names are asked for at all.
    pub(crate) fn any(self) -> bool {
        self.by_vpc || self.anywhere
    }
}

fn call(expr: &Expr) -> Option<&ScalarFunction> {
    match expr {
        Expr::ScalarFunction(call) if call.func.name() == NAME_AT => Some(call),
        _ => None,
    }
}

/// The plan, whose calls know these names.
pub(crate) fn bound(plan: LogicalPlan, names: CalledNames) -> Result<LogicalPlan, DataFusionError> {
    let function = Arc::new(outflow_udf::name_at(names));
    let bind = |expr: Expr| {
        Ok(match expr {
            Expr::ScalarFunction(of) if of.func.name() == NAME_AT => {
                let args = of.args;
                let call = ScalarFunction::new_udf(Arc::clone(&function), args);
                Transformed::yes(Expr::ScalarFunction(call))
            }
            other => Transformed::no(other),
        })
    };
    let bound = plan.transform_up_with_subqueries(|node| {
        node.map_expressions(|expr| expr.transform_up(bind))
    })?;
    Ok(bound.data)
}

impl Read {
    /// The names that are asked for, read anew if there is a newer version of `dns`.
    pub(crate) async fn names(
        &mut self,
        asked: Asked,
        version: u64,
        context: &SessionContext,
    ) -> Result<CalledNames, DataFusionError> {
        if self.version != version {
            *self = Self {
                version,
                names: CalledNames::default(),
            };
        }
        if asked.by_vpc && self.names.by_vpc.is_none() {
            self.names.by_vpc = Some(read(context, |vpc_id| vpc_id).await?);
        }
        if asked.anywhere && self.names.anywhere.is_none() {
            self.names.anywhere = Some(read(context, |_| Some("")).await?);
        }
        Ok(self.names.clone())
    }
}

/// Reads the names, in the VPC that they are to be told in.
async fn read(
    context: &SessionContext,
    told_in: impl Fn(Option<&str>) -> Option<&str>,
) -> Result<Arc<NamesByTime>, DataFusionError> {
    let mut names = PassiveDns::default();
    let frame = context.sql(ANSWERS_SQL).await?;
    let mut stream = frame.execute_stream().await?;
    while let Some(batch) = stream.next().await.transpose()? {
        for row in rows(std::slice::from_ref(&batch)) {
            let Some(vpc_id) = told_in(row.text("vpc_id")) else {
                continue;
            };
            let addr = row.text("rdata").and_then(|text| text.parse::<Addr>().ok());
            let (Some(addr), Some(name), Some(at)) =
                (addr, row.text("query_name"), row.time("hour"))
            else {
                continue;
            };
            names.feed(&DnsAnswer {
                vpc_id,
                at,
                name,
                addrs: &[addr],
            });
        }
    }
    Ok(Arc::new(NamesByTime::of(&names)))
}
