use super::*;

#[test]
fn payload_is_what_the_headers_leave() {
    assert_eq!(
        payload_bytes(protocol::ICMP, false, 336, 4),
        4 * 56,
        "four pings of 84 bytes"
    );
    assert_eq!(
        payload_bytes(protocol::TCP, false, 52_000, 1000),
        0,
        "acknowledgements carry nothing"
    );
    assert_eq!(
        payload_bytes(protocol::TCP, false, 40, 1),
        0,
        "a bare segment has less than the usual header"
    );
    assert_eq!(payload_bytes(protocol::TCP, true, 1_072, 1), 1_000);
    assert_eq!(payload_bytes(protocol::UDP, false, 128, 1), 100);
    assert_eq!(payload_bytes(protocol::GRE, false, 120, 1), 100);
    assert_eq!(payload_bytes(protocol::TCP, false, 10, u64::MAX), 0);
}

#[test]
fn flags_tell_the_client_before_ports_do() {
    for (flags, client) in [
        (2, true),
        (3, true),
        (6, true),
        (18, false),
        (19, false),
        (23, false),
    ] {
        assert_eq!(
            sender_is_client(protocol::TCP, Some(flags), (443, 443)),
            Some(client),
            "{flags}"
        );
    }
    assert_eq!(
        sender_is_client(protocol::TCP, Some(2), (80, 50_000)),
        Some(true)
    );
}

#[test]
fn ports_tell_it_where_flags_do_not() {
    assert_eq!(
        sender_is_client(protocol::TCP, Some(0), (50_000, 443)),
        Some(true)
    );
    assert_eq!(
        sender_is_client(protocol::TCP, None, (443, 50_000)),
        Some(false)
    );
    assert_eq!(
        sender_is_client(protocol::UDP, Some(2), (5_432, 40_000)),
        Some(false)
    );
    assert_eq!(sender_is_client(protocol::UDP, None, (53, 53)), None);
    assert_eq!(sender_is_client(protocol::ICMP, None, (0, 0)), None);
}
