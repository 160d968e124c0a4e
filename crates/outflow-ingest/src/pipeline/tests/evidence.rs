//! Which objects a finding names as its evidence.

use super::super::evidence::OBJECTS_MAX;
use super::*;

#[test]
fn evidence_names_the_objects_and_counts_their_rows() {
    let hour = 3_600;
    let of_a = |start| record("eni-0a1", 60_000_000, start);
    let of_b = |start| record("eni-0b2", 10, start);
    let first = [of_a(START), of_a(START + 20), of_b(START)].concat();
    let second = [of_b(START + hour), of_a(START + hour)].concat();
    let third = of_b(START + 2 * hour);
    let files = [("1.log", first), ("2.log.gz", second), ("3.log", third)];
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &files {
        let stored = if name.ends_with("gz") {
            gzip(text.as_bytes())
        } else {
            text.clone().into()
        };
        put(folder.path(), name, &stored);
    }
    for workers in 1..=3 {
        let settings = Settings {
            workers,
            ..Settings::default()
        };
        let outcome = detected(&objects(folder.path()), &settings);
        let finding = outcome
            .findings
            .iter()
            .find(|f| f.interface_id.as_deref() == Some("eni-0a1"))
            .unwrap();
        let named: Vec<(String, u64)> = finding
            .evidence
            .objects
            .iter()
            .map(|own| (own.uri.to_string(), own.rows))
            .collect();
        let path = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(named, [(path("1.log"), 2), (path("2.log.gz"), 1)]);
        for own in &finding.evidence.objects {
            let digest = Sha256::digest(fs::read(&*own.uri).unwrap());
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(own.sha256.as_deref(), Some(hex.as_str()));
        }
    }
}

#[test]
fn evidence_leaves_out_objects_of_another_time() {
    let day = 86_400;
    let names_of = |outcome: &Outcome| -> Vec<String> {
        let finding = outcome
            .findings
            .iter()
            .find(|finding| finding.bytes >= 300_000_000)
            .unwrap();
        let uris = finding.evidence.objects.iter().map(|own| own.uri.clone());
        uris.map(|uri| uri.rsplit_once('/').unwrap().1.to_owned())
            .collect()
    };
    let before = record("eni-0a1", 10, START - 40 * day);
    let after = record("eni-0a1", 10, START + 40 * day);
    let leak = leak("eni-0a1", START);
    let outcome = outcome(&[
        ("after.log", after.as_bytes()),
        ("before.log", before.as_bytes()),
        ("leak.log", leak.as_bytes()),
    ]);
    assert_eq!(names_of(&outcome), ["leak.log"]);
}

#[test]
fn objects_of_one_name_are_all_evidence() {
    let folder = folder(&[
        ("a.log", leak("eni-0a1", START).as_bytes()),
        ("b.log", leak("eni-0a1", START + 60).as_bytes()),
    ]);
    let mut objects = objects(folder.path());
    objects
        .iter_mut()
        .for_each(|object| object.uri = "stdin".to_owned());
    let outcome = detected(&objects, &Settings::default());
    assert_eq!(outcome.findings[0].flows, 2);
    let rows = outcome.findings[0]
        .evidence
        .objects
        .iter()
        .map(|own| own.rows);
    assert_eq!(rows.collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn evidence_names_the_objects_with_most_rows_and_says_how_many_there_are() {
    let texts: Vec<(String, String)> = (0..40)
        .map(|at| {
            let rows = if at == 7 || at >= 39 { 3 } else { 1 + at % 2 };
            let record = record("eni-0a1", 20_000_000, START + at * 60);
            (
                format!("{at:02}.log"),
                record.repeat(usize::try_from(rows).unwrap()),
            )
        })
        .collect();
    let files: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let outcome = outcome(&files);
    let finding = &outcome.findings[0];
    assert_eq!(finding.evidence.objects_total, 40);
    let objects = &finding.evidence.objects;
    assert_eq!(objects.len(), OBJECTS_MAX);
    let named: Vec<(&str, u64)> = objects
        .iter()
        .map(|own| (own.uri.rsplit_once('/').unwrap().1, own.rows))
        .collect();
    assert_eq!(
        named[..4],
        [("07.log", 3), ("39.log", 3), ("01.log", 2), ("03.log", 2)]
    );
    assert!(named[2..].iter().all(|(_, rows)| *rows == 2));
    assert!(named[2..].is_sorted());
}

#[test]
fn an_incident_counts_each_object_of_its_findings_once() {
    let day = 86_400;
    let of_both = [leak("eni-0a1", START), leak("eni-0a1", START + day)].concat();
    let outcome = outcome(&[
        ("both.log", of_both.as_bytes()),
        ("first.log", record("eni-0a1", 10, START + 60).as_bytes()),
        ("later.log", leak("eni-0a1", START + day + 60).as_bytes()),
        ("other.log", record("eni-0b2", 10, START).as_bytes()),
    ]);
    assert_eq!((outcome.incidents.len(), outcome.findings.len()), (1, 2));
    assert!(
        outcome
            .findings
            .iter()
            .all(|finding| finding.evidence.objects_total < 3)
    );
    assert_eq!(outcome.incidents[0].body.evidence.objects_total, 3);
}

#[test]
fn an_object_that_only_meets_the_time_counts_and_none_that_does_not() {
    let day = 86_400;
    let both_sides = [
        record("eni-0a1", 10, START - day),
        record("eni-0b2", 10, START + day),
    ]
    .concat();
    let outcome = outcome(&[
        ("leak.log", leak("eni-0a1", START).as_bytes()),
        // Of the interface before, and of another behind: nobody keeps which of its rows is whose when.
        ("meets.log", both_sides.as_bytes()),
        ("before.log", record("eni-0a1", 10, START - day).as_bytes()),
        ("other.log", record("eni-0b2", 10, START).as_bytes()),
    ]);
    let evidence = &outcome.findings[0].evidence;
    let named = evidence
        .objects
        .iter()
        .map(|own| own.uri.rsplit_once('/').unwrap().1);
    assert_eq!(named.collect::<Vec<_>>(), ["leak.log", "meets.log"]);
    assert_eq!(evidence.objects_total, 2);
}

#[test]
fn an_object_refused_on_the_way_keeps_its_digest() {
    let spoilt = format!(
        "{}Version,Account_ID,Interface_ID\n{}",
        leak("eni-0a1", START),
        "\n".repeat(100 << 10)
    );
    let folder = folder(&[("a.log", spoilt.as_bytes())]);
    let path = folder.path().join("a.log");
    let outcome = detected(&objects(folder.path()), &Settings::default());
    assert_eq!(outcome.problems.len(), 1);
    let hex: String = Sha256::digest(fs::read(&path).unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        outcome.findings[0].evidence.objects[0].sha256,
        Some(hex.into())
    );
}

#[cfg(unix)]
#[test]
fn an_object_that_was_not_read_to_its_end_has_no_digest() {
    // What has no length is read piece by piece, and refused before its end is known.
    let spoilt = format!(
        "{}Version,Account_ID,Interface_ID\n{}",
        leak("eni-0a1", START),
        "\n".repeat(100 << 10)
    );
    let (reader, mut writer) = std::io::pipe().unwrap();
    std::thread::spawn(move || writer.write_all(spoilt.as_bytes()));
    let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    let outcome = detected(&[Object::file(path)], &Settings::default());
    assert_eq!(outcome.problems.len(), 1, "{:?}", outcome.problems);
    assert_eq!(outcome.findings[0].evidence.objects[0].sha256, None);
}
