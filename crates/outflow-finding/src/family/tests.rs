use super::*;

#[test]
fn every_name_reads_back_and_is_unique() {
    for family in Family::ALL {
        assert_eq!(family.name().parse(), Ok(*family));
        assert_eq!(
            serde_json::to_string(family).unwrap(),
            format!("\"{family}\"")
        );
    }
    assert_eq!(Family::ALL.len(), 16);
}

#[test]
fn families_compare_in_the_order_of_all() {
    assert!(Family::ALL.is_sorted());
}

#[test]
fn an_unknown_name_is_named_in_the_error() {
    let error = "volume".parse::<Family>().unwrap_err();
    assert_eq!(error.to_string(), "`volume` is no family of findings");
}
