//! How a connection begins: TLS, who it is, and what it is told first.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::message::{Message, Opening};
use super::scram::{Exchange, MECHANISM};
use super::wire::{Broken, Wire};
use super::{Cancel, Shared};
use crate::engine::Desk;
use crate::problem::{Problem, sqlstate};
use crate::users::chance;
use outflow_query::CATALOG;

/// What bytes go over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(super) type Line = Wire<Box<dyn Stream>>;

/// What a client wants that has said so.
pub(super) enum Wish {
    Nothing,
    Cancel { process: i32, secret: bytes::Bytes },
    Session(Vec<(String, String)>),
}

/// Hears what a client wants, over TLS if it asks for that.
pub(super) async fn hear(shared: &Shared, stream: TcpStream) -> Result<(Line, Wish), Broken> {
    let write_timeout = shared.engine.limits().write_timeout;
    let mut line: Line = Wire::new(Box::new(stream), write_timeout);
    let mut is_secure = false;
    loop {
        match line.opening().await {
            Ok(Opening::Tls) => match &shared.tls {
                Some(acceptor) if !is_secure => {
                    line.output.0.extend_from_slice(b"S");
                    line.flush().await?;
                    // What came before TLS was agreed on may be anybody's.
                    let stream = line.into_stream().ok_or(Broken::Gone)?;
                    let stream = acceptor.accept(stream).await?;
                    line = Wire::new(Box::new(stream), write_timeout);
                    is_secure = true;
                }
                _ => refuse_encryption(&mut line).await?,
            },
            Ok(Opening::Gss) => refuse_encryption(&mut line).await?,
            Ok(Opening::Cancel { process, secret }) => {
                return Ok((line, Wish::Cancel { process, secret }));
            }
            Ok(Opening::Startup { minor, parameters }) => {
                if shared.tls.is_some() && !is_secure {
                    let problem =
                        Problem::fatal(sqlstate::INVALID_AUTHORIZATION, "this server wants TLS")
                            .hint("connect with sslmode=require or more");
                    return Ok((said(line, &problem), Wish::Nothing));
                }
                negotiate(&mut line, minor, &parameters);
                return Ok((line, Wish::Session(parameters)));
            }
            Err(Broken::Refused(problem)) => return Ok((said(line, &problem), Wish::Nothing)),
            Err(broken) => return Err(broken),
        }
    }
}

fn said(mut line: Line, problem: &Problem) -> Line {
    line.output.error(problem, None);
    line
}

async fn refuse_encryption(line: &mut Line) -> Result<(), Broken> {
    line.output.0.extend_from_slice(b"N");
    line.flush().await
}

/// Says which of what a later version of the protocol has is not spoken.
fn negotiate(line: &mut Line, minor: u16, parameters: &[(String, String)]) {
    let options = parameters
        .iter()
        .filter(|(name, _)| name.starts_with("_pq_."));
    let options: Vec<&str> = options.map(|(name, _)| name.as_str()).collect();
    if minor > 0 || !options.is_empty() {
        line.output.negotiate(&options);
    }
}

/// Sees who a client is. The name that it is known by.
pub(super) async fn authenticate(
    shared: &Shared,
    line: &mut Line,
    parameters: &[(String, String)],
) -> Result<String, Broken> {
    let of = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    };
    let refused = |problem| Err(Broken::Refused(problem));
    let Some(user) = of("user") else {
        return refused(Problem::fatal(
            sqlstate::INVALID_AUTHORIZATION,
            "no PostgreSQL user name specified in startup packet",
        ));
    };
    if of("replication").is_some_and(|value| !["false", "off", "no", "0"].contains(&value)) {
        return refused(Problem::fatal(
            sqlstate::FEATURE_NOT_SUPPORTED,
            "there is nothing to replicate",
        ));
    }
    if let Some(users) = &shared.users {
        let (verifier, is_there) = users.verifier(user);
        let proved = prove(line, verifier).await?;
        let Some(ours) = proved.filter(|_| is_there) else {
            return refused(Problem::fatal(
                sqlstate::INVALID_PASSWORD,
                format!("password authentication failed for user \"{user}\""),
            ));
        };
        line.output.authentication(12, ours.as_bytes());
    }
    // Only who is known learns which databases there are.
    let database = of("database").unwrap_or(user);
    if database != CATALOG {
        return refused(
            Problem::fatal(
                sqlstate::INVALID_CATALOG_NAME,
                format!("database \"{database}\" does not exist"),
            )
            .hint(format!("the database of a lake is named {CATALOG}")),
        );
    }
    line.output.authentication(0, &[]);
    Ok(user.to_owned())
}

