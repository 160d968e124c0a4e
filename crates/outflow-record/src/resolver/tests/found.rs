//! All that was found in a text, batch borders forgotten, in a form that can be compared.

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayAccessor as _, DictionaryArray, StringArray};

use crate::resolver::record::{Answer, Record};
use crate::{Addr, DnsDecoded, DnsField, Reject, RejectReason};

type Text = Option<String>;

#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Row {
    pub query_timestamp: i64,
    pub query_name: String,
    pub texts: Vec<(DnsField, String)>,
    pub answers: Option<Vec<[Text; 3]>>,
    pub srcaddr: Option<Addr>,
    pub srcport: Option<u16>,
}

impl Row {
    pub(super) fn of_record(record: &Record<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let name = text(record.query_name).to_ascii_lowercase();
        let dotless = name.strip_suffix('.').filter(|name| !name.is_empty());
        let texts = DnsField::ALL
            .iter()
            .filter_map(|field| Some((*field, text(record.texts[field.index()]?))));
        let answer = |answer: &Answer<'_>| {
            [answer.rdata, answer.kind, answer.class].map(|part| part.map(text))
        };
        Self {
            query_timestamp: record.query_timestamp,
            query_name: dotless.unwrap_or(&name).to_owned(),
            texts: texts.collect(),
            answers: record
                .answers
                .as_ref()
                .map(|all| all.iter().map(answer).collect()),
            srcaddr: record.srcaddr,
            srcport: record.srcport,
        }
    }

    pub(super) fn text(&self, field: DnsField) -> Option<&str> {
        let found = self.texts.iter().find(|(own, _)| *own == field);
        found.map(|(_, text)| text.as_str())
    }
}

#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Found {
    pub rows: Vec<Row>,
    pub rejects: Vec<Reject>,
    pub blank_lines: u64,
    pub unknown_keys: u64,
}

impl Found {
    pub(super) fn push(&mut self, row: Row, unknown_key: bool) {
        self.rows.push(row);
        self.unknown_keys += u64::from(unknown_key);
    }

    pub(super) fn reject(&mut self, offset: usize, reason: RejectReason, text: &[u8]) {
        self.rejects.push(Reject {
            offset: offset as u64,
            reason,
            bytes: text[..text.len().min(Reject::BYTES_MAX)].to_vec(),
        });
    }

    pub(super) fn reasons(&self) -> Vec<String> {
        self.rejects
            .iter()
            .map(|reject| reject.reason.to_string())
            .collect()
    }

    pub(super) fn absorb(&mut self, decoded: DnsDecoded) {
        let rows = decoded.queries.num_rows();
        assert_eq!(
            decoded.lines,
            (rows + decoded.rejects.len()) as u64,
            "the books reconcile"
        );
        self.rows.extend((0..rows).map(|row| row_of(&decoded, row)));
        self.rejects.extend(decoded.rejects);
        self.blank_lines += decoded.blank_lines;
        self.unknown_keys += decoded.unknown_keys;
    }

    /// Without the difference between the ways in which something is no JSON.
    pub(super) fn coarse(mut self) -> Self {
        use RejectReason::{NotJson, NotUtf8, TooLong, Truncated};
        for reject in &mut self.rejects {
            if matches!(reject.reason, NotUtf8 | TooLong | Truncated) {
                reject.reason = NotJson;
            }
        }
        self
    }
}

fn row_of(decoded: &DnsDecoded, row: usize) -> Row {
    let queries = &decoded.queries;
    let texts = DnsField::ALL.iter().filter_map(|field| {
        let text = dictionary_text(queries.texts(*field)?, row)?;
        Some((*field, text))
    });
    let answers = queries.answers();
    Row {
        query_timestamp: queries.query_timestamps().value(row),
        query_name: queries.query_names().value(row).to_owned(),
        texts: texts.collect(),
        answers: answers.is_valid(row).then(|| {
            let items = answers.value(row);
            let parts = items.as_struct();
            let answer = |at| {
                let rdata: &StringArray = parts.column(0).as_string();
                [
                    rdata.is_valid(at).then(|| rdata.value(at).to_owned()),
                    dictionary_text(parts.column(1).as_dictionary(), at),
                    dictionary_text(parts.column(2).as_dictionary(), at),
                ]
            };
            (0..items.len()).map(answer).collect()
        }),
        srcaddr: queries
            .srcaddrs()
            .is_valid(row)
            .then(|| Addr::from_bytes(queries.srcaddrs().value(row).try_into().unwrap())),
        srcport: queries
            .srcports()
            .is_valid(row)
            .then(|| queries.srcports().value(row)),
    }
}

fn dictionary_text(column: &DictionaryArray<arrow_array::types::Int32Type>, row: usize) -> Text {
    let values = column.downcast_dict::<StringArray>().unwrap();
    column.is_valid(row).then(|| values.value(row).to_owned())
}
