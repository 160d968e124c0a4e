//! Statements, as clients of PostgreSQL write them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CloseCursor, CopySource, CopyTarget, Expr, FetchDirection, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, ObjectName, Query, Reset, Select, Set, SetExpr, Statement, Value,
    ValueWithSpan, visit_expressions, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::{GenericDialect, PostgreSqlDialect};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};
use outflow_query::{Error, check_size};

use crate::catalog::{Dialect, names};
use crate::problem::{Problem, sqlstate};

mod copy;

pub(crate) use copy::{CopyFormat, CopyOptions};

/// A statement of a text of several.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    pub(crate) command: Command,
    /// Names of its places: of `$1` and `$2`, the numbers.
    pub(crate) places: usize,
    /// How PostgreSQL would name the columns of its answer, if that can be told from the text.
    pub(crate) names: Option<Vec<String>>,
}

/// What a statement asks for.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// Rows.
    Query(Statement),
    /// A setting's value; all of them without a name.
    Show(Option<String>),
    /// To set this to that; to what it was at first without a value.
    Set {
        name: String,
        value: Option<String>,
    },
    /// All settings to what they were at first.
    ResetAll,
    Begin,
    Commit,
    /// To end a transaction, or to go back to a point in it: both are the same where nothing is written.
    Rollback {
        to_savepoint: bool,
    },
    Declare {
        cursor: String,
        query: Statement,
        /// Whether it outlives its transaction.
        hold: bool,
    },
    Fetch {
        cursor: String,
        rows: Fetched,
    },
    /// To close a cursor; all of them without a name.
    Close(Option<String>),
    Copy {
        query: Statement,
        options: CopyOptions,
    },
    /// To forget a prepared statement; all of them without a name.
    Deallocate(Option<String>),
    DiscardAll,
    /// What has nothing to do here: its tag.
    Nothing(&'static str),
}

/// How many rows are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetched {
    Rows(usize),
    All,
}

/// Takes a text apart into statements, and says what each asks for.
pub(crate) fn parse(sql: &str, dialect: &Dialect) -> Result<Vec<Parsed>, Problem> {
    check_size(sql)?;
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize_with_location()
        .map_err(|error| syntax(ParserError::TokenizerError(error.to_string())))?;
    let mut statements = Vec::new();
    for group in tokens.split(|token| token.token == Token::SemiColon) {
        let is_empty =
            |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(_) | Token::EOF);
        if group.iter().all(is_empty) {
            continue;
        }
        let statement = one(sql, group, dialect)?;
        let places = places(&statement)?;
        let names = names(&statement);
        statements.push(Parsed {
            names,
            command: command(statement)?,
            places,
        });
    }
    Ok(statements)
}

/// Reads one statement.
fn one(sql: &str, tokens: &[TokenWithSpan], dialect: &Dialect) -> Result<Statement, Problem> {
    let of_catalogue = tokens.iter().any(|token| match &token.token {
        Token::Word(word) => Dialect::is_of_catalogue(&word.value),
        _ => false,
    });
    if of_catalogue && let Some(statement) = dialect.read(&text(sql, tokens)) {
        return Ok(statement);
    }
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens_with_locations(tokens.to_vec());
    let statement = parser.parse_statement().map_err(syntax)?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let Location { line, column } = rest.span.start;
        return Err(syntax(ParserError::ParserError(format!(
            "Expected: end of statement, found: {rest} at Line: {line}, Column: {column}"
        ))));
    }
    Ok(dialect.adapt(statement))
}

/// The text that tokens are of.
fn text(sql: &str, tokens: &[TokenWithSpan]) -> String {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return String::new();
    };
    let start = offset(sql, first.span.start).unwrap_or(0);
    let end = offset(sql, last.span.end).unwrap_or(sql.len());
    sql.get(start..end.max(start))
        .unwrap_or_default()
        .to_owned()
}

/// The byte at a line and a character in it, both from 1.
fn offset(sql: &str, at: Location) -> Option<usize> {
    let before = |number: u64| usize::try_from(number).ok()?.checked_sub(1);
    let (lines, chars) = (before(at.line)?, before(at.column)?);
    let line = match lines {
        0 => 0,
        lines => sql.match_indices('\n').nth(lines - 1)?.0 + 1,
    };
    let rest = sql.get(line..)?;
    let within = rest.char_indices().nth(chars).map(|(at, _)| at);
    Some(line + within.unwrap_or(rest.len()))
}

