//! Functions of what a context tells: countries, networks, services, owners.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Int64Array, StringViewArray};
use datafusion_common::{Result, exec_datafusion_err};
use outflow_record::Timestamp;

use crate::about::{About, Argument, Kind};
use crate::addresses::ADDR;
use crate::arguments::{Last, addr, map_text, text, texts, times};
use crate::functions::Known;
use crate::scalar::Scalar;

const NO_DATABASE: &str =
    "without a database of countries or networks (.mmdb) in the folder of --context";

static COUNTRY: About = About {
    name: "country",
    arguments: &[ADDR],
    optional: &[],
    returns: Kind::Text,
    tells: "The country of an address, ISO 3166-1 alpha-2, by the databases of the context. Null where they do not tell.",
    fails: NO_DATABASE,
    example: "SELECT country(remote_addr), sum(payload_bytes) FROM flows WHERE counted GROUP BY 1",
    answer: "",
};

static ASN: About = About {
    name: "asn",
    arguments: &[ADDR],
    optional: &[],
    returns: Kind::Long,
    tells: "The number of the autonomous system that announces an address, by the databases of the context. Null where they \
            do not tell.",
    fails: NO_DATABASE,
    example: "SELECT DISTINCT asn(remote_addr) FROM flows",
    answer: "",
};

static AWS_SERVICE: About = About {
    name: "aws_service",
    arguments: &[ADDR],
    optional: &[],
    returns: Kind::Text,
    tells: "The AWS service whose published ranges hold an address, the narrowest range first; `AMAZON` for what no service \
            names as its own. Null outside of AWS.",
    fails: "without AWS's ranges (ip-ranges.json) in the folder of --context",
    example: "SELECT aws_service(remote_addr), count(*) FROM flows GROUP BY 1",
    answer: "",
};

static OWNER_AT: About = About {
    name: "owner_at",
    arguments: &[
        Argument {
            name: "interface_id",
            kind: Kind::Text,
            tells: "an interface",
        },
        Argument {
            name: "time",
            kind: Kind::Time,
            tells: "as of when",
        },
    ],
    optional: &[],
    returns: Kind::Text,
    tells: "What an interface belonged to at a time, by the inventory of the context: the part of it that outlives it, as \
            `workload` in `flows`. Null for interfaces that it does not have.",
    fails: "without an inventory in the folder of --context",
    example: "SELECT DISTINCT interface_id, owner_at(interface_id, start) FROM flows",
    answer: "",
};

pub(crate) fn all(known: &Arc<Known>) -> Vec<(&'static About, Scalar)> {
    let with = |about: &'static About, work: fn(&Known, &[ArrayRef]) -> Result<ArrayRef>| {
        let known = Arc::clone(known);
        let scalar = Scalar::new(about, move |columns: &[ArrayRef]| work(&known, columns));
        (about, scalar)
    };
    vec![
        with(&COUNTRY, country),
        with(&ASN, asn),
        with(&AWS_SERVICE, aws_service),
        with(&OWNER_AT, owner_at),
    ]
}

/// An answer without what it needs would be a guess.
fn needs(about: &About, there: bool) -> Result<()> {
    let lacking = || exec_datafusion_err!("`{}` can tell nothing {}", about.name, about.fails);
    there.then_some(()).ok_or_else(lacking)
}

fn country(known: &Known, columns: &[ArrayRef]) -> Result<ArrayRef> {
    needs(&COUNTRY, known.geo.sources().next().is_some())?;
    let country = |text: &str| {
        known
            .geo
            .lookup(addr(text)?)
            .country_code
            .map(str::to_owned)
    };
    Ok(Arc::new(map_text(texts(columns, 0)?, country)))
}

fn asn(known: &Known, columns: &[ArrayRef]) -> Result<ArrayRef> {
    needs(&ASN, known.geo.sources().next().is_some())?;
    let addrs = texts(columns, 0)?;
    let mut last = Last::new();
    let number = |text: &str| known.geo.lookup(addr(text)?).asn.map(i64::from);
    let numbers: Int64Array = (0..addrs.len())
        .map(|row| last.of(text(addrs, row)?, number))
        .collect();
    Ok(Arc::new(numbers))
}

fn aws_service(known: &Known, columns: &[ArrayRef]) -> Result<ArrayRef> {
    needs(&AWS_SERVICE, known.ranges.is_some())?;
    let service = |text: &str| {
        let range = known.ranges.as_ref()?.lookup(addr(text)?)?;
        Some(range.service.to_string())
    };
    Ok(Arc::new(map_text(texts(columns, 0)?, service)))
}

fn owner_at(known: &Known, columns: &[ArrayRef]) -> Result<ArrayRef> {
    let has = known.inventory.interfaces.ids().next().is_some();
    needs(&OWNER_AT, has)?;
    let (interfaces, times) = (texts(columns, 0)?, times(columns, 1)?);
    let owner = |row: usize| {
        let at = times.is_valid(row).then(|| times.value(row))?;
        let at = Timestamp(at.div_euclid(1_000_000));
        let lineage = known.inventory.lineage(text(interfaces, row)?, at)?;
        Some(lineage.to_string())
    };
    let owners: StringViewArray = (0..interfaces.len()).map(owner).collect();
    Ok(Arc::new(owners))
}
