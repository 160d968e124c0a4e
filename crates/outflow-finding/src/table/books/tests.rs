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
