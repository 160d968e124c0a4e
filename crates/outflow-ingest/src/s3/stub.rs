//! A server on loopback that speaks as much of S3 as reading needs, and fails as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What to do instead of answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A status and the code of an error.
    Status(u16, &'static str),
    /// The connection ends in the middle of the body.
    Reset,
    /// Half of the body is all that is announced.
    Half,
    /// More than what was asked for is sent.
    Longer,
    /// The object gets these bytes before the request is answered.
    Change(Vec<u8>),
    /// The object is deleted before the request is answered.
    Delete,
}

/// The bucket `logs`, and what was asked of it.
#[derive(Default)]
pub(crate) struct Bucket {
    objects: BTreeMap<String, Stored>,
    /// A part of a request's line or range, what to do, and how often still.
    faults: Vec<(String, Fault, usize)>,
    /// Lines of requests, each with its range and who pays.
    requests: Vec<String>,
}

/// The bytes of an object, and what tells them from others.
#[derive(PartialEq)]
struct Stored {
    bytes: Vec<u8>,
    etag: String,
}

/// Keys on a page of a list, so that pages are many.
const PAGE_KEYS: usize = 3;

/// The server; it ends when it is dropped.
pub(crate) struct Stub {
    at: SocketAddr,
    bucket: Arc<Mutex<Bucket>>,
}

impl Stub {
    pub(crate) fn start(objects: &[(&str, &[u8])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let objects = objects.iter();
        let bucket = Arc::new(Mutex::new(Bucket {
            objects: objects
                .map(|(key, bytes)| ((*key).to_owned(), Stored::new(key, bytes)))
                .collect(),
            ..Bucket::default()
        }));
        let (at, shared) = (listener.local_addr().unwrap(), Arc::clone(&bucket));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let Ok(connection) = connection else { return };
                let bucket = Arc::clone(&shared);
                // The last but the accepting thread: the server was dropped.
                if Arc::strong_count(&bucket) <= 2 {
                    return;
                }
                thread::spawn(move || serve(&connection, &bucket));
            }
        });
        Self { at, bucket }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// Fails so many requests whose line or range holds this.
    pub(crate) fn fail(&self, what: &str, fault: &Fault, times: usize) -> &Self {
        let fault = (what.to_owned(), fault.clone(), times);
        self.bucket.lock().unwrap().faults.push(fault);
        self
    }

    /// Requests that hold this.
    pub(crate) fn requests(&self, what: &str) -> Vec<String> {
        let bucket = self.bucket.lock().unwrap();
        let requests = bucket.requests.iter();
        requests
            .filter(|line| line.contains(what))
            .cloned()
            .collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.bucket = Arc::default();
        // Wakes who accepts.
        drop(TcpStream::connect(self.at));
    }
}

/// An answer: status, headers and body.
type Answer = (u16, String, Vec<u8>);

