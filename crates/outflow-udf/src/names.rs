//! Functions of names of hosts.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Float64Array};
use datafusion_common::Result;
use outflow_detect::LabelModel;
use outflow_enrich::registered_domain;

use crate::about::{About, Argument, Kind};
use crate::arguments::{Last, map_text, text, texts};
use crate::scalar::Scalar;

const NAME: Argument = Argument {
    name: "name",
    kind: Kind::Text,
    tells: "a name, as `query_name` has it",
};

static REGISTERED_DOMAIN: About = About {
    name: "registered_domain",
    arguments: &[NAME],
    optional: &[],
    returns: Kind::Text,
    tells: "The domain that somebody registered, by the public suffix list with its private section, in lower case. Null for \
            what is itself a suffix, and for addresses.",
    fails: "",
    example: "SELECT registered_domain('a.b.Example.co.uk.')",
    answer: "example.co.uk",
};

static LABEL_BITS: About = About {
    name: "label_bits",
    arguments: &[NAME],
    optional: &[],
    returns: Kind::Double,
    tells: "How many bits a name carries for who knows how names are made: its code length under the model of benign names \
            by which DNS tunnels are found. Give it what stands before the registered domain.",
    fails: "",
    example: "SELECT label_bits('www') < label_bits('k3q9zx')",
    answer: "true",
};

pub(crate) fn all() -> Vec<(&'static About, Scalar)> {
    vec![
        (&REGISTERED_DOMAIN, Scalar::new(&REGISTERED_DOMAIN, domain)),
        (&LABEL_BITS, Scalar::new(&LABEL_BITS, label_bits)),
    ]
}

fn domain(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let domain = |name: &str| registered_domain(name).map(|domain| domain.into_owned());
    Ok(Arc::new(map_text(texts(columns, 0)?, domain)))
}

fn label_bits(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let names = texts(columns, 0)?;
    let model = LabelModel::built_in();
    let mut last = Last::new();
    let bits: Float64Array = (0..names.len())
        .map(|row| {
            last.of(text(names, row)?, |name| {
                Some(f64::from(model.millibits(name)) / 1_000.0)
            })
        })
        .collect();
    Ok(Arc::new(bits))
}
