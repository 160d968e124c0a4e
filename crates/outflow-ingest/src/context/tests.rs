use super::*;

const RANGES: &[u8] = br#"{"syncToken": "1", "createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
    {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3", "network_border_group": "ap-northeast-2"}]}"#;

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn files_are_told_by_content_and_others_are_named() {
    let folder = folder(&[
        ("a.txt", RANGES),
        ("ip-ranges.json", b"{\"other\": 1}"),
        ("notes", b""),
    ]);
    let context = Context::load(folder.path()).unwrap();
    let range = context.ranges.unwrap();
    assert_eq!(
        &*range.lookup("3.5.141.1".parse().unwrap()).unwrap().service,
        "S3"
    );
    assert_eq!(context.read.len(), 1);
    let skipped: Vec<_> = context
        .skipped
        .iter()
        .map(|path| path.file_name().unwrap())
        .collect();
    assert_eq!(skipped, ["ip-ranges.json", "notes"]);
}

#[test]
fn files_that_are_read_have_digests_of_what_is_stored() {
    let packed = zipped(INTERFACES);
    let folder = folder(&[("a.json", RANGES), ("b.json.gz", &packed), ("notes", b"")]);
    let context = Context::load(folder.path()).unwrap();
    let digest = |content: &[u8]| {
        use sha2::Digest as _;
        Some(crate::reader::hex(&sha2::Sha256::digest(content)))
    };
    let told: Vec<(&std::ffi::OsStr, Option<String>, bool)> = context
        .files
        .iter()
        .map(|file| {
            let name = file.path.file_name().unwrap();
            (name, file.sha256.clone(), file.taken_at.is_some())
        })
        .collect();
    // A listing of the EC2 API is of the time of its file; AWS's ranges say theirs.
    assert_eq!(
        told,
        [
            ("a.json".as_ref(), digest(RANGES), false),
            ("b.json.gz".as_ref(), digest(&packed), true)
        ]
    );
}

#[test]
fn what_is_damaged_is_named() {
    let damaged = [b"no tree".as_slice(), DATABASE_MARKER, b"no metadata"].concat();
    for (name, content) in [("x.mmdb", damaged.as_slice()), ("y.json", &RANGES[..100])] {
        let error = Context::load(folder(&[(name, content)]).path()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let twice = folder(&[("a.json", RANGES), ("b.json", RANGES)]);
    assert!(
        Context::load(twice.path())
            .unwrap_err()
            .to_string()
            .contains("b.json")
    );
    let missing = Context::load(Path::new("no-such-folder")).unwrap_err();
    assert!(missing.to_string().contains("no-such-folder"), "{missing}");
}

const INTERFACES: &[u8] = br#"{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1",
    "Groups": [{"GroupId": "sg-1"}], "SubnetId": "subnet-1", "TagSet": [{"Key": "app", "Value": "shop"}]}]}"#;

fn zipped(content: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_inventory_is_as_old_as_its_file() {
    let folder = folder(&[("first", INTERFACES), ("then", INTERFACES)]);
    for (name, secs) in [("first", 1_000), ("then", 2_000)] {
        let file = fs::File::options();
        let file = file.clone().write(true).open(folder.path().join(name));
        let written = UNIX_EPOCH + std::time::Duration::from_secs(secs);
        file.unwrap().set_modified(written).unwrap();
    }
    let inventory = Context::load(folder.path()).unwrap().inventory;
    let seen = |at| inventory.interface("eni-1", Timestamp(at)).unwrap().seen_at;
    assert_eq!(
        (seen(1_500), seen(2_500)),
        (Timestamp(1_000), Timestamp(2_000))
    );
}

#[test]
fn aws_config_is_read_as_it_is_delivered() {
    let item = r#"{"resourceType": "AWS::EC2::NetworkInterface", "resourceId": "eni-2", "awsAccountId": "1",
        "awsRegion": "eu-west-1", "configurationItemCaptureTime": "2026-09-21T00:00:00.000Z",
        "configurationItemStatus": "OK", "configuration": {"networkInterfaceId": "eni-2", "vpcId": "vpc-2"}}"#;
    let snapshot = format!(
        r#"{{"fileVersion": "1.0", "configSnapshotId": "x", "configurationItems": [{item}, {{"resourceType": "Odd"}}]}}"#
    );
    let folder = folder(&[("snapshot.json.gz", &zipped(snapshot.as_bytes()))]);
    let context = Context::load(folder.path()).unwrap();
    let known = context.inventory.interface("eni-2", Timestamp(0)).unwrap();
    assert_eq!(
        (&*known.value.vpc_id, &*known.place.region),
        ("vpc-2", "eu-west-1")
    );
    assert_eq!(context.inventory.problems.total(), 1);
    assert_eq!(context.read[0].1, ContextKind::Inventory);
}

