use super::*;

#[test]
fn names_and_numbers_read_back() {
    for severity in Severity::ALL {
        assert_eq!(severity.name().parse(), Ok(severity));
        assert_eq!(severity.id().to_string().parse(), Ok(severity));
        assert_eq!(
            serde_json::to_string(&severity).unwrap(),
            severity.id().to_string()
        );
    }
    assert!(Severity::ALL.is_sorted());
}

#[test]
fn numbers_off_the_scale_are_refused() {
    for text in ["0", "6", "256", "-1", "", "HIGH"] {
        assert!(text.parse::<Severity>().is_err(), "{text:?}");
    }
}
