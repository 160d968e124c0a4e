//! Queries of the resolver, from the rows of a batch to the meter of what names carry.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayAccessor as _, FixedSizeBinaryArray, ListArray, PrimitiveArray, RecordBatch,
    StringArray, TypedDictionaryArray,
};
use outflow_detect::{Query, QueryNumber};
use outflow_enrich::Origin;
use outflow_lake::Partition;
use outflow_record::{Addr, DnsField, Timestamp};

const MICROS: i64 = 1_000_000;

/// Rows of one object that were metered, by the worker's number of the client.
#[derive(Debug, Default)]
pub(super) struct AskedRows {
    pub(super) rows: BTreeMap<QueryNumber, u32>,
    pub(super) span: Option<(i64, i64)>,
}

impl AskedRows {
    pub(super) fn add(&mut self, client: QueryNumber, at: Timestamp) {
        let rows = self.rows.entry(client).or_default();
        *rows = rows.saturating_add(1);
        let (first, last) = self.span.unwrap_or((at.secs(), at.secs()));
        self.span = Some((first.min(at.secs()), last.max(at.secs())));
    }
}

/// Texts, as they are decoded or as they are stored.
enum Texts<'b> {
    Plain(&'b StringArray),
    Keyed(TypedDictionaryArray<'b, Int32Type, StringArray>),
}

impl<'b> Texts<'b> {
    fn of(column: &'b dyn Array) -> Option<Self> {
        match column.as_dictionary_opt::<Int32Type>() {
            Some(keyed) => keyed.downcast_dict().map(Self::Keyed),
            None => column.as_string_opt().map(Self::Plain),
        }
    }

    fn at(&self, row: usize) -> Option<&'b str> {
        match self {
            Self::Plain(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Keyed(texts) => texts.is_valid(row).then(|| texts.value(row)),
        }
    }
}

/// Addresses, as they are decoded or as they are stored.
enum Addrs<'b> {
    Bytes(&'b FixedSizeBinaryArray),
    Texts(Texts<'b>),
}

impl<'b> Addrs<'b> {
    fn of(column: &'b dyn Array) -> Option<Self> {
        let bytes = column.as_fixed_size_binary_opt().map(Self::Bytes);
        bytes.or_else(|| Texts::of(column).map(Self::Texts))
    }

    fn at(&self, row: usize) -> Option<Addr> {
        match self {
            Self::Bytes(bytes) => {
                let bytes = bytes.is_valid(row).then(|| bytes.value(row))?;
                <[u8; 16]>::try_from(bytes).ok().map(Addr::from_bytes)
            }
            Self::Texts(texts) => texts.at(row)?.parse().ok(),
        }
    }
}

/// The columns that metering reads.
pub(super) const COLUMNS: [DnsField; 9] = [
    DnsField::AccountId,
    DnsField::VpcId,
    DnsField::QueryTimestamp,
    DnsField::QueryName,
    DnsField::QueryType,
    DnsField::Rcode,
    DnsField::Answers,
    DnsField::SrcAddr,
    DnsField::Instance,
];

/// Queries in the columns of a batch, decoded or stored.
pub(super) struct Rows<'b> {
    times: &'b PrimitiveArray<TimestampMicrosecondType>,
    accounts: Texts<'b>,
    /// Stored rows have their region beside them.
    regions: Option<Texts<'b>>,
    vpcs: Texts<'b>,
    names: Texts<'b>,
    types: Texts<'b>,
    rcodes: Texts<'b>,
    instances: Texts<'b>,
    srcaddrs: Addrs<'b>,
    answers: &'b ListArray,
    rdata: Texts<'b>,
}

impl<'b> Rows<'b> {
    /// `None` if the batch has other columns.
    pub(super) fn of(batch: &'b RecordBatch) -> Option<Self> {
        let column = |field: DnsField| batch.column_by_name(field.column()).map(AsRef::as_ref);
        let texts = |field| Texts::of(column(field)?);
        let answers = column(DnsField::Answers)?.as_list_opt::<i32>()?;
        Some(Self {
            times: column(DnsField::QueryTimestamp)?.as_primitive_opt()?,
            accounts: texts(DnsField::AccountId)?,
            regions: texts(DnsField::Region),
            vpcs: texts(DnsField::VpcId)?,
            names: texts(DnsField::QueryName)?,
            types: texts(DnsField::QueryType)?,
            rcodes: texts(DnsField::Rcode)?,
            instances: texts(DnsField::Instance)?,
            srcaddrs: Addrs::of(column(DnsField::SrcAddr)?)?,
            rdata: Texts::of(answers.values().as_struct_opt()?.column(0).as_ref())?,
            answers,
        })
    }

    /// The query of a row; an object's name may tell what the row does not. `region` is that of the object, or of stored
    /// rows.
    pub(super) fn at<'q>(
        &self,
        row: usize,
        origin: &'q Origin,
        region: Option<&'q str>,
    ) -> Option<Query<'q>>
    where
        'b: 'q,
    {
        let text = |of: &Texts<'b>| of.at(row).unwrap_or_default();
        let own = self.regions.as_ref().and_then(|of| of.at(row));
        // What has not the form of a region is none, as it is in a lake.
        let region = own.or(region).filter(|own| Partition::is_region(own));
        let account_id = self.accounts.at(row).or(origin.account_id.as_deref());
        Some(Query {
            account_id: account_id.unwrap_or_default(),
            region: region.unwrap_or_default(),
            vpc_id: text(&self.vpcs),
            instance: self.instances.at(row),
            srcaddr: self.srcaddrs.at(row),
            at: Timestamp(self.times.value(row).div_euclid(MICROS)),
            name: self.names.at(row)?,
            query_type: text(&self.types),
            rcode: text(&self.rcodes),
            answer_bytes: self.answer_bytes(row),
        })
    }

    fn answer_bytes(&self, row: usize) -> u64 {
        if self.answers.is_null(row) {
            return 0;
        }
        let offsets = self.answers.value_offsets();
        let bound = |at: usize| usize::try_from(offsets[at]).unwrap_or(0);
        let data = (bound(row)..bound(row + 1)).filter_map(|at| self.rdata.at(at));
        data.map(|rdata| rdata.len() as u64).sum()
    }
}
