//! Imports what others wrote: JSON of AWS's command line and of AWS Config, states and plans of Terraform.

mod document;
mod terraform;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use outflow_enrich::inventory::{COLLECTED_SCHEMA, CallState, Collected, CollectedCall};
use outflow_record::Timestamp;
use serde_json::{Map, Value};

use self::document::{Content, Document};
use self::terraform::resources::Mapped;
use crate::api::calls::{EC2_LISTINGS, JSON_LISTINGS, PREFIX_LISTS, PREFIX_LISTS_FILE};
use crate::api::sts::is_account;
use crate::collect::is_region;
use crate::{Error, Written, store};

/// Parts of a reason that are told one by one; more of them are counted.
const REASONS_TOLD_MAX: usize = 5;

/// Whose the sources are, and of which time, where they do not say it or another thing is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Account.
    pub account_id: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// When it was so; else when the latest of the files was written.
    pub taken_at: Option<Timestamp>,
}

/// A snapshot that was imported, and what of the sources is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The snapshot.
    pub written: Written,
    /// Kinds of Terraform's resources that are not understood, and how many there are of each.
    pub kinds_passed_over: BTreeMap<String, u64>,
    /// What is known only once a plan is applied, and what else is unknown.
    pub unknown: Vec<String>,
    /// Files of folders that are none of those that are understood.
    pub files_passed_over: Vec<PathBuf>,
}

/// A list as it is put together: its items by id, or one after the other where they have none.
#[derive(Debug, Default)]
struct Part {
    items: Vec<Value>,
    by_id: BTreeMap<String, Value>,
    pages: u64,
    /// Why it is not whole.
    reasons: BTreeSet<String>,
}

/// What was read, put together.
#[derive(Debug, Default)]
struct Gathered {
    parts: BTreeMap<String, Part>,
    /// Documents of AWS Config, which say by themselves where and when.
    config: Vec<Value>,
    from: BTreeSet<&'static str>,
    kinds_passed_over: BTreeMap<String, u64>,
    unknown: Vec<String>,
    /// Accounts and regions that resources name.
    accounts: BTreeSet<String>,
    regions: BTreeSet<String>,
}

/// Reads files and folders (with those below them) and writes one snapshot of them below a folder.
///
/// A list of AWS's command line that came to its end is whole. What Terraform has is never: it knows only what it
/// manages. AWS Config's documents are kept as they are.
///
/// # Errors
/// [`Error::Read`] and [`Error::Source`] if a file cannot be read or is none that is understood, [`Error::Place`] and
/// [`Error::Region`] if it is not known whose it is, [`Error::Exists`] and [`Error::Write`] if it cannot be written.
pub fn import(out: &Path, sources: &[PathBuf], options: &ImportOptions) -> Result<Imported, Error> {
    let read = document::read(sources)?;
    let written_at = read.documents.iter().map(|own| own.written_at).max();
    let mut gathered = Gathered::default();
    for document in read.documents {
        gathered.add(document)?;
    }
    let account_id = one("account", options.account_id.as_ref(), &gathered.accounts)?;
    let region = one("region", options.region.as_ref(), &gathered.regions)?;
    if !is_region(&region) {
        return Err(Error::Region { region });
    }
    if !is_account(&account_id) {
        return Err(Error::Place {
            part: "account",
            what: format!("`{account_id}` is no id of an account"),
        });
    }
    let taken_at = options.taken_at.or(written_at).unwrap_or_default();
    let (calls, files) = gathered.documents();
    let from: Vec<&str> = gathered.from.iter().copied().collect();
    let collected = Collected {
        schema: COLLECTED_SCHEMA.to_owned(),
        taken_at: taken_at.to_string(),
        account_id,
        region,
        from: from.join("+"),
        calls,
    };
    let files = files
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    Ok(Imported {
        written: store::write(out, collected, &files)?,
        kinds_passed_over: gathered.kinds_passed_over,
        unknown: gathered.unknown,
        files_passed_over: read.passed_over,
    })
}

/// What is said, or the one that all resources name.
fn one(
    part: &'static str,
    said: Option<&String>,
    named: &BTreeSet<String>,
) -> Result<String, Error> {
    let mut names = named.iter();
    let what = match (said, names.next(), names.next()) {
        (Some(said), ..) => return Ok(said.clone()),
        (None, Some(only), None) => return Ok(only.clone()),
        (None, None, _) => "they name none".to_owned(),
        (None, Some(a), Some(b)) => format!("they name {a} and {b}"),
    };
    Err(Error::Place { part, what })
}

impl Gathered {
    fn add(&mut self, document: Document) -> Result<(), Error> {
        match document.content {
            Content::Config(value) => {
                self.from.insert("config");
                self.config.push(value);
            }
            Content::Lists(object) => {
                self.from.insert("cli");
                self.lists(object);
            }
            Content::One(list, object) => {
                self.from.insert("cli");
                let part = self.parts.entry(list.to_owned()).or_default();
                part.pages += 1;
                let what = "the command line describes one of them at a time".to_owned();
                part.reasons.insert(what);
                part.take(list, object.into());
            }
            Content::Terraform(kind, object) => {
                self.from.insert(match kind {
                    terraform::Kind::State => "terraform-state",
                    terraform::Kind::Plan => "terraform-plan",
                });
                let resources = terraform::resources(&object);
                let resources = resources.map_err(|what| Error::Source {
                    path: document.path,
                    what,
                })?;
                self.regions
                    .extend(terraform::region(&object).map(str::to_owned));
                self.mapped(terraform::resources::describe(&resources));
                for resource in &resources {
                    self.place(resource.values.get("arn"), resource.values.get("owner_id"));
                }
            }
        }
        Ok(())
    }

