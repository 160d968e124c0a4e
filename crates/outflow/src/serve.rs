//! `outflow serve`.

use std::io::{IsTerminal as _, Read as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use outflow_query::{Only, STACK_BYTES};
use outflow_server::{Engine, Error, Flight, Pg, ServeLimits, Tls, Users};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::exit::{Exit, Failure};
use crate::session::{self, GivenArgs, HowArgs, SessionArgs};
use crate::voice::Voice;

/// Threads that talk to clients. Those that work on statements are the session's.
const TALKERS: usize = 2;

/// Statements that have threads of their own, if each takes as many as it may.
const STATEMENTS_APART: usize = 4;

/// Bytes of a password or token that is read from stdin.
const SECRET_BYTES_MAX: u64 = 4_096;

/// Serve SQL over a lake to other programs, over PostgreSQL's protocol and Arrow Flight SQL. Only reading is possible.
///
/// The database is named `outflow`. Without --users anybody is let in who can connect, which is why an address beyond this machine
/// needs --users, and --tls-cert with --tls-key.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow serve --lake ./lake --pg 127.0.0.1:5432\n  psql 'host=127.0.0.1 port=5432 dbname=outflow \
                        user=me' -c 'SELECT count(*) FROM flows'\n  outflow serve --hash-password ana < password >> users\n  outflow \
                        serve --lake s3://bucket/lake --pg 0.0.0.0:5432 --flight 0.0.0.0:32010 --users users --tls-cert \
                        chain.pem --tls-key key.pem\n\nSIGTERM and Ctrl-C end it; statements that run have ten seconds to end."
)]
pub(crate) struct ServeArgs {
    /// Serve this lake: a folder, or s3://bucket/prefix.
    #[arg(long, value_name = "PLACE", required_unless_present_any = ["hash_password", "hash_token"])]
    lake: Option<String>,
    /// Speak PostgreSQL's protocol at this address.
    #[arg(long, value_name = "ADDRESS")]
    pg: Option<SocketAddr>,
    /// Speak Arrow Flight SQL at this address.
    #[arg(long, value_name = "ADDRESS")]
    flight: Option<SocketAddr>,
    /// File of those who may ask, a line each, as --hash-password and --hash-token print them.
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// File of the server's certificate and those that vouch for it (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// File of the certificate's key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Listen beyond this machine without TLS: passwords and rows can then be read on their way.
    #[arg(long, conflicts_with = "tls_cert")]
    without_tls: bool,
    /// Seconds that a statement may take; clients may ask for less.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    statement_timeout: u32,
    /// Statements that are worked on at once; more wait.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=512))]
    statements: u16,
    /// Connections at once; more are refused.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    given: GivenArgs,
    /// Read a password from stdin, print the line for it that a file of users takes, and end.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["lake", "pg", "flight", "hash_token"])]
    hash_password: Option<String>,
    /// Read a token from stdin, print the line for it that a file of users takes, and end. Tokens are for Flight SQL.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["lake", "pg", "flight"])]
    hash_token: Option<String>,
}

pub(crate) fn run(args: ServeArgs, voice: Voice) -> Result<Exit, Failure> {
    if let Some(name) = &args.hash_password {
        return print(outflow_server::line_of_password(name, &secret()?));
    }
    if let Some(name) = &args.hash_token {
        return print(outflow_server::line_of_token(name, &secret()?));
    }
    args.check()?;
    args.how.check_lake()?;
    let users = args.users.as_deref().map(Users::read).transpose();
    let users = users.map_err(unusable)?;
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificates), Some(key)) => Some(Tls::read(certificates, key).map_err(unusable)?),
        _ => None,
    };
    let limits = ServeLimits {
        statement_timeout: Duration::from_secs(args.statement_timeout.into()),
        statements: args.statements.into(),
        connections: args.connections.into(),
        ..ServeLimits::default()
    };
    let session = SessionArgs {
        lake: args.lake,
        sources: Vec::new(),
        how: args.how,
    };
    let threads = session.how.workers();
    let only: Only = session.only()?;
    let opened = session.open(only, None, None, voice)?;
    let given = args
        .given
        .give(&opened.session, &session.how.select, voice)?;
    // More than statements can take at once that seldom look up, such as a join of all with all: some are left to the others, also
    // if those went on past their time.
    let apart = threads.saturating_mul(STATEMENTS_APART);
    let workers = session::runtime(apart.max(limits.statements.saturating_add(threads)))?;
    let engine = Engine::new(&opened.session, workers.handle(), limits).map_err(unusable)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(TALKERS)
        .thread_name("outflow-serve")
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(|error| Failure::unfinished(error, "allow the program more threads"))?;
    let pg = args
        .pg
        .map(|at| (at, Pg::new(&engine, users.as_ref(), tls.as_ref())));
    let flight = args
        .flight
        .map(|at| (at, Flight::new(&engine, users.as_ref(), tls.as_ref())));
    let served = runtime.block_on(serve(pg, flight, voice));
    runtime.shutdown_background();
    served.map(|()| given)
}

