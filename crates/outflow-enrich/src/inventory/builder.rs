//! Reads outputs of the EC2 API, and snapshots and histories of AWS Config.

use std::collections::BTreeSet;
use std::sync::Arc;

use outflow_record::Timestamp;
use serde_json::{Map, Value};

use super::Inventory;
use super::collected::{CallState, Collected};
use super::problems::Problem;
use super::resource::{Permission, Resource};
use super::timeline::{Place, Timeline};
use crate::Error;

/// Observations of resources at most: a hundred thousand resources, listed hourly for four days, or daily for a
/// quarter. What exceeds it is left out, and is a problem of the document that brought it.
pub const OBSERVATIONS_MAX: usize = 10_000_000;

/// A kind of resources that is read.
struct Kind {
    /// Key of its list in outputs of the EC2 API, in AWS's PascalCase.
    list: &'static str,
    /// What AWS Config calls its type behind `AWS::EC2::`, if it has one.
    config: Option<&'static str>,
    take: fn(&mut Inventory, Batch, usize) -> Taken,
    /// Notes that a place could not be listed.
    unlisted: fn(&mut Inventory, &Arc<Place>, Timestamp),
}

/// Defines kinds: list, type of AWS Config, and where the inventory has them.
macro_rules! kinds {
    ($($list:literal $config:expr => $field:ident)*) => {
        &[$(Kind {
            list: $list,
            config: $config,
            take: |own, batch, room| take(&mut own.$field, batch, room),
            unlisted: |own, place, at| own.$field.unlisted(place, at),
        }),*]
    };
}

static KINDS: &[Kind] = kinds! {
    "NetworkInterfaces" Some("NetworkInterface") => interfaces
    "Instances" Some("Instance") => instances
    "SecurityGroups" Some("SecurityGroup") => security_groups
    "SecurityGroupRules" None => security_group_rules
    "Vpcs" Some("VPC") => vpcs
    "Subnets" Some("Subnet") => subnets
    "NatGateways" Some("NatGateway") => nat_gateways
    "VpcEndpoints" Some("VPCEndpoint") => vpc_endpoints
    "RouteTables" Some("RouteTable") => route_tables
    "FlowLogs" Some("FlowLog") => flow_logs
    "PrefixLists" Some("PrefixList") => prefix_lists
    "NetworkAcls" Some("NetworkAcl") => network_acls
    "InternetGateways" Some("InternetGateway") => internet_gateways
    "EgressOnlyInternetGateways" Some("EgressOnlyInternetGateway") => egress_only_gateways
    "ResolverQueryLogConfigAssociations" None => resolver_query_logs
    "FirewallRuleGroupAssociations" None => dns_firewalls
    "TransitGatewayAttachments" Some("TransitGatewayAttachment") => transit_gateway_attachments
    "Firewalls" None => network_firewalls
    "FirewallPolicies" None => firewall_policies
    "RuleGroups" None => firewall_rule_groups
    "ConfigurationRecorders" None => config_recorders
    "ConfigurationRecordersStatus" None => config_recorder_states
    "DeliveryChannels" None => config_channels
};

/// Lists that hold others: items of AWS Config, and instances by the reservations that made them.
const OUTER_LISTS: [&str; 2] = [CONFIG_ITEMS, RESERVATIONS];
const CONFIG_ITEMS: &str = "ConfigurationItems";
const RESERVATIONS: &str = "Reservations";

/// What describes one resource of Network Firewall, by the key that no other document has, and its list.
const DESCRIBED_ALONE: [(&str, &str); 3] = [
    ("Firewall", "Firewalls"),
    ("FirewallPolicy", "FirewallPolicies"),
    ("RuleGroup", "RuleGroups"),
];

/// Whether JSON that begins like this, cut anywhere, has a list that an [`InventoryBuilder`] reads.
///
/// ```
/// use outflow_enrich::inventory::is_inventory;
/// assert!(is_inventory(br#"{"NetworkInterfaces": [{"NetworkInter"#));
/// assert!(!is_inventory(br#"{"Buckets": []}"#));
/// ```
pub fn is_inventory(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    if !head.trim_start().starts_with('{') {
        return false;
    }
    // Every other piece between quotes is a key or a text; a key of a list goes on with a colon and a bracket.
    let pieces: Vec<&str> = head.split('"').collect();
    pieces.windows(2).any(|pair| {
        let rest = pair[1].trim_start().strip_prefix(':');
        let opens = |with| rest.is_some_and(|rest| rest.trim_start().starts_with(with));
        let key = pascal(pair[0].to_owned());
        let is_read = || OUTER_LISTS.contains(&&*key) || kind_of(&key).is_some();
        opens('[') && is_read() || opens('{') && DESCRIBED_ALONE.iter().any(|own| own.0 == key)
    })
}

