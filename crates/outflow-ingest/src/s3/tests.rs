use std::convert::Infallible;

use super::ahead::{AHEAD_BYTES_MAX, PART_BYTES};
use super::stub::{Fault, Stub};
use super::*;
use crate::{
    Damage, Error, Estimate, Filter, ListOptions, Listing, Object, Progress, ReadError, Reader,
    STORED_MAX, Settings, Source, detect, list_with,
};

/// A record of 300 MB to a public address.
const LEAK: &str = "2 123456789012 eni-0a1 10.0.0.5 203.0.113.9 40000 443 6 300000 300000000 1790000000 1790000010 \
                    ACCEPT OK\n";

fn options(stub: &Stub) -> ListOptions {
    ListOptions {
        s3: S3Options {
            endpoint_url: Some(stub.url()),
            anonymous: true,
            ..S3Options::default()
        },
        ..ListOptions::default()
    }
}

fn listed(stub: &Stub, source: &str, filter: Filter) -> Result<Listing, Error> {
    let options = ListOptions {
        filter,
        ..options(stub)
    };
    list_with(&[source.parse::<Source>().unwrap()], &options)
}

fn all(stub: &Stub) -> Vec<Object> {
    listed(stub, "s3://logs", Filter::default())
        .unwrap()
        .objects
}

/// The object as it was stored, if it is plain text.
fn read(object: &Object) -> Result<(Vec<u8>, Option<Damage>), String> {
    let mut text = Vec::new();
    let mut sink = |piece: &[u8]| {
        text.extend_from_slice(piece);
        Ok::<(), Infallible>(())
    };
    match Reader::new().read(object, &mut sink) {
        Ok(read) => {
            assert_eq!(read.stored_bytes, text.len() as u64);
            Ok((text, read.damage))
        }
        Err(ReadError::Parquet(_)) => Err("it is Parquet".to_owned()),
        Err(ReadError::Object(error)) => {
            let problem = crate::Problem::unread(&error);
            Err(format!("{} | {}", problem.reason, problem.hint))
        }
    }
}

/// Bytes that repeat at no length of a part.
fn noise(len: usize) -> Vec<u8> {
    (0..251).cycle().take(len).collect()
}

fn part() -> usize {
    usize::try_from(PART_BYTES).unwrap()
}

/// What the range of the second part of an object begins with.
fn second() -> String {
    format!("bytes={PART_BYTES}-")
}

fn uris(listing: &Listing) -> Vec<&str> {
    let uris = listing.objects.iter().map(|object| object.uri.as_str());
    uris.map(|uri| uri.trim_start_matches("s3://logs/"))
        .collect()
}

#[test]
fn all_pages_of_a_bucket_are_listed_in_the_order_of_keys() {
    let keys = [
        "a/1",
        "a/2",
        "a/b c&d/ü",
        "b",
        "b.log",
        "z/_SUCCESS",
        "z/folder/",
    ];
    let objects = keys.map(|key| (key, &b"x"[..]));
    let stub = Stub::start(&objects);
    let listing = listed(&stub, "s3://logs", Filter::default()).unwrap();
    assert_eq!(uris(&listing), keys[..5]);
    let skipped: Vec<&str> = listing.skipped.iter().map(|(_, why)| *why).collect();
    assert_eq!(skipped, ["a job's marker", "the marker of a folder"]);
    assert_eq!(listing.list_requests, 3);
    assert_eq!(listing.objects[2].size, Some(1));
    assert_eq!(read(&listing.objects[2]).unwrap().0, b"x");
    assert_eq!(
        uris(&listed(&stub, "s3://logs/a", Filter::default()).unwrap()).len(),
        3
    );
}

#[test]
fn a_name_is_an_object_or_else_a_folder_and_no_beginning_of_names() {
    let stub = Stub::start(&[
        ("b", b"1"),
        ("b/2", b"2"),
        ("b.csv", b"3"),
        ("logs-old/1", b"4"),
        ("logs/1", b"5"),
    ]);
    let named = |name: &str| {
        let listing = listed(&stub, name, Filter::default()).unwrap();
        uris(&listing).join(" ")
    };
    assert_eq!(named("s3://logs/b"), "b");
    assert_eq!(named("s3://logs/b/"), "b/2");
    assert_eq!(named("S3://logs/b.csv"), "b.csv", "a table, but named");
    assert_eq!(named("s3://logs/logs"), "logs/1");
    let empty = listed(&stub, "s3://logs/log", Filter::default()).unwrap_err();
    assert!(matches!(empty, Error::Empty { skipped: 0, .. }), "{empty}");
}