impl ServeArgs {
    /// Whether it is said what to serve, and to nobody whom it must not be.
    fn check(&self) -> Result<(), Failure> {
        if self.pg.is_none() && self.flight.is_none() {
            return Err(Failure::usage(
                anyhow!("it is not said where to serve"),
                "name an address with --pg, as 127.0.0.1:5432, or with --flight",
            ));
        }
        let beyond = [self.pg, self.flight].into_iter().flatten();
        let Some(beyond) = beyond
            .into_iter()
            .find(|at| !at.ip().to_canonical().is_loopback())
        else {
            return Ok(());
        };
        if self.users.is_none() {
            return Err(Failure::usage(
                anyhow!(
                    "`{beyond}` can be reached from beyond this machine, and anybody would be let in"
                ),
                "say with --users who may ask, or listen at 127.0.0.1",
            ));
        }
        if self.tls_cert.is_none() && !self.without_tls {
            return Err(Failure::usage(
                anyhow!(
                    "`{beyond}` can be reached from beyond this machine, and what is said there could be read on its way"
                ),
                "give a certificate with --tls-cert and --tls-key, or say --without-tls if the network is trusted",
            ));
        }
        Ok(())
    }
}

/// Serves until a signal comes.
async fn serve(
    pg: Option<(SocketAddr, Pg)>,
    flight: Option<(SocketAddr, Flight)>,
    voice: Voice,
) -> Result<(), Failure> {
    let (tell, told) = watch::channel(false);
    let stop = || {
        let mut told = told.clone();
        async move {
            // Who would tell is gone only when all is at its end.
            let _ = told.wait_for(|stop| *stop).await;
        }
    };
    // Both addresses are had before either is served.
    let pg = match pg {
        Some((at, pg)) => Some((listen(at).await?, pg)),
        None => None,
    };
    let flight = match flight {
        Some((at, flight)) => Some((listen(at).await?, flight)),
        None => None,
    };
    if let Some((listener, _)) = &pg {
        voice.note(&format!(
            "PostgreSQL's protocol: postgresql://{}/outflow",
            address(listener)?
        ));
    }
    if let Some((listener, _)) = &flight {
        voice.note(&format!("Flight SQL: grpc://{}", address(listener)?));
    }
    let pg_done = async {
        if let Some((listener, pg)) = pg {
            pg.serve(listener, stop()).await;
        }
        Ok::<(), Error>(())
    };
    let flight_done = async {
        match flight {
            Some((listener, flight)) => flight.serve(listener, stop()).await,
            None => Ok(()),
        }
    };
    let mut served = std::pin::pin!(async { tokio::try_join!(pg_done, flight_done) });
    let asked = tokio::select! {
        // Before it is asked to, it only ends by a fault of the program.
        ended = &mut served => return ended.map(|_| ()).map_err(unusable),
        asked = signal() => asked,
    };
    tell.send_replace(true);
    let served = served.await;
    asked?;
    served.map(|_| ()).map_err(unusable)
}

async fn listen(at: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(at).await;
    bound
        .with_context(|| format!("could not listen at `{at}`"))
        .map_err(|error| {
            Failure::usage(
                error,
                "name another address: this one may be in use, or not of this machine",
            )
        })
}

fn address(of: &TcpListener) -> Result<SocketAddr, Failure> {
    let address = of.local_addr();
    address.map_err(|error| Failure::unfinished(error, "start it again"))
}

/// Waits for SIGTERM or Ctrl-C.
async fn signal() -> Result<(), Failure> {
    let deaf = |error| {
        Failure::unfinished(
            anyhow::Error::from(error),
            "the system does not tell of signals",
        )
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(deaf)?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            asked = tokio::signal::ctrl_c() => asked.map_err(deaf),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(deaf)
}

/// A password or token: what stdin has, without the end of its line.
fn secret() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(Failure::usage(
            anyhow!("a terminal would show what is typed"),
            "give it by stdin, as in `outflow serve --hash-password ana < file`",
        ));
    }
    let mut secret = String::new();
    let read = stdin
        .lock()
        .take(SECRET_BYTES_MAX)
        .read_to_string(&mut secret);
    read.map_err(|error| Failure::usage(error, "give it by stdin, in UTF-8"))?;
    let secret = secret.strip_suffix('\n').unwrap_or(&secret);
    Ok(secret.strip_suffix('\r').unwrap_or(secret).to_owned())
}

fn print(line: Result<String, Error>) -> Result<Exit, Failure> {
    let line = line.map_err(unusable)?;
    crate::output::write(None, |out| Ok(writeln!(out, "{line}")?))
        .map_err(|error| crate::output::untold(None, error))?;
    Ok(Exit::Done)
}

/// What it means that a server cannot be had.
fn unusable(error: Error) -> Failure {
    let hint = match &error {
        Error::Read { .. } => "name a file that can be read",
        Error::Users { .. } | Error::Nobody { .. } => {
            "`outflow serve --hash-password NAME` prints a line for a password on stdin"
        }
        Error::Secret(_) => "choose another",
        Error::Tls { .. } => "give the chain of certificates and the key of the first, each in PEM",
        Error::Chance | Error::Catalogue { .. } | Error::Accept { .. } => {
            return Failure::unfinished(error, "start it again");
        }
    };
    Failure::usage(error, hint)
}
