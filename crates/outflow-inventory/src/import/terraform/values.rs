//! Attributes of a resource, and what those refer to that are not known yet.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Resource, plain};

/// How ids begin, by the kind of resource: what reads an inventory tells some kinds by it.
const PREFIXES: [(&str, &str); 20] = [
    ("aws_default_network_acl", "acl"),
    ("aws_default_route_table", "rtb"),
    ("aws_default_security_group", "sg"),
    ("aws_default_subnet", "subnet"),
    ("aws_default_vpc", "vpc"),
    ("aws_ec2_managed_prefix_list", "pl"),
    ("aws_ec2_transit_gateway", "tgw"),
    ("aws_egress_only_internet_gateway", "eigw"),
    ("aws_flow_log", "fl"),
    ("aws_instance", "i"),
    ("aws_internet_gateway", "igw"),
    ("aws_nat_gateway", "nat"),
    ("aws_network_acl", "acl"),
    ("aws_network_interface", "eni"),
    ("aws_route_table", "rtb"),
    ("aws_security_group", "sg"),
    ("aws_subnet", "subnet"),
    ("aws_vpc", "vpc"),
    ("aws_vpc_endpoint", "vpce"),
    ("aws_vpn_gateway", "vgw"),
];

/// Ids of all resources; of one that is not made yet, a name that stands for it.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// By address without the indices of modules: modules with theirs, and ids.
    by_plain: BTreeMap<String, Vec<(String, String)>>,
}

impl Ids {
    pub(super) fn of(resources: &[Resource]) -> Self {
        let mut own = Self::default();
        for resource in resources {
            let Resource {
                module,
                name,
                index,
                ..
            } = resource;
            let key = format!("{}{name}{index}", plain(module));
            let of_key = own.by_plain.entry(key).or_default();
            of_key.push((module.clone(), resource.id()));
        }
        own
    }

    /// The id behind an address as seen from a module: of several instances of a module the one that is nearest. Which of
    /// those that are equally near is meant, nobody knows.
    fn nearest(&self, address: &str, from: &str) -> Option<&String> {
        let near = |module: &str| {
            let both = segments(module).into_iter().zip(segments(from));
            both.take_while(|(a, b)| a == b).count()
        };
        let all = self.by_plain.get(address)?;
        let most = all.iter().map(|(module, _)| near(module)).max()?;
        let mut nearest = all.iter().filter(|(module, _)| near(module) == most);
        let (_, id) = nearest.next()?;
        nearest.next().is_none().then_some(id)
    }

    /// The ids of all instances behind an address, which is without an index.
    fn instances(&self, address: &str, from: &str) -> Vec<&String> {
        let begins = format!("{address}[");
        let all = self.by_plain.range(begins.clone()..);
        let all = all.take_while(|(key, _)| key.starts_with(&begins));
        all.filter_map(|(key, _)| self.nearest(key, from)).collect()
    }
}

/// Attributes that say what a resource belongs to or leads to.
const LINKS: [&str; 21] = [
    "destination_prefix_list_id",
    "egress_only_gateway_id",
    "gateway_id",
    "nat_gateway_id",
    "network_interface_id",
    "prefix_list_id",
    "prefix_list_ids",
    "referenced_security_group_id",
    "resource_id",
    "route_table_id",
    "route_table_ids",
    "security_group_id",
    "security_groups",
    "source_security_group_id",
    "subnet_id",
    "subnet_ids",
    "transit_gateway_id",
    "vpc_endpoint_id",
    "vpc_id",
    "vpc_peering_connection_id",
    "vpc_security_group_ids",
];

/// The parts of a module's address, each with its index.
fn segments(module: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = module.split(|char| {
        match char {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == '.' && depth == 0
    });
    parts
        .filter(|part| !part.is_empty() && *part != "module")
        .collect()
}

/// How the ids begin that an attribute may have: what it refers to may be an attribute of something else.
fn prefix_of(key: &str) -> &'static str {
    match key {
        "vpc_id" => "vpc-",
        "subnet_id" | "subnet_ids" => "subnet-",
        "security_group_id" | "referenced_security_group_id" | "source_security_group_id" => "sg-",
        "security_groups" | "vpc_security_group_ids" => "sg-",
        "route_table_id" | "route_table_ids" => "rtb-",
        "nat_gateway_id" => "nat-",
        _ => "",
    }
}

impl Resource {
    /// The id, or a name for what has none yet: the kind of id, and the address in brackets.
    pub(super) fn id(&self) -> String {
        let known = self.values.get("id").and_then(Value::as_str);
        if let Some(id) = known.filter(|id| !id.is_empty()) {
            return id.to_owned();
        }
        let prefix = PREFIXES.iter().find(|(kind, _)| *kind == self.kind);
        let prefix = prefix.map_or("planned", |(_, prefix)| prefix);
        format!("{prefix}-({})", self.address())
    }
}

/// The attributes of a resource or of a block in it.
#[derive(Clone, Copy)]
pub(in crate::import) struct Values<'a> {
    pub(super) resource: &'a Resource,
    pub(super) ids: &'a Ids,
    values: &'a Map<String, Value>,
    block: Option<(&'a str, usize)>,
}

