//! What is no log, told by its first bytes, so that who named it hears what it is.

use crate::wrapped::BYTE_ORDER_MARK;

/// What a source is that is no log, and what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    /// What it is, as the end of a sentence.
    pub what: &'static str,
    /// What the user can do.
    pub remedy: &'static str,
}

/// Where the header of a tape archive has its mark.
const TAR_MARK_AT: usize = 257;

const UNPACK: &str = "unpack it, and name what was in it";
const TRANSCODE: &str = "PowerShell writes this where `>` does: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8), or copy \
                         the object without a redirection";
const AGAIN: &str = "fetch the object again";
const OTHER: &str = "name the flow logs or Resolver query logs alone";

/// First bytes, what they are of, and what to do.
const MARKS: [(&[u8], &str, &str); 21] = [
    (
        b"\x1f\x8b",
        "gzip, packed more often than is unpacked here",
        UNPACK,
    ),
    (b"\x28\xb5\x2f\xfd", "Zstandard within its packing", UNPACK),
    (b"PAR1", "Parquet within two packings", UNPACK),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"BZh", "packed by bzip2, which is not read", UNPACK),
    (b"\xfd7zXZ\0", "packed by xz, which is not read", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (
        b"\x04\x22\x4d\x18",
        "packed by LZ4, which is not read",
        UNPACK,
    ),
    (
        b"\xff\x06\0\0sNaPpY",
        "packed by Snappy, which is not read",
        "have Firehose compress with GZIP, and unpack what there is",
    ),
    (b"\x78\x01", "zlib data without a file's header", UNPACK),
    (b"\x78\x9c", "zlib data without a file's header", UNPACK),
    (b"\x78\xda", "zlib data without a file's header", UNPACK),
    (b"\xff\xfe\0\0", "text in UTF-32", TRANSCODE),
    (b"\0\0\xfe\xff", "text in UTF-32", TRANSCODE),
    (b"\xff\xfe", "text in UTF-16", TRANSCODE),
    (b"\xfe\xff", "text in UTF-16", TRANSCODE),
    (b"Obj\x01", "an Avro file", OTHER),
    (b"ORC", "an ORC file", "write it as Parquet, and name that"),
    (b"SQLite format 3\0", "a database of SQLite", OTHER),
    (b"\x7fELF", "a program", OTHER),
    (b"\xd4\xc3\xb2\xa1", "a capture of packets", OTHER),
];

impl Foreign {
    /// What a source is, if its first bytes tell that it is no log: of those, as many as there are up to 512.
    ///
    /// ```
    /// use outflow_record::Foreign;
    /// assert_eq!(Foreign::tell(b"PK\x03\x04...").unwrap().what, "a zip archive");
    /// assert_eq!(Foreign::tell(b"version account-id interface-id\n"), None);
    /// ```
    pub fn tell(head: &[u8]) -> Option<Self> {
        let of = |what, remedy| Some(Self { what, remedy });
        let marked = MARKS.iter().find(|(mark, ..)| head.starts_with(mark));
        if let Some((_, what, remedy)) = marked {
            return of(what, remedy);
        }
        if is_wide(head) {
            return of("text in UTF-16", TRANSCODE);
        }
        if !head.is_empty() && head.iter().take(512).all(|byte| *byte == 0) {
            return of("zero bytes, as a copy that broke off leaves them", AGAIN);
        }
        if head
            .get(TAR_MARK_AT..)
            .is_some_and(|at| at.starts_with(b"ustar"))
        {
            return of("a tape archive", UNPACK);
        }
        let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
        if text.trim_ascii_start().starts_with(b"<") {
            return of("HTML or XML, as servers answer with an error", AGAIN);
        }
        None
    }

    /// An array of JSON, which is told apart where its elements are no queries of the resolver.
    pub const JSON_ARRAY: Self = Self {
        what: "one array of JSON",
        remedy: "if it holds log events or queries, write one of them a line (jq -c '.[]'); other JSON is not read",
    };
}

/// Whether every other byte of the first four is zero, and the others are of a line.
fn is_wide(head: &[u8]) -> bool {
    let is_text = |byte: u8| byte.is_ascii_graphic();
    match head {
        [first, 0, second, 0, ..] | [0, first, 0, second, ..] => {
            is_text(*first) && (is_text(*second) || *second == b' ')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