    /// Takes the lists of a document of AWS's command line.
    fn lists(&mut self, object: Map<String, Value>) {
        let cut = object.contains_key("NextToken");
        for (key, value) in object {
            let Value::Array(items) = value else {
                continue;
            };
            if document::file_of(&key).is_none() {
                *self.kinds_passed_over.entry(key).or_default() += items.len() as u64;
                continue;
            }
            for item in &items {
                let arns = ["SecurityGroupArn", "SubnetArn"].map(|key| item.get(key));
                self.place(arns[0].or(arns[1]), item.get("OwnerId"));
            }
            let part = self.parts.entry(key.clone()).or_default();
            part.pages += 1;
            if cut {
                part.reasons
                    .insert("the listing goes on in a page that may not be here".to_owned());
            }
            if key == "Findings" {
                let what =
                    "the command line prints those findings that it was asked for".to_owned();
                part.reasons.insert(what);
            }
            for item in items {
                part.take(&key, item);
            }
        }
    }

    fn mapped(&mut self, mapped: Mapped) {
        for (key, items) in mapped.lists {
            let part = self.parts.entry(key.to_owned()).or_default();
            part.pages += 1;
            part.reasons
                .insert("Terraform knows only what it manages".to_owned());
            for (_, item) in items {
                part.take(key, item);
            }
        }
        for (kind, count) in mapped.passed_over {
            *self.kinds_passed_over.entry(kind).or_default() += count;
        }
        self.unknown.extend(mapped.unknown);
    }

    /// Notes whose a resource is, as far as it says.
    fn place(&mut self, arn: Option<&Value>, owner: Option<&Value>) {
        let arn = arn.and_then(Value::as_str).unwrap_or_default();
        let mut parts = arn.split(':').skip(3);
        let (region, account) = (parts.next(), parts.next());
        self.regions
            .extend(region.filter(|region| is_region(region)).map(str::to_owned));
        let owner = owner.and_then(Value::as_str);
        let owner = account.or(owner).filter(|own| is_account(own));
        self.accounts.extend(owner.map(str::to_owned));
    }

    /// The calls of a manifest, and the files that they name.
    fn documents(&self) -> (Vec<CollectedCall>, BTreeMap<String, Value>) {
        let (mut calls, mut files) = (Vec::new(), BTreeMap::new());
        let from: Vec<&str> = self.from.iter().copied().collect();
        let call = |list: &str, file: &str, part: &Part, items: usize| CollectedCall {
            service: "import".to_owned(),
            call: from.join("+"),
            list: list.to_owned(),
            file: Some(file.to_owned()),
            state: match part.reasons.is_empty() && self.unknown.is_empty() {
                true => CallState::Ok,
                false => CallState::Partial,
            },
            pages: part.pages,
            items: items as u64,
            reason: part.reason(&self.unknown),
            left_out: Vec::new(),
        };
        for (list, part) in &self.parts {
            let Some(file) = document::file_of(list) else {
                continue;
            };
            let items: Vec<Value> = part
                .items
                .iter()
                .chain(part.by_id.values())
                .cloned()
                .collect();
            calls.push(call(list, file, part, items.len()));
            let document = Map::from_iter([(list.clone(), items.into())]);
            files.insert(file.to_owned(), document.into());
        }
        for (number, value) in self.config.iter().enumerate() {
            let file = format!("config-{number}.json");
            calls.push(call("ConfigurationItems", &file, &Part::default(), 0));
            files.insert(file, value.clone());
        }
        calls.sort();
        (calls, files)
    }
}

impl Part {
    /// Takes an item. Prefix lists come in two listings, of which each knows a part.
    fn take(&mut self, list: &str, item: Value) {
        let id = item.get("PrefixListId").and_then(Value::as_str);
        match (id, item.as_object()) {
            (Some(id), Some(object)) if list == "PrefixLists" => {
                let known = self
                    .by_id
                    .entry(id.to_owned())
                    .or_insert_with(|| Map::new().into());
                if let Some(known) = known.as_object_mut() {
                    known.extend(object.clone());
                }
            }
            _ => self.items.push(item),
        }
    }

    fn reason(&self, unknown: &[String]) -> Option<String> {
        let told = self.reasons.iter().chain(unknown).take(REASONS_TOLD_MAX);
        let told: Vec<&str> = told.map(String::as_str).collect();
        let more = (self.reasons.len() + unknown.len()).saturating_sub(REASONS_TOLD_MAX);
        let more = match more {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        (!told.is_empty()).then(|| format!("{}{more}", told.join("; ")))
    }
}

/// Lists that are understood, each with its file.
fn known_lists() -> impl Iterator<Item = (&'static str, &'static str)> {
    let ec2 = EC2_LISTINGS.iter().map(|of| (of.list, of.file));
    let others = JSON_LISTINGS.iter().map(|of| (of.list, of.file));
    let instances = ("Instances", "instances-flat.json");
    let findings = ("Findings", "guardduty-findings.json");
    let lists = (PREFIX_LISTS.list, PREFIX_LISTS_FILE);
    ec2.chain(others).chain([instances, findings, lists])
}

#[cfg(test)]
mod tests;
