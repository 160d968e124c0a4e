//! Terraform: states as they are stored (version 4), and states and plans as `terraform show -json` prints them.

pub(super) mod resources;
mod values;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) use values::Values;

/// Modules within modules that are looked into.
const DEPTH_MAX: usize = 32;

/// What a document of Terraform is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    State,
    Plan,
}

/// A resource that Terraform manages, with what is known of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Resource {
    /// Its module as Terraform writes it, with a dot behind it; empty for the outermost.
    pub(super) module: String,
    /// Such as `aws_vpc.main`.
    pub(super) name: String,
    /// `[0]` or `["a"]`, where there are several.
    pub(super) index: String,
    /// Such as `aws_vpc`.
    pub(super) kind: String,
    /// Attributes that are known.
    pub(super) values: Map<String, Value>,
    /// Of attributes, also of blocks (`route.0.gateway_id`), what they are taken from: absolute, without indices of modules.
    pub(super) references: BTreeMap<String, Vec<String>>,
    /// Attributes that are known only once the plan is applied, or of which a part is.
    pub(super) unknown: Vec<String>,
}

impl Resource {
    /// As Terraform writes it.
    pub(super) fn address(&self) -> String {
        format!("{}{}{}", self.module, self.name, self.index)
    }
}

/// What a document is, if it is one of Terraform.
pub(super) fn kind(document: &Map<String, Value>) -> Option<Kind> {
    if document.contains_key("planned_values") {
        return Some(Kind::Plan);
    }
    let shown = document.contains_key("format_version") && document.contains_key("values");
    let stored = document.contains_key("terraform_version") && document.contains_key("resources");
    (shown || stored).then_some(Kind::State)
}

/// The resources of a document.
pub(super) fn resources(document: &Map<String, Value>) -> Result<Vec<Resource>, String> {
    let mut resources = Vec::new();
    if let Some(stored) = document.get("resources") {
        let version = document.get("version").and_then(Value::as_u64);
        if version != Some(4) {
            return Err("it is a state of another version than 4".to_owned());
        }
        stored_ones(stored, &mut resources);
        return Ok(resources);
    }
    let values = document.get("planned_values").or(document.get("values"));
    let root = values.and_then(|values| values.get("root_module"));
    if let Some(root) = root {
        shown_ones(root, "", DEPTH_MAX, &mut resources)?;
    }
    let mut references = BTreeMap::new();
    let configured = document.get("configuration");
    if let Some(root) = configured.and_then(|own| own.get("root_module")) {
        let outermost = Scope {
            module: root,
            prefix: String::new(),
            caller: None,
        };
        referring(&outermost, DEPTH_MAX, &mut references)?;
    }
    let unknown = unknown(document);
    for resource in &mut resources {
        let plain = format!("{}{}", plain(&resource.module), resource.name);
        resource.references = references.get(&plain).cloned().unwrap_or_default();
        resource.unknown = unknown
            .get(&resource.address())
            .cloned()
            .unwrap_or_default();
    }
    Ok(resources)
}

/// The region that a plan configures its provider with.
pub(super) fn region(document: &Map<String, Value>) -> Option<&str> {
    let providers = document.get("configuration")?.get("provider_config")?;
    let region = providers.get("aws")?.get("expressions")?.get("region")?;
    region.get("constant_value")?.as_str()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = value.get(key).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn index(value: Option<&Value>) -> String {
    value.map_or_else(String::new, |index| format!("[{index}]"))
}

/// A resource of a module, by the type and the name that it has there.
fn named(
    resource: &Value,
    module: &str,
    at: Option<&Value>,
    values: Option<&Map<String, Value>>,
) -> Resource {
    Resource {
        module: dotted(module),
        name: format!("{}.{}", text(resource, "type"), text(resource, "name")),
        index: index(at),
        kind: text(resource, "type").to_owned(),
        values: values.cloned().unwrap_or_default(),
        ..Resource::default()
    }
}

/// Resources of a state as it is stored.
fn stored_ones(stored: &Value, resources: &mut Vec<Resource>) {
    for resource in stored.as_array().into_iter().flatten() {
        if text(resource, "mode") != "managed" {
            continue;
        }
        let module = text(resource, "module");
        for instance in list(resource, "instances") {
            let values = instance.get("attributes").and_then(Value::as_object);
            resources.push(named(resource, module, instance.get("index_key"), values));
        }
    }
}

/// Resources of a module as it is shown, and of those in it.
fn shown_ones(
    module: &Value,
    address: &str,
    depth: usize,
    resources: &mut Vec<Resource>,
) -> Result<(), String> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(format!("it has modules {DEPTH_MAX} deep"));
    };
    for resource in list(module, "resources") {
        if text(resource, "mode") != "managed" {
            continue;
        }
        let values = resource.get("values").and_then(Value::as_object);
        resources.push(named(resource, address, resource.get("index"), values));
    }
    for module in list(module, "child_modules") {
        shown_ones(module, text(module, "address"), below, resources)?;
    }
    Ok(())
}

