//! Security Hub, which takes findings of the AWS Security Finding Format. It knows a finding by its `Id`: the same sent
//! again is an update.

use std::sync::Arc;

use outflow_aws::{ANSWER_BYTES_MAX, Aws, Call, Failed, is_passing};
use outflow_finding::{ASFF_BATCH_BYTES_MAX, ASFF_BATCH_FINDINGS_MAX, ASFF_FINDING_BYTES_MAX};
use serde::Deserialize;

use super::Sent;
use crate::Item;
use crate::batch::Limits;

pub(super) const LIMITS: Limits = Limits {
    items_max: ASFF_BATCH_FINDINGS_MAX,
    // Room for `{"Findings":[]}`.
    bytes_max: ASFF_BATCH_BYTES_MAX - 32,
    // And the comma behind it.
    item_bytes_max: ASFF_FINDING_BYTES_MAX + 1,
};

#[derive(Debug)]
pub(crate) struct Hub {
    pub(super) region: Option<String>,
    pub(super) aws: Arc<Aws>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    failed_count: usize,
    #[serde(default)]
    failed_findings: Vec<FailedFinding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FailedFinding {
    id: String,
    #[serde(default)]
    error_code: String,
    #[serde(default)]
    error_message: String,
}

impl Hub {
    pub(super) async fn send(&self, items: &[&Item]) -> Sent {
        let arn = items.first().map(|item| product_arn(item));
        let region = arn.as_deref().and_then(|arn| arn.split(':').nth(3));
        let region = self
            .region
            .as_deref()
            .or(region)
            .filter(|name| !name.is_empty());
        let region = region.unwrap_or(self.aws.region());
        let bodies: Vec<&str> = items.iter().map(|item| item.body()).collect();
        let call = Call {
            service: "securityhub",
            region,
            method: "POST",
            url: format!("{}/findings/import", self.aws.base("securityhub", region)),
            headers: vec![("content-type", "application/json".to_owned())],
            body: format!("{{\"Findings\":[{}]}}", bodies.join(",")),
            read_too: &[],
        };
        let answer = self.aws.send(call).await?.text(ANSWER_BYTES_MAX).await?;
        refused(&answer, items)
    }
}

/// What Security Hub says of findings that it did not take.
fn refused(answer: &str, items: &[&Item]) -> Sent {
    let answer: Answered = serde_json::from_str(answer)
        .map_err(|error| Failed::passing(format!("its answer cannot be read: {error}")))?;
    let ids: Vec<Option<String>> = items.iter().map(|item| field(item, "Id")).collect();
    let mut failed = Vec::new();
    for finding in &answer.failed_findings {
        let reason = format!(
            "Security Hub refused it: {} {}",
            finding.error_code, finding.error_message
        );
        let how = if is_passing(&finding.error_code) {
            Failed::passing(reason)
        } else {
            Failed::Lasting(reason)
        };
        let places = ids.iter().enumerate();
        let places = places.filter(|(_, id)| id.as_ref() == Some(&finding.id));
        failed.extend(places.map(|(at, _)| (at, how.clone())));
    }
    if failed.len() < answer.failed_count {
        // Some were refused, and it cannot be told which: importing all of them again changes nothing of the others.
        return Err(Failed::passing(format!(
            "Security Hub refused {} findings and named {} of them",
            answer.failed_count,
            failed.len()
        )));
    }
    Ok(failed)
}

/// The ARN of the product that a finding is of: it names account and region, which all findings of a call must share.
pub(super) fn product_arn(item: &Item) -> String {
    field(item, "ProductArn").unwrap_or_default()
}

fn field(item: &Item, name: &str) -> Option<String> {
    let finding: serde_json::Value = serde_json::from_str(item.body()).ok()?;
    finding.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
