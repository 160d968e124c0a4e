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
    use Initiator::{Local, Remote};
    for (flags, expected) in [
        (2, Local),
        (3, Local),
        (6, Local),
        (18, Remote),
        (19, Remote),
        (23, Remote),
    ] {
        let told = initiator(protocol::TCP, Some(flags), (443, 443));
        assert_eq!(told, expected, "{flags}");
    }
    assert_eq!(initiator(protocol::TCP, Some(2), (80, 50_000)), Local);
}

#[test]
fn ports_suggest_it_where_flags_do_not_tell() {
    use Initiator::{LocalLikely, RemoteLikely, Unknown};
    for (number, flags, ports, expected) in [
        (protocol::TCP, Some(0), (50_000, 443), LocalLikely),
        (protocol::TCP, None, (443, 50_000), RemoteLikely),
        (protocol::UDP, Some(2), (5_432, 40_000), RemoteLikely),
        (protocol::UDP, None, (53, 53), Unknown),
        (protocol::ICMP, None, (0, 0), Unknown),
    ] {
        assert_eq!(initiator(number, flags, ports), expected, "{ports:?}");
        let turned = initiator(number, flags, (ports.1, ports.0));
        assert_eq!(turned, expected.turned(), "{ports:?}");
    }
}
