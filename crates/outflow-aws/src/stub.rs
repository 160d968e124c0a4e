//! A server on loopback that answers as it is told, and a machine whose time passes when somebody waits.

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;

use crate::Host;

/// 2026-09-21T14:13:20Z.
pub(crate) const NOW_SECS: u64 = 1_790_000_000;

/// What the server does at a request.
#[derive(Debug, Clone)]
pub(crate) enum Play {
    /// Status, further headers, body.
    Answer(u16, &'static str, String),
    /// Status, and a body without an end.
    Endless(u16),
    /// Status and the promise of a body, of which one byte comes.
    Half(u16),
    /// The head of an answer, that does not come.
    Silent,
    /// The connection is closed.
    Close,
}

impl Play {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, "", String::new())
    }

    pub(crate) fn body(body: &str) -> Self {
        Self::Answer(200, "", body.to_owned())
    }
}

/// A request, as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

type Playing = dyn Fn(&Asked, usize) -> Play + Send + Sync;

/// The server; it ends when it is dropped.
pub(crate) struct Stub {
    at: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
}

impl Stub {
    /// Plays one after the other, and the last again and again.
    pub(crate) fn start(plays: &[Play]) -> Self {
        let plays = plays.to_vec();
        Self::answering(move |_, before| plays[before.min(plays.len() - 1)].clone())
    }

    /// Plays what is made of a request, and of the number of those before it.
    pub(crate) fn answering(play: impl Fn(&Asked, usize) -> Play + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stub = Self {
            at: listener.local_addr().unwrap(),
            asked: Arc::default(),
            over: Arc::default(),
        };
        let (asked, over) = (Arc::clone(&stub.asked), Arc::clone(&stub.over));
        let play: Arc<Playing> = Arc::new(play);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (play, asked, over) =
                    (Arc::clone(&play), Arc::clone(&asked), Arc::clone(&over));
                thread::spawn(move || serve(&connection.unwrap(), &*play, &asked, &over));
            }
        });
        stub
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.body).collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes who accepts.
        drop(TcpStream::connect(self.at));
    }
}

fn serve(connection: &TcpStream, play: &Playing, all: &Mutex<Vec<Asked>>, over: &AtomicBool) {
    let mut input = BufReader::new(connection);
    while let Some(asked) = request(&mut input) {
        let play = {
            let mut all = all.lock().unwrap();
            let play = play(&asked, all.len());
            all.push(asked);
            play
        };
        let mut out = connection;
        let written = match play {
            Play::Answer(status, headers, body) => write!(
                out,
                "HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n{body}",
                body.len()
            ),
            Play::Half(status) => {
                let written = write!(out, "HTTP/1.1 {status} x\r\ncontent-length: 100\r\n\r\n{{");
                idle(over);
                written
            }
            Play::Endless(status) => {
                let mut written = write!(out, "HTTP/1.1 {status} x\r\n\r\n");
                while written.is_ok() && !over.load(Ordering::Relaxed) {
                    written = out.write_all(&[b'x'; 4096]);
                }
                written
            }
            Play::Silent => {
                idle(over);
                return;
            }
            Play::Close => return,
        };
        if written.is_err() {
            return;
        }
    }
}

fn idle(over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(20));
    }
}

fn request(input: &mut impl std::io::BufRead) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<String, String> = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length");
    let length = length.map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some(Asked {
        line: lines.first()?.clone(),
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}

/// A machine without a clock of its own.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How long was waited, one after the other: so much later it is.
    pub(crate) waits: Mutex<Vec<Duration>>,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Host for Told {
    fn now(&self) -> SystemTime {
        let waited: Duration = self.waits.lock().unwrap().iter().sum();
        UNIX_EPOCH + Duration::from_secs(NOW_SECS) + waited
    }

    fn chance(&self) -> f64 {
        0.5
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.waits.lock().unwrap().push(time);
        Box::pin(std::future::ready(()))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}
