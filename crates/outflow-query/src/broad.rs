//! Whether rows are told apart before or after the other columns are read.
//!
//! The reader of Parquet can look at the columns of a filter first, and read of the others what the filter let through. Where that
//! is few rows, this is most of the work saved; where it is every third, picking them takes longer than to read all and leave some
//! out. Which it will be is not known before, so it is told by what is asked for: an address or an interface is rare, half of
//! all flows go out.

use std::collections::BTreeSet;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use outflow_lake::table::{DAY, REGION, enriched};

/// So many columns at most are read in vain without much harm. Measured: `dns_out` of `benches/RESULTS.md`, which reads six, takes a
/// fifth less time so.
const COLUMNS_FEW: usize = 16;

/// Columns of `flows` and its rollups of which any value is that of many rows, as one of a few words is, or a time within a
/// lake of days: pages and row groups are left out by their bounds all the same.
const BROAD: [&str; 18] = [
    DAY,
    REGION,
    "action",
    "bucket",
    "end",
    "flow_direction",
    "hour",
    "log_status",
    "protocol",
    "start",
    "type",
    enriched::COUNTED,
    enriched::DIRECTION,
    enriched::INITIATOR,
    enriched::INITIATOR_BY,
    enriched::SCOPE,
    enriched::VIA,
    "version",
];

/// Columns of ports, and the ports that much of all traffic has.
const PORTS: [&str; 5] = ["srcport", "dstport", "local_port", "remote_port", "port"];
const PORTS_BROAD: [i64; 3] = [53, 80, 443];

/// Whether filters that choose among rows of which so many columns are read are likely to let many through. Without any, those
/// count that the engine finds as it runs: a join's, of what its other side has.
pub(crate) fn are_broad(filters: &[Expr], columns: usize) -> bool {
    let mut parts = filters.iter().flat_map(split_conjunction);
    columns <= COLUMNS_FEW && !filters.is_empty() && parts.all(is_broad)
}

fn is_broad(filter: &Expr) -> bool {
    match filter {
        Expr::IsNull(_) | Expr::IsNotNull(_) => true,
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And | Operator::Or => is_broad(left) && is_broad(right),
            Operator::NotEq => true,
            Operator::Eq => are_words(filter) || is_busy(left, right) || is_busy(right, left),
            _ => are_words(filter),
        },
        _ => are_words(filter),
    }
}

/// Whether a filter looks at broad columns alone.
fn are_words(filter: &Expr) -> bool {
    let columns: BTreeSet<&str> = filter.column_refs().iter().map(|of| of.name()).collect();
    columns.iter().all(|name| BROAD.contains(name))
}

/// Whether a column of ports is to have a port that many flows have.
fn is_busy(column: &Expr, value: &Expr) -> bool {
    let (Expr::Column(column), Expr::Literal(value, _)) = (column, value) else {
        return false;
    };
    let port = match value {
        ScalarValue::Int64(port) => *port,
        ScalarValue::Int32(port) => port.map(i64::from),
        _ => None,
    };
    PORTS.contains(&column.name()) && port.is_some_and(|port| PORTS_BROAD.contains(&port))
}

#[cfg(test)]
mod tests;
