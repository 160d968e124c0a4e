//! Collects accounts and regions, each into a snapshot of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use aws_credential_types::provider::SharedCredentialsProvider;
use futures::StreamExt as _;
use futures::future::{join, join_all};
use outflow_aws::{ATTEMPT_MAX, Aws, AwsOptions, Host, Http, System};
use outflow_enrich::inventory::{COLLECTED_SCHEMA, CallState, Collected, CollectedCall};
use outflow_record::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use url::Url;

use crate::api::asker::{Asker, Unanswered};
use crate::api::calls::{
    EC2_LISTINGS, Ec2Listing, JSON_LISTINGS, MANAGED_PREFIX_LISTS, PREFIX_LIST_ENTRIES,
    PREFIX_LISTS, PREFIX_LISTS_FILE,
};
use crate::api::{guardduty, json, query, sts};
use crate::listing::{Listing, Named};
use crate::{Error, Role, Written, store};

/// Calls that are under way at once, unless another number is given: far below what EC2 lets an account ask.
pub const CALLS_AT_ONCE_DEFAULT: usize = 4;

/// Accounts and regions that are collected at once; all of them share the calls that may be under way.
const PLACES_AT_ONCE: usize = 8;

/// How to collect.
#[derive(Debug, Clone)]
pub struct Options {
    /// Regions; empty for that of environment or profile.
    pub regions: Vec<String>,
    /// Roles, of an account each; empty for one's own account.
    pub roles: Vec<Role>,
    /// Another server than those of AWS.
    pub endpoint_url: Option<String>,
    /// Calls that are under way at once.
    pub calls_at_once: usize,
    /// Resources of a page, where less are wanted than AWS allows.
    pub page_items_max: Option<u32>,
    /// The machine.
    pub host: Arc<dyn Host>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            roles: Vec::new(),
            endpoint_url: None,
            calls_at_once: CALLS_AT_ONCE_DEFAULT,
            page_items_max: None,
            host: Arc::new(System),
        }
    }
}

/// An account that can be asked, or of which only the id is known and why it cannot.
type Account = (String, Result<Asker, Unanswered>);

/// What is known of a place, about to be written.
#[derive(Debug, Default)]
struct Gathered {
    calls: Vec<CollectedCall>,
    files: BTreeMap<&'static str, Value>,
}

/// Collects all accounts and regions, and writes a snapshot of each below a folder. What could not be found out is in
/// their manifests: an account whose role may not be taken has one, too.
///
/// # Errors
/// [`Error::NoCredentials`], [`Error::NoAccount`], [`Error::Endpoint`] and [`Error::Region`] before anything is asked;
/// [`Error::Write`] and [`Error::Exists`] as a snapshot is written, whatever came before it.
pub async fn collect(out: &Path, options: &Options) -> Result<Vec<Written>, Error> {
    let endpoint = options.endpoint_url.as_deref().map(endpoint).transpose()?;
    if let Some(region) = options.regions.iter().find(|region| !is_region(region)) {
        let region = region.clone();
        return Err(Error::Region { region });
    }
    let http = Http::new(Arc::clone(&options.host), ATTEMPT_MAX);
    let how = AwsOptions {
        region: options.regions.first().map(String::as_str),
        endpoint: endpoint.as_ref(),
    };
    let own = Aws::connect(http.clone(), how).await;
    let own = own.map_err(|none| Error::NoCredentials {
        reason: none.reason,
    })?;
    collect_with(out, options, &http, own).await
}

