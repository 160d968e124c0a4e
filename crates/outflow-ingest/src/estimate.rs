//! What reading a listing will cost, before anything is read.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::s3::PART_BYTES;
use crate::s3_name::delivered_at;
use crate::{Listing, Object};

/// Objects of one kind, owner and day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Share {
    /// What the names say: `text`, `parquet`, `resolver`, or `unknown`.
    pub format: &'static str,
    /// Account that owns the log, if the names tell it.
    pub account_id: Option<String>,
    /// Region of the log, if the names tell it.
    pub region: Option<String>,
    /// UTC day of delivery as `2026-09-01`, if the names tell it.
    pub day: Option<String>,
    /// Objects.
    pub objects: u64,
    /// Bytes as stored. Of standard input and pipes nothing is known.
    pub bytes: u64,
    /// Requests to S3 that fetch them, none of them repeated.
    pub get_requests: u64,
}

/// What reading a listing will cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Estimate {
    /// In order of format, account, region and day.
    pub shares: Vec<Share>,
    /// The sum of all.
    pub total: Share,
    /// Requests for lists, which were sent already.
    pub list_requests: u64,
    /// Objects, and folders of S3, that the filter left out.
    pub left_out: u64,
}

impl Estimate {
    /// Of all objects of a listing.
    pub fn of(listing: &Listing) -> Self {
        let mut shares: BTreeMap<_, Share> = BTreeMap::new();
        let mut total = Share::default();
        for object in &listing.objects {
            let own = share(object);
            total.add(&own);
            let owner = (own.account_id.clone(), own.region.clone());
            match shares.entry((own.format, owner, own.day.clone())) {
                Entry::Vacant(entry) => {
                    entry.insert(own);
                }
                Entry::Occupied(mut entry) => entry.get_mut().add(&own),
            }
        }
        Self {
            shares: shares.into_values().collect(),
            total,
            list_requests: listing.list_requests,
            left_out: listing.left_out,
        }
    }
}

impl Share {
    fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.get_requests += other.get_requests;
    }
}

fn share(object: &Object) -> Share {
    let bytes = object.size.unwrap_or(0);
    let file = object.uri.rsplit('/').next().unwrap_or_default();
    let format = if file.ends_with(".parquet") {
        "parquet"
    } else if file.contains("_vpcdnsquerylogs_") {
        "resolver"
    } else if file.contains("_vpcflowlogs_") {
        "text"
    } else {
        "unknown"
    };
    Share {
        format,
        account_id: object.account_id.clone(),
        region: object.region.clone(),
        day: delivered_at(&object.uri).map(|at| at.to_string()[..10].to_owned()),
        objects: 1,
        bytes,
        get_requests: object.s3.as_ref().map_or(0, |_| bytes.div_ceil(PART_BYTES)),
    }
}

#[cfg(test)]
mod tests;