/// Where and when a listing was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Account and region that were asked.
    pub place: Place,
    /// When it was asked.
    pub taken_at: Timestamp,
}

/// Collects documents, in any order, into an [`Inventory`].
#[derive(Debug, Default)]
pub struct InventoryBuilder {
    inventory: Inventory,
    observations: usize,
}

/// Resources of one kind, as a document has them.
struct Batch {
    items: Vec<Item>,
    place: Arc<Place>,
    at: Timestamp,
    /// Whether the place has no others of the kind.
    whole: bool,
}

/// How much of a place a document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

struct Item {
    /// Place in the document.
    at: String,
    /// Id of the resource, where it stands outside of the value.
    id: String,
    /// `None` if the resource was deleted.
    value: Option<Value>,
}

impl InventoryBuilder {
    /// Adds a document: what `aws ec2 describe-… --output json` prints (also of Network Firewall, Route 53 Resolver and AWS
    /// Config), or JSON of AWS Config (`configurationItems`), which says by itself where and when.
    ///
    /// A listing without `NextToken` is taken for the whole of its place: what it lacks is gone from then on. What
    /// is not understood is in [`Inventory::problems`], under the name of the source.
    ///
    /// # Errors
    /// [`Error::BadInventory`] if the bytes are no JSON object.
    pub fn add(&mut self, source: &str, json: &[u8], snapshot: &Snapshot) -> Result<(), Error> {
        self.document(source, json, snapshot, Extent::Whole)
    }

    /// Adds a document as [`InventoryBuilder::add`] does, of which it is known that its place has more.
    ///
    /// # Errors
    /// [`Error::BadInventory`] if the bytes are no JSON object.
    pub fn add_part(
        &mut self,
        source: &str,
        json: &[u8],
        snapshot: &Snapshot,
    ) -> Result<(), Error> {
        self.document(source, json, snapshot, Extent::Part)
    }

    /// Adds what a collection says of itself: of a list that was denied, failed or came in part it is unknown from then
    /// on what it lacks, whatever an earlier listing had. Each such call is a problem.
    pub fn add_collected(&mut self, source: &str, collected: &Collected) {
        let source: Arc<str> = source.into();
        let place = Arc::new(collected.place());
        let at = collected.instant().unwrap_or_default();
        self.inventory.places.insert(collected.place());
        for call in &collected.calls {
            if call.state == CallState::Ok {
                continue;
            }
            let list = match call.list.as_str() {
                RESERVATIONS => "Instances",
                list => list,
            };
            if let Some(kind) = kind_of(list) {
                (kind.unlisted)(&mut self.inventory, &place, at);
            }
            let reason = call.reason.as_deref().unwrap_or("no reason is given");
            let what = format!("{}: {reason}", call.state.name());
            self.problem(&source, format!("{} {}", call.service, call.call), what);
        }
    }

    fn document(
        &mut self,
        source: &str,
        json: &[u8],
        snapshot: &Snapshot,
        extent: Extent,
    ) -> Result<(), Error> {
        let wrong = |what: String| Error::BadInventory { what };
        let document: Value =
            serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
        let Value::Object(document) = normal(document) else {
            return Err(wrong("it is no object with a list of resources".to_owned()));
        };
        let source: Arc<str> = source.into();
        let cut = document.contains_key("NextToken");
        if cut {
            let what = "the listing goes on in a page that is not here";
            self.problem(&source, "NextToken".to_owned(), what.to_owned());
        }
        let place = Arc::new(snapshot.place.clone());
        let alone = |key: &str| document.get(key).is_some_and(Value::is_object);
        if let Some((_, kind)) = DESCRIBED_ALONE.iter().find(|(key, _)| alone(key)) {
            let batch = Batch {
                items: vec![Item {
                    at: (*kind).to_owned(),
                    id: String::new(),
                    value: Some(document.into()),
                }],
                place,
                at: snapshot.taken_at,
                whole: false,
            };
            self.batch(&source, kind, batch);
            return Ok(());
        }
        for (key, value) in document {
            match (key.as_str(), value) {
                (CONFIG_ITEMS, Value::Array(items)) => self.config_items(&source, items),
                (_, Value::Array(values)) => {
                    let (kind, values) = instances(&key, values);
                    let numbered = values.into_iter().enumerate();
                    let items = numbered.map(|(at, value)| Item {
                        at: format!("{kind}[{at}]"),
                        id: String::new(),
                        value: Some(value),
                    });
                    let batch = Batch {
                        items: items.collect(),
                        place: Arc::clone(&place),
                        at: snapshot.taken_at,
                        whole: !cut && extent == Extent::Whole,
                    };
                    self.batch(&source, kind, batch);
                }
                // What surrounds lists.
                ("NextToken" | "ResponseMetadata" | "FileVersion", _) => {}
                // What the resolver counts beside its list.
                ("MaxResults" | "TotalCount" | "TotalFilteredCount", _) => {}
                ("ConfigSnapshotId" | "ConfigurationSnapshotId", _) => {}
                _ => self.problem(&source, key, "it is no list of resources".to_owned()),
            }
        }
        Ok(())
    }