/// A module of the configuration, and what its variables are taken from.
struct Scope<'a> {
    module: &'a Value,
    /// Its address without indices, with a dot behind it.
    prefix: String,
    /// Who calls it, and what the call says of variables.
    caller: Option<(&'a Scope<'a>, &'a Value)>,
}

impl Scope<'_> {
    /// A module that is called here.
    fn called(&self, name: &str) -> Option<Scope<'_>> {
        let call = self.module.get("module_calls")?.get(name)?;
        Some(Scope {
            module: call.get("module")?,
            prefix: format!("{}module.{name}.", self.prefix),
            caller: Some((self, call.get("expressions").unwrap_or(&Value::Null))),
        })
    }

    /// Absolute names of what an expression refers to, without indices of modules: variables and outputs are followed
    /// to the resources that they are taken from. Nothing if that takes too long.
    fn resources_of(&self, expression: &Value) -> Vec<String> {
        let (mut found, mut left) = (Vec::new(), NAMES_MAX);
        match self.follow(expression, &mut left, &mut found) {
            Some(()) => found,
            None => Vec::new(),
        }
    }

    /// Adds what an expression refers to; nothing once no name is left to be followed.
    fn follow(&self, expression: &Value, left: &mut usize, found: &mut Vec<String>) -> Option<()> {
        for name in list(expression, "references")
            .iter()
            .filter_map(Value::as_str)
        {
            *left = left.checked_sub(1)?;
            let plain = plain(name);
            let parts: Vec<&str> = plain.split('.').collect();
            match parts[..] {
                ["var", variable, ..] => {
                    let of_call = self
                        .caller
                        .and_then(|(caller, said)| Some((caller, said.get(variable)?)));
                    if let Some((caller, expression)) = of_call {
                        caller.follow(expression, left, found)?;
                    }
                }
                ["module", module, output, ..] => {
                    let Some(called) = self.called(module) else {
                        continue;
                    };
                    let outputs = called.module.get("outputs");
                    let output = outputs.and_then(|own| own.get(output)?.get("expression"));
                    if let Some(expression) = output {
                        called.follow(expression, left, found)?;
                    }
                }
                _ => {
                    let name = format!("{}{name}", self.prefix);
                    if !found.contains(&name) {
                        found.push(name);
                    }
                }
            }
        }
        Some(())
    }
}

/// Names that are followed for one attribute: far more than anybody writes.
const NAMES_MAX: usize = 500;

/// What the attributes of a module's resources refer to, by module (without indices) and name.
fn referring(
    scope: &Scope<'_>,
    depth: usize,
    all: &mut BTreeMap<String, BTreeMap<String, Vec<String>>>,
) -> Result<(), String> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(format!("it has modules {DEPTH_MAX} deep"));
    };
    for resource in list(scope.module, "resources") {
        let own = all
            .entry(format!("{}{}", scope.prefix, text(resource, "address")))
            .or_default();
        let expressions = resource.get("expressions").and_then(Value::as_object);
        for (key, expression) in expressions.into_iter().flatten() {
            refer(scope, key, expression, own);
            for (at, block) in expression.as_array().into_iter().flatten().enumerate() {
                for (inner, expression) in block.as_object().into_iter().flatten() {
                    refer(scope, &format!("{key}.{at}.{inner}"), expression, own);
                }
            }
        }
    }
    let calls = scope.module.get("module_calls").and_then(Value::as_object);
    for name in calls.into_iter().flat_map(Map::keys) {
        if let Some(called) = scope.called(name) {
            referring(&called, below, all)?;
        }
    }
    Ok(())
}

fn refer(
    scope: &Scope<'_>,
    key: &str,
    expression: &Value,
    own: &mut BTreeMap<String, Vec<String>>,
) {
    let names = scope.resources_of(expression);
    if !names.is_empty() {
        own.insert(key.to_owned(), names);
    }
}

/// Attributes that are known after the plan is applied, by address.
fn unknown(document: &Map<String, Value>) -> BTreeMap<String, Vec<String>> {
    let changes = document.get("resource_changes").and_then(Value::as_array);
    let changes = changes.into_iter().flatten();
    let named = changes.filter_map(|own| {
        let after = own.get("change")?.get("after_unknown")?.as_object()?;
        let keys = after.iter().filter(|(_, value)| has_unknown(value));
        let keys = keys.map(|(key, _)| key.clone()).collect();
        Some((text(own, "address").to_owned(), keys))
    });
    named.collect()
}

/// Whether anything of an attribute is known after the plan is applied only.
fn has_unknown(value: &Value) -> bool {
    match value {
        Value::Bool(unknown) => *unknown,
        Value::Array(items) => items.iter().any(has_unknown),
        Value::Object(object) => object.values().any(has_unknown),
        _ => false,
    }
}

fn dotted(module: &str) -> String {
    match module {
        "" => String::new(),
        module => format!("{module}."),
    }
}

/// A module without the indices of its instances.
fn plain(module: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0_usize;
    for char in module.chars() {
        match char {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            char if depth == 0 => plain.push(char),
            _ => {}
        }
    }
    plain
}
