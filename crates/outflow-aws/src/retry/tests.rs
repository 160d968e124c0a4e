use std::time::UNIX_EPOCH;

use super::*;

#[test]
fn waits_double_between_half_and_whole_up_to_their_limit() {
    let millis = |attempts, chance| wait(attempts, None, chance).as_millis();
    assert_eq!((millis(1, 0.0), millis(1, 1.0)), (250, 500));
    assert_eq!((millis(2, 0.0), millis(2, 1.0)), (500, 1_000));
    assert_eq!(millis(3, 0.5), 1_500);
    assert_eq!((millis(7, 0.0), millis(7, 1.0)), (15_000, 30_000));
    assert_eq!(wait(u32::MAX, None, 1.0), WAIT_MAX);
}

#[test]
fn a_target_may_ask_for_longer_but_not_for_less() {
    assert_eq!(wait(1, Some(Duration::from_secs(90)), 0.0).as_secs(), 90);
    assert_eq!(wait(1, Some(Duration::ZERO), 0.0).as_millis(), 250);
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let of = |value: &str| retry_after(value, now).map(|time| time.as_secs());
    assert_eq!(of(" 120 "), Some(120));
    assert_eq!(of("Mon, 21 Sep 2026 14:14:20 GMT"), Some(60));
    assert_eq!(of("Mon, 21 Sep 2026 14:00:00 GMT"), Some(0)); // It is over.
    assert_eq!(of(&u64::MAX.to_string()), Some(86_400));
    assert_eq!(of("Fri, 31 Dec 9999 23:59:59 GMT"), Some(86_400));
    for value in ["", "-1", "soon", "1.5", "99999999999999999999999"] {
        assert_eq!(of(value), None, "{value}");
    }
}
