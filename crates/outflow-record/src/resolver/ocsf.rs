//! Events of OCSF's class DNS Activity (4003), as Security Lake makes them of Resolver query logs, put back into the
//! columns that they were made of.
//!
//! A row becomes the same [`Record`] that an object of JSON does, so that both have the same columns. What an event
//! does not keep as the log had it is told from what it keeps: the response code from its number, and the action of
//! DNS Firewall from what became of the query.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema};

use super::columns::Columns;
use super::record::{Answer, Record, read_addr, read_port};
use super::{DnsDecoded, DnsField, RECORD_MAX};
use crate::conform::{first, holds_events, leaf, spell, strangers};
use crate::{Error, Field, Reject, RejectReason};

/// The class DNS Activity.
const CLASS: i64 = 4003;

/// Texts and numbers, and where an event of version 1.0.0-rc.2 or 1.1.0 has them.
const TEXTS: [(DnsField, &[&str]); 15] = [
    (DnsField::Version, &["metadata.product.version"]),
    (
        DnsField::AccountId,
        &["cloud.account.uid", "cloud.account_uid"],
    ),
    (DnsField::Region, &["cloud.region"]),
    (DnsField::VpcId, &["src_endpoint.vpc_uid"]),
    (DnsField::QueryName, &["query.hostname"]),
    (DnsField::QueryType, &["query.type"]),
    (DnsField::QueryClass, &["query.class"]),
    (DnsField::Rcode, &["rcode"]),
    (DnsField::SrcAddr, &["src_endpoint.ip"]),
    (DnsField::SrcPort, &["src_endpoint.port"]),
    (DnsField::Transport, &["connection_info.protocol_name"]),
    (DnsField::Instance, &["src_endpoint.instance_uid"]),
    (DnsField::ResolverEndpoint, &["dst_endpoint.instance_uid"]),
    (
        DnsField::ResolverNetworkInterface,
        &["dst_endpoint.interface_uid"],
    ),
    (DnsField::FirewallRuleAction, &["disposition"]),
];

/// What else is read: numbers, the list of answers, and what the class has no attribute for.
const TIME: &str = "time";
const RCODE_ID: &str = "rcode_id";
const DISPOSITION_ID: &str = "disposition_id";
const ANSWERS: &str = "answers";
const RULE: &str = "firewall_rule.uid";
const UNMAPPED: &str = "unmapped";

/// The response codes of DNS under AWS's names, by the numbers that OCSF shares with them.
const RCODES: [(i64, &str); 22] = [
    (0, "NOERROR"),
    (1, "FORMERR"),
    (2, "SERVFAIL"),
    (3, "NXDOMAIN"),
    (4, "NOTIMP"),
    (5, "REFUSED"),
    (6, "YXDOMAIN"),
    (7, "YXRRSET"),
    (8, "NXRRSET"),
    (9, "NOTAUTH"),
    (10, "NOTZONE"),
    (11, "DSOTYPENI"),
    (16, "BADVERS"),
    (17, "BADKEY"),
    (18, "BADTIME"),
    (19, "BADMODE"),
    (20, "BADNAME"),
    (21, "BADALG"),
    (22, "BADTRUNC"),
    (23, "BADCOOKIE"),
    (24, "UNASSIGNED"),
    (25, "RESERVED"),
];

/// The last millisecond of the year 9999, behind which no log has a time.
const MILLIS_MAX: i64 = 253_402_300_799_999;

/// Conforms the batches of one table of DNS Activity to [`super::dns_schema`].
///
/// The offset of a reject ([`Reject::offset`]) is the number of its row in the table, from 0. A row of another class is
/// a reject ([`RejectReason::OtherClass`]), as is one whose texts have more than [`RECORD_MAX`] bytes.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, StructArray};
/// use arrow_schema::{DataType, Field};
/// use outflow_record::DnsConformer;
///
/// let names: ArrayRef = Arc::new(StringArray::from(vec!["WWW.example.com.", "example.org."]));
/// let query = StructArray::from(vec![(Arc::new(Field::new("hostname", DataType::Utf8, true)), names)]);
/// let batch = RecordBatch::try_from_iter([
///     ("class_uid", Arc::new(Int32Array::from(vec![4003, 4001])) as ArrayRef),
///     ("category_uid", Arc::new(Int32Array::from(vec![4, 4]))),
///     ("metadata", Arc::new(StringArray::from(vec!["", ""]))),
///     ("time", Arc::new(Int64Array::from(vec![1_665_694_956_000, 0]))),
///     ("query", Arc::new(query)),
/// ]).unwrap();
/// assert!(DnsConformer::suits(&batch.schema()));
/// let decoded = DnsConformer::new().conform(&batch).unwrap();
/// assert_eq!(decoded.queries.query_names().value(0), "www.example.com");
/// assert_eq!(decoded.rejects[0].reason.to_string(), "other-class");
/// ```
#[derive(Debug)]
pub struct DnsConformer {
    paths: Vec<String>,
    columns: Columns,
    /// Rows so far.
    rows: u64,
}

