use super::*;

fn interface(minutes: Minutes, rows: RowCounts) -> InterfaceCoverage {
    InterfaceCoverage {
        minutes,
        rows,
        ..InterfaceCoverage::default()
    }
}

fn blind_of(ok: u64, skipdata: u64, missing: u64) -> Vec<Blind> {
    let minutes = Minutes {
        ok,
        skipdata,
        missing,
        ..Minutes::default()
    };
    let rows = RowCounts {
        accepted: 1,
        ..RowCounts::default()
    };
    interface(minutes, rows).blind()
}

#[test]
fn each_threshold_itself_is_still_judged() {
    assert_eq!(blind_of(60, 0, 0), []);
    assert_eq!(blind_of(59, 0, 0), [Blind::Short]);
    assert_eq!(blind_of(95, 5, 0), []);
    assert_eq!(blind_of(94, 6, 0), [Blind::SkipData]);
    assert_eq!(blind_of(75, 0, 25), []);
    assert_eq!(blind_of(74, 0, 26), [Blind::Missing]);
    assert_eq!(blind_of(60, 10, 30), [Blind::Missing, Blind::SkipData]);
}

#[test]
fn rejected_rows_alone_and_rows_without_values_are_blind() {
    let hour = Minutes {
        ok: 60,
        ..Minutes::default()
    };
    let of = |accepted, rejected, unmeasured| {
        let rows = RowCounts {
            accepted,
            rejected,
            unmeasured,
            overlong: 0,
        };
        interface(hour, rows).blind()
    };
    assert_eq!(of(0, 9, 0), [Blind::RejectOnly]);
    assert_eq!(of(0, 0, 9), [Blind::NoValues]);
    assert_eq!(of(1, 9, 9), []);
    assert_eq!(of(9, 0, 0), [], "ACCEPT alone shows what left");
    assert_eq!(of(0, 0, 0), [], "NODATA alone tells that nothing left");
}

#[test]
fn the_worst_come_first() {
    let of = |id: &str, ok, missing, rejected| InterfaceCoverage {
        interface_id: Some(id.to_owned()),
        minutes: Minutes {
            ok,
            missing,
            ..Minutes::default()
        },
        rows: RowCounts {
            accepted: 1 - rejected,
            rejected,
            ..RowCounts::default()
        },
        ..InterfaceCoverage::default()
    };
    let all = [
        of("whole", 100, 0, 0),
        of("holes", 90, 10, 0),
        of("short", 10, 0, 0),
        of("mostly-gone", 10, 90, 0),
        of("half-gone", 50, 50, 0),
        of("refused", 100, 0, 1),
        of("holes-2", 90, 10, 0),
    ];
    let order: Vec<&str> = worst_first(&all)
        .iter()
        .filter_map(|of| of.interface_id.as_deref())
        .collect();
    assert_eq!(
        order,
        [
            "refused",
            "mostly-gone",
            "half-gone",
            "short",
            "holes",
            "holes-2",
            "whole"
        ]
    );
}
