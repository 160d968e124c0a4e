use super::*;

fn transfer(secs: u32, up: u64) -> Transfer {
    Transfer {
        eni: 3,
        peer: 0x2d01_0203,
        port: 443,
        client_port: 40_000,
        protocol: protocol::TCP,
        served: false,
        start: 600_030,
        secs,
        up,
        down: 900,
    }
}

#[test]
fn windows_have_all_of_the_payload_and_one_beginning() {
    for (secs, up) in [(0, 1), (29, 4_000), (600, 50_000_000_001), (3_599, 7)] {
        let mut rows = Vec::new();
        transfer(secs, up).cut(60, &mut rows);
        assert_eq!(rows.iter().map(Row::up_payload).sum::<u64>(), up);
        assert_eq!(rows.iter().map(Row::down_payload).sum::<u64>(), 900);
        assert_eq!(rows.iter().filter(|row| row.begins).count(), 1);
        assert_eq!(rows.last().unwrap().end, 600_030 + secs);
        assert!(rows.iter().all(|row| row.start / 60 == row.end / 60));
    }
}
