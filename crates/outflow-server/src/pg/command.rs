//! Statements that are no query of their own: settings, transactions, cursors, copies.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::Statement;
use pgwire::api::Type;
use pgwire::api::results::{FieldFormat, FieldInfo};
use tokio::time::Instant;

use super::connection::{Client, End, Transaction, no_portal};
use super::rows::{RowWriter, columns};
use super::statement::{Portal, ROWS_AT_ONCE};
use crate::catalog::names;
use crate::problem::{Problem, sqlstate};
use crate::settings;
use crate::sql::{Command, CopyFormat, CopyOptions, Fetched};

impl Client {
    /// What is no query of its own.
    pub(super) async fn command(
        &mut self,
        command: Command,
        described: Described,
        formats: &[i16],
        until: Instant,
    ) -> Result<(), End> {
        match command {
            Command::Query(_) => {}
            Command::Show(name) => self.show(name.as_deref(), described)?,
            Command::Fetch { cursor, rows } => {
                self.fetch(&cursor, rows, described, formats, until).await?;
            }
            Command::Copy { query, options } => Box::pin(self.copy(query, &options, until)).await?,
            Command::Declare {
                cursor,
                query,
                hold,
            } => {
                Box::pin(self.declare(cursor, query, hold, until)).await?;
                self.line.output.complete("DECLARE CURSOR");
            }
            other => {
                let tag = self.at_once(other)?;
                self.line.output.complete(tag);
            }
        }
        Ok(())
    }