/// The character, from 1, at a line and a character in it, both from 1.
pub(crate) fn position(sql: &str, line: u32, column: u32) -> Option<usize> {
    let at = Location {
        line: line.into(),
        column: column.into(),
    };
    let before = sql.get(..offset(sql, at)?)?;
    Some(before.chars().count() + 1)
}

fn syntax(error: ParserError) -> Problem {
    let deep = matches!(error, ParserError::RecursionLimitExceeded);
    let error = datafusion::error::DataFusionError::SQL(Box::new(error), None);
    let problem = Problem::from(Error::from(error));
    Problem {
        code: match deep {
            true => sqlstate::PROGRAM_LIMIT_EXCEEDED,
            false => sqlstate::SYNTAX_ERROR,
        },
        ..problem
    }
}

/// The largest number of a place.
fn places(statement: &Statement) -> Result<usize, Problem> {
    let mut most = 0;
    let stopped = visit_expressions(statement, |expr| {
        let Expr::Value(ValueWithSpan {
            value: Value::Placeholder(place),
            ..
        }) = expr
        else {
            return ControlFlow::Continue(());
        };
        match place
            .strip_prefix('$')
            .and_then(|number| number.parse().ok())
        {
            Some(number) if (1..=crate::limits::PLACES_MAX).contains(&number) => {
                most = most.max(number);
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(Problem::new(
                sqlstate::UNDEFINED_PARAMETER,
                format!("there is no parameter {place}"),
            )),
        }
    });
    match stopped {
        ControlFlow::Break(problem) => Err(problem),
        ControlFlow::Continue(()) => Ok(most),
    }
}

/// Numbers of places that stand for a list, as in `x = ANY($1)`.
pub(crate) fn places_of_lists(statement: &Statement) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let _ = visit_expressions(statement, |expr| {
        if let Expr::Function(function) = expr
            && let FunctionArguments::List(list) = &function.args
            && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(first)))) =
                list.args.first()
            && let Value::Placeholder(place) = &first.value
            && function
                .name
                .to_string()
                .to_lowercase()
                .starts_with("array_")
        {
            found.extend(
                place
                    .strip_prefix('$')
                    .and_then(|number| number.parse::<usize>().ok()),
            );
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// Reads one query as `outflow query` does, and Arrow's clients: places are `$1` or `?`.
pub(crate) fn parse_query(sql: &str) -> Result<(Statement, usize), Problem> {
    check_size(sql)?;
    let mut statements = Parser::parse_sql(&GenericDialect {}, sql).map_err(syntax)?;
    let (Some(mut statement), true) = (statements.pop(), statements.is_empty()) else {
        return Err(Problem::new(
            sqlstate::SYNTAX_ERROR,
            "one statement is wanted, neither none nor several",
        ));
    };
    let mut count = 0_usize;
    let stopped = visit_expressions_mut(&mut statement, |expr| {
        if let Expr::Value(value) = expr
            && let Value::Placeholder(place) = &mut value.value
            && place == "?"
        {
            count += 1;
            *place = format!("${count}");
        } else if count > 0
            && matches!(expr, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)))
        {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    if stopped.is_break() {
        let message = "places are either all `?` or all `$1`";
        return Err(Problem::new(sqlstate::UNDEFINED_PARAMETER, message));
    }
    let places = places(&statement)?;
    match command(statement)? {
        Command::Query(statement) => Ok((statement, places)),
        _ => Err(Problem::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            "what may be asked begins with SELECT, WITH, VALUES, EXPLAIN or DESCRIBE",
        )),
    }
}

fn command(statement: Statement) -> Result<Command, Problem> {
    let statement = match of_session(statement)? {
        Ok(command) => return Ok(command),
        Err(statement) => statement,
    };
    Ok(match statement {
        Statement::Query(query) => {
            reads(&query)?;
            Command::Query(Statement::Query(query))
        }
        Statement::Explain { statement: of, .. } if !matches!(*of, Statement::Query(_)) => {
            return Err(Problem::writes(&first_word(&of)));
        }
        Statement::Explain { .. }
        | Statement::ExplainTable { .. }
        | Statement::ShowTables { .. }
        | Statement::ShowColumns { .. }
        | Statement::ShowFunctions { .. } => Command::Query(statement),
        Statement::Declare { stmts } => declare(stmts)?,
        Statement::Fetch {
            name, direction, ..
        } => Command::Fetch {
            cursor: folded(&name),
            rows: fetched(&direction)?,
        },
        Statement::Close { cursor } => Command::Close(match cursor {
            CloseCursor::All => None,
            CloseCursor::Specific { name } => Some(folded(&name)),
        }),
        Statement::Copy {
            source,
            to: true,
            target: CopyTarget::Stdout,
            options,
            legacy_options,
            ..
        } => Command::Copy {
            query: copied(source)?,
            options: CopyOptions::of(options, legacy_options)?,
        },
        Statement::Copy { to: true, .. } => {
            return Err(Problem::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                "COPY goes to STDOUT alone",
            ));
        }
        other => return Err(Problem::writes(&first_word(&other))),
    })
}