impl<'a> Values<'a> {
    pub(super) fn new(resource: &'a Resource, ids: &'a Ids) -> Self {
        Self {
            resource,
            ids,
            values: &resource.values,
            block: None,
        }
    }

    /// A text that is not empty.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        let text = self.values.get(key)?.as_str()?;
        Some(text).filter(|text| !text.is_empty())
    }

    /// A text, or the id of what it is taken from.
    pub(super) fn id(&self, key: &str) -> Option<String> {
        let known = self.text(key).map(str::to_owned);
        known.or_else(|| self.referred(key).into_iter().next())
    }

    pub(super) fn number(&self, key: &str) -> Option<i64> {
        let value = self.values.get(key)?;
        // A state has some numbers as texts.
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        self.values.get(key)?.as_bool()
    }

    /// Texts of a list or set.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        let list = self.values.get(key).and_then(Value::as_array);
        let list = list.into_iter().flatten().filter_map(Value::as_str);
        list.map(str::to_owned).collect()
    }

    /// Texts of a list, or the ids of what it is taken from.
    pub(super) fn ids_of(&self, key: &str) -> Vec<String> {
        let known = self.texts(key);
        if known.is_empty() {
            self.referred(key)
        } else {
            known
        }
    }

    /// The blocks of a name.
    pub(super) fn blocks(&self, key: &'a str) -> Vec<Self> {
        let blocks = self.values.get(key).and_then(Value::as_array);
        let blocks = blocks.into_iter().flatten().enumerate();
        blocks
            .filter_map(|(at, block)| {
                Some(Self {
                    values: block.as_object()?,
                    block: Some((key, at)),
                    ..*self
                })
            })
            .collect()
    }

    /// Tags, as AWS describes them.
    pub(super) fn tags(&self) -> Value {
        let all = self.values.get("tags_all").and_then(Value::as_object);
        let tags = all.or_else(|| self.values.get("tags")?.as_object());
        let tags = tags.into_iter().flatten();
        tags.filter_map(|(key, value)| Some(json!({"Key": key, "Value": value.as_str()?})))
            .collect()
    }

    /// Links that are known only once the plan is applied, and that lead to nothing that is there: each with where it is taken
    /// from. A plan does not tell what locals are, nor what others manage.
    pub(super) fn lost(&self) -> Vec<(String, String)> {
        let own = self.resource;
        let mut lost = Vec::new();
        for (path, names) in &own.references {
            let parts: Vec<&str> = path.split('.').collect();
            let (attribute, key) = match parts[..] {
                [key] => (key, key),
                [block, _, key] => (block, key),
                _ => continue,
            };
            let is_unknown = own.unknown.iter().any(|unknown| unknown == attribute);
            let is_known = self.at(&parts).is_some_and(|value| {
                !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
            });
            if !is_unknown || is_known || !LINKS.contains(&key) {
                continue;
            }
            if self.taken_from(path, prefix_of(key), names).is_empty() {
                let is_telling =
                    |name: &&String| !name.contains("count.") && !name.contains("each.");
                let name = names.iter().find(is_telling).or(names.first());
                lost.extend(name.map(|name| (path.clone(), name.clone())));
            }
        }
        lost
    }

    /// The value at a path, such as `route.0.gateway_id`.
    fn at(&self, path: &[&str]) -> Option<&'a Value> {
        let (first, rest) = path.split_first()?;
        let value = self.resource.values.get(*first)?;
        rest.iter().try_fold(value, |value, part| match value {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            value => value.get(*part),
        })
    }

    /// Ids of the resources that an attribute is taken from. What is not there so is unknown.
    fn referred(&self, key: &str) -> Vec<String> {
        let path = match self.block {
            Some((block, at)) => format!("{block}.{at}.{key}"),
            None => key.to_owned(),
        };
        let names = self.resource.references.get(&path);
        let names = names.map_or(&[][..], Vec::as_slice);
        self.taken_from(&path, prefix_of(key), names)
    }

    /// Ids behind names: of several instances that of the same index, and for a list all of them, as `aws_subnet.a[*].id` is
    /// the same name as `aws_subnet.a`.
    fn taken_from(&self, path: &str, prefix: &str, names: &[String]) -> Vec<String> {
        let own = self.resource;
        let is_list = path.ends_with('s');
        let mut ids: Vec<String> = Vec::new();
        for name in names {
            let same = self
                .ids
                .nearest(&format!("{name}{}", own.index), &own.module);
            let one = same.or_else(|| self.ids.nearest(name, &own.module));
            let is_narrowed = || {
                names
                    .iter()
                    .any(|other| other.starts_with(&format!("{name}[")))
            };
            let found = match one {
                Some(id) => vec![id],
                None if is_list && !is_narrowed() => self.ids.instances(name, &own.module),
                None => Vec::new(),
            };
            for id in found {
                if !ids.contains(id) && id.starts_with(prefix) {
                    ids.push(id.clone());
                }
            }
        }
        ids
    }
}
