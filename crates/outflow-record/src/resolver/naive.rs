//! The slow, obvious reading of an object. It defines what a record means: the fast path must agree with it, and
//! leaves to it all that is out of the ordinary.

use serde_json::{Map, Value};

use super::DnsField;
use super::record::{Answer, Record, read_addr, read_port, read_timestamp};
use crate::RejectReason;
use crate::RejectReason::{BadKey, MissingKey};

type Object = Map<String, Value>;

/// Reads the text of an object. Of a key that comes twice, the last value counts.
pub(super) fn read_object(text: &[u8]) -> Result<Object, RejectReason> {
    let text = std::str::from_utf8(text).map_err(|_| RejectReason::NotUtf8)?;
    serde_json::from_str(text).map_err(|_| RejectReason::NotJson)
}

/// Reads the record that an object holds.
pub(super) fn read_record(object: &Object) -> Result<Record<'_>, RejectReason> {
    let own = |field: DnsField| text(object, field.column(), field);
    let required = |field| own(field)?.ok_or(MissingKey(field));
    let time = required(DnsField::QueryTimestamp)?;
    let addr = own(DnsField::SrcAddr)?;
    let mut record = Record {
        query_timestamp: read_timestamp(time).ok_or(BadKey(DnsField::QueryTimestamp))?,
        query_name: required(DnsField::QueryName)?,
        srcaddr: addr
            .map(|addr| read_addr(addr).ok_or(BadKey(DnsField::SrcAddr)))
            .transpose()?,
        srcport: srcport(object)?,
        unknown_key: object.keys().any(|key| !is_read(key)),
        ..Record::default()
    };
    if record.query_name.is_empty() {
        return Err(BadKey(DnsField::QueryName));
    }
    for field in DnsField::ALL {
        if field.is_text() && !field.is_of_srcids() {
            record.texts[field.index()] = own(*field)?;
        }
    }
    read_srcids(&mut record, object)?;
    read_answers(&mut record, object)?;
    Ok(record)
}

/// The text under a key; null is none, and anything else is wrong.
fn text<'a>(
    object: &'a Object,
    key: &str,
    field: DnsField,
) -> Result<Option<&'a [u8]>, RejectReason> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_bytes())),
        Some(_) => Err(BadKey(field)),
    }
}

/// Whether a key of the object itself is read.
pub(super) fn is_read(key: &str) -> bool {
    let own = |field: &DnsField| field.column() == key && !field.is_of_srcids();
    key == "srcids" || DnsField::ALL.iter().any(own)
}

/// The port, which AWS writes as text, and others as a number.
fn srcport(object: &Object) -> Result<Option<u16>, RejectReason> {
    let port = match object.get(DnsField::SrcPort.column()) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => read_port(text.as_bytes()),
        Some(value) => value.as_u64().and_then(|port| u16::try_from(port).ok()),
    };
    port.map(Some).ok_or(BadKey(DnsField::SrcPort))
}

/// Reads `srcids`, in which older logs have dashes. If it is no object, that is a bad value of its first field.
fn read_srcids<'a>(record: &mut Record<'a>, object: &'a Object) -> Result<(), RejectReason> {
    let ids = match object.get("srcids") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(ids)) => ids,
        Some(_) => return Err(BadKey(DnsField::Instance)),
    };
    let mut read = 0;
    for field in DnsField::ALL.iter().filter(|field| field.is_of_srcids()) {
        let (key, older) = (field.column(), field.column().replace('_', "-"));
        let value = text(ids, key, *field)?;
        record.texts[field.index()] = value.or(text(ids, &older, *field)?);
        read += usize::from(ids.contains_key(key));
        read += usize::from(older != key && ids.contains_key(&older));
    }
    record.unknown_key |= ids.len() > read;
    Ok(())
}

/// Reads `answers`. A single one may stand for a list of one.
fn read_answers<'a>(record: &mut Record<'a>, object: &'a Object) -> Result<(), RejectReason> {
    let bad = DnsField::Answers;
    let items = match object.get(bad.column()) {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        let item = item.as_object().ok_or(BadKey(bad))?;
        answers.push(Answer {
            rdata: text(item, "Rdata", bad)?,
            kind: text(item, "Type", bad)?,
            class: text(item, "Class", bad)?,
        });
        let known = |key: &String| matches!(key.as_str(), "Rdata" | "Type" | "Class");
        record.unknown_key |= !item.keys().all(known);
    }
    record.answers = Some(answers);
    Ok(())
}
