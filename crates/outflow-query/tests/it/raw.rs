//! Every saved query says of sources what it says of a lake of the same.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use outflow_ingest::{IngestSettings, Named, Object, Progress, Scan};
use outflow_lake::{Access, Lake, Table};
use outflow_query::{Library, Limits, Needs, Reads, SavedQuery, ScalarValue, Session};
use tempfile::TempDir;

use crate::world::{Answer, WORLD, workspace};

type Values = Vec<(String, ScalarValue)>;

/// The objects of the world as sources: what is read of them for queries, each part once.
struct Raw {
    folder: TempDir,
    empty: Lake,
    /// By what was wanted of which objects.
    read: BTreeMap<(Option<Needs>, Vec<bool>), Session>,
}

impl Raw {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let empty = lake(folder.path().join("empty"));
        Self {
            folder,
            empty,
            read: BTreeMap::new(),
        }
    }

    /// A query, asked as `outflow query --source` asks it: by decoding objects as they are read if it goes through them once,
    /// else by writing down what of them it needs.
    fn ask(&mut self, sql: &str, values: Values) -> Answer {
        let unread = session(&self.empty);
        let reads = unread.reads(sql, values.clone());
        let reads = WORLD.runtime.block_on(reads).unwrap();
        if reads.is_one_pass() {
            unread.decode(scan());
            return WORLD.ask(&unread, sql, values).unwrap();
        }
        WORLD
            .ask(self.written(&unread, reads), sql, values)
            .unwrap()
    }

    fn written(&mut self, unread: &Session, reads: Reads) -> &Session {
        let named: Vec<Named> = WORLD.objects.iter().map(Named::of).collect();
        let needed = unread.needed(&reads, &named).unwrap();
        let place = self.folder.path().join(format!("read-{}", self.read.len()));
        let key = (reads.needs, needed);
        self.read.entry(key).or_insert_with_key(|(wanted, needed)| {
            let chosen = WORLD.objects.iter().zip(needed);
            let chosen: Vec<Object> = chosen
                .filter(|(_, needed)| **needed)
                .map(|(object, _)| object.clone())
                .collect();
            let settings = IngestSettings {
                workers: 2,
                wanted: wanted.clone(),
                ..IngestSettings::default()
            };
            let lake = lake(place);
            let done =
                outflow_ingest::ingest(&chosen, &settings, &lake, &Progress::default()).unwrap();
            assert!(done.problems.is_empty(), "{:?}", done.problems);
            session(&lake)
        })
    }
}

fn lake(place: PathBuf) -> Lake {
    let place = place.display().to_string();
    Lake::create(place.parse().unwrap(), &Access::default()).unwrap()
}

fn session(lake: &Lake) -> Session {
    let limits = Limits {
        threads: 2,
        ..Limits::default()
    };
    let session = Session::over(lake, limits, outflow_udf::Known::default()).unwrap();
    WORLD.give(&session);
    session
}

fn scan() -> Arc<Scan> {
    let settings = IngestSettings {
        workers: 2,
        ..IngestSettings::default()
    };
    Arc::new(Scan::new(WORLD.objects.clone(), settings))
}

/// The values that a query is asked with where its answers are kept, each with the text of the asking.
fn askings(query: &SavedQuery) -> Vec<(String, Values)> {
    let kept = workspace().join(format!("queries/answers/{}.slt", query.name));
    let kept = std::fs::read_to_string(kept).unwrap();
    let asked = kept.lines().filter_map(|line| line.strip_prefix('@'));
    let asked = asked.map(|asked| {
        let given: Vec<(String, String)> = asked
            .split_whitespace()
            .skip(1)
            .map(|word| word.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        (asked.to_owned(), query.bind(&given).unwrap())
    });
    asked.collect()
}

#[test]
fn every_saved_query_answers_of_sources_what_it_answers_of_a_lake() {
    let (mut raw, over_lake) = (Raw::new(), WORLD.given());
    let (mut wrong, mut with_rows) = (Vec::new(), 0);
    let library = Library::shipped().unwrap();
    for query in library.iter() {
        let askings = askings(query);
        assert!(!askings.is_empty(), "{}", query.name);
        for (asked, values) in askings {
            let told = raw.ask(&query.sql, values.clone());
            let expected = WORLD.ask(&over_lake, &query.sql, values).unwrap();
            with_rows += usize::from(!expected.rows.is_empty());
            if told.columns != expected.columns || told.rows != expected.rows {
                wrong.push(format!(
                    "{asked}\nof sources {:?}\nof a lake {:?}",
                    told.rows, expected.rows
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(with_rows >= library.iter().count(), "{with_rows}");
}

#[test]
fn what_sources_are_not_decoded_as_is_an_error_and_no_empty_answer() {
    let folder = tempfile::tempdir().unwrap();
    let empty = lake(folder.path().join("empty"));
    let (unread, decoding) = (session(&empty), session(&empty));
    decoding.decode(scan());
    let decoded = [Table::Flows, Table::Dns, Table::Coverage];
    let is_decoded = |needs: &Needs| needs.keys().all(|table| decoded.contains(table));
    let mut refused = 0;
    for query in Library::shipped().unwrap().iter() {
        let (asked, values) = askings(query).swap_remove(0);
        let reads = unread.reads(&query.sql, values.clone());
        let reads = WORLD.runtime.block_on(reads).unwrap();
        if reads.needs.as_ref().is_some_and(is_decoded) {
            continue;
        }
        let error = WORLD.ask(&decoding, &query.sql, values).err();
        let told = error.unwrap_or_else(|| panic!("{asked} has an answer"));
        let told = told.to_string();
        assert!(told.contains("needs a lake of them"), "{asked}: {told}");
        refused += 1;
    }
    assert!(refused > 0);
    for table in Table::ALL {
        let sql = format!("SELECT count(*) FROM {}", table.name());
        let told = WORLD.ask(&decoding, &sql, Vec::new());
        assert_eq!(told.is_ok(), decoded.contains(&table), "{sql}");
    }
}
