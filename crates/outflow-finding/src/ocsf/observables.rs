//! What an analyst looks up elsewhere.

use std::collections::BTreeSet;

use serde::Serialize;

use super::cloud::{Cloud, Resource};
use super::evidence::Evidence;

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Observable {
    /// The path of the attribute.
    name: &'static str,
    type_id: u8,
    r#type: &'static str,
    value: String,
}

/// The values of an event that other events may share, each once, by path and value.
pub(super) fn of(
    cloud: &Cloud<'_>,
    evidences: &[Evidence<'_>],
    resources: &[Resource<'_>],
) -> Vec<Observable> {
    let observable = |name, (type_id, r#type), value| Observable {
        name,
        type_id,
        r#type,
        value,
    };
    let mut all = BTreeSet::new();
    if let Some(account) = &cloud.account {
        let uid = account.uid.to_owned();
        all.insert(observable("cloud.account.uid", (35, "Account UID"), uid));
    }
    for to in evidences.iter().filter_map(|of| of.dst_endpoint.as_ref()) {
        if let Some(ip) = to.ip {
            let kind = (2, "IP Address");
            all.insert(observable(
                "evidences[].dst_endpoint.ip",
                kind,
                ip.to_string(),
            ));
        }
        if let Some(name) = to.hostname {
            let path = "evidences[].dst_endpoint.hostname";
            all.insert(observable(path, (1, "Hostname"), name.to_owned()));
        }
        if let Some(location) = &to.location {
            let path = "evidences[].dst_endpoint.location.country";
            all.insert(observable(
                path,
                (14, "Country"),
                location.country.to_owned(),
            ));
        }
    }
    for resource in resources {
        let uid = resource.uid.clone();
        all.insert(observable("resources[].uid", (10, "Resource UID"), uid));
    }
    all.into_iter().collect()
}
