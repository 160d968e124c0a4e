//! A topic. Messages are published one by one: each has an answer of its own, and incidents are few.

use std::sync::Arc;

use outflow_aws::{Aws, Call, Failed};
use url::form_urlencoded;

use super::{Sent, attributes, sendable};
use crate::Item;
use crate::batch::Limits;
use crate::target::Arn;

/// Bytes of a message, its attributes included: what SNS takes. A larger one fails.
pub const SNS_MESSAGE_BYTES_MAX: usize = 256 << 10;

pub(super) const LIMITS: Limits = Limits {
    items_max: 1,
    bytes_max: SNS_MESSAGE_BYTES_MAX,
    item_bytes_max: SNS_MESSAGE_BYTES_MAX,
};

#[derive(Debug)]
pub(crate) struct Topic {
    pub(super) arn: Arn,
    pub(super) group: Option<String>,
    pub(super) aws: Arc<Aws>,
}

impl Topic {
    pub(super) async fn send(&self, items: &[&Item]) -> Sent {
        for item in items {
            self.publish(item).await?;
        }
        Ok(Vec::new())
    }

    async fn publish(&self, item: &Item) -> Result<(), Failed> {
        if !sendable(item.body()) {
            let reason = "it holds a character that SNS does not take";
            return Err(Failed::Lasting(reason.to_owned()));
        }
        let call = Call {
            service: "sns",
            region: &self.arn.region,
            method: "POST",
            url: format!("{}/", self.aws.base("sns", &self.arn.region)),
            headers: vec![(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
            )],
            body: self.form(item),
            read_too: &[],
        };
        self.aws.send(call).await.map(drop)
    }

    fn form(&self, item: &Item) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "Publish")
            .append_pair("Version", "2010-03-31")
            .append_pair("TopicArn", &self.arn.to_string())
            .append_pair("Message", item.body());
        for (at, (name, kind, value)) in (1..).zip(attributes(item)) {
            let entry = format!("MessageAttributes.entry.{at}");
            form.append_pair(&format!("{entry}.Name"), name)
                .append_pair(&format!("{entry}.Value.DataType"), kind)
                .append_pair(&format!("{entry}.Value.StringValue"), &value);
        }
        if let Some(group) = &self.group {
            form.append_pair("MessageGroupId", group)
                .append_pair("MessageDeduplicationId", &item.digest());
        }
        form.finish()
    }
}
