//! Names of files as texts: the path, or where that is not UTF-8 a URI that says each of its bytes.
//!
//! A path with `\u{fffd}` for what cannot be shown would be the name of many files, and a lake knows an object by its name.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const SCHEME: &str = "file://";

/// The path itself if it is UTF-8, else `file:///…` of where it is (RFC 8089), so that no two paths have one name.
pub(crate) fn of(path: &Path) -> String {
    if let Some(text) = path.to_str() {
        return text.to_owned();
    }
    // Where the program was started cannot be told if that folder is gone: then the name is as given.
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut uri = SCHEME.to_owned();
    for byte in whole.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(*byte)),
            other if other.is_ascii_alphanumeric() => uri.push(char::from(*other)),
            // Writing to a text does not fail.
            other => drop(write!(uri, "%{other:02X}")),
        }
    }
    uri
}

/// The path of such a URI; none if the text is no URI of a file.
pub(crate) fn path(uri: &str) -> Option<PathBuf> {
    let mut rest = uri
        .strip_prefix(SCHEME)
        .filter(|rest| rest.starts_with('/'))?;
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((before, escaped)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = escaped
            .get(..2)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &escaped[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    from_bytes(bytes)
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "elsewhere there are bytes that are no path"
)]
fn from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn names_that_are_not_utf_8_are_told_apart_and_lead_back() {
        let named = |bytes: &[u8]| of(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(named(b"/logs/a%FF.log"), "/logs/a%FF.log");
        assert_eq!(named("/logs/\u{fffd}".as_bytes()), "/logs/\u{fffd}");
        assert_eq!(named(b"/logs/a%\xff b"), "file:///logs/a%25%FF%20b");
        assert_ne!(named(b"/logs/\xfe"), named(b"/logs/\xff"));
        for bytes in [&b"/logs/a%\xff b"[..], b"/\x80\n\xc3\xa9", b"/%41\xff"] {
            let uri = named(bytes);
            assert_eq!(path(&uri).unwrap().as_os_str().as_bytes(), bytes, "{uri}");
        }
        let relative = named(b"\xff.log");
        assert!(
            relative.starts_with("file:///") && relative.ends_with("/%FF.log"),
            "{relative}"
        );
    }

    #[test]
    fn what_is_no_uri_of_a_file_has_no_path() {
        for text in [
            "/logs/a",
            "file://host",
            "file:///a%",
            "file:///a%F",
            "file:///a%+1",
            "file:///%é",
        ] {
            assert_eq!(path(text), None, "{text}");
        }
    }
}