impl Default for DnsConformer {
    fn default() -> Self {
        Self::new()
    }
}

impl DnsConformer {
    /// A conformer for one table.
    pub fn new() -> Self {
        let texts = TEXTS.iter().flat_map(|(_, paths)| *paths);
        let others = [
            "class_uid",
            TIME,
            RCODE_ID,
            DISPOSITION_ID,
            ANSWERS,
            RULE,
            UNMAPPED,
        ];
        Self {
            paths: texts
                .chain(&others)
                .map(|path| (*path).to_owned())
                .collect(),
            columns: Columns::new(),
            rows: 0,
        }
    }

    /// Whether a table of this schema holds events that have a name which was asked for.
    pub fn suits(schema: &Schema) -> bool {
        let query = schema.field_with_name("query").map(|own| own.data_type());
        let asks = |query: &DataType| match query {
            DataType::Struct(own) => own.find("hostname").is_some(),
            _ => false,
        };
        holds_events(schema) && query.is_ok_and(asks)
    }

    /// The columns to read; those within others with dots between the names.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Rows that were conformed.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Conforms the next rows, of which `batch` holds the columns of [`DnsConformer::paths`] that the table has:
    /// up to [`crate::BATCH_ROWS`] of them.
    ///
    /// # Errors
    /// [`Error::Schema`] if an attribute is of a type that OCSF does not give it.
    pub fn conform(&mut self, batch: &RecordBatch) -> Result<DnsDecoded, Error> {
        let events = Events::try_new(batch)?;
        let others = strangers(batch, CLASS)?;
        let mut rejects = Vec::new();
        for row in 0..batch.num_rows() {
            let read = match others.get(&row) {
                Some(class) => Err((RejectReason::OtherClass, class.clone())),
                None => events.read(row),
            };
            match read {
                Ok(record) => self.columns.push(&record),
                Err((reason, mut bytes)) => {
                    bytes.truncate(Reject::BYTES_MAX);
                    let offset = self.rows + row as u64;
                    rejects.push(Reject {
                        offset,
                        reason,
                        bytes,
                    });
                }
            }
        }
        let lines = batch.num_rows() as u64;
        self.rows += lines;
        Ok(DnsDecoded {
            queries: self.columns.take(),
            rejects,
            lines,
            blank_lines: 0,
            unknown_keys: 0,
        })
    }
}

/// The attributes of a batch of events.
struct Events {
    texts: Vec<(DnsField, StringArray)>,
    /// Of DNS Firewall: 1.1.0 has an attribute for it, 1.0.0-rc.2 has not.
    groups: [StringArray; 2],
    lists: StringArray,
    time: ArrayRef,
    rcode_id: ArrayRef,
    disposition_id: ArrayRef,
    answers: Option<Answers>,
}

/// Why a row is no record, and the value that it has instead.
type Bad = (RejectReason, Vec<u8>);

impl Events {
    fn try_new(batch: &RecordBatch) -> Result<Self, Error> {
        let text = |field: DnsField, paths: &[&str]| {
            let spelt = match field {
                // A number of less than twelve digits has lost its zeros.
                DnsField::AccountId => Field::AccountId,
                _ => Field::Type,
            };
            let found = first(batch, paths).and_then(|column| texts(column.as_ref(), spelt));
            found.ok_or_else(|| not_given(&paths.concat()))
        };
        let key = |field| unmapped(batch, field).ok_or_else(|| not_given(UNMAPPED));
        let number = |path: &str| {
            let column = leaf(batch, path);
            // What spells the first cell spells them all.
            let is_number = column.is_empty() || spell(NUMBER, column.as_ref(), 0).is_some();
            is_number.then_some(column).ok_or_else(|| not_given(path))
        };
        let own = TEXTS
            .iter()
            .map(|(field, paths)| Ok((*field, text(*field, paths)?)));
        Ok(Self {
            texts: own.collect::<Result<_, Error>>()?,
            groups: [
                text(DnsField::FirewallRuleGroupId, &[RULE])?,
                key(DnsField::FirewallRuleGroupId)?,
            ],
            lists: key(DnsField::FirewallDomainListId)?,
            time: number(TIME)?,
            rcode_id: number(RCODE_ID)?,
            disposition_id: number(DISPOSITION_ID)?,
            answers: Answers::try_new(batch)?,
        })
    }