/// What a statement asks for that is about the connection. The statement itself, if it is about something else.
fn of_session(statement: Statement) -> Result<Result<Command, Statement>, Problem> {
    Ok(Ok(match statement {
        Statement::ShowVariable { variable } => show(&variable),
        Statement::Set(set) => of_set(set)?,
        Statement::Reset(reset) => match reset.reset {
            Reset::ALL => Command::ResetAll,
            Reset::ConfigurationParameter(name) => Command::Set {
                name: joined(&name),
                value: None,
            },
        },
        Statement::StartTransaction { .. } => Command::Begin,
        Statement::Commit { .. } => Command::Commit,
        Statement::Rollback { savepoint, .. } => Command::Rollback {
            to_savepoint: savepoint.is_some(),
        },
        Statement::Savepoint { .. } => Command::Nothing("SAVEPOINT"),
        Statement::ReleaseSavepoint { .. } => Command::Nothing("RELEASE"),
        Statement::LISTEN { .. } => Command::Nothing("LISTEN"),
        Statement::UNLISTEN { .. } => Command::Nothing("UNLISTEN"),
        Statement::Deallocate { name, .. } => {
            let is_all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
            Command::Deallocate((!is_all).then(|| folded(&name)))
        }
        Statement::Discard { .. } => Command::DiscardAll,
        Statement::Prepare { .. } | Statement::Execute { .. } => {
            return Err(Problem::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                "statements are prepared by the messages of the protocol, not by PREPARE and EXECUTE",
            ));
        }
        other => return Ok(Err(other)),
    }))
}

/// Refuses what looks like a query and writes.
fn reads(query: &Query) -> Result<(), Problem> {
    if !query.locks.is_empty() {
        return Err(Problem::writes("SELECT FOR UPDATE"));
    }
    if let Some(with) = &query.with {
        with.cte_tables
            .iter()
            .try_for_each(|table| reads(&table.query))?;
    }
    body_reads(&query.body)
}

fn body_reads(body: &SetExpr) -> Result<(), Problem> {
    match body {
        SetExpr::Select(select) => match select.as_ref() {
            Select { into: Some(_), .. } => Err(Problem::writes("SELECT INTO")),
            _ => Ok(()),
        },
        SetExpr::Query(query) => reads(query),
        SetExpr::SetOperation { left, right, .. } => {
            body_reads(left)?;
            body_reads(right)
        }
        SetExpr::Values(_) | SetExpr::Table(_) => Ok(()),
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => Err(Problem::writes(&first_word(statement))),
    }
}

/// The words in front of a statement: `CREATE TABLE`, `INSERT`.
fn first_word(statement: &Statement) -> String {
    let text = statement.to_string();
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().to_uppercase();
    match (first.as_str(), words.next()) {
        ("CREATE" | "DROP" | "ALTER", Some(second)) => format!("{first} {}", second.to_uppercase()),
        ("COPY", _) => "COPY FROM".to_owned(),
        _ => first,
    }
}

fn show(variable: &[Ident]) -> Command {
    let words: Vec<&str> = variable.iter().map(|word| word.value.as_str()).collect();
    let name = words.join(" ").to_lowercase();
    match name.as_str() {
        "all" => Command::Show(None),
        "time zone" => Command::Show(Some("timezone".into())),
        "transaction isolation level" => Command::Show(Some("transaction_isolation".into())),
        "session authorization" => Command::Show(Some("session_authorization".into())),
        _ => Command::Show(Some(words.join(".").to_lowercase().replace("..", "."))),
    }
}