#[test]
fn days_accounts_and_regions_that_are_not_wanted_are_never_listed() {
    let mut keys = Vec::new();
    for account in ["111111111111", "222222222222"] {
        for region in ["eu-west-1", "us-east-1"] {
            for day in 1..=28 {
                let name =
                    format!("{account}_vpcflowlogs_{region}_fl-1_202609{day:02}T1200Z_ab.log.gz");
                keys.push(format!(
                    "AWSLogs/o-1/{account}/vpcflowlogs/{region}/2026/09/{day:02}/{name}"
                ));
            }
        }
    }
    keys.push("AWSLogs/notes.log".to_owned());
    let objects: Vec<(&str, &[u8])> = keys.iter().map(|key| (key.as_str(), &b"x"[..])).collect();
    let stub = Stub::start(&objects);
    let filter = Filter {
        since: Some("2026-09-10".parse().unwrap()),
        until: Some("2026-09-12".parse().unwrap()),
        accounts: vec!["222222222222".to_owned()],
        regions: vec!["eu-west-1".to_owned()],
    };
    let listing = listed(&stub, "s3://logs", filter.clone()).unwrap();
    let [notes, first, second] = &uris(&listing)[..] else {
        panic!("{:?}", uris(&listing));
    };
    assert_eq!(*notes, "AWSLogs/notes.log", "what tells nothing is kept");
    assert!(
        first.contains("222222222222_vpcflowlogs_eu-west-1_fl-1_20260910T1200Z"),
        "{first}"
    );
    assert!(
        second.contains("222222222222_vpcflowlogs_eu-west-1_fl-1_20260911T1200Z"),
        "{second}"
    );
    for past in ["111111111111/", "us-east-1/", "2026/09/08/", "2026/09/13/"] {
        assert_eq!(stub.requests(past), [""; 0], "{past}");
    }
    assert!(
        stub.requests("2026/09/12/").len() == 1,
        "late objects of the day before may be there"
    );
    assert!(listing.left_out > 25, "{}", listing.left_out);

    let none = Filter {
        accounts: vec!["333333333333".to_owned()],
        ..filter
    };
    let error = listed(&stub, "s3://logs/AWSLogs/o-1/", none).unwrap_err();
    assert!(
        matches!(error, Error::AllLeftOut { left_out: 2 }),
        "{error}"
    );
}

#[test]
fn an_object_of_several_parts_is_whole_and_each_part_is_asked_for_once() {
    for len in [
        0,
        1,
        part(),
        part() + 1,
        usize::try_from(STORED_MAX).unwrap() + 9,
    ] {
        let stored = noise(len);
        let stub = Stub::start(&[("big", &stored)]);
        let (text, damage) = read(&all(&stub)[0]).unwrap();
        assert!(text == stored, "{len}");
        assert_eq!(damage, None);
        let parts = (len as u64).div_ceil(PART_BYTES);
        assert_eq!(stub.requests("/big").len() as u64, parts, "{len}");
    }
}

#[test]
fn what_fails_in_passing_is_asked_for_again() {
    let stored = noise(3 * part());
    for fault in [
        Fault::Status(500, "InternalError"),
        Fault::Status(503, "SlowDown"),
        Fault::Status(429, "TooManyRequests"),
        Fault::Reset,
        Fault::Half,
        Fault::Longer,
    ] {
        let stub = Stub::start(&[("big", &stored)]);
        stub.fail(&second(), &fault, 3);
        let (text, damage) = read(&all(&stub)[0]).unwrap();
        assert!(text == stored, "{fault:?}");
        assert_eq!(damage, None, "{fault:?}");
        assert_eq!(stub.requests(&second()).len(), 4, "{fault:?}");
    }
}

#[test]
fn lists_are_asked_for_again_too() {
    for fault in [Fault::Status(503, "SlowDown"), Fault::Reset, Fault::Half] {
        let stub = Stub::start(&[("1", b"x"), ("2", b"x"), ("3", b"x"), ("4", b"x")]);
        stub.fail("continuation-token=3", &fault, 2);
        assert_eq!(all(&stub).len(), 4, "{fault:?}");
    }
}

