//! What statements do: those of the simple protocol, and those that are prepared, bound and executed.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use bytes::Bytes;
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::Statement;
use pgwire::api::Type;
use pgwire::api::results::FieldInfo;
use tokio::time::Instant;

use super::command::{Described, shown_columns};
use super::connection::{Client, End, Kept, no_portal};
use super::rows::{RowWriter, Telling, columns};
use super::value;
use crate::catalog::names;
use crate::problem::{Problem, sqlstate};
use crate::sql::{Command, Parsed, places_of_lists};

/// Rows that are written at once: between them it is seen whether the client still wants more.
pub(super) const ROWS_AT_ONCE: usize = 1_024;

/// A statement that was prepared.
pub(super) struct Prepared {
    pub(super) sql: Arc<str>,
    /// None, if there is nothing in the text.
    pub(super) parsed: Option<Parsed>,
    /// Types of its places.
    pub(super) types: Vec<Type>,
    /// What it answers with, if it does.
    pub(super) columns: Option<SchemaRef>,
}

impl Prepared {
    /// How PostgreSQL would name its columns.
    pub(super) fn names(&self) -> Option<&[String]> {
        self.parsed.as_ref()?.names.as_deref()
    }
}

/// A statement with values for its places, or a cursor.
pub(super) struct Portal {
    pub(super) prepared: Arc<Prepared>,
    pub(super) formats: Vec<i16>,
    /// Whether it outlives its transaction.
    pub(super) hold: bool,
    values: Vec<ScalarValue>,
    /// Bytes of the values.
    bytes: usize,
    state: State,
}

impl Kept for Arc<Prepared> {
    fn bytes(&self) -> usize {
        self.sql.len()
    }
}

impl Kept for Portal {
    fn bytes(&self) -> usize {
        // Its statement may be kept by nothing else any more.
        self.prepared.bytes() + self.bytes
    }
}

enum State {
    Bound,
    Telling(Box<Telling>),
    Done,
}

impl Portal {
    /// A cursor, of which nothing was told yet.
    pub(super) fn cursor(query: Statement, telling: Telling, hold: bool) -> Self {
        let prepared = Prepared {
            sql: query.to_string().into(),
            columns: Some(Arc::clone(telling.schema())),
            parsed: Some(Parsed {
                names: names(&query),
                command: Command::Query(query),
                places: 0,
            }),
            types: Vec::new(),
        };
        Self {
            prepared: Arc::new(prepared),
            formats: Vec::new(),
            hold,
            values: Vec::new(),
            bytes: 0,
            state: State::Telling(Box::new(telling)),
        }
    }

    /// What it still has to tell.
    pub(super) fn telling(&mut self) -> Option<&mut Telling> {
        match &mut self.state {
            State::Telling(telling) => Some(telling),
            State::Bound | State::Done => None,
        }
    }

    /// Whether it has rows left to tell, as far as is known.
    pub(super) fn is_telling(&self) -> bool {
        matches!(&self.state, State::Telling(telling) if !telling.has_ended())
    }

    /// Reads the values for the places of a statement.
    pub(super) fn bind(
        prepared: Arc<Prepared>,
        formats: &[i16],
        values: &[Option<Bytes>],
        result_formats: Vec<i16>,
    ) -> Result<Self, Problem> {
        let violation = |message: String| Problem::new(sqlstate::PROTOCOL_VIOLATION, message);
        if values.len() != prepared.types.len() {
            return Err(violation(format!(
                "bind message supplies {} parameters, but prepared statement requires {}",
                values.len(),
                prepared.types.len()
            )));
        }
        if formats.len() > 1 && formats.len() != values.len() {
            return Err(violation(format!(
                "bind message has {} parameter formats but {} parameters",
                formats.len(),
                values.len()
            )));
        }
        let values = values
            .iter()
            .zip(&prepared.types)
            .enumerate()
            .map(|(at, (value, of))| {
                let is_binary = formats.get(at).or(formats.first()) == Some(&1);
                match value {
                    None => ScalarValue::try_from(value::to_engine(of)).map_err(Problem::from),
                    Some(bytes) if is_binary => value::of_binary(bytes, of),
                    Some(bytes) => value::of_text(bytes, of),
                }
            });
        let values = values.collect::<Result<Vec<_>, Problem>>()?;
        Ok(Self {
            bytes: values.iter().map(ScalarValue::size).sum(),
            values,
            prepared,
            formats: result_formats,
            hold: false,
            state: State::Bound,
        })
    }
}

/// Values by the names of their places.
fn named(values: &[ScalarValue]) -> Vec<(String, ScalarValue)> {
    let numbers = (1..).map(|number: usize| number.to_string());
    numbers.zip(values.iter().cloned()).collect()
}

