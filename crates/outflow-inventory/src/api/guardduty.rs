//! GuardDuty: whether it is on, and what it found. It speaks REST with JSON, keys in camelCase.

use outflow_aws::Call;
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::asker::{Asker, Unanswered};
use super::json::{list_in, object};
use super::shape::pascal;
use crate::listing::{Listing, Pages};

/// Findings that are collected of an account in a region, the latest first: GuardDuty keeps them for 90 days. What is
/// beyond makes the listing a partial one.
pub const GUARDDUTY_FINDINGS_MAX: usize = 20_000;

/// Ids and findings of a request: what GuardDuty takes.
const PAGE_MAX: u32 = 50;

/// Detectors, and the findings of all of them.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) detectors: Listing,
    pub(crate) findings: Listing,
}

async fn ask(
    asker: &Asker,
    region: &str,
    method: &'static str,
    path: &str,
    body: Option<Value>,
) -> Result<Map<String, Value>, Unanswered> {
    let call = Call {
        service: "guardduty",
        region,
        method,
        url: format!("{}{path}", asker.aws.base("guardduty", region)),
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.map_or_else(String::new, |body| body.to_string()),
        read_too: &[],
    };
    object(&asker.ask(&call).await?)
}

pub(crate) async fn watched(asker: &Asker, region: &str) -> Watched {
    let mut own = Watched::default();
    let ids = detectors(asker, region, &mut own.detectors).await;
    let mut found = Vec::new();
    for id in &ids {
        match ask(asker, region, "GET", &format!("/detector/{id}"), None).await {
            Ok(mut detector) => {
                detector.insert("detectorId".to_owned(), id.as_str().into());
                found.push(as_printed(detector.into()));
            }
            Err(unanswered) => own.detectors.end(unanswered),
        }
    }
    own.detectors.items = found;
    if !own.detectors.is_whole() {
        own.findings
            .end(Unanswered::failed("its detectors are not all known"));
    }
    if ids.is_empty() && own.detectors.is_whole() {
        // Where there is no detector, there are no findings.
        own.findings.page(Vec::new());
    }
    for id in &ids {
        findings(asker, region, id, &mut own.findings).await;
    }
    own
}

/// Ids of detectors. Of a page that was refused, none; what came before it stays.
async fn detectors(asker: &Asker, region: &str, listing: &mut Listing) -> Vec<String> {
    let mut ids = Vec::new();
    let mut pages = Pages::default();
    loop {
        let mut query = Serializer::new(String::new());
        query.append_pair("maxResults", &asker.page(PAGE_MAX).to_string());
        if let Some(token) = pages.token() {
            query.append_pair("nextToken", token);
        }
        let path = format!("/detector?{}", query.finish());
        let read = ask(asker, region, "GET", &path, None).await;
        let read = read.and_then(|mut answer| {
            let own = list_in(&mut answer, "detectorIds")?;
            Ok((own, token(&answer)))
        });
        let next = match read {
            Ok((own, next)) => {
                // They become parts of paths.
                let is_id = |id: &&str| {
                    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
                };
                let count = own.len();
                let own = own.iter().filter_map(Value::as_str).filter(is_id);
                let before = ids.len();
                ids.extend(own.map(str::to_owned));
                listing.page(Vec::new());
                if ids.len() - before < count {
                    listing.end(Unanswered::failed("an id of a detector is none"));
                }
                next
            }
            Err(unanswered) => {
                listing.end(unanswered);
                return ids;
            }
        };
        if !pages.turn(next, listing) {
            return ids;
        }
    }
}

/// Findings of a detector, the latest first.
async fn findings(asker: &Asker, region: &str, detector: &str, listing: &mut Listing) {
    let mut pages = Pages::default();
    loop {
        let mut body = json!({"maxResults": asker.page(PAGE_MAX),
            "sortCriteria": {"attributeName": "updatedAt", "orderBy": "DESC"}});
        if let Some(token) = pages.token() {
            body["nextToken"] = token.into();
        }
        let path = format!("/detector/{detector}/findings");
        let read = ask(asker, region, "POST", &path, Some(body)).await;
        let read = read.and_then(|mut answer| {
            let ids = list_in(&mut answer, "findingIds")?;
            Ok((ids, token(&answer)))
        });
        let (ids, next) = match read {
            Ok(read) => read,
            Err(unanswered) => return listing.end(unanswered),
        };
        let mut found = Vec::new();
        if !ids.is_empty() {
            let path = format!("/detector/{detector}/findings/get");
            let read = ask(
                asker,
                region,
                "POST",
                &path,
                Some(json!({"findingIds": ids})),
            )
            .await;
            match read.and_then(|mut answer| list_in(&mut answer, "findings")) {
                Ok(own) => found = own.into_iter().map(as_printed).collect(),
                Err(unanswered) => return listing.end(unanswered),
            }
        }
        listing.page(found);
        if next.is_some() && listing.items.len() >= GUARDDUTY_FINDINGS_MAX {
            let what = format!("there are more than {GUARDDUTY_FINDINGS_MAX} findings");
            return listing.end(Unanswered::failed(what));
        }
        if !pages.turn(next, listing) {
            return;
        }
    }
}

/// What names the next page; services say that there is none by an empty name, too.
fn token(answer: &Map<String, Value>) -> Option<String> {
    let token = answer.get("nextToken").and_then(Value::as_str);
    token.filter(|token| !token.is_empty()).map(str::to_owned)
}

/// Keys as AWS's command line prints them. Tags are not: their keys are anybody's.
fn as_printed(value: Value) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| match key.as_str() {
                "tags" if value.is_object() => ("Tags".to_owned(), value),
                _ => (pascal(&key), as_printed(value)),
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(as_printed).collect(),
        other => other,
    }
}
