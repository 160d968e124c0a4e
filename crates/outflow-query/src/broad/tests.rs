use datafusion::prelude::{col, lit};

use super::*;

fn all(filters: &[Expr]) -> bool {
    are_broad(filters, COLUMNS_FEW)
}

#[test]
fn words_times_and_busy_ports_are_broad() {
    assert!(all(&[col("direction").eq(lit("egress")), col("counted")]));
    assert!(all(&[col("dstport")
        .eq(lit(53))
        .and(col("flow_direction").eq(lit("egress")))]));
    assert!(all(&[
        col("start").gt(lit(5)),
        lit(443_i64).eq(col("remote_port"))
    ]));
    assert!(all(&[col("interface_id")
        .is_null()
        .or(col("interface_id").not_eq(lit("")))]));
    assert!(all(&[col("action").in_list(vec![lit("ACCEPT")], false)]));
}

#[test]
fn what_is_asked_of_one_host_is_not() {
    assert!(!all(&[col("srcaddr").eq(lit("10.0.0.1")), col("counted")]));
    assert!(!all(&[col("srcaddr")
        .eq(lit("10.0.0.1"))
        .or(col("dstaddr").eq(lit("10.0.0.1")))]));
    assert!(!all(&[
        col("interface_id").in_list(vec![lit("eni-1")], false)
    ]));
    assert!(!all(&[col("dstport").eq(lit(3_389))]));
    assert!(!all(&[col("dstport").lt(lit(53))]));
    assert!(!all(&[col("bytes").gt(lit(1_000_000))]));
}

#[test]
fn many_columns_or_no_filter_are_left_to_the_reader() {
    let filters = [col("counted")];
    assert!(are_broad(&filters, COLUMNS_FEW));
    assert!(!are_broad(&filters, COLUMNS_FEW + 1));
    assert!(!are_broad(&[], 1));
}