#[test]
fn what_fails_for_good_names_the_object_and_what_to_do() {
    let stub = Stub::start(&[("k/1", b"x")]);
    let object = &all(&stub)[0];
    let told = |fault: Fault, times| {
        stub.fail("/k/1", &fault, times);
        read(object).unwrap_err()
    };
    let denied = told(Fault::Status(403, "AccessDenied"), 1);
    assert_eq!(
        denied,
        "could not read `s3://logs/k/1`: access denied (AccessDenied) | allow s3:ListBucket on the bucket, s3:GetObject \
         on the object and kms:Decrypt on its key; add --request-payer if the requester pays"
    );
    let expired = told(Fault::Status(403, "ExpiredToken"), 1);
    assert!(
        expired.ends_with("log in again: the credentials have expired"),
        "{expired}"
    );
    let archived = told(Fault::Status(403, "InvalidObjectState"), 1);
    assert!(archived.contains("restore it"), "{archived}");
    let elsewhere = told(Fault::Status(301, "PermanentRedirect"), 1);
    assert!(elsewhere.ends_with("add --region REGION"), "{elsewhere}");
    let refused = told(Fault::Status(400, "InvalidArgument"), 1);
    assert!(refused.contains("400 InvalidArgument as told"), "{refused}");
    let asked = stub.requests("/k/1").len();
    let failed = told(Fault::Status(503, "SlowDown"), 8);
    assert!(
        failed.contains("it failed 8 times, the last time so: 503 SlowDown"),
        "{failed}"
    );
    assert_eq!(stub.requests("/k/1").len(), asked + 8, "then no more");
    let changed = told(Fault::Change(b"y".to_vec()), 1);
    assert!(
        changed.contains("it changed after it was listed"),
        "{changed}"
    );
    let gone = told(Fault::Delete, 1);
    assert!(gone.contains("it is not there any more"), "{gone}");
}

#[test]
fn a_change_between_two_parts_is_an_error_and_no_mixture() {
    let stored = noise(2 * part());
    let stub = Stub::start(&[("big", &stored)]);
    stub.fail(&second(), &Fault::Change(vec![0; stored.len()]), 1);
    let error = read(&all(&stub)[0]).unwrap_err();
    assert!(error.contains("it changed after it was listed"), "{error}");
}

#[test]
fn a_bucket_that_cannot_be_listed_is_an_error_and_a_folder_of_it_a_problem() {
    let stub = Stub::start(&[
        ("AWSLogs/111111111111/vpcflowlogs/eu-west-1/2026/1", b"x"),
        ("AWSLogs/222222222222/vpcflowlogs/eu-west-1/2026/1", b"x"),
    ]);
    let filter = Filter {
        regions: vec!["eu-west-1".to_owned()],
        ..Filter::default()
    };
    stub.fail(
        "prefix=AWSLogs/222222222222/&",
        &Fault::Status(403, "AccessDenied"),
        1,
    );
    stub.fail(
        "prefix=AWSLogs/222222222222/",
        &Fault::Status(403, "AccessDenied"),
        1,
    );
    let listing = listed(&stub, "s3://logs", filter).unwrap();
    assert_eq!(listing.objects.len(), 1);
    let [problem] = &listing.problems[..] else {
        panic!("{:?}", listing.problems);
    };
    assert_eq!(problem.uri, "s3://logs/AWSLogs/222222222222/");
    assert!(
        problem.reason.contains("access denied"),
        "{}",
        problem.reason
    );

    let error = listed(&stub, "s3://nowhere/x", Filter::default()).unwrap_err();
    assert!(matches!(error, Error::List { .. }), "{error}");
    assert!(
        error.hint().contains("check the name of the bucket"),
        "{}",
        error.hint()
    );
}

#[test]
fn a_run_counts_what_is_there_and_reports_what_is_not() {
    let line = |eni: &str| LEAK.replace("eni-0a1", eni).into_bytes();
    let names: Vec<String> = (0..40).map(|at| format!("day/{at:02}.log")).collect();
    let texts: Vec<Vec<u8>> = (0..40).map(|at| line(&format!("eni-{at:04}"))).collect();
    let mut objects: Vec<(&str, &[u8])> = Vec::new();
    objects.extend(
        names
            .iter()
            .zip(&texts)
            .map(|(name, text)| (name.as_str(), text.as_slice())),
    );
    objects.push(("day/copy.log", &texts[39]));
    let stub = Stub::start(&objects);
    stub.fail("/day/07.log", &Fault::Delete, 1);
    stub.fail("/day/08.log", &Fault::Status(403, "AccessDenied"), 1);
    stub.fail("/day/09.log", &Fault::Reset, 2);
    for workers in [1, 3] {
        let settings = Settings {
            workers,
            ..Settings::default()
        };
        let objects = all(&stub);
        let outcome = detect(&objects, &settings, &Progress::default());
        let expected = if workers == 1 {
            (40, 38, 2)
        } else {
            (39, 39, 0)
        };
        let accounts = &outcome.accounts;
        let found = (accounts.objects, accounts.rows, outcome.problems.len());
        assert_eq!(found, expected, "{:?}", outcome.problems);
        assert_eq!(accounts.copies, 1, "told by the ETag");
        let evidence = &outcome.findings[0].evidence.objects[0];
        assert!(
            evidence.uri.starts_with("s3://logs/day/"),
            "{}",
            evidence.uri
        );
        assert!(evidence.sha256.is_some());
    }
}

