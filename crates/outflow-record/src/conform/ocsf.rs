//! Records of OCSF's class Network Activity (4001), as Security Lake makes them of flow logs, put back into the
//! columns that they were made of.
//!
//! What a record does not keep of a flow log (its ECS fields, for one) is absent. The address in a packet is the
//! endpoint's, and the first intermediate one what the interface saw.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Int32Array, Int64Array, NullArray,
    PrimitiveArray, RecordBatch, StringArray,
};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Schema};
use arrow_select::zip::zip;

use super::cell::spell;
use crate::{Error, Field};

/// What a column is made of.
enum Of {
    /// The text or number at the first of the paths that has one.
    First(&'static [&'static str]),
    /// The first text in the list at a path, or else the text at another.
    Hop(&'static str, &'static str),
    /// Milliseconds at the first of the paths that has some.
    Millis(&'static [&'static str]),
    /// A number that stands for a text.
    Named(&'static str, &'static [(i64, &'static str)]),
    /// A boundary that stands for a path of traffic.
    Boundary(&'static str),
}

/// The columns, and what each is made of: version 1.0.0-rc.2 and, where it differs, 1.1.0 of OCSF.
const COLUMNS: [(Field, Of); 27] = [
    (Field::Version, Of::First(&["metadata.product.version"])),
    (
        Field::AccountId,
        Of::First(&["cloud.account.uid", "cloud.account_uid"]),
    ),
    (
        Field::InterfaceId,
        Of::First(&["src_endpoint.interface_uid", "dst_endpoint.interface_uid"]),
    ),
    (
        Field::SrcAddr,
        Of::Hop("src_endpoint.intermediate_ips", "src_endpoint.ip"),
    ),
    (
        Field::DstAddr,
        Of::Hop("dst_endpoint.intermediate_ips", "dst_endpoint.ip"),
    ),
    (Field::SrcPort, Of::First(&["src_endpoint.port"])),
    (Field::DstPort, Of::First(&["dst_endpoint.port"])),
    (
        Field::Protocol,
        Of::First(&["connection_info.protocol_num"]),
    ),
    (Field::Packets, Of::First(&["traffic.packets"])),
    (Field::Bytes, Of::First(&["traffic.bytes"])),
    (Field::Start, Of::Millis(&["start_time", "time"])),
    (Field::End, Of::Millis(&["end_time"])),
    (
        Field::Action,
        Of::Named("activity_id", &[(6, "ACCEPT"), (5, "REJECT")]),
    ),
    (Field::LogStatus, Of::First(&["status_code"])),
    (
        Field::VpcId,
        Of::First(&["src_endpoint.vpc_uid", "dst_endpoint.vpc_uid"]),
    ),
    (
        Field::SubnetId,
        Of::First(&["src_endpoint.subnet_uid", "dst_endpoint.subnet_uid"]),
    ),
    (
        Field::InstanceId,
        Of::First(&["src_endpoint.instance_uid", "dst_endpoint.instance_uid"]),
    ),
    (Field::TcpFlags, Of::First(&["connection_info.tcp_flags"])),
    (Field::Type, Of::First(&["connection_info.protocol_ver"])),
    (Field::PktSrcAddr, Of::First(&["src_endpoint.ip"])),
    (Field::PktDstAddr, Of::First(&["dst_endpoint.ip"])),
    (Field::Region, Of::First(&["cloud.region"])),
    (Field::AzId, Of::First(&["cloud.zone"])),
    (
        Field::FlowDirection,
        Of::Named(
            "connection_info.direction_id",
            &[(1, "ingress"), (2, "egress")],
        ),
    ),
    (
        Field::TrafficPath,
        Of::Boundary("connection_info.boundary_id"),
    ),
    (
        Field::PktSrcAwsService,
        Of::First(&["src_endpoint.svc_name"]),
    ),
    (
        Field::PktDstAwsService,
        Of::First(&["dst_endpoint.svc_name"]),
    ),
];

/// The attribute that says an event's class.
const CLASS_UID: &str = "class_uid";

/// The class Network Activity.
pub(super) const CLASS: i64 = 4001;

/// The boundaries of the paths 1 to 8, in their order; others stand for none.
const BOUNDARIES: std::ops::RangeInclusive<i64> = 4..=11;

impl Of {
    fn paths(&self) -> Vec<&'static str> {
        match self {
            Self::First(paths) | Self::Millis(paths) => paths.to_vec(),
            Self::Hop(list, text) => vec![list, text],
            Self::Named(path, _) | Self::Boundary(path) => vec![path],
        }
    }
}

/// Whether a table holds events of OCSF.
pub(crate) fn holds_events(schema: &Schema) -> bool {
    ["class_uid", "category_uid", "metadata"]
        .iter()
        .all(|name| schema.field_with_name(name).is_ok())
}

/// The columns to read.
///
/// # Errors
/// [`Error::Undecidable`] if the events are of another class.
pub(super) fn paths(schema: &Schema) -> Result<Vec<String>, Error> {
    let has = |name| schema.field_with_name(name).is_ok();
    if !(has("traffic") && has("connection_info") && has("src_endpoint")) {
        return Err(Error::Undecidable {
            reason: "its records are of another class of OCSF than Network Activity (4001) and DNS Activity (4003)"
                .to_owned(),
        });
    }
    let paths = COLUMNS.iter().flat_map(|(_, of)| of.paths());
    Ok(paths.chain([CLASS_UID]).map(str::to_owned).collect())
}

/// The rows of another class than this, and what they have for it. A row that does not say its class is none.
///
/// # Errors
/// [`Error::Schema`] if classes are neither numbers nor texts.
pub(crate) fn strangers(
    events: &RecordBatch,
    class: i64,
) -> Result<BTreeMap<usize, Vec<u8>>, Error> {
    let column = leaf(events, CLASS_UID);
    if let Some(classes) = column.as_primitive_opt::<Int32Type>()
        && classes.null_count() == 0
        && classes.values().iter().all(|own| i64::from(*own) == class)
    {
        return Ok(BTreeMap::new());
    }
    let (class, mut others) = (class.to_string(), BTreeMap::new());
    for row in 0..events.num_rows() {
        let spelt = spell(Field::Type, column.as_ref(), row).ok_or_else(|| Error::Schema {
            column: CLASS_UID.to_owned(),
            expected: "a number",
        })?;
        if spelt != class && spelt != "-" {
            others.insert(row, spelt.into_owned().into_bytes());
        }
    }
    Ok(others)
}

/// The columns that [`flat`] makes. Their types are those of the events.
pub(super) fn schema() -> Schema {
    let column =
        |(field, _): &(Field, Of)| arrow_schema::Field::new(field.column(), DataType::Utf8, true);
    Schema::new(COLUMNS.iter().map(column).collect::<Vec<_>>())
}

/// A batch of events as the columns of a flow log.
///
/// # Errors
/// [`Error::Schema`] if an attribute is of a type that OCSF does not give it.
pub(super) fn flat(events: &RecordBatch) -> Result<RecordBatch, Error> {
    let column = |(field, of): &(Field, Of)| {
        let made = of.make(events).ok_or_else(|| Error::Schema {
            column: of.paths().concat(),
            expected: "OCSF gives it",
        });
        Ok((field.column(), made?))
    };
    let columns = COLUMNS
        .iter()
        .map(column)
        .collect::<Result<Vec<_>, Error>>()?;
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    );
    Ok(batch.unwrap_or_else(|error| unreachable!("as many rows as there are events: {error}")))
}

impl Of {
    /// The column; `None` if what it is made of is of another type.
    fn make(&self, events: &RecordBatch) -> Option<ArrayRef> {
        match self {
            Self::First(paths) => first(events, paths),
            Self::Millis(paths) => {
                let millis = wide(&first(events, paths)?)?;
                let secs = millis.unary::<_, Int64Type>(|millis| millis.div_euclid(1000));
                Some(Arc::new(secs))
            }
            Self::Hop(list, text) => hop(events, list, text),
            Self::Named(path, names) => {
                let numbers = wide(&leaf(events, path))?;
                let name = |number: i64| names.iter().find(|(own, _)| *own == number);
                let texts = numbers.iter().map(|number| Some(name(number?)?.1));
                Some(Arc::new(texts.collect::<StringArray>()))
            }
            Self::Boundary(path) => {
                let numbers = wide(&leaf(events, path))?;
                let path = |number: i64| {
                    let stands = BOUNDARIES.contains(&number);
                    i32::try_from(stands.then(|| number - BOUNDARIES.start() + 1)?).ok()
                };
                let paths = numbers.iter().map(|number| path(number?));
                Some(Arc::new(paths.collect::<Int32Array>()))
            }
        }
    }
}

/// The attribute at a path, null where there is none.
pub(crate) fn leaf(events: &RecordBatch, path: &str) -> ArrayRef {
    let mut names = path.split('.');
    let mut at = names.next().and_then(|name| events.column_by_name(name));
    for name in names {
        at = at.and_then(|parent| parent.as_struct_opt()?.column_by_name(name));
    }
    at.map_or_else(
        || Arc::new(NullArray::new(events.num_rows())) as ArrayRef,
        Arc::clone,
    )
}

/// Integers of whatever width: writers of OCSF do not agree on it. What does not fit is null, as nothing stands for
/// such a number; `None` if the column holds something else.
fn wide(numbers: &ArrayRef) -> Option<Int64Array> {
    fn of<P: ArrowPrimitiveType<Native: TryInto<i64>>>(numbers: &ArrayRef) -> Option<Int64Array> {
        let numbers: &PrimitiveArray<P> = numbers.as_primitive_opt()?;
        Some(numbers.unary_opt(|number| number.try_into().ok()))
    }
    match numbers.data_type() {
        DataType::Null => Some(Int64Array::new_null(numbers.len())),
        DataType::Int8 => of::<Int8Type>(numbers),
        DataType::Int16 => of::<Int16Type>(numbers),
        DataType::Int32 => of::<Int32Type>(numbers),
        DataType::Int64 => of::<Int64Type>(numbers),
        DataType::UInt8 => of::<UInt8Type>(numbers),
        DataType::UInt16 => of::<UInt16Type>(numbers),
        DataType::UInt32 => of::<UInt32Type>(numbers),
        DataType::UInt64 => of::<UInt64Type>(numbers),
        _ => None,
    }
}

/// In each row, the first of the attributes that is there.
pub(crate) fn first(events: &RecordBatch, paths: &[&str]) -> Option<ArrayRef> {
    let leaves = paths.iter().map(|path| leaf(events, path));
    let mut there = leaves.filter(|leaf| *leaf.data_type() != DataType::Null);
    let Some(mut made) = there.next() else {
        return Some(Arc::new(NullArray::new(events.num_rows())));
    };
    for mut next in there {
        if made.data_type() != next.data_type()
            && let (Some(own), Some(other)) = (wide(&made), wide(&next))
        {
            (made, next) = (Arc::new(own), Arc::new(other));
        }
        let valid = BooleanBuffer::collect_bool(made.len(), |row| made.is_valid(row));
        made = zip(&BooleanArray::from(valid), &made, &next).ok()?;
    }
    Some(made)
}

/// In each row, the first text of a list, or else a text.
fn hop(events: &RecordBatch, list: &str, text: &str) -> Option<ArrayRef> {
    let (lists, texts) = (leaf(events, list), leaf(events, text));
    if *lists.data_type() == DataType::Null {
        return Some(texts);
    }
    let lists = lists.as_list_opt::<i32>()?;
    let hops = lists.values().as_string_opt::<i32>()?;
    let texts = texts.as_string_opt::<i32>()?;
    let hop = |row: usize| {
        let at = usize::try_from(lists.value_offsets()[row]).ok()?;
        let any = lists.is_valid(row) && lists.value_length(row) > 0 && hops.is_valid(at);
        any.then(|| hops.value(at))
    };
    let own = |row: usize| texts.is_valid(row).then(|| texts.value(row));
    let rows = (0..events.num_rows()).map(|row| hop(row).or_else(|| own(row)));
    Some(Arc::new(rows.collect::<StringArray>()))
}

#[cfg(test)]
mod tests;
