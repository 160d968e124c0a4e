//! Whether rows are told apart before or after the other columns are read.
//!
//! The reader of Parquet can look at the columns of a filter first, and read of the others what the filter let through. Where that
//! is few rows, this is most of the work saved; and where many rows that it lets through stand together, as those of a direction
//! do, it costs little. Picking many rows that lie scattered takes longer than to read all and leave some out: those of a port that
//! much of all traffic has.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use outflow_lake::table::enriched;

/// So many columns at most are read in vain without much harm. Measured: `dns_out` of `benches/RESULTS.md`, which reads six, takes a
/// fifth less time so.
const COLUMNS_FEW: usize = 8;

/// Columns of `flows` of which most rows have one of a few words, and stand together by most of them.
const WORDS: [&str; 6] = [
    "action",
    "flow_direction",
    "log_status",
    enriched::COUNTED,
    enriched::DIRECTION,
    enriched::SCOPE,
];

/// Columns of times: by them, pages and row groups are left out by their bounds all the same.
const TIMES: [&str; 2] = ["start", "end"];

/// Columns of ports, and the ports that much of all traffic has.
const PORTS: [&str; 4] = [
    "srcport",
    "dstport",
    enriched::LOCAL_PORT,
    enriched::REMOTE_PORT,
];
const PORTS_BUSY: [i64; 3] = [53, 80, 443];

/// Whether filters that choose among rows of which so many columns are read are likely to let through many that lie scattered. The
/// reader is asked nothing then, not even what a join or the first rows of an order find as the query runs.
pub(crate) fn are_scattered(filters: &[Expr], columns: usize) -> bool {
    let parts: Vec<&Expr> = filters.iter().flat_map(split_conjunction).collect();
    columns <= COLUMNS_FEW
        && parts.iter().any(|part| is_busy(part))
        && parts.iter().all(|part| is_busy(part) || is_broad(part))
}

/// Whether a filter lets many rows through.
fn is_broad(filter: &Expr) -> bool {
    match filter {
        Expr::IsNotNull(_) => true,
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Or => is_broad(left) || is_broad(right),
            Operator::NotEq => true,
            Operator::Eq => is_of(left, &WORDS) || is_of(right, &WORDS),
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                is_of(left, &TIMES) || is_of(right, &TIMES)
            }
            _ => false,
        },
        _ => is_of(filter, &WORDS),
    }
}

/// Whether a filter asks for a port that many flows have.
fn is_busy(filter: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr {
        left,
        op: Operator::Eq,
        right,
    }) = filter
    else {
        return false;
    };
    let asks = |column: &Expr, value: &Expr| {
        let port = match value {
            Expr::Literal(ScalarValue::Int64(port), _) => *port,
            Expr::Literal(ScalarValue::Int32(port), _) => port.map(i64::from),
            _ => None,
        };
        is_of(column, &PORTS) && port.is_some_and(|port| PORTS_BUSY.contains(&port))
    };
    asks(left, right) || asks(right, left)
}

/// Whether it is one of these columns.
fn is_of(of: &Expr, names: &[&str]) -> bool {
    matches!(of, Expr::Column(column) if names.contains(&column.name()))
}

#[cfg(test)]
mod tests;
