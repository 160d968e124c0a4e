use super::*;

fn addr(last: u8) -> Addr {
    Addr::from_v4([10, 0, 0, last])
}

fn record(a: u8, b: u8) -> OwnAddress {
    OwnAddress::of_record(addr(a), addr(b))
}

#[test]
fn the_address_common_to_all_records_is_the_interfaces_own() {
    assert_eq!(record(1, 2).both(record(3, 1)), OwnAddress::One(addr(1)));
    assert_eq!(
        record(1, 2).both(record(2, 1)),
        OwnAddress::Two(addr(1), addr(2))
    );
    assert_eq!(record(1, 2).both(record(3, 4)), OwnAddress::Several);
    assert_eq!(record(1, 1), OwnAddress::One(addr(1)));
}

#[test]
fn learning_knows_no_order_and_no_grouping() {
    let all: Vec<OwnAddress> = (0..4)
        .flat_map(|a| (0..4).map(move |b| record(a, b)))
        .chain([OwnAddress::Any, OwnAddress::Several])
        .collect();
    for a in &all {
        assert_eq!(a.both(*a), *a);
        assert_eq!(a.both(OwnAddress::Any), *a);
        for b in &all {
            assert_eq!(a.both(*b), b.both(*a));
            for c in &all {
                assert_eq!(a.both(*b).both(*c), a.both(b.both(*c)));
            }
        }
    }
}

#[test]
fn the_greater_text_and_any_value_win() {
    let mut one = Interface {
        vpc_id: Some("vpc-a".to_owned()),
        ..Interface::default()
    };
    let other = Interface {
        vpc_id: Some("vpc-b".to_owned()),
        region: Some("eu-central-1".to_owned()),
        intermediary: true,
        ..Interface::default()
    };
    let mut reversed = other.clone();
    reversed.merge(&one);
    one.merge(&other);
    assert_eq!(one, reversed);
    assert_eq!(one.vpc_id.as_deref(), Some("vpc-b"));
}
