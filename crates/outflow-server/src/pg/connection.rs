//! A connection: its messages, in the order in which they come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::message::{Message, Named};
use super::startup::{Entry, Line, Wish, authenticate, greet, hear};
use super::statement::{Portal, Prepared};
use super::wire::Broken;
use super::{Cancel, Shared};
use crate::engine::Desk;
use crate::limits::{KEPT_BYTES_MAX, NAMES_MAX, TELLING_MAX};
use crate::listen::{Stopping, stopped, stopping};
use crate::problem::{Problem, sqlstate};
use crate::sql::Command;

/// Why a message was not done.
#[derive(Debug)]
pub(super) enum End {
    /// The client is told, and the connection goes on unless that is fatal.
    Problem(Problem),
    /// The connection is at its end.
    Broken(Broken),
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Broken> for End {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// Whether several statements belong together. Nothing is written, so that this is about errors and cursors alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transaction {
    Idle,
    Open,
    Failed,
}

/// A client that is known.
pub(super) struct Client {
    pub(super) line: Line,
    pub(super) desk: Desk,
    pub(super) transaction: Transaction,
    pub(super) statements: BTreeMap<String, Arc<Prepared>>,
    /// With them, cursors: they are named alike.
    pub(super) portals: BTreeMap<String, Portal>,
    cancel: Arc<Cancel>,
    stopping: Stopping,
    /// Whether messages are passed over, up to the next Sync.
    skipping: bool,
}

/// Serves a connection to its end.
pub(super) async fn serve(shared: &Arc<Shared>, stream: TcpStream, mut until: Stopping) {
    let Ok(unknown) = Arc::clone(&shared.anteroom).try_acquire_owned() else {
        return;
    };
    let startup = shared.engine.limits().startup_timeout;
    let begun = tokio::select! {
        begun = tokio::time::timeout(startup, begin(shared, stream, until.clone())) => begun,
        _ = stopping(&mut until) => return,
    };
    // Who took too long is not told: it does not seem to listen.
    let Ok(Ok(Some((client, _entry, _room)))) = begun else {
        return;
    };
    drop(unknown);
    Box::pin(client.serve()).await;
}

type Begun = (Client, Entry, tokio::sync::OwnedSemaphorePermit);

/// Sees who it is. None, if there is nothing more to be done for it.
async fn begin(
    shared: &Arc<Shared>,
    stream: TcpStream,
    stopping: Stopping,
) -> Result<Option<Begun>, Broken> {
    let (mut line, wish) = hear(shared, stream).await?;
    let parameters = match wish {
        Wish::Nothing => {
            line.close().await;
            return Ok(None);
        }
        Wish::Cancel { process, secret } => {
            shared.cancels.cancel(process, &secret);
            return Ok(None);
        }
        Wish::Session(parameters) => parameters,
    };
    let known = match authenticate(shared, &mut line, &parameters).await {
        Ok(user) => enter(shared, &mut line, &user, &parameters),
        Err(Broken::Refused(problem)) => Err(problem),
        Err(broken) => return Err(broken),
    };
    let (desk, entry, room) = match known {
        Ok(known) => known,
        Err(problem) => {
            let fatal = Problem {
                fatal: true,
                ..problem
            };
            line.output.error(&fatal, None);
            line.close().await;
            return Ok(None);
        }
    };
    line.trust(shared.engine.limits().message_bytes);
    line.output.ready(b'I');
    line.flush().await?;
    let client = Client {
        line,
        desk,
        transaction: Transaction::Idle,
        statements: BTreeMap::new(),
        portals: BTreeMap::new(),
        cancel: Arc::clone(&entry.cancel),
        stopping,
        skipping: false,
    };
    Ok(Some((client, entry, room)))
}

/// Makes room for a client that is known.
fn enter(
    shared: &Arc<Shared>,
    line: &mut Line,
    user: &str,
    parameters: &[(String, String)],
) -> Result<(Desk, Entry, tokio::sync::OwnedSemaphorePermit), Problem> {
    let engine = &shared.engine;
    let room = engine.connection().ok_or_else(|| {
        let message = format!(
            "sorry, too many clients already: {} at most",
            engine.limits().connections
        );
        Problem::fatal(sqlstate::TOO_MANY_CONNECTIONS, message)
    })?;
    let entry = Entry::new(shared)?;
    let desk = engine.desk(user, entry.process);
    greet(line, &desk, parameters, entry.process, entry.secret)?;
    Ok((desk, entry, room))
}

impl Client {
    async fn serve(mut self) {
        let idle = self.desk.engine().limits().idle_timeout;
        let last = loop {
            let next = tokio::select! {
                next = tokio::time::timeout(idle, self.line.next()) => next,
                _ = stopping(&mut self.stopping) => {
                    break Some(Problem::fatal(sqlstate::ADMIN_SHUTDOWN, "terminating connection due to administrator command"));
                }
            };
            let message = match next {
                Err(_) => {
                    break Some(Problem::fatal(
                        "57P05",
                        "terminating connection due to idle-session timeout",
                    ));
                }
                Ok(Err(Broken::Refused(problem))) if problem.fatal => break Some(problem),
                Ok(Err(Broken::Refused(problem))) => {
                    // A text that is none: of which message it was does not matter.
                    match self.refuse(&problem, None).await {
                        Ok(()) => continue,
                        Err(_) => break None,
                    }
                }
                Ok(Err(_)) | Ok(Ok(Message::Terminate)) => break None,
                Ok(Ok(message)) => message,
            };
            match Box::pin(self.take(message)).await {
                Ok(()) => {}
                Err(End::Problem(problem)) => break Some(problem),
                Err(End::Broken(Broken::Refused(problem))) => break Some(problem),
                Err(End::Broken(_)) => break None,
            }
        };
        if let Some(problem) = last {
            self.line.output.error(&problem, None);
            self.line.close().await;
        }
    }

