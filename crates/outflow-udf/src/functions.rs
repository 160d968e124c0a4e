//! All functions.

use std::sync::Arc;

use datafusion_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use outflow_enrich::inventory::Inventory;
use outflow_enrich::{AwsRanges, GeoDatabases};

use crate::about::About;
use crate::{addresses, amounts, called, distinct, moments, names, places, sessions};

/// What is known from elsewhere. A function that needs what is not there fails and says so.
#[derive(Debug, Default)]
pub struct Known {
    /// AWS's ranges.
    pub ranges: Option<AwsRanges>,
    /// Databases of countries and networks.
    pub geo: Arc<GeoDatabases>,
    /// The account's own interfaces.
    pub inventory: Arc<Inventory>,
}

/// Functions to be registered with a session.
#[derive(Debug)]
pub struct Functions {
    /// What each is.
    pub about: Vec<&'static About>,
    /// Of the values of a row.
    pub scalar: Vec<ScalarUDF>,
    /// Of the rows of a group.
    pub aggregate: Vec<AggregateUDF>,
    /// Of the rows of a partition in order.
    pub window: Vec<WindowUDF>,
}

/// The functions, with what they are to know.
pub fn functions(known: Known) -> Functions {
    let known = Arc::new(known);
    let scalars = addresses::all()
        .into_iter()
        .chain(places::all(&known))
        .chain(names::all())
        .chain(called::all())
        .chain(amounts::all())
        .chain(moments::all());
    let (mut about, scalar): (Vec<_>, Vec<_>) = scalars
        .map(|(about, scalar)| (about, ScalarUDF::from(scalar)))
        .unzip();
    let aggregates = distinct::all();
    about.extend(aggregates.iter().map(|(about, _)| *about));
    about.push(sessions::ABOUT);
    Functions {
        about,
        scalar,
        aggregate: aggregates
            .into_iter()
            .map(|(_, one)| AggregateUDF::from(one))
            .collect(),
        window: vec![WindowUDF::from(sessions::Sessionize::new())],
    }
}
