//! The columns of the batch under way.

use std::sync::Arc;

use arrow_array::builder::{TimestampMicrosecondBuilder, UInt16Builder};
use arrow_array::{ArrayRef, FixedSizeBinaryArray, ListArray, RecordBatch, StructArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};

use super::batch::{answer_fields, answer_item, dns_schema};
use super::record::{Answer, Record};
use super::texts::{Strings, Texts, to_i32};
use super::{DnsBatch, DnsField};
use crate::{Addr, BATCH_ROWS};

/// All columns, which have the same number of rows.
#[derive(Debug)]
pub(super) struct Columns {
    timestamps: TimestampMicrosecondBuilder,
    names: Strings,
    answers: Answers,
    addrs: Addrs,
    ports: UInt16Builder,
    texts: Vec<(DnsField, Texts)>,
}

impl Columns {
    pub(super) fn new() -> Self {
        let timestamp = DnsField::QueryTimestamp.data_type();
        let texts = DnsField::ALL.iter().filter(|field| field.is_text());
        Self {
            timestamps: TimestampMicrosecondBuilder::new().with_data_type(timestamp),
            names: Strings::new(),
            answers: Answers::new(),
            addrs: Addrs::new(),
            ports: UInt16Builder::new(),
            texts: texts.map(|field| (*field, Texts::new())).collect(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.names.len()
    }

    /// Adds a row.
    #[inline]
    pub(super) fn push(&mut self, record: &Record<'_>) {
        self.timestamps.append_value(record.query_timestamp);
        let name = match record.query_name {
            [name @ .., b'.'] if !name.is_empty() => name,
            name => name,
        };
        self.names.push(name);
        self.answers.push(record.answers.as_deref());
        self.addrs.push(record.srcaddr);
        self.ports.append_option(record.srcport);
        for (field, column) in &mut self.texts {
            if record.repeats & field.bit() != 0 && column.repeat() {
                continue;
            }
            column.push(record.texts[field.index()]);
        }
    }

    /// The rows as a batch.
    pub(super) fn take(&mut self) -> DnsBatch {
        let mut texts = self.texts.iter_mut();
        let mut column = |field: &DnsField| -> ArrayRef {
            match field {
                DnsField::QueryTimestamp => Arc::new(self.timestamps.finish()),
                DnsField::QueryName => {
                    let mut names = self.names.take();
                    names.make_ascii_lowercase();
                    Arc::new(names.into_array(None))
                }
                DnsField::Answers => Arc::new(self.answers.take()),
                DnsField::SrcAddr => Arc::new(self.addrs.take()),
                DnsField::SrcPort => Arc::new(self.ports.finish()),
                _ => match texts.next() {
                    Some((_, column)) => column.take(),
                    None => unreachable!("a text column for each text field"),
                },
            }
        };
        let columns = DnsField::ALL.iter().map(&mut column).collect();
        RecordBatch::try_new(dns_schema(), columns)
            .map_err(|error| error.to_string())
            .and_then(|batch| DnsBatch::try_new(batch).map_err(|error| error.to_string()))
            .unwrap_or_else(|error| unreachable!("own columns: {error}"))
    }
}

/// Addresses of 16 bytes, zeros where there is none.
#[derive(Debug)]
struct Addrs {
    values: Vec<[u8; 16]>,
    nulls: NullBufferBuilder,
}

impl Addrs {
    fn new() -> Self {
        Self {
            values: Vec::with_capacity(BATCH_ROWS),
            nulls: NullBufferBuilder::new(BATCH_ROWS),
        }
    }

    #[inline]
    fn push(&mut self, addr: Option<Addr>) {
        self.values.push(addr.unwrap_or_default().bytes());
        self.nulls.append(addr.is_some());
    }

    fn take(&mut self) -> FixedSizeBinaryArray {
        let Self { values, mut nulls } = std::mem::replace(self, Self::new());
        let bytes = Buffer::from_vec(values.into_flattened());
        FixedSizeBinaryArray::new(16, bytes, nulls.finish())
    }
}

/// Lists of answers.
#[derive(Debug)]
struct Answers {
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
    rdata: Strings,
    rdata_nulls: NullBufferBuilder,
    kinds: Texts,
    classes: Texts,
}

impl Answers {
    fn new() -> Self {
        Self {
            ends: vec![0],
            nulls: NullBufferBuilder::new(BATCH_ROWS),
            rdata: Strings::new(),
            rdata_nulls: NullBufferBuilder::new(BATCH_ROWS),
            kinds: Texts::new(),
            classes: Texts::new(),
        }
    }

    #[inline]
    fn push(&mut self, answers: Option<&[Answer<'_>]>) {
        for answer in answers.unwrap_or_default() {
            self.rdata.push(answer.rdata.unwrap_or_default());
            self.rdata_nulls.append(answer.rdata.is_some());
            self.kinds.push(answer.kind);
            self.classes.push(answer.class);
        }
        self.ends.push(to_i32(self.rdata.len()));
        self.nulls.append(answers.is_some());
    }

    fn take(&mut self) -> ListArray {
        let rdata = self.rdata.take().into_array(self.rdata_nulls.finish());
        let columns: Vec<ArrayRef> = vec![Arc::new(rdata), self.kinds.take(), self.classes.take()];
        let items = StructArray::new(answer_fields(), columns, None);
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
        ListArray::new(answer_item(), ends, Arc::new(items), self.nulls.finish())
    }
}
