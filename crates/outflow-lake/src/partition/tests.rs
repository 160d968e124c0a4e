use super::*;

#[test]
fn rows_lie_by_day_and_region() {
    let partition = Partition::new(Some(1_790_812_800), Some("eu-west-1"));
    assert_eq!(partition.folder(), "day=2026-10-01/region=eu-west-1");
    assert_eq!(Partition::from_values(&partition.values()), partition);
}

#[test]
fn what_is_no_region_or_no_day_names_no_folder() {
    for region in [
        "",
        "..",
        "eu/west-1",
        "EU-WEST-1",
        "eu-west-",
        "west-1",
        "a-b-999",
        "eu-west-1%2f",
    ] {
        let partition = Partition::new(Some(i64::MAX), Some(region));
        assert_eq!(partition, Partition::default(), "{region}");
    }
    let none = Partition::default();
    assert_eq!(
        none.folder(),
        "day=__HIVE_DEFAULT_PARTITION__/region=__HIVE_DEFAULT_PARTITION__"
    );
    assert_eq!(Partition::from_values(&none.values()), none);
}