fn serve(connection: &TcpStream, bucket: &Mutex<Bucket>) {
    let mut lines = BufReader::new(connection).lines();
    while let Some(Ok(line)) = lines.next() {
        let mut headers = BTreeMap::new();
        while let Some(Ok(header)) = lines.next() {
            let Some((name, value)) = header.split_once(": ") else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let (fault, answer) = bucket.lock().unwrap().answer(&line, &headers);
        let (status, headers, body) = answer;
        let half = body.len() / 2;
        let (announced, sent) = match fault {
            Some(Fault::Half) => (half, half),
            Some(Fault::Reset) => (body.len(), half),
            _ => (body.len(), body.len()),
        };
        let head = format!("HTTP/1.1 {status} x\r\n{headers}content-length: {announced}\r\n\r\n");
        let mut out = connection;
        let written = out.write_all(head.as_bytes());
        let written = written.and_then(|()| out.write_all(&body[..sent]));
        if written.is_err() || sent < announced {
            return;
        }
    }
}

impl Bucket {
    fn answer(
        &mut self,
        line: &str,
        headers: &BTreeMap<String, String>,
    ) -> (Option<Fault>, Answer) {
        let header = |name: &str| headers.get(name).map_or("", String::as_str);
        let mut target = decoded(line.split(' ').nth(1).unwrap_or_default());
        // The bucket stands in the path, or in the host's name.
        if let Some((bucket, _)) = header("host").split_once('.')
            && bucket.parse::<u8>().is_err()
        {
            target.insert_str(0, &format!("/{bucket}"));
        }
        let mut asked = format!("{target} {}", header("range"));
        if !header("x-amz-request-payer").is_empty() {
            asked += &format!(" paid by {}", header("x-amz-request-payer"));
        }
        self.requests.push(asked.clone());
        let fault = self
            .faults
            .iter_mut()
            .find(|(what, _, times)| *times > 0 && asked.contains(what));
        let fault = fault.map(|(_, fault, times)| {
            *times -= 1;
            fault.clone()
        });
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let path = path
            .strip_prefix("/logs")
            .map(|path| path.trim_start_matches('/'));
        let answer = match (path, &fault) {
            (_, Some(Fault::Status(status, code))) => error(*status, code),
            (None, _) => error(404, "NoSuchBucket"),
            (Some(""), _) => self.list(query),
            (Some(key), Some(Fault::Change(bytes))) => {
                self.objects.insert(key.to_owned(), Stored::new(key, bytes));
                self.get(key, headers, 0)
            }
            (Some(key), Some(Fault::Delete)) => {
                self.objects.remove(key);
                self.get(key, headers, 0)
            }
            (Some(key), Some(Fault::Longer)) => self.get(key, headers, 1),
            (Some(key), _) => self.get(key, headers, 0),
        };
        (fault, answer)
    }

    fn list(&self, query: &str) -> Answer {
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map_or("", |(_, value)| value)
        };
        let (prefix, delimiter) = (value("prefix"), value("delimiter"));
        let most = value("max-keys").parse().unwrap_or(PAGE_KEYS);
        let mut entries: Vec<(String, Option<&Stored>)> = Vec::new();
        for (key, stored) in self
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
        {
            let below = &key[prefix.len()..];
            let entry = match below.find(delimiter).filter(|_| !delimiter.is_empty()) {
                Some(end) => (format!("{prefix}{}/", &below[..end]), None),
                None => (key.clone(), Some(stored)),
            };
            if entries.last() != Some(&entry) {
                entries.push(entry);
            }
        }
        let from: usize = value("continuation-token").parse().unwrap_or(0);
        let mut xml = "<ListBucketResult>".to_owned();
        for (key, stored) in entries.iter().skip(from).take(most) {
            let key = key.replace('&', "&amp;").replace('<', "&lt;");
            xml += &match stored {
                None => format!("<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>"),
                Some(stored) => format!(
                    "<Contents><Key>{key}</Key><ETag>{}</ETag><Size>{}</Size></Contents>",
                    stored.etag.replace('"', "&quot;"),
                    stored.bytes.len()
                ),
            };
        }
        if entries.len() > from + most {
            let next = from + most;
            xml += "<IsTruncated>true</IsTruncated>";
            xml += &format!("<NextContinuationToken>{next}</NextContinuationToken>");
        }
        (
            200,
            String::new(),
            (xml + "</ListBucketResult>").into_bytes(),
        )
    }

    fn get(&self, key: &str, headers: &BTreeMap<String, String>, more: usize) -> Answer {
        let Some(Stored { bytes, etag }) = self.objects.get(key) else {
            return error(404, "NoSuchKey");
        };
        if headers.get("if-match").is_some_and(|wanted| wanted != etag) {
            return error(412, "PreconditionFailed");
        }
        let tag = format!("etag: {etag}\r\n");
        let range = headers
            .get("range")
            .and_then(|range| range.strip_prefix("bytes="));
        let Some((from, to)) = range.and_then(|range| range.split_once('-')) else {
            return (200, tag, [bytes.as_slice(), &vec![b'x'; more]].concat());
        };
        let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
        (
            206,
            tag,
            bytes[from..=(to + more).min(bytes.len() - 1)].to_vec(),
        )
    }
}

fn error(status: u16, code: &str) -> Answer {
    let xml = format!("<Error><Code>{code}</Code><Message>as told</Message></Error>");
    (
        status,
        "content-type: application/xml\r\n".to_owned(),
        xml.into_bytes(),
    )
}

impl Stored {
    /// As S3 does, objects that a key of KMS encrypts (here, those called so) have ETags that nothing else has.
    fn new(key: &str, bytes: &[u8]) -> Self {
        let salt = if key.ends_with(".kms") { key } else { "" };
        let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        let hash = salt
            .as_bytes()
            .iter()
            .chain(bytes)
            .fold(0xcbf2_9ce4_8422_2325, fold);
        Self {
            bytes: bytes.to_vec(),
            etag: format!("\"{hash:016x}\""),
        }
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
