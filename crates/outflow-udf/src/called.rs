//! What an address was called at a time, by the answers that the resolver gave.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, StringViewArray};
use datafusion_common::{Result, exec_datafusion_err};
use datafusion_expr::ScalarUDF;
use outflow_enrich::{ADDR_DOMAINS_MAX, NamesByTime, Naming};
use outflow_record::Timestamp;

use crate::about::{About, Argument, Kind};
use crate::addresses::ADDR;
use crate::arguments::{Last, addr, text, texts, times};
use crate::scalar::Scalar;

/// The name of the function that [`name_at`] makes.
pub const NAME_AT: &str = "name_at";

static ABOUT: About = About {
    name: NAME_AT,
    arguments: &[
        ADDR,
        Argument {
            name: "time",
            kind: Kind::Time,
            tells: "as of when",
        },
    ],
    optional: &[Argument {
        name: "vpc_id",
        kind: Kind::Text,
        tells: "the VPC whose answers count; without it, those of all that `dns` has",
    }],
    returns: Kind::Text,
    tells: "What an address was called at a time, by the answers of the resolver in `dns`: the name that was asked for, or \
            the nearest domain that holds all the names, if one registered domain had several. An answer counts from the hour in \
            which it was given on, for 24 hours. `ambiguous: shared by 3 domains` where names of several registered domains had \
            the address: which of them was meant is not known. Null where none had it, and for what is no address.",
    fails: "for a time before which there were more names than are held (4 million of an address and an hour)",
    example: "SELECT DISTINCT remote_addr, name_at(remote_addr, start, vpc_id) FROM flows",
    answer: "",
};

/// What [`name_at`] is to know: the names in each VPC, and those of all VPCs as if they were one. What is not asked for need
/// not be there.
#[derive(Debug, Clone, Default)]
pub struct CalledNames {
    /// By VPC, for calls with one.
    pub by_vpc: Option<Arc<NamesByTime>>,
    /// All in the VPC `""`, for calls without.
    pub anywhere: Option<Arc<NamesByTime>>,
}

pub(crate) fn all() -> Vec<(&'static About, Scalar)> {
    let nothing = CalledNames::default();
    let scalar = Scalar::new(&ABOUT, move |columns: &[ArrayRef]| {
        called(&nothing, columns)
    });
    vec![(&ABOUT, scalar)]
}

/// The function `name_at`, of one query, with the names that it is to know.
pub fn name_at(names: CalledNames) -> ScalarUDF {
    let work = move |columns: &[ArrayRef]| called(&names, columns);
    ScalarUDF::from(Scalar::new(&ABOUT, work))
}

fn called(known: &CalledNames, columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (addrs, times) = (texts(columns, 0)?, times(columns, 1)?);
    let vpcs = match columns.len() {
        2 => None,
        _ => Some(texts(columns, 2)?),
    };
    let names = if vpcs.is_some() {
        &known.by_vpc
    } else {
        &known.anywhere
    };
    let names = names.as_ref().ok_or_else(|| {
        exec_datafusion_err!("`{NAME_AT}` can tell nothing without the table `dns` of a session")
    })?;
    let mut parsed = Last::new();
    let mut told = Vec::with_capacity(addrs.len());
    for row in 0..addrs.len() {
        let vpc_id = match vpcs {
            Some(vpcs) => text(vpcs, row),
            None => Some(""),
        };
        let at = times.is_valid(row).then(|| times.value(row));
        let (Some(vpc_id), Some(at), Some(tested)) = (vpc_id, at, text(addrs, row)) else {
            told.push(None);
            continue;
        };
        let at = Timestamp(at.div_euclid(1_000_000));
        if let Some(from) = names.known_from()
            && at < from
        {
            return Err(exec_datafusion_err!(
                "`{NAME_AT}` cannot tell of {at}: there are more names than are held, which are those from {from} on; ask of a \
                 shorter time with --since and --until"
            ));
        }
        let naming = parsed
            .of(tested, addr)
            .and_then(|addr| names.name_of(vpc_id, addr, at));
        told.push(naming.map(in_words));
    }
    Ok(Arc::new(StringViewArray::from_iter(told)))
}

fn in_words(naming: &Naming) -> String {
    match naming {
        Naming::Named { within, .. } => within.clone(),
        Naming::Ambiguous { count } if *count > ADDR_DOMAINS_MAX => {
            format!("ambiguous: shared by more than {ADDR_DOMAINS_MAX} domains")
        }
        Naming::Ambiguous { count } => format!("ambiguous: shared by {count} domains"),
    }
}