    /// Does what a message asks for. What goes wrong with it is told; an error is the end of the connection.
    async fn take(&mut self, message: Message) -> Result<(), End> {
        if let Message::Query(sql) = message {
            self.skipping = false;
            return Box::pin(self.simple(&sql)).await;
        }
        if let Message::NoQuery(problem) = message {
            self.skipping = false;
            self.tell(&problem, None);
            self.ready();
            return Ok(self.line.flush().await?);
        }
        if matches!(message, Message::Sync) {
            self.skipping = false;
            if self.transaction == Transaction::Idle {
                self.end_portals();
            }
            self.ready();
            return Ok(self.line.flush().await?);
        }
        if self.skipping {
            return Ok(());
        }
        let sql = self.sql_of(&message);
        match Box::pin(self.extended(message)).await {
            Err(End::Problem(problem)) if !problem.fatal => {
                Ok(self.refuse(&problem, sql.as_deref()).await?)
            }
            done => done,
        }
    }

    /// Tells what is wrong, and passes over what comes up to the next Sync.
    async fn refuse(&mut self, problem: &Problem, sql: Option<&str>) -> Result<(), Broken> {
        if self.skipping {
            return Ok(());
        }
        self.tell(problem, sql);
        self.skipping = true;
        // A client that asked for a flush before waits for this, and sends no Sync until it came.
        self.line.flush().await
    }

    /// The text that an error of a message is in.
    fn sql_of(&self, message: &Message) -> Option<Arc<str>> {
        match message {
            Message::Parse { sql, .. } => Some(sql.as_str().into()),
            Message::Bind { statement, .. } => {
                self.statements.get(statement).map(|of| Arc::clone(&of.sql))
            }
            Message::Execute { portal, .. } => self
                .portals
                .get(portal)
                .map(|of| Arc::clone(&of.prepared.sql)),
            _ => None,
        }
    }

    fn tell(&mut self, problem: &Problem, sql: Option<&str>) {
        if self.transaction == Transaction::Open {
            self.transaction = Transaction::Failed;
        }
        self.line.output.error(problem, sql);
    }

    fn ready(&mut self) {
        self.line.output.ready(match self.transaction {
            Transaction::Idle => b'I',
            Transaction::Open => b'T',
            Transaction::Failed => b'E',
        });
    }

    /// Closes what does not outlive its transaction.
    pub(super) fn end_portals(&mut self) {
        self.portals.retain(|_, portal| portal.hold);
    }

    pub(super) fn keep_portal(&mut self, name: String, portal: Portal) -> Result<(), Problem> {
        let beside = bytes(&self.statements);
        keep(&mut self.portals, beside, name, portal)
    }