/// The exchange of SCRAM. None, if what the client sent proves nothing.
async fn prove(
    line: &mut Line,
    verifier: crate::users::Verifier,
) -> Result<Option<String>, Broken> {
    line.output
        .authentication(10, format!("{MECHANISM}\0\0").as_bytes());
    line.flush().await?;
    let first = step(line).await?;
    let nonce = chance::<18>().map_err(|error| {
        Broken::Refused(Problem::fatal(sqlstate::INTERNAL_ERROR, error.to_string()))
    })?;
    let Some(exchange) = initial(&first).and_then(|first| Exchange::begin(first, verifier, &nonce))
    else {
        return Ok(None);
    };
    line.output
        .authentication(11, exchange.server_first().as_bytes());
    line.flush().await?;
    let last = step(line).await?;
    Ok(exchange.finish(&last))
}

async fn step(line: &mut Line) -> Result<bytes::Bytes, Broken> {
    match line.next().await? {
        Message::Password(body) => Ok(body),
        Message::Terminate => Err(Broken::Gone),
        _ => Err(Broken::Refused(Problem::fatal(
            sqlstate::PROTOCOL_VIOLATION,
            "expected SASL response",
        ))),
    }
}

/// What a first response of SASL holds: a mechanism's name, and a message behind its length.
fn initial(body: &[u8]) -> Option<&[u8]> {
    let end = body.iter().position(|byte| *byte == 0)?;
    if &body[..end] != MECHANISM.as_bytes() {
        return None;
    }
    let (length, message) = body[end + 1..].split_first_chunk::<4>()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
    (message.len() == length).then_some(message)
}

/// Takes the settings that a client opens with, and tells it what it has to know.
pub(super) fn greet(
    line: &mut Line,
    desk: &Desk,
    parameters: &[(String, String)],
    process: i32,
    secret: [u8; 4],
) -> Result<(), Problem> {
    {
        let mut settings = desk.settings();
        for (name, value) in parameters {
            if ["user", "database", "replication", "options"].contains(&name.as_str())
                || name.starts_with("_pq_.")
            {
                continue;
            }
            settings.begin(name, value)?;
        }
        let options = parameters.iter().find(|(name, _)| name == "options");
        for (name, value) in options
            .map(|(_, text)| options_of(text))
            .unwrap_or_default()
        {
            settings.begin(&name, &value)?;
        }
        for (name, value) in settings.reported() {
            line.output.parameter(name, value);
        }
    }
    line.output.key(process, &secret);
    Ok(())
}

/// Settings out of `-c name=value --name=value`, where a backslash keeps what follows it.
fn options_of(text: &str) -> Vec<(String, String)> {
    let (mut words, mut word, mut chars) = (Vec::new(), String::new(), text.chars());
    while let Some(char) = chars.next() {
        match char {
            '\\' => word.extend(chars.next()),
            char if char.is_whitespace() => words.push(std::mem::take(&mut word)),
            char => word.push(char),
        }
    }
    words.push(word);
    let settings = words.iter().filter_map(|word| {
        let word = word
            .strip_prefix("-c")
            .or_else(|| word.strip_prefix("--"))
            .unwrap_or(word);
        let (name, value) = word.split_once('=')?;
        Some((name.replace('-', "_"), value.to_owned()))
    });
    settings.collect()
}

/// Where a connection is in the list of those that can be cancelled; it leaves that with this.
pub(super) struct Entry {
    shared: Arc<Shared>,
    pub(super) process: i32,
    pub(super) secret: [u8; 4],
    pub(super) cancel: Arc<Cancel>,
}

impl Entry {
    pub(super) fn new(shared: &Arc<Shared>) -> Result<Self, Problem> {
        let secret = chance()
            .map_err(|error| Problem::fatal(sqlstate::INTERNAL_ERROR, error.to_string()))?;
        let (process, cancel) = shared.cancels.enter(secret);
        Ok(Self {
            shared: Arc::clone(shared),
            process,
            secret,
            cancel,
        })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.shared.cancels.leave(self.process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_settings() {
        let told = options_of(r"-c statement_timeout=5s  --my-name.x=a\ b -csearch_path=public");
        let expected = [
            ("statement_timeout", "5s"),
            ("my_name.x", "a b"),
            ("search_path", "public"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(told, expected);
    }

    #[test]
    fn a_first_response_is_taken_apart() {
        assert_eq!(initial(b"SCRAM-SHA-256\0\0\0\0\x02hi"), Some(&b"hi"[..]));
        for wrong in [
            &b""[..],
            b"SCRAM-SHA-256",
            b"SCRAM-SHA-256\0\0\0",
            b"SCRAM-SHA-256\0\0\0\0\x03hi",
            b"PLAIN\0\0\0\0\x02hi",
        ] {
            assert_eq!(initial(wrong), None);
        }
    }
}
