//! Every saved query has an answer on a simulated world, kept beside it as `NAME.slt`.

use std::path::PathBuf;

use outflow_query::Library;
use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner};

use crate::world::{WORLD, workspace};

/// What a record of an `.slt` file is run by: `@name key=value …` asks a saved query, anything else is SQL.
struct Asking {
    session: outflow_query::Session,
    library: Library,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

impl DB for Asking {
    type Error = Failed;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, text: &str) -> Result<DBOutput<DefaultColumnType>, Failed> {
        let failed = |error: &dyn std::fmt::Display| Failed(error.to_string());
        let (declared, sql, values) = match text.trim().strip_prefix('@') {
            Some(asked) => {
                let mut words = asked.split_whitespace();
                let query = words.next().unwrap_or_default();
                let query = self.library.get(query).map_err(|e| failed(&e))?;
                let given: Vec<(String, String)> = words
                    .map(|word| word.split_once('=').unwrap())
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect();
                let columns = query.columns.iter().map(|column| column.name.clone());
                let values = query.bind(&given).map_err(|e| failed(&e))?;
                (Some(columns.collect()), query.sql.clone(), values)
            }
            None => (None, text.to_owned(), Vec::new()),
        };
        let answer = WORLD
            .ask(&self.session, &sql, values)
            .map_err(|e| failed(&e))?;
        if declared.is_some_and(|declared: Vec<String>| declared != answer.columns) {
            return Err(Failed(format!(
                "its columns are {:?}, which its header does not say",
                answer.columns
            )));
        }
        let cell = |cell: String| match cell.is_empty() {
            true => "-".to_owned(),
            false => cell.replace(' ', "_"),
        };
        // Objects are known by where they lie, which is another folder in each run.
        let hidden = answer.columns.iter().position(|name| name == "source_id");
        let row = |mut row: Vec<String>| {
            if let Some(at) = hidden {
                row[at].clear();
            }
            row.into_iter().map(cell).collect()
        };
        Ok(DBOutput::Rows {
            types: vec![DefaultColumnType::Any; answer.columns.len()],
            rows: answer.rows.into_iter().map(row).collect(),
        })
    }
}

fn asking() -> Asking {
    Asking {
        session: WORLD.given(),
        library: Library::shipped().unwrap(),
    }
}

fn kept(name: &str) -> PathBuf {
    workspace().join(format!("queries/answers/{name}.slt"))
}

#[test]
fn every_saved_query_answers_what_is_kept() {
    let mut wrong = Vec::new();
    for query in Library::shipped().unwrap().iter() {
        let path = kept(&query.name);
        if !path.exists() {
            wrong.push(format!("{} has no {}", query.name, path.display()));
            continue;
        }
        let mut runner = Runner::new(|| async { Ok(asking()) });
        if let Err(error) = runner.run_file(&path) {
            wrong.push(format!("{}: {error}", query.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
#[ignore = "rewrites the answers that are kept: look at each change before you commit it"]
fn rewrite_the_answers() {
    for query in Library::shipped().unwrap().iter() {
        let mut runner = Runner::new(|| async { Ok(asking()) });
        let updated = runner.update_test_file(
            kept(&query.name),
            " ",
            sqllogictest::default_validator,
            sqllogictest::default_normalizer,
            sqllogictest::default_column_validator,
        );
        futures::executor::block_on(updated).unwrap();
    }
}

#[test]
fn every_file_of_the_folder_is_a_query_that_is_shipped_or_evidence() {
    let library = Library::shipped().unwrap();
    for entry in std::fs::read_dir(workspace().join("queries")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".sql") else {
            continue;
        };
        assert!(
            name.starts_with("evidence") || library.get(name).is_ok(),
            "{name}"
        );
    }
}