#[test]
fn copies_that_only_reading_tells_are_remarked_on() {
    let stub = Stub::start(&[("1", LEAK.as_bytes()), ("2.kms", LEAK.as_bytes())]);
    let outcome = detect(&all(&stub), &Settings::default(), &Progress::default());
    assert_eq!(outcome.accounts.rows, 2);
    let [remark] = &outcome.remarks[..] else {
        panic!("{:?}", outcome.remarks);
    };
    assert!(
        remark
            .starts_with("1 objects have the very bytes of another and were counted all the same"),
        "{remark}"
    );
}

#[test]
fn objects_and_files_of_one_run_keep_their_own_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(&[("1", b"one"), ("2", b"two"), ("3", b"three")]);
    for name in ["a", "b"] {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    let sources = ["s3://logs", folder.path().to_str().unwrap()].map(|text| text.parse().unwrap());
    let listing = list_with(&sources, &options(&stub)).unwrap();
    let bytes = listing.objects.iter().map(|object| read(object).unwrap().0);
    let bytes: Vec<String> = bytes
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .collect();
    assert_eq!(bytes, ["a", "b", "one", "two", "three"]);

    let estimate = Estimate::of(&listing);
    assert_eq!((estimate.total.objects, estimate.total.bytes), (5, 13));
    assert_eq!(
        (estimate.total.get_requests, estimate.list_requests),
        (3, 1)
    );
}

#[test]
fn who_stops_reading_holds_up_nobody() {
    let big = noise(40 * part());
    let stub = Stub::start(&[("a", &big), ("b", b"small")]);
    let objects = all(&stub);
    let mut ahead = Ahead::of(objects.iter().filter_map(|object| object.s3.as_ref())).unwrap();
    drop(ahead.next());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut ahead.next().unwrap(), &mut text).unwrap();
    assert_eq!(text, "small");
    assert!(ahead.next().is_none());
}

#[test]
fn the_requester_pays_for_lists_and_objects_alike() {
    let stub = Stub::start(&[("a/1", b"1"), ("a/2", b"2"), ("a/3", b"3"), ("a/4", b"4")]);
    let paying = |request_payer| {
        let mut options = options(&stub);
        options.s3.request_payer = request_payer;
        let source = "s3://logs/a/".parse::<Source>().unwrap();
        let listing = list_with(&[source], &options).unwrap();
        for object in &listing.objects {
            read(object).unwrap();
        }
        stub.requests("").len()
    };
    let unpaid = paying(false);
    assert_eq!(unpaid, 6, "two pages and four objects");
    assert_eq!(stub.requests("paid by"), [""; 0]);
    assert_eq!(paying(true), 2 * unpaid);
    assert_eq!(stub.requests("paid by requester").len(), unpaid);
}

#[test]
fn the_bucket_stands_in_the_path_with_an_endpoint_of_ones_own_unless_told_otherwise() {
    let style = |endpoint: Option<&str>, path_style| {
        let options = S3Options {
            endpoint_url: endpoint.map(str::to_owned),
            path_style,
            ..S3Options::default()
        };
        options.path_style()
    };
    let own = Some("http://127.0.0.1:9000");
    assert_eq!([style(None, None), style(own, None)], [false, true]);
    assert_eq!(
        [style(None, Some(true)), style(own, Some(false))],
        [true, false]
    );

    let stub = Stub::start(&[("k/1", b"x")]);
    let listed = |path_style| {
        let mut options = options(&stub);
        options.s3.endpoint_url = Some(stub.url().replace("127.0.0.1", "localhost"));
        options.s3.path_style = path_style;
        list_with(&["s3://logs/k/".parse::<Source>().unwrap()], &options)
    };
    assert_eq!(listed(None).unwrap().objects.len(), 1);
    assert_eq!(stub.requests("/logs").len(), 1, "{:?}", stub.requests(""));
    // Where the system knows no `logs.localhost`, what it was asked for tells the style.
    match listed(Some(false)) {
        Ok(listing) => assert_eq!(listing.objects.len(), 1),
        Err(error) => {
            let told = crate::Problem::unread(&error).reason;
            assert!(told.contains("failed 8 times"), "{told}");
            assert_eq!(stub.requests("").len(), 1, "not asked in the path");
        }
    }
}

