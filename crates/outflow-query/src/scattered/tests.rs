use datafusion::prelude::{col, lit};

use super::*;

fn all(filters: &[Expr]) -> bool {
    are_scattered(filters, COLUMNS_FEW)
}

fn dns() -> Expr {
    col("dstport").eq(lit(53))
}

#[test]
fn a_busy_port_is_scattered_also_with_words_and_times() {
    assert!(all(&[dns()]));
    assert!(all(&[dns().and(col("flow_direction").eq(lit("egress")))]));
    assert!(all(&[lit(443_i64).eq(col("remote_port")), col("counted")]));
    assert!(all(&[dns(), col("start").gt_eq(lit(5))]));
    let is_known = col("interface_id")
        .is_null()
        .or(col("interface_id").not_eq(lit("")));
    assert!(all(&[is_known, dns()]));
}

#[test]
fn what_few_have_is_not_even_with_a_busy_port() {
    assert!(!all(&[dns(), col("srcaddr").eq(lit("10.0.0.1"))]));
    assert!(!all(&[dns(), col("interface_id").is_null()]));
    assert!(!all(&[dns(), col("protocol").eq(lit(47))]));
    assert!(!all(&[dns(), col("start").eq(lit(5))]));
    assert!(!all(&[dns(), lit(1).lt(lit(2))]));
    assert!(!all(&[col("dstport").eq(lit(3_389))]));
    assert!(!all(&[col("dstport").lt(lit(53))]));
}

#[test]
fn what_stands_together_wide_rows_and_no_filter_are_left_to_the_reader() {
    assert!(!all(&[col("direction").eq(lit("egress")), col("counted")]));
    assert!(!are_scattered(&[dns()], COLUMNS_FEW + 1));
    assert!(!are_scattered(&[], 1));
}