impl Client {
    /// Prepares a statement.
    pub(super) async fn prepare(
        &mut self,
        name: &str,
        sql: String,
        types: &[u32],
        until: Instant,
    ) -> Result<Prepared, End> {
        if !name.is_empty() && self.statements.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(Problem::new(sqlstate::DUPLICATE_STATEMENT, message).into());
        }
        let (mut watch, desk) = self.watch(until);
        let mut statements = watch.during(desk.parse(&sql)).await?;
        if statements.len() > 1 {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(Problem::new(sqlstate::SYNTAX_ERROR, message).into());
        }
        let parsed = statements.pop();
        if let Some(parsed) = &parsed {
            self.may(&parsed.command)?;
        }
        let (types, columns) = match &parsed {
            Some(Parsed {
                command: Command::Query(statement),
                places,
                ..
            }) => self.look_at(statement, *places, types, until).await?,
            Some(Parsed {
                command: Command::Fetch { cursor, .. },
                ..
            }) => (Vec::new(), Some(self.columns_of_cursor(cursor)?)),
            Some(Parsed { places, .. }) if *places > 0 => {
                let message = "only a query has places for values";
                return Err(Problem::new(sqlstate::UNDEFINED_PARAMETER, message).into());
            }
            _ => (Vec::new(), None),
        };
        Ok(Prepared {
            sql: sql.into(),
            parsed,
            types,
            columns,
        })
    }

    /// Finds out of which types the places of a query are, and its columns.
    async fn look_at(
        &mut self,
        statement: &Statement,
        places: usize,
        told: &[u32],
        until: Instant,
    ) -> Result<(Vec<Type>, Option<SchemaRef>), End> {
        let (mut watch, desk) = self.watch(until);
        if places == 0 {
            let plan = watch.during(desk.plan(statement.clone(), None)).await?;
            return Ok((Vec::new(), Some(Arc::clone(plan.schema().inner()))));
        }
        // What the engine knows of a place without a value: it may know nothing, and the values will be in the text.
        let plan = match watch.during(desk.plan(statement.clone(), None)).await {
            Ok(plan) => Some(plan),
            Err(End::Problem(problem))
                if problem.code != sqlstate::QUERY_CANCELED && !problem.fatal =>
            {
                None
            }
            Err(end) => return Err(end),
        };
        let known = plan
            .and_then(|plan| plan.get_parameter_types().ok())
            .unwrap_or_default();
        let lists = places_of_lists(statement);
        let types: Vec<Type> = (0..places)
            .map(|at| {
                let told = told.get(at).and_then(|oid| value::known(*oid));
                let told = told.filter(|of| *of != Type::UNKNOWN);
                let inferred = || {
                    known
                        .get(&format!("${}", at + 1))?
                        .as_ref()
                        .map(value::of_engine)
                };
                let list = || lists.contains(&(at + 1)).then_some(Type::TEXT_ARRAY);
                told.or_else(list).or_else(inferred).unwrap_or(Type::TEXT)
            })
            .collect();
        let nothing: Vec<ScalarValue> = types
            .iter()
            .map(|of| ScalarValue::try_from(value::to_engine(of)))
            .collect::<Result<_, _>>()
            .map_err(Problem::from)?;
        let plan = watch
            .during(desk.plan(statement.clone(), Some(named(&nothing))))
            .await?;
        Ok((types, Some(Arc::clone(plan.schema().inner()))))
    }

    fn columns_of_cursor(&self, cursor: &str) -> Result<SchemaRef, Problem> {
        let portal = self.portals.get(cursor).ok_or_else(|| no_portal(cursor))?;
        let columns = portal.prepared.columns.clone();
        columns.ok_or_else(|| no_portal(cursor))
    }

    /// Tells which columns a statement answers with.
    pub(super) fn describe(&mut self, prepared: &Prepared, formats: &[i16]) -> Result<(), Problem> {
        match (&prepared.parsed, &prepared.columns) {
            (_, Some(schema)) => {
                let fields = columns(schema, prepared.names(), formats)?;
                self.line.output.columns(&fields);
            }
            (
                Some(Parsed {
                    command: Command::Show(name),
                    ..
                }),
                None,
            ) => self.line.output.columns(&shown_columns(name.as_deref())),
            _ => self.line.output.no_data(),
        }
        Ok(())
    }

    /// Executes a portal, or goes on with it.
    pub(super) async fn execute(
        &mut self,
        name: &str,
        rows_max: Option<usize>,
        until: Instant,
    ) -> Result<(), End> {
        // It is taken out while it runs: what fails is not there any more.
        let mut portal = self.portals.remove(name).ok_or_else(|| no_portal(name))?;
        let prepared = Arc::clone(&portal.prepared);
        let Some(parsed) = &prepared.parsed else {
            self.line.output.empty_query();
            self.portals.insert(name.to_owned(), portal);
            return Ok(());
        };
        self.may(&parsed.command)?;
        let Command::Query(statement) = &parsed.command else {
            if matches!(portal.state, State::Bound) {
                portal.state = State::Done;
                let command = parsed.command.clone();
                let formats = std::mem::take(&mut portal.formats);
                // Cursors end with their transaction, this one with them.
                self.portals.insert(name.to_owned(), portal);
                return Box::pin(self.command(command, Described::Yes, &formats, until)).await;
            }
            self.line.output.complete("SELECT 0");
            self.portals.insert(name.to_owned(), portal);
            return Ok(());
        };
        if matches!(portal.state, State::Bound) {
            // Without a limit it is told to its end at once.
            if rows_max.is_some() {
                self.may_tell()?;
            }
            let values = (!portal.values.is_empty()).then(|| named(&portal.values));
            let (mut watch, desk) = self.watch(until);
            let plan = watch.during(desk.plan(statement.clone(), values)).await?;
            portal.state = State::Telling(Box::new(self.begin_telling(plan, until).await?));
        }
        let tag = tag_of(statement);
        let State::Telling(telling) = &mut portal.state else {
            self.line.output.complete(&tag.complete(0));
            self.portals.insert(name.to_owned(), portal);
            return Ok(());
        };
        let schema = prepared
            .columns
            .clone()
            .unwrap_or_else(|| Arc::clone(telling.schema()));
        let fields = columns(&schema, prepared.names(), &portal.formats)?;
        telling.fit(&schema);
        let rows = self.tell_rows(telling, &fields, rows_max, until).await?;
        if rows_max == Some(rows) {
            self.line.output.suspended();
        } else {
            self.line.output.complete(&tag.complete(rows));
            portal.state = State::Done;
        }
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    pub(super) async fn begin_telling(
        &mut self,
        plan: LogicalPlan,
        until: Instant,
    ) -> Result<Telling, End> {
        let (mut watch, desk) = self.watch(until);
        let answer = watch.during(desk.run(plan)).await?;
        Ok(Telling::new(answer))
    }

    /// Tells rows, no more than these; how many it were.
    pub(super) async fn tell_rows(
        &mut self,
        telling: &mut Telling,
        fields: &Arc<Vec<FieldInfo>>,
        rows_max: Option<usize>,
        until: Instant,
    ) -> Result<usize, End> {
        let mut writer = RowWriter::new(Arc::clone(fields));
        let mut told = 0;
        let (mut watch, desk) = self.watch(until);
        loop {
            let left = rows_max.map_or(usize::MAX, |most| most - told);
            if left == 0 {
                break;
            }
            let Some((batch, rows)) = watch.during(telling.next(left.min(ROWS_AT_ONCE))).await?
            else {
                break;
            };
            told += rows.len();
            let written =
                desk.compute(move || writer.rows(&batch, rows).map(|rows| (writer, rows)));
            let (back, rows) = watch.during(written).await?;
            writer = back;
            watch.line.output.0.unsplit(rows.0);
            watch.line.drain().await?;
        }
        Ok(told)
    }

    /// A statement of the simple protocol.
    pub(super) async fn simple_command(
        &mut self,
        parsed: Parsed,
        until: Instant,
    ) -> Result<(), End> {
        let Parsed { command, names, .. } = parsed;
        let Command::Query(statement) = command else {
            return Box::pin(self.command(command, Described::No, &[], until)).await;
        };
        let tag = tag_of(&statement);
        let (mut watch, desk) = self.watch(until);
        let plan = watch.during(desk.plan(statement, None)).await?;
        let mut telling = self.begin_telling(plan, until).await?;
        let fields = columns(telling.schema(), names.as_deref(), &[])?;
        self.line.output.columns(&fields);
        let rows = self.tell_rows(&mut telling, &fields, None, until).await?;
        self.line.output.complete(&tag.complete(rows));
        Ok(())
    }
}

/// How the end of a statement is told.
#[derive(Clone, Copy)]
enum Tag {
    Select,
    Other(&'static str),
}

impl Tag {
    fn complete(self, rows: usize) -> String {
        match self {
            Self::Select => format!("SELECT {rows}"),
            Self::Other(tag) => tag.to_owned(),
        }
    }
}

fn tag_of(statement: &Statement) -> Tag {
    match statement {
        Statement::Query(_) => Tag::Select,
        Statement::Explain { .. } | Statement::ExplainTable { .. } => Tag::Other("EXPLAIN"),
        _ => Tag::Other("SHOW"),
    }
}
