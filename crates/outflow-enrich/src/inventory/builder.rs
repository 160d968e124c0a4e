//! Reads outputs of the EC2 API, and snapshots and histories of AWS Config.

use std::sync::Arc;

use outflow_record::Timestamp;
use serde_json::{Map, Value};

use super::Inventory;
use super::collected::{CallState, Collected};
use super::problems::Problem;
use super::resource::Resource;
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

static KINDS: [Kind; 14] = [
    Kind {
        list: "NetworkInterfaces",
        config: Some("NetworkInterface"),
        take: |own, batch, room| take(&mut own.interfaces, batch, room),
        unlisted: |own, place, at| own.interfaces.unlisted(place, at),
    },
    Kind {
        list: "Instances",
        config: Some("Instance"),
        take: |own, batch, room| take(&mut own.instances, batch, room),
        unlisted: |own, place, at| own.instances.unlisted(place, at),
    },
    Kind {
        list: "SecurityGroups",
        config: Some("SecurityGroup"),
        take: |own, batch, room| take(&mut own.security_groups, batch, room),
        unlisted: |own, place, at| own.security_groups.unlisted(place, at),
    },
    Kind {
        list: "SecurityGroupRules",
        config: None,
        take: |own, batch, room| take(&mut own.security_group_rules, batch, room),
        unlisted: |own, place, at| own.security_group_rules.unlisted(place, at),
    },
    Kind {
        list: "Vpcs",
        config: Some("VPC"),
        take: |own, batch, room| take(&mut own.vpcs, batch, room),
        unlisted: |own, place, at| own.vpcs.unlisted(place, at),
    },
    Kind {
        list: "Subnets",
        config: Some("Subnet"),
        take: |own, batch, room| take(&mut own.subnets, batch, room),
        unlisted: |own, place, at| own.subnets.unlisted(place, at),
    },
    Kind {
        list: "NatGateways",
        config: Some("NatGateway"),
        take: |own, batch, room| take(&mut own.nat_gateways, batch, room),
        unlisted: |own, place, at| own.nat_gateways.unlisted(place, at),
    },
    Kind {
        list: "VpcEndpoints",
        config: Some("VPCEndpoint"),
        take: |own, batch, room| take(&mut own.vpc_endpoints, batch, room),
        unlisted: |own, place, at| own.vpc_endpoints.unlisted(place, at),
    },
    Kind {
        list: "RouteTables",
        config: Some("RouteTable"),
        take: |own, batch, room| take(&mut own.route_tables, batch, room),
        unlisted: |own, place, at| own.route_tables.unlisted(place, at),
    },
    Kind {
        list: "FlowLogs",
        config: Some("FlowLog"),
        take: |own, batch, room| take(&mut own.flow_logs, batch, room),
        unlisted: |own, place, at| own.flow_logs.unlisted(place, at),
    },
    Kind {
        list: "PrefixLists",
        config: Some("PrefixList"),
        take: |own, batch, room| take(&mut own.prefix_lists, batch, room),
        unlisted: |own, place, at| own.prefix_lists.unlisted(place, at),
    },
    Kind {
        list: "ResolverQueryLogConfigAssociations",
        config: None,
        take: |own, batch, room| take(&mut own.resolver_query_logs, batch, room),
        unlisted: |own, place, at| own.resolver_query_logs.unlisted(place, at),
    },
    Kind {
        list: "FirewallRuleGroupAssociations",
        config: None,
        take: |own, batch, room| take(&mut own.dns_firewalls, batch, room),
        unlisted: |own, place, at| own.dns_firewalls.unlisted(place, at),
    },
    Kind {
        list: "TransitGatewayAttachments",
        config: Some("TransitGatewayAttachment"),
        take: |own, batch, room| take(&mut own.transit_gateway_attachments, batch, room),
        unlisted: |own, place, at| own.transit_gateway_attachments.unlisted(place, at),
    },
];

/// Lists that hold others: items of AWS Config, and instances by the reservations that made them.
const OUTER_LISTS: [&str; 2] = [CONFIG_ITEMS, RESERVATIONS];
const CONFIG_ITEMS: &str = "ConfigurationItems";
const RESERVATIONS: &str = "Reservations";

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
        let is_list = rest.is_some_and(|rest| rest.trim_start().starts_with('['));
        let key = pascal(pair[0].to_owned());
        let is_read = || OUTER_LISTS.contains(&&*key) || kind_of(&key).is_some();
        is_list && is_read()
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
    /// Adds a document: what `aws ec2 describe-… --output json` prints, or JSON of AWS Config
    /// (`configurationItems`), which says by itself where and when.
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

fn take<T: Resource>(timeline: &mut Timeline<T>, batch: Batch, room: usize) -> Taken {
    let mut taken = Taken::default();
    if batch.whole {
        timeline.listed(&batch.place, batch.at);
    }
    for item in batch.items {
        let value = match item.value.map(serde_json::from_value::<T>).transpose() {
            Ok(value) => value,
            Err(error) => {
                taken.problems.push((item.at, error.to_string()));
                continue;
            }
        };
        let own = value.as_ref().map_or("", Resource::id);
        let id = if own.is_empty() {
            item.id
        } else {
            own.to_owned()
        };
        if id.is_empty() {
            taken.problems.push((item.at, "it has no id".to_owned()));
        } else if taken.observations == room {
            let what = format!("there are {OBSERVATIONS_MAX} observations already");
            taken.problems.push((item.at, what));
        } else if timeline.observe(&id, &batch.place, batch.at, value) {
            taken.observations += 1;
        }
    }
    taken
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
