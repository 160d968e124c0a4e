use super::{Conversation, Host, Outcome, Protocol, Traffic};

fn conversation(start: i64, secs: i64) -> Conversation {
    let mut conversation = Conversation {
        key: 1,
        client: Host::Eni(0),
        server: Host::Eni(1),
        protocol: Protocol::Tcp,
        v6: false,
        client_port: 40_000,
        server_port: 443,
        start,
        secs,
        up: Traffic::default(),
        down: Traffic::default(),
        outcome: Outcome::Closed,
    };
    conversation.carry(2_000_000_000, 70_000);
    conversation
}

#[test]
fn windows_add_up_to_the_whole_for_any_phase() {
    for (start, secs) in [(0, 0), (5, 1), (59, 1), (7, 300), (60, 3_600), (1, 59)] {
        let conversation = conversation(start, secs);
        for phase in [0, 1, 29, 59] {
            let windows = conversation.windows(phase);
            let sum = |of: fn(&super::Window) -> u64| windows.iter().map(of).sum::<u64>();
            assert_eq!(
                sum(|w| w.up.packets),
                conversation.up.packets,
                "{start} {secs} {phase}"
            );
            assert_eq!(sum(|w| w.up.payload), conversation.up.payload);
            assert_eq!(sum(|w| w.down.packets), conversation.down.packets);
            assert_eq!(sum(|w| w.down.payload), conversation.down.payload);
            for pair in windows.windows(2) {
                assert_eq!((pair[1].start - phase).rem_euclid(60), 0);
                assert_eq!(pair[0].end + 1, pair[1].start);
            }
        }
    }
}

#[test]
fn only_the_first_window_opens_and_only_the_last_closes() {
    let flags = |secs| -> Vec<(u8, u8)> {
        conversation(10, secs)
            .windows(0)
            .iter()
            .map(|window| window.flags)
            .collect()
    };
    assert_eq!(flags(5), [(3, 19)]);
    assert_eq!(flags(60), [(2, 18), (1, 1)]);
    assert_eq!(flags(120), [(2, 18), (0, 0), (1, 1)]);
}

#[test]
fn no_packet_carries_more_than_a_segment() {
    for window in conversation(3, 600).windows(17) {
        assert!(window.up.payload <= 1_448 * window.up.packets);
    }
}

#[test]
fn the_upstream_of_a_download_is_acknowledgements() {
    let mut download = conversation(0, 3_600);
    download.carry(500, 1_000_000_000);
    assert_eq!(download.up.payload, 500);
    assert!(download.up.packets > 340_000);
}