    /// What is done without the engine; its tag.
    fn at_once(&mut self, command: Command) -> Result<&'static str, Problem> {
        Ok(match command {
            Command::Set { name, value } => self.set(&name, value.as_deref())?,
            Command::ResetAll => {
                self.reset_settings();
                "RESET"
            }
            Command::Begin => self.begin_transaction(),
            Command::Commit => self.end_transaction("COMMIT"),
            Command::Rollback {
                to_savepoint: false,
            } => self.end_transaction("ROLLBACK"),
            Command::Rollback { to_savepoint: true } => {
                if self.transaction == Transaction::Failed {
                    self.transaction = Transaction::Open;
                }
                "ROLLBACK"
            }
            Command::Close(None) => {
                self.portals.clear();
                "CLOSE CURSOR ALL"
            }
            Command::Close(Some(cursor)) => {
                let closed = self.portals.remove(&cursor);
                closed.ok_or_else(|| no_portal(&cursor))?;
                "CLOSE CURSOR"
            }
            Command::Deallocate(None) => {
                self.statements.clear();
                "DEALLOCATE ALL"
            }
            Command::Deallocate(Some(name)) => {
                if self.statements.remove(&name).is_none() {
                    let message = format!("prepared statement \"{name}\" does not exist");
                    return Err(Problem::new(sqlstate::INVALID_SQL_STATEMENT_NAME, message));
                }
                "DEALLOCATE"
            }
            Command::DiscardAll => {
                self.statements.clear();
                self.portals.clear();
                self.reset_settings();
                "DISCARD ALL"
            }
            Command::Nothing(tag) => tag,
            Command::Query(_)
            | Command::Show(_)
            | Command::Fetch { .. }
            | Command::Copy { .. }
            | Command::Declare { .. } => {
                let message = "a statement of the engine was taken for another";
                return Err(Problem::new(sqlstate::INTERNAL_ERROR, message));
            }
        })
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<&'static str, Problem> {
        let done = self.desk.settings().set(name, value)?;
        if let Some((name, value)) = done.reported {
            self.line.output.parameter(name, &value);
        }
        if let Some(warning) = done.warning {
            self.line.output.warning(sqlstate::WARNING, &warning);
        }
        Ok(if value.is_none() { "RESET" } else { "SET" })
    }

    fn reset_settings(&mut self) {
        let reported = self.desk.settings().reset();
        for (name, value) in reported {
            self.line.output.parameter(name, &value);
        }
    }

    fn begin_transaction(&mut self) -> &'static str {
        if self.transaction == Transaction::Open {
            let message = "there is already a transaction in progress";
            self.line.output.warning("25001", message);
        }
        self.transaction = Transaction::Open;
        "BEGIN"
    }

    fn end_transaction(&mut self, tag: &'static str) -> &'static str {
        let before = std::mem::replace(&mut self.transaction, Transaction::Idle);
        self.end_portals();
        match before {
            Transaction::Idle => {
                let message = "there is no transaction in progress";
                self.line
                    .output
                    .warning(sqlstate::NO_ACTIVE_SQL_TRANSACTION, message);
                tag
            }
            Transaction::Open => tag,
            Transaction::Failed => "ROLLBACK",
        }
    }

    /// Answers with the value of a setting, or with all of them.
    fn show(&mut self, name: Option<&str>, described: Described) -> Result<(), Problem> {
        let rows: Vec<Vec<String>> = {
            let settings = self.desk.settings();
            match name {
                Some(name) => {
                    let value = settings.get(name).ok_or_else(|| settings::unknown(name))?;
                    vec![vec![value.to_owned()]]
                }
                None => {
                    let all = settings.all();
                    all.map(|(name, value)| vec![name.to_owned(), value.to_owned(), String::new()])
                        .collect()
                }
            }
        };
        if matches!(described, Described::No) {
            self.line.output.columns(&shown_columns(name));
        }
        for row in rows {
            let mut data = Vec::new();
            for field in &row {
                let length = i32::try_from(field.len()).unwrap_or(i32::MAX);
                data.extend(length.to_be_bytes());
                data.extend(field.as_bytes());
            }
            self.line.output.row(row.len(), &data);
        }
        self.line.output.complete("SHOW");
        Ok(())
    }

    async fn declare(
        &mut self,
        cursor: String,
        query: Statement,
        hold: bool,
        until: Instant,
    ) -> Result<(), End> {
        if self.transaction == Transaction::Idle && !hold {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(Problem::new(sqlstate::NO_ACTIVE_SQL_TRANSACTION, message).into());
        }
        if self.portals.contains_key(&cursor) {
            let message = format!("cursor \"{cursor}\" already exists");
            return Err(Problem::new(sqlstate::DUPLICATE_CURSOR, message).into());
        }
        self.may_tell()?;
        let (mut watch, desk) = self.watch(until);
        let plan = watch.during(desk.plan(query.clone(), None)).await?;
        let telling = self.begin_telling(plan, until).await?;
        let portal = Portal::cursor(query, telling, hold);
        Ok(self.keep_portal(cursor, portal)?)
    }

    async fn fetch(
        &mut self,
        cursor: &str,
        rows: Fetched,
        described: Described,
        formats: &[i16],
        until: Instant,
    ) -> Result<(), End> {
        let mut portal = self
            .portals
            .remove(cursor)
            .ok_or_else(|| no_portal(cursor))?;
        let schema = portal.prepared.columns.clone();
        let schema = schema.ok_or_else(|| no_portal(cursor))?;
        let fields = columns(&schema, portal.prepared.names(), formats)?;
        if matches!(described, Described::No) {
            self.line.output.columns(&fields);
        }
        let rows_max = match rows {
            Fetched::Rows(rows) => Some(rows),
            Fetched::All => None,
        };
        let told = match portal.telling() {
            Some(telling) => self.tell_rows(telling, &fields, rows_max, until).await?,
            None => 0,
        };
        self.portals.insert(cursor.to_owned(), portal);
        self.line.output.complete(&format!("FETCH {told}"));
        Ok(())
    }

    /// Copies rows out.
    async fn copy(
        &mut self,
        query: Statement,
        options: &CopyOptions,
        until: Instant,
    ) -> Result<(), End> {
        let (mut watch, desk) = self.watch(until);
        let plan = watch.during(desk.plan(query.clone(), None)).await?;
        let mut telling = self.begin_telling(plan, until).await?;
        let is_binary = options.format == CopyFormat::Binary;
        let names = names(&query);
        let all_columns = columns(telling.schema(), names.as_deref(), &[i16::from(is_binary)])?;
        self.line.output.copy_begin(all_columns.len(), is_binary);
        if options.header && !is_binary {
            let mut line = Vec::new();
            options.write(
                all_columns
                    .iter()
                    .map(|column| Some(column.name().as_bytes())),
                &mut line,
            );
            self.line.output.copy_data(&line);
        }
        let (mut watch, desk) = self.watch(until);
        let mut writer = RowWriter::copying(Arc::clone(&all_columns), options.format);
        let mut told = 0;
        while let Some((batch, rows)) = watch.during(telling.next(ROWS_AT_ONCE)).await? {
            told += rows.len();
            let options = options.clone();
            let written = desk.compute(move || {
                writer
                    .copied(&batch, rows, &options)
                    .map(|rows| (writer, rows))
            });
            let (back, rows) = watch.during(written).await?;
            writer = back;
            watch.line.output.0.unsplit(rows.0);
            watch.line.drain().await?;
        }
        if is_binary {
            self.line.output.copy_data(&writer.end());
        }
        self.line.output.copy_end();
        self.line.output.complete(&format!("COPY {told}"));
        Ok(())
    }
}

/// Whether a client was told the columns of an answer before.
#[derive(Clone, Copy)]
pub(super) enum Described {
    Yes,
    No,
}

pub(super) fn shown_columns(name: Option<&str>) -> Vec<FieldInfo> {
    match name {
        Some(name) => vec![text_column(name)],
        None => ["name", "setting", "description"].map(text_column).into(),
    }
}

/// A column of text that an answer of ours has.
fn text_column(name: &str) -> FieldInfo {
    FieldInfo::new(name.to_owned(), None, None, Type::TEXT, FieldFormat::Text)
}