    fn read(&self, row: usize) -> Result<Record<'_>, Bad> {
        let mut record = Record {
            query_timestamp: self.timestamp(row)?,
            ..Record::default()
        };
        let (mut rcode, mut disposition) = (None, None);
        for (field, column) in &self.texts {
            let Some(text) = value(column, row) else {
                continue;
            };
            let bad = || (RejectReason::BadKey(*field), text.to_vec());
            match field {
                DnsField::QueryName => record.query_name = text,
                DnsField::SrcAddr => record.srcaddr = Some(read_addr(text).ok_or_else(bad)?),
                DnsField::SrcPort => {
                    record.srcport = Some(read_port(text).ok_or_else(bad)?);
                }
                DnsField::Rcode => rcode = Some(text),
                DnsField::FirewallRuleAction => disposition = Some(text),
                _ => record.texts[field.index()] = Some(text),
            }
        }
        if record.query_name.is_empty() {
            let missing = RejectReason::MissingKey(DnsField::QueryName);
            return Err((missing, Vec::new()));
        }
        let group = self.groups.iter().find_map(|groups| value(groups, row));
        let action = self.action(row, disposition, group.is_some())?;
        let own = [
            (DnsField::Rcode, self.rcode(row)?.or(rcode)),
            (DnsField::FirewallRuleAction, action),
            (DnsField::FirewallRuleGroupId, group),
            (DnsField::FirewallDomainListId, value(&self.lists, row)),
        ];
        own.into_iter()
            .for_each(|(field, text)| record.texts[field.index()] = text);
        if let Some(answers) = &self.answers {
            record.answers = answers.read(row)?;
        }
        if bytes_of(&record) > RECORD_MAX {
            return Err((RejectReason::TooLong, record.query_name.to_vec()));
        }
        Ok(record)
    }

    /// Microseconds, of which an event has thousands.
    fn timestamp(&self, row: usize) -> Result<i64, Bad> {
        let field = DnsField::QueryTimestamp;
        let millis = number(self.time.as_ref(), row, field)?;
        let missing = (RejectReason::MissingKey(field), Vec::new());
        let millis = millis.ok_or(missing)?;
        if !(0..=MILLIS_MAX).contains(&millis) {
            let bad = RejectReason::BadKey(field);
            return Err((bad, millis.to_string().into_bytes()));
        }
        Ok(millis * 1000)
    }

    /// The name of the response code, if its number has one.
    fn rcode(&self, row: usize) -> Result<Option<&'static [u8]>, Bad> {
        let number = number(self.rcode_id.as_ref(), row, DnsField::Rcode)?;
        let name = |number| RCODES.iter().find(|(own, _)| *own == number);
        Ok(number.and_then(name).map(|(_, name)| name.as_bytes()))
    }

    /// The action of the rule that matched. Version 1.0.0-rc.2 has no number for an alert: it says that nothing was
    /// done, as it does where no rule matched, and then there is no group of rules.
    fn action(
        &self,
        row: usize,
        disposition: Option<&[u8]>,
        has_rule: bool,
    ) -> Result<Option<&'static [u8]>, Bad> {
        const BLOCKED: i64 = 2;
        const NO_ACTION: i64 = 16;
        const ALERT: i64 = 19;
        let field = DnsField::FirewallRuleAction;
        let number = number(self.disposition_id.as_ref(), row, field)?;
        Ok(match (number, disposition) {
            (Some(BLOCKED), _) | (_, Some(b"Blocked")) => Some(b"BLOCK"),
            (Some(ALERT), _) | (_, Some(b"Alert")) => Some(b"ALERT"),
            (Some(NO_ACTION), _) if has_rule => Some(b"ALERT"),
            _ => None,
        })
    }
}

/// The lists of answers.
struct Answers {
    lists: ListArray,
    rdata: StringArray,
    kinds: StringArray,
    classes: StringArray,
}