#[test]
fn a_damaged_inventory_is_named() {
    let cut = zipped(INTERFACES);
    for (name, content) in [
        ("cut.json", &INTERFACES[..90]),
        ("cut.gz", &cut[..cut.len() - 9]),
    ] {
        let error = Context::load(folder(&[(name, content)]).path()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_database_that_lacks_its_end_is_an_error() {
    for name in ["GeoLite2-Country.mmdb", "asn.MMDB", "city.mmdb.gz"] {
        let error = Context::load(folder(&[(name, b"\0\0\x01")]).path()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.to_string().contains("cut"), "{error}");
        assert!(error.hint().contains("take it out of the folder"));
    }
}

#[test]
fn what_a_small_file_inflates_to_is_bounded() {
    use std::io::Write as _;
    let folder = folder(&[]);
    let path = folder.path().join("bomb.json.gz");
    let mut encoder = flate2::write::GzEncoder::new(
        fs::File::create(&path).unwrap(),
        flate2::Compression::fast(),
    );
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..=CONTEXT_INFLATED_BYTES_MAX >> 20 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap();
    let error = Context::load(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("bomb.json.gz") && error.contains("more than 512 MiB"),
        "{error}"
    );
}

#[test]
fn snapshots_are_read_at_their_time_and_place_and_say_what_they_lack() {
    let folder = folder(&[("ip-ranges.txt", b"no context")]);
    let snapshot = |time: &str, calls: &str| {
        let below = folder.path().join("111122223333/eu-west-1").join(time);
        fs::create_dir_all(&below).unwrap();
        let head = r#"{"schema": "outflow.inventory/1", "account_id": "111122223333", "region": "eu-west-1", "from": "api""#;
        let manifest = format!(r#"{head}, "taken_at": "{time}", "calls": [{calls}]}}"#);
        fs::write(below.join("collected.json"), manifest).unwrap();
        below
    };
    let ok = r#"{"service": "ec2", "call": "DescribeVpcs", "list": "Vpcs", "file": "vpcs.json", "state": "ok"}"#;
    let denied = r#"{"service": "ec2", "call": "DescribeVpcs", "list": "Vpcs", "state": "denied", "reason": "no"}"#;
    let first = snapshot("2026-09-21T00:00:00Z", ok);
    fs::write(
        first.join("vpcs.json"),
        br#"{"Vpcs": [{"VpcId": "vpc-1"}]}"#,
    )
    .unwrap();
    fs::write(
        first.join("unnamed.json"),
        br#"{"Vpcs": [{"VpcId": "vpc-2"}]}"#,
    )
    .unwrap();
    snapshot("2026-09-22T00:00:00Z", denied);
    // One that is being written.
    fs::create_dir_all(folder.path().join(".collecting")).unwrap();
    fs::write(folder.path().join(".collecting/collected.json"), "{").unwrap();
    let context = Context::load(folder.path()).unwrap();
    let vpcs = &context.inventory.vpcs;
    let place = Place {
        account_id: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
    };
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(vpcs.ids().collect::<Vec<_>>(), ["vpc-1"]);
    assert!(vpcs.is_listed(&place, at("2026-09-21T12:00:00")));
    assert!(!vpcs.is_listed(&place, at("2026-09-22T12:00:00")));
    assert_eq!(context.inventory.problems.total(), 1);
    assert_eq!(context.collected.len(), 2);
    // The folder of one snapshot is read alike.
    let one = Context::load(&first).unwrap();
    let known = one
        .inventory
        .vpcs
        .get("vpc-1", at("2026-09-21T12:00:00"))
        .unwrap();
    assert_eq!((known.seen_at, known.place), (at("2026-09-21"), &place));
    fs::write(
        first.join("collected.json"),
        r#"{"schema": "outflow.inventory/9"}"#,
    )
    .unwrap();
    let error = Context::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("collected.json"), "{error}");
}

#[test]
fn json_is_read_in_the_encodings_that_windows_writes() {
    let text = std::str::from_utf8(INTERFACES)
        .unwrap()
        .replace("shop", "Größe \u{1f4e6}");
    let wide = |mark: &[u8], order: fn(u16) -> [u8; 2]| {
        let units = text.encode_utf16().flat_map(order);
        mark.iter().copied().chain(units).collect::<Vec<u8>>()
    };
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let little = wide(b"\xff\xfe", u16::to_le_bytes);
    for content in [
        text.clone().into_bytes(),
        marked,
        wide(b"\xfe\xff", u16::to_be_bytes),
        zipped(&little),
        zipped(&zipped(&little)),
        little.clone(),
    ] {
        let context = Context::load(folder(&[("eni.json", &content)]).path()).unwrap();
        assert_eq!(context.inventory.problems.total(), 0);
        let known = context.inventory.interface("eni-1", Timestamp(0)).unwrap();
        let tags: Vec<_> = known.value.tags.iter().collect();
        assert!(format!("{tags:?}").contains("Größe \u{1f4e6}"), "{tags:?}");
    }
    let cut = folder(&[("cut.json", &little[..little.len() - 1])]);
    let error = Context::load(cut.path()).unwrap_err().to_string();
    assert!(
        error.contains("cut.json") && error.contains("UTF-16"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_named_and_not_waited_for() {
    let folder = folder(&[("ranges", RANGES)]);
    std::os::unix::fs::symlink("nowhere", folder.path().join("gone.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.mmdb")).unwrap();
    std::os::unix::fs::symlink(".", folder.path().join("round")).unwrap();
    std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let context = Context::load(folder.path()).unwrap();
    let skipped: Vec<_> = context
        .skipped
        .iter()
        .map(|path| path.file_name().unwrap())
        .collect();
    assert_eq!(skipped, ["gone.json", "socket", "zero.mmdb"]);
    assert_eq!(context.read.len(), 1);
}