    /// Whether one more may have rows left to tell.
    pub(super) fn may_tell(&self) -> Result<(), Problem> {
        let telling = self.portals.values().filter(|portal| portal.is_telling());
        if telling.count() < TELLING_MAX {
            return Ok(());
        }
        let message = format!("a connection has {TELLING_MAX} cursors with rows left at most");
        Err(
            Problem::new(sqlstate::CONFIGURATION_LIMIT_EXCEEDED, message)
                .hint("read those that are open to their end, or close them"),
        )
    }

    /// A text of statements, one after the other.
    async fn simple(&mut self, sql: &str) -> Result<(), End> {
        self.statements.remove("");
        self.portals.remove("");
        let done = Box::pin(self.each(sql)).await;
        self.idle();
        match done {
            Err(End::Problem(problem)) if !problem.fatal => self.tell(&problem, Some(sql)),
            other => other?,
        }
        if self.transaction == Transaction::Idle {
            self.end_portals();
        }
        self.ready();
        Ok(self.line.flush().await?)
    }

    async fn each(&mut self, sql: &str) -> Result<(), End> {
        let until = self.begin();
        let (mut watch, desk) = self.watch(until);
        let statements = watch.during(desk.parse(sql)).await?;
        if statements.is_empty() {
            self.line.output.empty_query();
        }
        for parsed in statements {
            self.may(&parsed.command)?;
            if parsed.places > 0 {
                return Err(Problem::new(
                    sqlstate::UNDEFINED_PARAMETER,
                    "there is no parameter $1",
                )
                .into());
            }
            Box::pin(self.simple_command(parsed, until)).await?;
            // Those that need no engine would else be done all at once, whoever waits.
            let (mut watch, _) = self.watch(until);
            let turn = async {
                tokio::task::yield_now().await;
                Ok(())
            };
            watch.during(turn).await?;
            self.line.drain().await?;
        }
        Ok(())
    }

    /// Says that a statement begins; when it has to have ended.
    pub(super) fn begin(&mut self) -> Instant {
        self.cancel.running.store(true, Ordering::SeqCst);
        Instant::now() + self.desk.statement_timeout()
    }

    /// Says that none runs. Who asked too late to end one asked for nothing.
    fn idle(&mut self) {
        self.cancel.running.store(false, Ordering::SeqCst);
        self.cancel.asked.notify_one();
        let taken = futures::FutureExt::now_or_never(self.cancel.asked.notified());
        debug_assert!(taken.is_some(), "what was told is there");
    }

    /// Whether a statement may follow what was.
    pub(super) fn may(&self, command: &Command) -> Result<(), Problem> {
        let ends = matches!(command, Command::Commit | Command::Rollback { .. });
        if self.transaction == Transaction::Failed && !ends {
            return Err(Problem::new(
                sqlstate::IN_FAILED_SQL_TRANSACTION,
                "current transaction is aborted, commands ignored until end of transaction block",
            ));
        }
        Ok(())
    }

    async fn extended(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Parse { name, sql, types } => {
                let until = self.begin();
                let prepared = Box::pin(self.prepare(&name, sql, &types, until)).await;
                self.idle();
                let beside = bytes(&self.portals);
                keep(&mut self.statements, beside, name, Arc::new(prepared?))?;
                self.line.output.parsed();
            }
            Message::Bind {
                portal,
                statement,
                formats,
                values,
                result_formats,
            } => {
                let prepared = self.statement(&statement)?;
                if !portal.is_empty() && self.portals.contains_key(&portal) {
                    let message = format!("cursor \"{portal}\" already exists");
                    return Err(Problem::new(sqlstate::DUPLICATE_CURSOR, message).into());
                }
                if let Some(parsed) = &prepared.parsed {
                    self.may(&parsed.command)?;
                }
                let bound = Portal::bind(prepared, &formats, &values, result_formats)?;
                self.keep_portal(portal, bound)?;
                self.line.output.bound();
            }
            Message::Describe(Named::Statement(name)) => {
                let prepared = self.statement(&name)?;
                self.line.output.places(&prepared.types);
                self.describe(&prepared, &[])?;
            }
            Message::Describe(Named::Portal(name)) => {
                let portal = self.portals.get(&name).ok_or_else(|| no_portal(&name))?;
                let (prepared, formats) = (Arc::clone(&portal.prepared), portal.formats.clone());
                self.describe(&prepared, &formats)?;
            }
            Message::Execute { portal, rows_max } => {
                let until = self.begin();
                let done = Box::pin(self.execute(&portal, rows_max, until)).await;
                self.idle();
                done?;
            }
            Message::Close(Named::Statement(name)) => {
                self.statements.remove(&name);
                self.line.output.closed();
            }
            Message::Close(Named::Portal(name)) => {
                self.portals.remove(&name);
                self.line.output.closed();
            }
            Message::Flush => return Ok(self.line.flush().await?),
            Message::Password(_) => {
                let message = "a password was sent that nobody asked for";
                return Err(Problem::fatal(sqlstate::PROTOCOL_VIOLATION, message).into());
            }
            // What is left of a copy that was refused, as the protocol has it; and what is done elsewhere.
            Message::Copy
            | Message::Query(_)
            | Message::NoQuery(_)
            | Message::Sync
            | Message::Terminate => return Ok(()),
        }
        Ok(self.line.drain().await?)
    }