    /// The inventory of all that was added.
    ///
    /// # Errors
    /// [`Error::TooManyPrefixes`] if a VPC has more addresses than [`crate::PREFIXES_MAX`].
    pub fn build(mut self) -> Result<Inventory, Error> {
        self.inventory.index()?;
        Ok(self.inventory)
    }

    /// Reads items of AWS Config, each of which says when it was seen.
    fn config_items(&mut self, source: &Arc<str>, items: Vec<Value>) {
        for (number, item) in items.into_iter().enumerate() {
            let place = format!("ConfigurationItems[{number}]");
            let Value::Object(item) = item else {
                self.problem(source, place, "it is no object".to_owned());
                continue;
            };
            let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or("");
            let resource_type = text("ResourceType");
            let Some(kind) = listed_as(resource_type) else {
                // One problem for each type, as snapshots hold everything that an account has.
                let what = format!("resources of type `{resource_type}` are not read");
                self.problem(source, "ConfigurationItems".to_owned(), what);
                continue;
            };
            let Some(at) = instant(text("ConfigurationItemCaptureTime")) else {
                let what = "configurationItemCaptureTime is no time".to_owned();
                self.problem(source, place, what);
                continue;
            };
            let deleted = text("ConfigurationItemStatus").starts_with("ResourceDeleted");
            let value = if deleted {
                None
            } else {
                Some(configuration(item.get("Configuration")))
            };
            let batch = Batch {
                items: vec![Item {
                    at: place,
                    id: text("ResourceId").to_owned(),
                    value,
                }],
                place: Arc::new(Place {
                    account_id: text("AwsAccountId").to_owned(),
                    region: text("AwsRegion").to_owned(),
                }),
                at,
                whole: false,
            };
            self.batch(source, kind, batch);
        }
    }

    /// Takes resources of the kind that a list of the EC2 API names.
    fn batch(&mut self, source: &Arc<str>, kind: &str, batch: Batch) {
        let room = OBSERVATIONS_MAX - self.observations;
        let Some(known) = kind_of(kind) else {
            let what = format!("a list of {} of a kind that is not read", batch.items.len());
            return self.problem(source, kind.to_owned(), what);
        };
        let taken = (known.take)(&mut self.inventory, batch, room);
        self.observations += taken.observations;
        for (place, what) in taken.problems {
            self.problem(source, place, what);
        }
    }

    fn problem(&mut self, source: &Arc<str>, place: String, what: String) {
        let source = Arc::clone(source);
        let problem = Problem {
            source,
            place,
            what,
        };
        self.inventory.problems.meet(problem);
    }
}

#[derive(Default)]
struct Taken {
    observations: usize,
    problems: Vec<(String, String)>,
}

