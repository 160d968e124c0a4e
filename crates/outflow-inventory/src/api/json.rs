//! The JSON protocols of Route 53 Resolver, Network Firewall and Config.

use outflow_aws::Call;
use outflow_record::Timestamp;
use serde_json::{Map, Value};

use super::asker::{Asker, Unanswered};
use super::calls::{Each, JsonListing, Service};
use crate::listing::{Listing, Pages};

/// Keys of times that are numbers in answers, and texts in what AWS's command line prints.
const TIMES: [&str; 7] = [
    "LastModifiedTime",
    "lastAttemptTime",
    "lastStartTime",
    "lastStatusChangeTime",
    "lastStopTime",
    "lastSuccessfulTime",
    "nextDeliveryTime",
];

async fn ask(
    asker: &Asker,
    (service, region): (&Service, &str),
    call: &str,
    body: &Value,
) -> Result<Map<String, Value>, Unanswered> {
    let call = Call {
        service: service.name,
        region,
        method: "POST",
        url: format!("{}/", asker.aws.base(service.name, region)),
        headers: vec![
            ("content-type", service.content_type.to_owned()),
            ("x-amz-target", format!("{}.{call}", service.target)),
        ],
        body: body.to_string(),
        read_too: &[],
    };
    object(&asker.ask(&call).await?)
}

/// An answer, which is an object.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, Unanswered> {
    serde_json::from_str(text)
        .map_err(|error| Unanswered::failed(format!("its answer cannot be read: {error}")))
}

/// A list in an answer. One that is not there is empty, as services leave out what is.
pub(crate) fn list_in(
    answer: &mut Map<String, Value>,
    key: &str,
) -> Result<Vec<Value>, Unanswered> {
    match answer.remove(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(Unanswered::failed(format!("its `{key}` is no list"))),
    }
}

/// All pages of a listing, each resource described if need be.
pub(crate) async fn list(asker: &Asker, region: &str, of: &JsonListing) -> Listing {
    let mut listing = Listing::default();
    let mut pages = Pages::default();
    loop {
        let mut body = Map::new();
        if let Some(page_max) = of.page_max {
            body.insert("MaxResults".to_owned(), asker.page(page_max).into());
        }
        if let Some(token) = pages.token() {
            body.insert("NextToken".to_owned(), token.into());
        }
        let answer = ask(asker, (of.service, region), of.call, &body.into()).await;
        let read = answer.and_then(|mut answer| {
            let items = list_in(&mut answer, of.list)?;
            let next = answer.get("NextToken").and_then(Value::as_str);
            Ok((items, next.map(str::to_owned)))
        });
        let next = match read {
            Ok((items, next)) => {
                listing.page(items);
                next
            }
            Err(unanswered) => {
                listing.end(unanswered);
                break;
            }
        };
        if !pages.turn(next, &mut listing) {
            break;
        }
    }
    if let Some(each) = &of.each {
        describe(asker, (of.service, region), each, &mut listing).await;
    }
    listing.items.iter_mut().for_each(times);
    listing
}

/// Puts what describes a resource in place of what names it. What cannot be described stays named.
async fn describe(
    asker: &Asker,
    (service, region): (&Service, &str),
    each: &Each,
    listing: &mut Listing,
) {
    let mut items = std::mem::take(&mut listing.items);
    for item in &mut items {
        let name = item.get(each.key_listed).cloned().unwrap_or_default();
        let body = Map::from_iter([(each.key_asked.to_owned(), name)]);
        match ask(asker, (service, region), each.call, &body.into()).await {
            Ok(answer) => *item = answer.into(),
            Err(unanswered) => listing.end(Unanswered {
                reason: format!("{}: {}", each.call, unanswered.reason),
                ..unanswered
            }),
        }
    }
    listing.items = items;
}

/// Times as texts, however deep.
fn times(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(times),
        Value::Object(object) => {
            for (key, value) in object {
                let secs = value.as_f64().filter(|_| TIMES.contains(&key.as_str()));
                match secs {
                    Some(secs) => *value = instant(secs).into(),
                    None => times(value),
                }
            }
        }
        _ => {}
    }
}

/// Seconds since 1970, whose fraction is dropped, as a time.
#[expect(
    clippy::cast_possible_truncation,
    reason = "fractions are dropped, and what is no time of this era is capped"
)]
pub(crate) fn instant(secs: f64) -> String {
    Timestamp(secs.clamp(0.0, 4e9) as i64).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_become_texts_where_they_are_times() {
        let mut value = json!({"lastStartTime": 1_790_000_000.25, "n": 1, "x": [{"LastModifiedTime": 1_790_000_000}]});
        times(&mut value);
        let at = "2026-09-21T14:13:20Z";
        assert_eq!(
            value,
            json!({"lastStartTime": at, "n": 1, "x": [{"LastModifiedTime": at}]})
        );
    }
}
