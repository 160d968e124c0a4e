//! The permissions that a collection needs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api::calls::{
    EC2_LISTINGS, GUARDDUTY_CALLS, JSON_LISTINGS, MANAGED_PREFIX_LISTS, PREFIX_LIST_ENTRIES,
    PREFIX_LISTS,
};

/// The IAM policy of who collects: every call that is made, and no other. All of them read only. With roles, also that
/// it may take them.
///
/// ```
/// let policy = outflow_inventory::iam_policy(&[]);
/// let actions = policy["Statement"][0]["Action"].as_array().unwrap();
/// assert!(actions.contains(&"ec2:DescribeSecurityGroups".into()));
/// ```
pub fn iam_policy(role_arns: &[&str]) -> Value {
    let lists = [&PREFIX_LISTS, &MANAGED_PREFIX_LISTS, &PREFIX_LIST_ENTRIES];
    let ec2 = EC2_LISTINGS.iter().chain(lists);
    let ec2 = ec2.map(|listing| format!("ec2:{}", listing.call));
    let others = JSON_LISTINGS.iter().flat_map(|listing| {
        let calls = [
            Some(listing.call),
            listing.each.as_ref().map(|each| each.call),
        ];
        let permission = listing.service.permission;
        calls
            .into_iter()
            .flatten()
            .map(move |call| format!("{permission}:{call}"))
    });
    let guardduty = GUARDDUTY_CALLS.map(|call| format!("guardduty:{call}"));
    let actions: BTreeSet<String> = ec2.chain(others).chain(guardduty).collect();
    let mut statements = vec![
        json!({"Sid": "OutflowInventory", "Effect": "Allow", "Action": actions,
        "Resource": "*"}),
    ];
    if !role_arns.is_empty() {
        statements.push(
            json!({"Sid": "OutflowInventoryRoles", "Effect": "Allow", "Action": "sts:AssumeRole",
            "Resource": role_arns}),
        );
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_one_to_read() {
        let policy = iam_policy(&["arn:aws:iam::111122223333:role/audit"]);
        let actions = policy["Statement"][0]["Action"].as_array().unwrap();
        assert!(actions.len() > 25, "{actions:?}");
        for action in actions {
            let (_, call) = action.as_str().unwrap().split_once(':').unwrap();
            let reads = ["Describe", "Get", "List"];
            assert!(reads.iter().any(|read| call.starts_with(read)), "{call}");
        }
        assert_eq!(policy["Statement"][1]["Action"], "sts:AssumeRole");
        assert!(iam_policy(&[])["Statement"].as_array().unwrap().len() == 1);
    }
}