fn of_set(set: Set) -> Result<Command, Problem> {
    Ok(match set {
        Set::SingleAssignment {
            variable, values, ..
        } => {
            let values: Vec<String> = values.iter().map(value).collect();
            let value = values.join(", ");
            Command::Set {
                name: joined(&variable),
                value: (!value.eq_ignore_ascii_case("default")).then_some(value),
            }
        }
        Set::SetTimeZone { value: zone, .. } => Command::Set {
            name: "timezone".into(),
            value: Some(value(&zone)),
        },
        Set::SetNames { charset_name, .. } => Command::Set {
            name: "client_encoding".into(),
            value: Some(charset_name.value),
        },
        Set::SetTransaction { .. } => Command::Nothing("SET"),
        other => {
            return Err(Problem::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                format!("`{other}` is not supported"),
            ));
        }
    })
}

/// A value of a setting, as the text that it stands for.
fn value(of: &Expr) -> String {
    match of {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        Expr::Identifier(name) => name.value.clone(),
        other => other.to_string(),
    }
}

fn joined(name: &ObjectName) -> String {
    let parts = name.0.iter().map(|part| match part.as_ident() {
        Some(ident) => ident.value.clone(),
        None => part.to_string(),
    });
    parts.collect::<Vec<_>>().join(".").to_lowercase()
}

/// A name as PostgreSQL folds it: in lower case, unless it is quoted.
fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

fn declare(statements: Vec<datafusion::sql::sqlparser::ast::Declare>) -> Result<Command, Problem> {
    let unsupported = || {
        Problem::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            "what is declared is `name CURSOR FOR query`",
        )
    };
    let [declared] = <[_; 1]>::try_from(statements).map_err(|_| unsupported())?;
    let (Some(name), Some(query)) = (declared.names.first(), declared.for_query) else {
        return Err(unsupported());
    };
    if declared.scroll == Some(true) {
        return Err(Problem::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            "cursors go forward only: leave out SCROLL",
        ));
    }
    if declared.binary == Some(true) {
        return Err(Problem::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            "cursors tell text: leave out BINARY",
        ));
    }
    reads(&query)?;
    Ok(Command::Declare {
        cursor: folded(name),
        query: Statement::Query(query),
        hold: declared.hold == Some(true),
    })
}

fn fetched(direction: &FetchDirection) -> Result<Fetched, Problem> {
    let rows = |limit: &ValueWithSpan| match &limit.value {
        Value::Number(digits, _) => digits.to_string().parse().ok().map(Fetched::Rows),
        _ => None,
    };
    let rows = match direction {
        FetchDirection::Next => Some(Fetched::Rows(1)),
        FetchDirection::All | FetchDirection::ForwardAll => Some(Fetched::All),
        FetchDirection::Forward { limit: None } => Some(Fetched::Rows(1)),
        FetchDirection::Forward { limit: Some(limit) } | FetchDirection::Count { limit } => {
            rows(limit)
        }
        _ => None,
    };
    rows.ok_or_else(|| {
        Problem::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            format!("cursors go forward only, which `FETCH {direction}` does not"),
        )
    })
}

/// What is copied: a query, or a whole table.
fn copied(source: CopySource) -> Result<Statement, Problem> {
    let query = match source {
        CopySource::Query(query) => query,
        CopySource::Table {
            table_name,
            columns,
        } => {
            let list: Vec<String> = columns.iter().map(Ident::to_string).collect();
            let list = if list.is_empty() {
                "*".to_owned()
            } else {
                list.join(", ")
            };
            let sql = format!("SELECT {list} FROM {table_name}");
            let mut parsed = Parser::parse_sql(&PostgreSqlDialect {}, &sql).map_err(syntax)?;
            match parsed.pop() {
                Some(Statement::Query(query)) => query,
                _ => {
                    return Err(Problem::new(
                        sqlstate::SYNTAX_ERROR,
                        "what is copied is a table or a query",
                    ));
                }
            }
        }
    };
    reads(&query)?;
    Ok(Statement::Query(query))
}

#[cfg(test)]
mod tests;