#[test]
fn days_accounts_and_regions_of_hive_folders_that_are_not_wanted_are_never_listed() {
    let mut keys = Vec::new();
    for account in ["111111111111", "222222222222"] {
        for region in ["eu-west-1", "us-east-1"] {
            for (day, hour) in (1..=28).flat_map(|day| [(day, 0), (day, 13)]) {
                let owner =
                    format!("aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}");
                let name = format!(
                    "{account}_vpcflowlogs_{region}_fl-1_202609{day:02}T{hour:02}05Z_ab.log.parquet"
                );
                keys.push(format!(
                    "p/AWSLogs/{owner}/year=2026/month=09/day={day:02}/hour={hour:02}/{name}"
                ));
            }
        }
    }
    let objects: Vec<(&str, &[u8])> = keys.iter().map(|key| (key.as_str(), &b"x"[..])).collect();
    let stub = Stub::start(&objects);
    let filter = Filter {
        since: Some("2026-09-10T06:00".parse().unwrap()),
        until: Some("2026-09-11T00:00".parse().unwrap()),
        accounts: vec!["222222222222".to_owned()],
        regions: vec!["us-east-1".to_owned()],
    };
    let listing = listed(&stub, "s3://logs/p", filter).unwrap();
    let names: Vec<&str> = uris(&listing)
        .iter()
        .map(|uri| uri.rsplit('/').next().unwrap())
        .collect();
    // What was delivered shortly after midnight may have begun before it.
    assert_eq!(
        names,
        [
            "222222222222_vpcflowlogs_us-east-1_fl-1_20260910T1305Z_ab.log.parquet",
            "222222222222_vpcflowlogs_us-east-1_fl-1_20260911T0005Z_ab.log.parquet"
        ]
    );
    let object = &listing.objects[0];
    assert_eq!(object.account_id.as_deref(), Some("222222222222"));
    assert_eq!(object.region.as_deref(), Some("us-east-1"));
    for past in [
        "aws-account-id=111111111111/",
        "aws-region=eu-west-1/",
        "day=09/",
        "day=12/",
        "hour=13/2",
    ] {
        let asked = stub.requests(past);
        assert!(asked.is_empty(), "{past}: {asked:?}");
    }
    let lists = stub.requests("").len();
    assert!(lists < 30, "{lists} lists for 112 objects");
}

#[test]
fn an_endpoint_that_is_no_address_is_told_at_once() {
    let options = ListOptions {
        s3: S3Options {
            endpoint_url: Some("nonsense".to_owned()),
            anonymous: true,
            ..S3Options::default()
        },
        ..ListOptions::default()
    };
    let error = list_with(&["s3://logs".parse::<Source>().unwrap()], &options).unwrap_err();
    let problem = crate::Problem::unread(&error);
    assert!(problem.reason.contains("nonsense"), "{}", problem.reason);
    assert!(!problem.reason.contains("times"), "{}", problem.reason);
    assert!(problem.hint.contains("--endpoint-url"), "{}", problem.hint);
}

#[test]
fn what_lies_ready_never_exceeds_its_bound() {
    let stored = noise(5 * part());
    let names: Vec<String> = (0..40).map(|at| format!("{at:02}")).collect();
    let objects: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &stored[..]))
        .collect();
    let stub = Stub::start(&objects);
    let objects = all(&stub);
    let mut ahead = Ahead::of(objects.iter().filter_map(|object| object.s3.as_ref())).unwrap();
    let mut first = ahead.next().unwrap();
    // Nobody reads, so that asking stops: at the bound, long before the 200 parts that there are.
    let parts_max = usize::try_from(AHEAD_BYTES_MAX / PART_BYTES).unwrap();
    let asked = || stub.requests("bytes=").len();
    let mut before = usize::MAX;
    while asked() != before {
        before = asked();
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(before, parts_max);
    // Who reads a part makes room for another.
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut first, &mut text).unwrap();
    assert!(text == stored);
    while let Some(mut fetched) = ahead.next() {
        text.clear();
        std::io::Read::read_to_end(&mut fetched, &mut text).unwrap();
        assert!(text == stored);
    }
    assert_eq!(asked(), 200);
}