    fn statement(&self, name: &str) -> Result<Arc<Prepared>, Problem> {
        self.statements.get(name).cloned().ok_or_else(|| {
            let message = format!("prepared statement \"{name}\" does not exist");
            Problem::new(sqlstate::INVALID_SQL_STATEMENT_NAME, message)
        })
    }

    /// What is needed to work for the client, and to see meanwhile whether it still wants that.
    pub(super) fn watch(&mut self, until: Instant) -> (Watch<'_>, &Desk) {
        let watch = Watch {
            line: &mut self.line,
            cancel: &self.cancel,
            stopping: &mut self.stopping,
            until,
        };
        (watch, &self.desk)
    }
}

/// What a connection keeps by name.
pub(super) trait Kept {
    /// How much its client has given for it.
    fn bytes(&self) -> usize;
}

fn bytes<T: Kept>(of: &BTreeMap<String, T>) -> usize {
    of.iter()
        .map(|(name, kept)| name.len() + kept.bytes())
        .sum()
}

/// Keeps something under a name, if there is room for one more. `beside` are the bytes of what is kept elsewhere.
fn keep<T: Kept>(
    of: &mut BTreeMap<String, T>,
    beside: usize,
    name: String,
    what: T,
) -> Result<(), Problem> {
    let too_much = |message: String| {
        Err(
            Problem::new(sqlstate::CONFIGURATION_LIMIT_EXCEEDED, message)
                .hint("close those that are not needed any more"),
        )
    };
    let before = of.get(&name).map(|kept| name.len() + kept.bytes());
    if of.len() >= NAMES_MAX && before.is_none() {
        return too_much(format!(
            "a connection keeps {NAMES_MAX} statements and as many cursors at most"
        ));
    }
    let kept = (beside + bytes(of)).saturating_sub(before.unwrap_or(0));
    if kept + name.len() + what.bytes() > KEPT_BYTES_MAX {
        return too_much(format!(
            "a connection keeps statements and values of {} MiB at most",
            KEPT_BYTES_MAX >> 20
        ));
    }
    of.insert(name, what);
    Ok(())
}

pub(super) fn no_portal(name: &str) -> Problem {
    let message = format!("cursor \"{name}\" does not exist");
    Problem::new(sqlstate::INVALID_CURSOR_NAME, message)
}

/// What sees whether a statement is to go on.
pub(super) struct Watch<'c> {
    pub(super) line: &'c mut Line,
    cancel: &'c Cancel,
    stopping: &'c mut Stopping,
    until: Instant,
}

impl Watch<'_> {
    /// Does something for the client, as long as that is there, lets it go on, and there is time.
    pub(super) async fn during<T>(
        &mut self,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, End> {
        let cancelled = |why: &str| {
            let message = format!("canceling statement due to {why}");
            Err(Problem::new(sqlstate::QUERY_CANCELED, message).into())
        };
        tokio::select! {
            biased;
            done = work => Ok(done?),
            () = self.cancel.asked.notified() => cancelled("user request"),
            () = tokio::time::sleep_until(self.until) => cancelled("statement timeout"),
            () = stopped(self.stopping) => {
                let message = "terminating connection due to administrator command";
                Err(Problem::fatal(sqlstate::ADMIN_SHUTDOWN, message).into())
            }
            () = self.line.gone() => Err(Broken::Gone.into()),
        }
    }
}
