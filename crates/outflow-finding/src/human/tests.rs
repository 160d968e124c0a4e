use super::*;

#[test]
fn bytes_round_into_the_next_unit() {
    let cases = [
        (0, "0 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (999_999_999, "1.0 GB"),
        (u64::MAX, "18.4 EB"),
    ];
    for (bytes, text) in cases {
        assert_eq!(human_bytes(bytes), text);
    }
}

#[test]
fn durations_keep_two_units() {
    let cases = [
        (0, "0 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3599, "59 min 59 s"),
        (90_061, "1 d 1 h"),
    ];
    for (secs, text) in cases {
        assert_eq!(human_duration(secs), text);
    }
}

#[test]
fn counts_split_at_every_third_digit() {
    let cases = [
        (0, "0"),
        (999, "999"),
        (1000, "1,000"),
        (u64::MAX, "18,446,744,073,709,551,615"),
    ];
    for (count, text) in cases {
        assert_eq!(human_count(count), text);
    }
}
