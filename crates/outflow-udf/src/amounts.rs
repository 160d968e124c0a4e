//! Functions of amounts of bytes.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Float64Array, Int64Array, StringViewArray};
use datafusion_common::Result;

use crate::about::{About, Argument, Kind};
use crate::addresses::ADDR;
use crate::arguments::{Last, addr, doubles, longs, text, texts};
use crate::scalar::Scalar;

const fn long(name: &'static str, tells: &'static str) -> Argument {
    Argument {
        name,
        kind: Kind::Long,
        tells,
    }
}

static PAYLOAD_BYTES: About = About {
    name: "payload_bytes",
    arguments: &[
        long("bytes", "bytes of a record"),
        long("packets", "its packets"),
        long("protocol", "its protocol, an IANA number"),
        ADDR,
    ],
    optional: &[],
    returns: Kind::Long,
    tells: "Bytes beyond the headers of the packets, which is what carries data: an IP header of the address's family and \
            32 bytes of TCP, 8 of UDP or ICMP. So the acknowledgements of a download count for nothing. `flows` has it as a column.",
    fails: "",
    example: "SELECT payload_bytes(5200, 100, 6, '10.0.0.1')",
    answer: "0",
};

static PCR: About = About {
    name: "pcr",
    arguments: &[
        Argument {
            name: "up",
            kind: Kind::Double,
            tells: "bytes sent",
        },
        Argument {
            name: "down",
            kind: Kind::Double,
            tells: "bytes received",
        },
    ],
    optional: &[],
    returns: Kind::Double,
    tells: "The producer-consumer ratio, (up - down) / (up + down): 1 for a pure upload, -1 for a pure download \
            (Bullard and Gerth, 2014). Null where nothing flowed.",
    fails: "",
    example: "SELECT pcr(900, 100)",
    answer: "0.8",
};

static HUMAN_BYTES: About = About {
    name: "human_bytes",
    arguments: &[long("bytes", "an amount")],
    optional: &[],
    returns: Kind::Text,
    tells: "An amount of bytes for people, in powers of 1000. Sort by the number, not by this.",
    fails: "",
    example: "SELECT human_bytes(1234567)",
    answer: "1.2 MB",
};

pub(crate) fn all() -> Vec<(&'static About, Scalar)> {
    vec![
        (&PAYLOAD_BYTES, Scalar::new(&PAYLOAD_BYTES, payload_bytes)),
        (&PCR, Scalar::new(&PCR, pcr)),
        (&HUMAN_BYTES, Scalar::new(&HUMAN_BYTES, human_bytes)),
    ]
}

fn payload_bytes(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (bytes, packets) = (longs(columns, 0)?, longs(columns, 1)?);
    let (protocols, addrs) = (longs(columns, 2)?, texts(columns, 3)?);
    let mut last = Last::new();
    let mut payload = |row: usize| {
        let number = |of: &Int64Array| of.is_valid(row).then(|| of.value(row));
        let is_ipv6 = last.of(text(addrs, row)?, |text| Some(!addr(text)?.is_ipv4()))?;
        let protocol = u8::try_from(number(protocols)?).ok()?;
        let (bytes, packets) = (number(bytes)?, number(packets)?);
        let (bytes, packets) = (u64::try_from(bytes).ok()?, u64::try_from(packets).ok()?);
        i64::try_from(outflow_enrich::payload_bytes(
            protocol, is_ipv6, bytes, packets,
        ))
        .ok()
    };
    let all: Int64Array = (0..bytes.len()).map(&mut payload).collect();
    Ok(Arc::new(all))
}

fn pcr(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (up, down) = (doubles(columns, 0)?, doubles(columns, 1)?);
    let ratio = |(up, down): (Option<f64>, Option<f64>)| {
        let (up, down) = (up?, down?);
        (up + down > 0.0).then(|| (up - down) / (up + down))
    };
    Ok(Arc::new(
        up.iter().zip(down).map(ratio).collect::<Float64Array>(),
    ))
}

fn human_bytes(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let human = |bytes: Option<i64>| {
        let bytes = bytes?;
        let sign = if bytes < 0 { "-" } else { "" };
        Some(format!(
            "{sign}{}",
            outflow_finding::human_bytes(bytes.unsigned_abs())
        ))
    };
    let texts: StringViewArray = longs(columns, 0)?.iter().map(human).collect();
    Ok(Arc::new(texts))
}