/// Collects with credentials that are there.
pub(crate) async fn collect_with(
    out: &Path,
    options: &Options,
    http: &Http,
    own: Aws,
) -> Result<Vec<Written>, Error> {
    let regions = match &options.regions[..] {
        [] => vec![own.region().to_owned()],
        regions => regions.to_vec(),
    };
    let own = Asker {
        aws: Arc::new(own),
        host: Arc::clone(&options.host),
        at_once: Arc::new(Semaphore::new(options.calls_at_once.max(1))),
        page_items_max: options.page_items_max,
    };
    let accounts = accounts(&own, http, options).await?;
    let places = accounts.iter().flat_map(|account| {
        let regions: BTreeSet<&String> = regions.iter().collect();
        regions.into_iter().map(move |region| (account, region))
    });
    let snapshots = places.map(|((account_id, asker), region)| async move {
        let at = options.host.now().duration_since(UNIX_EPOCH);
        let secs = at.unwrap_or_default().as_secs();
        let gathered = match asker {
            Ok(asker) => gather(asker, region).await,
            Err(unanswered) => Gathered::of_none(unanswered),
        };
        let collected = Collected {
            schema: COLLECTED_SCHEMA.to_owned(),
            taken_at: Timestamp(i64::try_from(secs).unwrap_or(i64::MAX)).to_string(),
            account_id: account_id.clone(),
            region: region.clone(),
            from: "api".to_owned(),
            calls: gathered.calls,
        };
        store::write(out, collected, &gathered.files)
    });
    let mut written: Vec<Written> = Vec::new();
    let mut snapshots = futures::stream::iter(snapshots).buffered(PLACES_AT_ONCE);
    while let Some(snapshot) = snapshots.next().await {
        written.push(snapshot?);
    }
    Ok(written)
}

/// The accounts of all roles, or one's own. Two roles of one account are one.
async fn accounts(own: &Asker, http: &Http, options: &Options) -> Result<Vec<Account>, Error> {
    let region = own.aws.region().to_owned();
    if options.roles.is_empty() {
        let account = sts::account(own, &region).await;
        let account = account.map_err(|unanswered| Error::NoAccount {
            reason: unanswered.reason,
        })?;
        return Ok(vec![(account, Ok(own.clone()))]);
    }
    let endpoint = own.aws.endpoint().and_then(|url| Url::parse(url).ok());
    let mut accounts: BTreeMap<String, Result<Asker, Unanswered>> = BTreeMap::new();
    for role in &options.roles {
        let account_id = role.account_id().to_owned();
        let assumed = sts::Assumed {
            by: own.clone(),
            region: region.clone(),
            role_arn: role.arn().to_owned(),
            external_id: role.external_id().map(str::to_owned),
        };
        // Asked once before all else, to tell that it is denied from what the account then denies.
        let asker = assumed.assume().await.map(|_| Asker {
            aws: Arc::new(Aws::new(
                http.clone(),
                SharedCredentialsProvider::new(assumed),
                Some(region.clone()),
                endpoint.as_ref(),
            )),
            ..own.clone()
        });
        let asker = asker.map_err(|unanswered| Unanswered {
            reason: format!("{} may not be taken: {}", role.arn(), unanswered.reason),
            ..unanswered
        });
        match accounts.get_mut(&account_id) {
            Some(known) if known.is_err() => *known = asker,
            Some(_) => {}
            None => {
                accounts.insert(account_id, asker);
            }
        }
    }
    Ok(accounts.into_iter().collect())
}

/// Asks all that is asked of a region.
async fn gather(asker: &Asker, region: &str) -> Gathered {
    let ec2 = EC2_LISTINGS
        .iter()
        .map(|of| async move { (of.named(), query::list(asker, region, of, &[]).await) });
    let others = JSON_LISTINGS.iter().map(|of| async move {
        let named = Named {
            service: of.service.name,
            call: of.call,
            list: of.list,
            file: of.file,
        };
        (named, json::list(asker, region, of).await)
    });
    let listed = join(join_all(ec2), join_all(others));
    let apart = join(
        prefix_lists(asker, region),
        guardduty::watched(asker, region),
    );
    let ((ec2, others), (lists, watched)) = join(listed, apart).await;
    let mut gathered = Gathered::default();
    for (named, listing) in ec2.into_iter().chain(others) {
        gathered.add(named, &listing);
    }
    gathered.add(DETECTORS, &watched.detectors);
    gathered.add(FINDINGS, &watched.findings);
    gathered.calls.extend(lists.calls);
    gathered.files.extend(lists.files);
    gathered.calls.sort();
    gathered
}

const DETECTORS: Named = Named {
    service: "guardduty",
    call: "ListDetectors",
    list: "Detectors",
    file: "guardduty-detectors.json",
};

const FINDINGS: Named = Named {
    service: "guardduty",
    call: "ListFindings",
    list: "Findings",
    file: "guardduty-findings.json",
};

