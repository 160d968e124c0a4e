//! Whether JSON is a Resolver query log.

use super::DnsField;
use super::frame::{Frame, Framer, is_blank};
use super::naive::read_object;

/// Whether a source that begins with these bytes is a Resolver query log: its first object has `query_name` and
/// `query_timestamp`. `None` if the bytes end before that can be told; [`crate::RECORD_MAX`] bytes behind the white
/// space always suffice.
///
/// ```
/// use outflow_record::is_resolver_query_log;
/// let log = br#"{"query_timestamp":"2022-10-13T21:02:36Z","query_name":"example.com."}"#;
/// assert_eq!(is_resolver_query_log(log), Some(true));
/// assert_eq!(is_resolver_query_log(&log[..40]), None);
/// assert_eq!(is_resolver_query_log(br#"{"messageType":"DATA_MESSAGE"}"#), Some(false));
/// ```
pub fn is_resolver_query_log(head: &[u8]) -> Option<bool> {
    let blank = |(offset, byte): &(u64, &u8)| is_blank(*offset, **byte);
    let from = (0..).zip(head).take_while(blank).count();
    let text = &head[from..];
    if text.is_empty() {
        return None;
    }
    let object = match Framer::default().advance(text) {
        Frame::More => return None,
        Frame::Broken(_) => return Some(false),
        Frame::Object(len) => read_object(&text[..len]),
    };
    let telling = [DnsField::QueryName, DnsField::QueryTimestamp];
    let has = |field: DnsField| {
        object
            .as_ref()
            .is_ok_and(|keys| keys.contains_key(field.column()))
    };
    Some(telling.into_iter().all(has))
}
