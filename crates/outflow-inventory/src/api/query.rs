//! The Query protocol of EC2 and STS: forms that are sent, XML that is answered.

use std::collections::BTreeSet;

use outflow_aws::Call;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::asker::{Asker, Unanswered};
use super::calls::Ec2Listing;
use super::xml::Element;
use crate::listing::{Listing, Pages};

/// The version of EC2's API.
const EC2_VERSION: &str = "2016-11-15";

/// Asks a service of the Query protocol in a region.
pub(crate) async fn ask(
    asker: &Asker,
    (service, region): (&'static str, &str),
    form: &[(&str, &str)],
) -> Result<Element, Unanswered> {
    let call = Call {
        service,
        region,
        method: "POST",
        url: format!("{}/", asker.aws.base(service, region)),
        headers: vec![(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
        )],
        body: Serializer::new(String::new()).extend_pairs(form).finish(),
        read_too: &[],
    };
    let text = asker.ask(&call).await?;
    let unread = |error| Unanswered::failed(format!("its answer cannot be read: {error}"));
    Element::parse(&text).map_err(unread)
}

/// All pages of a listing of EC2; `asked` is what it is asked for besides.
pub(crate) async fn list(
    asker: &Asker,
    region: &str,
    of: &Ec2Listing,
    asked: &[(&str, &str)],
) -> Listing {
    let mut listing = Listing::default();
    let mut left_out = BTreeSet::new();
    let mut pages = Pages::default();
    let page = asker.page(of.page_max).to_string();
    loop {
        let mut form = vec![
            ("Action", of.call),
            ("Version", EC2_VERSION),
            ("MaxResults", &page),
        ];
        form.extend(asked);
        if let Some(token) = pages.token() {
            form.push(("NextToken", token));
        }
        let answer = ask(asker, ("ec2", region), &form).await;
        let read = answer.and_then(|root| {
            let items = items(&root, of, &mut left_out).map_err(|error| {
                Unanswered::failed(format!("its answer cannot be read: {error}"))
            })?;
            let next = root.text_at(&["nextToken"]);
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
    listing.left_out.extend(left_out);
    listing
}

fn items(
    root: &Element,
    of: &Ec2Listing,
    left_out: &mut BTreeSet<String>,
) -> Result<Vec<Value>, String> {
    let set = root
        .child(of.set)
        .ok_or_else(|| format!("it has no <{}>", of.set))?;
    let items = set.children.iter().filter(|child| child.name == "item");
    items.map(|item| of.item.read(item, left_out)).collect()
}
