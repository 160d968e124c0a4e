//! Names of files as texts: the path, or where that is not UTF-8 a URI that says each of its bytes.
//!
//! A path with `\u{fffd}` for what cannot be shown would be the name of many files, and a lake knows an object by its name.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

const SCHEME: &str = "file://";

/// What is escaped: all but what RFC 3986 reserves for nothing, and what parts folders.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The path itself if it is UTF-8, else `file:///…` of where it is (RFC 8089), so that no two paths have one name.
pub(crate) fn of(path: &Path) -> String {
    if let Some(text) = path.to_str() {
        return text.to_owned();
    }
    // Where the program was started cannot be told if that folder is gone: then the name is as given.
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let bytes = whole.as_os_str().as_encoded_bytes();
    format!("{SCHEME}{}", percent_encode(bytes, ESCAPED))
}

/// The path of such a URI; none if the text is no URI of a file. A `%` that escapes nothing stands for itself.
pub(crate) fn path(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix(SCHEME)?;
    let is_of_no_host = rest.starts_with('/');
    is_of_no_host.then(|| from_bytes(percent_decode_str(rest).collect()))?
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
        for text in ["/logs/a", "file:/logs/a", "file://host", "file://host/a"] {
            assert_eq!(path(text), None, "{text}");
        }
        for (text, of) in [
            ("file:///a%", "/a%"),
            ("file:///a%F", "/a%F"),
            ("file:///%é", "/%é"),
        ] {
            assert_eq!(path(text).as_deref(), Some(Path::new(of)), "{text}");
        }
    }
}
