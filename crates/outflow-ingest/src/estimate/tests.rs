use super::*;

#[test]
fn objects_of_one_format_owner_and_day_are_one_share() {
    let names = [
        (
            "123456789012_vpcflowlogs_us-east-1_fl-1_20260902T0000Z_a.log.gz",
            10,
        ),
        (
            "123456789012_vpcflowlogs_us-east-1_fl-2_20260902T2355Z_b.log.gz",
            20,
        ),
        (
            "123456789012_vpcflowlogs_us-east-1_fl-1_20260903T0000Z_c.log.gz",
            40,
        ),
        (
            "123456789012_vpcflowlogs_us-east-1_fl-1_20260902T0000Z_d.log.parquet",
            80,
        ),
        (
            "123456789012_vpcdnsquerylogs_vpc-1_20260902T0000Z_e.log.gz",
            160,
        ),
        ("export.gz", 320),
    ];
    let object = |(name, size): (&str, u64)| {
        let mut object = Object::file(name);
        object.size = Some(size);
        object
    };
    let listing = Listing {
        objects: names.map(object).to_vec(),
        left_out: 7,
        ..Listing::default()
    };
    let estimate = Estimate::of(&listing);
    let row = |share: &Share| {
        let told = |part: &Option<String>| part.clone().unwrap_or_default();
        let Share {
            format,
            objects,
            bytes,
            ..
        } = share;
        format!(
            "{format} {} {} {objects} {bytes}",
            told(&share.account_id),
            told(&share.day)
        )
    };
    let rows: Vec<String> = estimate.shares.iter().map(row).collect();
    let expected = [
        "parquet 123456789012 2026-09-02 1 80",
        "resolver  2026-09-02 1 160",
        "text 123456789012 2026-09-02 2 30",
        "text 123456789012 2026-09-03 1 40",
        "unknown   1 320",
    ];
    assert_eq!(rows, expected);
    assert_eq!(
        (
            estimate.total.objects,
            estimate.total.bytes,
            estimate.left_out
        ),
        (6, 630, 7)
    );
    assert_eq!(estimate.total.get_requests, 0, "files cost no request");
}