/// Prefix lists with their networks: those that AWS keeps come with them, of all others they are asked for one by one.
async fn prefix_lists(asker: &Asker, region: &str) -> Gathered {
    let (kept, managed) = join(
        query::list(asker, region, &PREFIX_LISTS, &[]),
        query::list(asker, region, &MANAGED_PREFIX_LISTS, &[]),
    )
    .await;
    let mut lists: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for item in managed.items.iter().chain(&kept.items) {
        let (Some(id), Some(object)) = (text(item, "PrefixListId"), item.as_object()) else {
            continue;
        };
        let own = lists.entry(id.to_owned()).or_default();
        own.extend(
            object
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
    }
    let without = lists
        .iter_mut()
        .filter(|(_, list)| !list.contains_key("Cidrs"));
    let entries = without.map(|(id, list)| async move {
        let asked = [("PrefixListId", id.as_str())];
        let entries = query::list(asker, region, &PREFIX_LIST_ENTRIES, &asked).await;
        if entries.is_whole() {
            let cidrs = entries.items.iter().filter_map(|entry| entry.get("Cidr"));
            list.insert("Cidrs".to_owned(), cidrs.cloned().collect());
        }
        entries
    });
    let entries = join_all(entries).await;
    let mut gathered = Gathered::default();
    gathered.calls.push(kept.told(PREFIX_LISTS.named()));
    gathered
        .calls
        .push(managed.told(MANAGED_PREFIX_LISTS.named()));
    let worst = entries.iter().find(|entries| !entries.is_whole());
    if let Some(any) = worst.or(entries.first()) {
        let mut told = any.told(PREFIX_LIST_ENTRIES.named());
        // Without its networks, a list that is there is not told whole.
        told.file = Some(PREFIX_LISTS_FILE.to_owned());
        told.pages = entries.iter().map(|entries| entries.pages).sum();
        told.items = entries
            .iter()
            .map(|entries| entries.items.len() as u64)
            .sum();
        gathered.calls.push(told);
    }
    if kept.pages + managed.pages > 0 {
        let lists: Value = lists.into_values().map(Value::from).collect();
        let document = Map::from_iter([("PrefixLists".to_owned(), lists)]);
        gathered.files.insert(PREFIX_LISTS_FILE, document.into());
    }
    gathered
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

impl Gathered {
    fn add(&mut self, named: Named, listing: &Listing) {
        self.calls.push(listing.told(named));
        if let Some(document) = listing.document(named.list) {
            self.files.insert(named.file, document);
        }
    }

    /// Of an account that could not be asked for anything.
    fn of_none(unanswered: &Unanswered) -> Self {
        let ec2 = EC2_LISTINGS.iter().chain([&PREFIX_LISTS]);
        let ec2 = ec2.map(|of| ("ec2", of.call, of.list));
        let others = JSON_LISTINGS.iter();
        let others = others.map(|of| (of.service.name, of.call, of.list));
        let watched = [DETECTORS, FINDINGS].map(|of| (of.service, of.call, of.list));
        let all = ec2.chain(others).chain(watched);
        let mut calls: Vec<CollectedCall> = all
            .map(|(service, call, list)| CollectedCall {
                service: service.to_owned(),
                call: call.to_owned(),
                list: list.to_owned(),
                file: None,
                state: unanswered.state,
                pages: 0,
                items: 0,
                reason: Some(unanswered.reason.clone()),
                left_out: Vec::new(),
            })
            .collect();
        calls.sort();
        Self {
            calls,
            files: BTreeMap::new(),
        }
    }
}

impl Ec2Listing {
    /// What it is of. Lists within reservations are instances.
    fn named(&self) -> Named {
        Named {
            service: "ec2",
            call: self.call,
            list: self.list,
            file: self.file,
        }
    }
}

impl Written {
    /// Calls that did not tell all, and are not just not offered.
    pub fn unanswered(&self) -> impl Iterator<Item = &CollectedCall> {
        let calls = self.collected.calls.iter();
        calls.filter(|call| !matches!(call.state, CallState::Ok | CallState::NotOffered))
    }
}

/// Whether a text can be the name of a region. It becomes part of addresses and of paths.
pub(crate) fn is_region(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 40 && text.bytes().all(known) && !text.starts_with('-')
}

fn endpoint(text: &str) -> Result<Url, Error> {
    let is_endpoint = |url: &Url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
    };
    let url = Url::parse(text).ok().filter(is_endpoint);
    url.ok_or_else(|| Error::Endpoint {
        url: text.to_owned(),
    })
}

#[cfg(test)]
mod tests;
