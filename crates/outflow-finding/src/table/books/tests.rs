use super::*;

#[test]
fn a_part_is_never_told_as_all_or_nothing() {
    let told = |guessed, all| {
        opened_by(&Accounts {
            guessed_payload_bytes: guessed,
            counted_payload_bytes: all,
            ..Accounts::default()
        })
    };
    let text = |by_flags, by_ports| {
        format!("TCP flags for {by_flags} % of 20.0 kB payload, ports alone for {by_ports} %")
    };
    assert_eq!(told(0, 20_000), text("100.0", "0.0"));
    assert_eq!(told(1, 20_000), text("99.9", "0.1"));
    assert_eq!(told(5_000, 20_000), text("75.0", "25.0"));
    assert_eq!(told(19_999, 20_000), text("0.1", "99.9"));
    assert_eq!(told(20_000, 20_000), text("0.0", "100.0"));
}

#[test]
fn bytes_that_are_in_no_account_show() {
    let all = Accounts {
        bytes: 127_000,
        counted_bytes: 1_000,
        repeated_bytes: 2_000,
        received_bytes: 4_000,
        inside_bytes: 8_000,
        // Part of what is inside.
        inside_payload_bytes: 7_000,
        rejected_bytes: 16_000,
        unmeasured_bytes: 32_000,
        outside_bytes: 64_000,
        ..Accounts::default()
    };
    assert_eq!(
        bytes(&all),
        "127 kB = counted 1.0 kB + repeated 2.0 kB + received 4.0 kB + inside 8.0 kB + rejected 16.0 kB + \
         unmeasured 32.0 kB + outside the time 64.0 kB"
    );
    let lacking = Accounts {
        outside_bytes: 63_999,
        ..all
    };
    assert!(bytes(&lacking).starts_with("127 kB ≠ counted"));
    let overflowing = Accounts {
        counted_bytes: u64::MAX,
        ..lacking
    };
    assert!(!overflowing.bytes_balance());
}
