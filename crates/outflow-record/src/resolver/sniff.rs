//! Whether JSON is a Resolver query log.

use super::DnsField;
use super::frame::{Frame, Framer, is_start};
use super::naive::read_object;
use crate::decoder::is_flow_line;

/// Lines in front of the first record that may be damaged; behind more of them, none is looked for.
const LINES_MAX: usize = 16;

/// Whether a source that begins with these bytes is a Resolver query log: they hold an object with `query_name` and
/// `query_timestamp`, behind no more than damage (16 lines at most, and none of a flow log).
///
/// ```
/// use outflow_record::is_resolver_query_log;
/// let log = br#"{"query_timestamp":"2022-10-13T21:02:36Z","query_name":"example.com."}"#;
/// assert!(is_resolver_query_log(log));
/// assert!(is_resolver_query_log(&[b"{\"query_timesta", &log[..]].concat()));
/// assert!(!is_resolver_query_log(br#"{"messageType":"DATA_MESSAGE"}"#));
/// ```
pub fn is_resolver_query_log(head: &[u8]) -> bool {
    let (mut at, mut line, mut lines) = (0, 0, 0);
    while let Some(found) = head[at..].iter().position(|byte| b"{\n".contains(byte)) {
        at += found;
        if head[at] == b'\n' {
            lines += usize::from(!head[line..at].trim_ascii().is_empty());
            if lines > LINES_MAX || is_flow_line(&head[line..at]) {
                return false;
            }
            at += 1;
            line = at;
            continue;
        }
        let mut len = 1;
        let begins_line = head[line..at].iter().all(|byte| !byte.is_ascii_graphic());
        if (begins_line || is_start(&head[at..]) == Some(true))
            && let Frame::Object(whole) = Framer::default().advance(&head[at..])
            && let Ok(object) = read_object(&head[at..at + whole])
        {
            let telling = [DnsField::QueryName, DnsField::QueryTimestamp];
            if telling
                .iter()
                .all(|field| object.contains_key(field.column()))
            {
                return true;
            }
            len = whole;
        }
        at += len;
    }
    false
}