impl Answers {
    /// The lists; `None` if the table has none.
    fn try_new(batch: &RecordBatch) -> Result<Option<Self>, Error> {
        let column = leaf(batch, ANSWERS);
        if *column.data_type() == DataType::Null {
            return Ok(None);
        }
        let made = column.as_list_opt::<i32>().and_then(|lists| {
            let items = lists.values().as_struct_opt()?;
            let column = |name| match items.column_by_name(name) {
                Some(column) => texts(column.as_ref(), Field::Type),
                None => Some(StringArray::new_null(items.len())),
            };
            Some(Self {
                rdata: column("rdata")?,
                kinds: column("type")?,
                classes: column("class")?,
                lists: lists.clone(),
            })
        });
        made.map(Some).ok_or_else(|| not_given(ANSWERS))
    }

    fn read(&self, row: usize) -> Result<Option<Vec<Answer<'_>>>, Bad> {
        if self.lists.is_null(row) {
            return Ok(None);
        }
        let items = positions(self.lists.value_offsets(), row);
        if items.clone().any(|at| self.lists.values().is_null(at)) {
            return Err((RejectReason::BadKey(DnsField::Answers), b"null".to_vec()));
        }
        let answer = |at| Answer {
            rdata: value(&self.rdata, at),
            kind: value(&self.kinds, at),
            class: value(&self.classes, at),
        };
        Ok(Some(items.map(answer).collect()))
    }
}

/// What the class has no attribute for, by the key of the log, in a map or a struct. In anything else it is not read.
fn unmapped(batch: &RecordBatch, key: DnsField) -> Option<StringArray> {
    let column = leaf(batch, UNMAPPED);
    let Some(maps) = column.as_map_opt() else {
        let path = format!("{UNMAPPED}.{key}");
        return texts(leaf(batch, &path).as_ref(), Field::Type);
    };
    let keys = texts(maps.keys().as_ref(), Field::Type)?;
    let values = texts(maps.values().as_ref(), Field::Type)?;
    let of_row = |row: usize| {
        let mut entries = positions(maps.value_offsets(), row);
        let at = entries.find(|at| keys.value(*at) == key.column() && maps.is_valid(row))?;
        values.is_valid(at).then(|| values.value(at))
    };
    Some((0..maps.len()).map(of_row).collect())
}

/// Where the items of a row are.
fn positions(offsets: &[i32], row: usize) -> Range<usize> {
    let bound = |at: usize| usize::try_from(offsets[at]).unwrap_or(0);
    bound(row)..bound(row + 1)
}

/// A column as texts, whatever it is stored as; `None` if its cells are neither texts nor numbers.
fn texts(column: &dyn Array, field: Field) -> Option<StringArray> {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Some(texts.clone());
    }
    let rows = 0..column.len();
    rows.map(|row| spell(field, column, row).map(Some))
        .collect()
}

/// The text of a cell; nothing and `-` are none.
fn value(texts: &StringArray, row: usize) -> Option<&[u8]> {
    let text = texts.is_valid(row).then(|| texts.value(row));
    text.filter(|text| !matches!(*text, "" | "-"))
        .map(str::as_bytes)
}

fn not_given(path: &str) -> Error {
    Error::Schema {
        column: path.to_owned(),
        expected: "OCSF gives it",
    }
}

/// Bytes of all texts of a record.
fn bytes_of(record: &Record<'_>) -> usize {
    let answers = record.answers.iter().flatten();
    let of_answers = answers.flat_map(|own| [own.rdata, own.kind, own.class]);
    let texts = record.texts.into_iter().chain(of_answers).flatten();
    record.query_name.len() + texts.map(<[u8]>::len).sum::<usize>()
}

/// A column in which [`spell`] takes numbers.
const NUMBER: Field = Field::Bytes;

/// A number; `-` and nothing are none.
fn number(column: &dyn Array, row: usize, field: DnsField) -> Result<Option<i64>, Bad> {
    if column.is_null(row) {
        return Ok(None);
    }
    if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        return Ok(Some(numbers.value(row)));
    }
    if let Some(numbers) = column.as_primitive_opt::<Int32Type>() {
        return Ok(Some(numbers.value(row).into()));
    }
    match spell(NUMBER, column, row).as_deref() {
        None | Some("-") => Ok(None),
        Some(text) => {
            let bad = |_| (RejectReason::BadKey(field), text.as_bytes().to_vec());
            text.parse().map(Some).map_err(bad)
        }
    }
}

#[cfg(test)]
mod tests;