/// Takes resources of one kind. A listing of which something is not understood, lacks what it is judged by, or contradicts
/// itself does not tell all of its place, whatever else it has.
fn take<T: Resource>(timeline: &mut Timeline<T>, batch: Batch, room: usize) -> Taken {
    let mut taken = Taken::default();
    let mut seen = BTreeSet::new();
    for mut item in batch.items {
        if let Some(lacking) = item.lacking(T::NEEDED).filter(|_| batch.whole) {
            let what = format!("it has no {lacking}, without which nobody can judge it");
            taken.problems.push((item.at.clone(), what));
        }
        let wrong = item.sift(T::PERMISSIONS);
        let value = match item.value.map(serde_json::from_value::<T>).transpose() {
            Ok(mut value) => {
                for (list, at, what) in wrong {
                    value
                        .as_mut()
                        .into_iter()
                        .for_each(|value| value.lack(list));
                    taken.problems.push((at, what));
                }
                value
            }
            Err(error) => {
                let wrong = wrong.into_iter().map(|(_, at, what)| (at, what));
                taken.problems.extend(wrong);
                taken.problems.push((item.at, error.to_string()));
                continue;
            }
        };
        let own = value.as_ref().map_or("", Resource::id);
        let id = if own.is_empty() { &*item.id } else { own };
        if id.is_empty() {
            taken.problems.push((item.at, "it has no id".to_owned()));
            continue;
        }
        let id = match T::IS_NAMED_BY_PLACE {
            true => format!("{}/{}/{id}", batch.place.account_id, batch.place.region),
            false => id.to_owned(),
        };
        if batch.whole && !seen.insert(id.clone()) {
            let known = timeline.observed(&id, batch.at);
            if known.is_some_and(|known| Some(known) != value.as_ref()) {
                let what = format!("`{id}` is there twice, and not the same");
                taken.problems.push((item.at.clone(), what));
            }
        }
        if taken.observations == room {
            let what = format!("there are {OBSERVATIONS_MAX} observations already");
            taken.problems.push((item.at, what));
        } else if timeline.observe(&id, &batch.place, batch.at, value) {
            taken.observations += 1;
        }
    }
    match (batch.whole, taken.problems.is_empty()) {
        (true, true) => timeline.listed(&batch.place, batch.at),
        (true, false) => timeline.unlisted(&batch.place, batch.at),
        (false, _) => {}
    }
    taken
}

impl Item {
    /// Takes out of lists of permissions what cannot be read; says of which list it was, where, and why.
    fn sift(&mut self, lists: &[&'static str]) -> Vec<(&'static str, String, String)> {
        let mut wrong = Vec::new();
        let object = self.value.as_mut().and_then(Value::as_object_mut);
        let Some(object) = object.filter(|_| !lists.is_empty()) else {
            return wrong;
        };
        for key in lists {
            let list = object.get_mut(*key).map(Permission::sift);
            let at = |(at, what)| (*key, format!("{}.{key}{at}", self.at), what);
            wrong.extend(list.into_iter().flatten().map(at));
        }
        wrong
    }

    /// A key that is needed and not there.
    fn lacking(&self, needed: &'static [&'static str]) -> Option<&'static str> {
        let object = self.value.as_ref()?.as_object()?;
        let mut needed = needed.iter().copied();
        needed.find(|key| !object.contains_key(*key))
    }
}

/// Instances are listed within the reservations that made them.
fn instances(key: &str, values: Vec<Value>) -> (&str, Vec<Value>) {
    if key != RESERVATIONS {
        return (key, values);
    }
    let mut instances = Vec::new();
    for reservation in values {
        match reservation {
            Value::Object(mut reservation) => match reservation.remove("Instances") {
                Some(Value::Array(inner)) => instances.extend(inner),
                // It is no instance, and the reader of instances will say so.
                other => instances.extend(other),
            },
            other => instances.push(other),
        }
    }
    ("Instances", instances)
}

/// The kind whose list has this key.
fn kind_of(list: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.list == list)
}

/// The list of the EC2 API that has resources of a type of AWS Config.
fn listed_as(resource_type: &str) -> Option<&'static str> {
    let name = resource_type.strip_prefix("AWS::EC2::")?;
    let kind = KINDS.iter().find(|kind| kind.config == Some(name))?;
    Some(kind.list)
}

/// The configuration of an item: an object, or in a history its JSON as text.
fn configuration(value: Option<&Value>) -> Value {
    let parsed = value.and_then(Value::as_str).map(serde_json::from_str);
    match parsed {
        Some(Ok(parsed)) => normal(parsed),
        // What is no JSON stays text, and the reader of the resource says so.
        _ => value.cloned().unwrap_or(Value::Null),
    }
}

/// Keys in AWS's PascalCase, as AWS Config has them in camelCase, and without keys whose value is null.
fn normal(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let entries = object.into_iter().filter(|(_, value)| !value.is_null());
            let entries = entries.map(|(key, value)| (pascal(key), normal(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(normal).collect()),
        other => other,
    }
}

fn pascal(mut key: String) -> String {
    if let Some(first) = key.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    key
}

/// Reads `2026-08-22T21:17:05.123Z`, whose fraction is dropped, also with `+00:00` for `Z`.
fn instant(text: &str) -> Option<Timestamp> {
    let utc = text.strip_suffix("+00:00").or(text.strip_suffix('Z'))?;
    let (seconds, fraction) = utc.split_once('.').unwrap_or((utc, ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    seconds.parse().ok().filter(|_| digits)
}
