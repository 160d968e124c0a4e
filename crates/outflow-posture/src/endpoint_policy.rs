//! Policies of endpoints: whose resources they let a workload write to.

use serde_json::{Map, Value};

/// Condition keys that name whose resource it is, in lower case.
const RESOURCE_KEYS: [&str; 4] = [
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "s3:resourceaccount",
];

/// Condition keys that name who asks.
const PRINCIPAL_KEYS: [&str; 4] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
];

/// Beginnings of actions that only read.
const READS: [&str; 7] = [
    "BatchGet", "Describe", "Get", "Head", "List", "Query", "Scan",
];

/// What a policy lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Resources of its own only.
    Restricted(String),
    /// Those of anybody, and why.
    Open(String),
    /// It is no policy that is understood.
    Unknown(String),
}

/// Judges the JSON of a policy.
pub(crate) fn reach(policy: &str) -> Reach {
    let document: Value = match serde_json::from_str(policy) {
        Ok(document) => document,
        Err(error) => return Reach::Unknown(format!("the policy is no JSON: {error}")),
    };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Reach::Unknown("the policy has no statement".to_owned()),
    };
    let statements: Option<Vec<&Map<String, Value>>> =
        statements.into_iter().map(Value::as_object).collect();
    let Some(statements) = statements else {
        return Reach::Unknown("a statement of the policy is no object".to_owned());
    };
    let effect = |statement: &Map<String, Value>| {
        statement
            .get("Effect")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    if statements
        .iter()
        .any(|own| effect(own).as_deref() == Some("Deny") && denies_others(own))
    {
        return Reach::Restricted("it denies resources of others".to_owned());
    }
    let allowed = statements
        .iter()
        .filter(|own| effect(own).as_deref() == Some("Allow"));
    let mut whys = allowed.map(|statement| open(statement));
    match whys.find_map(|why| why) {
        Some(why) => Reach::Open(why),
        None => Reach::Restricted("all that it allows names whose it is, or only reads".to_owned()),
    }
}

/// Why an allowing statement lets a workload write to resources of others; `None` if it does not.
fn open(statement: &Map<String, Value>) -> Option<String> {
    if only_reads(statement) || names_resources(statement) {
        return None;
    }
    let conditions = Conditions::of(statement);
    let by_principal = conditions.by_principal || names_principals(statement);
    if conditions.by_resource || conditions.by_relation && by_principal {
        return None;
    }
    Some(if conditions.by_relation {
        "it compares the resource's account with the caller's: keys of others reach resources of others".to_owned()
    } else if by_principal {
        "it names who may ask, but not whose resource: one's own keys write to resources of others"
            .to_owned()
    } else if statement.contains_key("NotResource") {
        "it allows all but some resources".to_owned()
    } else {
        "no condition and no name of a resource restricts it".to_owned()
    })
}

/// Whether a denying statement shuts out all resources of others.
fn denies_others(statement: &Map<String, Value>) -> bool {
    let everybody = match statement.get("Principal") {
        Some(Value::Object(principals)) => principals
            .values()
            .any(|names| texts(names).any(|name| name == "*")),
        Some(names) => texts(names).any(|name| name == "*"),
        None => false,
    };
    let all_actions = statement.get("Action").is_some_and(|actions| {
        texts(actions).any(|action| action == "*" || action.ends_with(":*"))
    });
    if !everybody || !all_actions {
        return false;
    }
    let others = statement.get("NotResource");
    if let Some(own) = others.filter(|_| !statement.contains_key("Condition")) {
        return texts(own).all(is_named);
    }
    let everything = statement
        .get("Resource")
        .is_some_and(|names| texts(names).any(|name| name == "*"));
    let mut shuts = false;
    for (operator, key, value) in conditions(statement) {
        let negated = matches!(
            operator.as_str(),
            "stringnotequals"
                | "stringnotequalsifexists"
                | "stringnotlike"
                | "stringnotlikeifexists"
        );
        match key.as_str() {
            key if RESOURCE_KEYS.contains(&key) && negated => {
                shuts |= texts(value).all(|value| !value.contains('*') && !value.starts_with("${"));
            }
            // Services of AWS that act for the account may reach what is theirs.
            "aws:principalisawsservice" => {}
            // Any other condition makes holes that are not looked into.
            _ => return false,
        }
    }
    everything && shuts
}

/// What the conditions of an allowing statement restrict.
#[derive(Default)]
struct Conditions {
    by_resource: bool,
    /// The resource's account or organisation must be that of the caller.
    by_relation: bool,
    by_principal: bool,
}

impl Conditions {
    fn of(statement: &Map<String, Value>) -> Self {
        let mut own = Self::default();
        for (operator, key, value) in conditions(statement) {
            let operator = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
            let operator = operator.strip_suffix("ifexists").unwrap_or(operator);
            let equals =
                ["stringequals", "stringequalsignorecase", "arnequals"].contains(&operator);
            let like = ["stringlike", "arnlike"].contains(&operator);
            let mut values = texts(value).peekable();
            if !(equals || like) || values.peek().is_none() {
                continue;
            }
            let values: Vec<&str> = values.collect();
            if like && values.iter().any(|value| value.starts_with('*')) {
                continue;
            }
            let is_relative = values.iter().any(|value| value.starts_with("${"));
            if RESOURCE_KEYS.contains(&key.as_str()) {
                own.by_resource |= !is_relative;
                own.by_relation |= is_relative;
            }
            own.by_principal |= PRINCIPAL_KEYS.contains(&key.as_str()) && !is_relative;
        }
        own
    }
}

/// Operator, key and value of each condition, the first two in lower case.
fn conditions(statement: &Map<String, Value>) -> impl Iterator<Item = (String, String, &Value)> {
    let operators = statement.get("Condition").and_then(Value::as_object);
    operators
        .into_iter()
        .flatten()
        .flat_map(|(operator, keys)| {
            let keys = keys.as_object().into_iter().flatten();
            let operator = operator.to_ascii_lowercase();
            keys.map(move |(key, value)| (operator.clone(), key.to_ascii_lowercase(), value))
        })
}

/// Whether all that is allowed reads.
fn only_reads(statement: &Map<String, Value>) -> bool {
    let Some(actions) = statement.get("Action") else {
        return false;
    };
    let reads = |action: &str| {
        let (_, name) = action.split_once(':').unwrap_or(("", ""));
        READS.iter().any(|read| {
            name.get(..read.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(read))
        })
    };
    let mut actions = texts(actions).peekable();
    actions.peek().is_some() && actions.all(reads)
}

/// Whether only resources are allowed whose owner their names tell.
fn names_resources(statement: &Map<String, Value>) -> bool {
    let Some(resources) = statement.get("Resource") else {
        return false;
    };
    let mut names = texts(resources).peekable();
    names.peek().is_some() && names.all(is_named)
}

/// Whether a resource's name tells its owner: an account, or a bucket by its whole name. Of a bucket's name with a
/// wildcard anybody can take one that fits.
fn is_named(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, service, _, account, resource] = parts[..] else {
        return false;
    };
    let is_fixed = |text: &str| !text.is_empty() && !text.contains(['*', '?', '$']);
    if service == "s3" && account.is_empty() {
        let bucket = resource.split('/').next().unwrap_or("");
        return is_fixed(bucket);
    }
    is_fixed(account)
}

/// Whether only some principals are allowed.
fn names_principals(statement: &Map<String, Value>) -> bool {
    match statement.get("Principal") {
        Some(Value::Object(principals)) => {
            let mut names = principals.values().flat_map(texts).peekable();
            names.peek().is_some() && names.all(|name| !name.contains('*'))
        }
        _ => false,
    }
}

/// A text, or the texts of an array.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let many = value.as_array().into_iter().flatten();
    many.chain(std::iter::once(value)).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a policy with one statement is open. `$` stands for what allows everything to everybody.
    fn is_open(statement: &str) -> bool {
        let all = r#""Principal": "*", "Action": "s3:*", "Resource": "*""#;
        let statement = statement.replace('$', all).replace("@{", "${");
        let object = format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#);
        let array = format!(r#"{{"Statement": [{statement}]}}"#);
        let reached = if statement.starts_with('[') {
            vec![object]
        } else {
            vec![object, array]
        };
        let reached: Vec<bool> = reached
            .iter()
            .map(|policy| match reach(policy) {
                Reach::Open(_) => true,
                Reach::Restricted(_) => false,
                Reach::Unknown(why) => panic!("{policy}: {why}"),
            })
            .collect();
        assert!(
            reached.windows(2).all(|pair| pair[0] == pair[1]),
            "{statement}"
        );
        reached[0]
    }

    #[test]
    fn what_lets_data_out_to_others_is_open() {
        for statement in [
            r#"{"Effect": "Allow", $}"#,
            r#"{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["*"], "Resource": ["*"]}"#,
            // Who asks is no answer to whose bucket it is.
            r#"{"Effect": "Allow", $, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}"#,
            r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "s3:PutObject", "Resource": "*"}"#,
            // The caller may bring keys of his own.
            r#"{"Effect": "Allow", $, "Condition": {"StringEquals": {"aws:ResourceAccount": "@{aws:PrincipalAccount}"}}}"#,
            r#"{"Effect": "Allow", $, "Condition": {"StringLike": {"aws:ResourceAccount": "*"}}}"#,
            r#"{"Effect": "Allow", $, "Condition": {"StringNotEquals": {"aws:ResourceAccount": "111122223333"}}}"#,
            r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::company-*"}"#,
            r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "NotResource": "arn:aws:s3:::secret/*"}"#,
            r#"{"Effect": "Allow", "Principal": "*", "Action": "dynamodb:PutItem", "Resource": "arn:aws:dynamodb:*:*:table/*"}"#,
            // The denial has a hole.
            r#"[{"Effect": "Allow", $}, {"Effect": "Deny", $, "Condition": {
                "StringNotEquals": {"aws:ResourceAccount": "111122223333"}, "Bool": {"aws:SecureTransport": "false"}}}]"#,
            r#"[{"Effect": "Allow", $}, {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:ResourceAccount": "111122223333"}}}]"#,
        ] {
            assert!(is_open(statement), "{statement}");
        }
    }

    #[test]
    fn what_names_whose_resource_it_is_is_not() {
        for statement in [
            r#"{"Effect": "Allow", $, "Condition": {"StringEquals": {"aws:ResourceAccount": "111122223333"}}}"#,
            r#"{"Effect": "Allow", $, "Condition": {"StringEquals": {"AWS:resourceaccount": ["111122223333", "444455556666"]}}}"#,
            r#"{"Effect": "Allow", $, "Condition": {"StringEqualsIfExists": {"aws:ResourceOrgID": "o-1"}}}"#,
            r#"{"Effect": "Allow", $, "Condition": {"StringEquals": {"s3:ResourceAccount": "111122223333"}}}"#,
            r#"{"Effect": "Allow", $, "Condition": {"StringEquals": {"aws:ResourceOrgID": "@{aws:PrincipalOrgID}",
                "aws:PrincipalOrgID": "o-1"}}}"#,
            r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": ["arn:aws:s3:::mine/*", "arn:aws:s3:::mine"]}"#,
            r#"{"Effect": "Allow", "Principal": "*", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/*"}"#,
            r#"{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:List*"], "Resource": "*"}"#,
            r#"{"Effect": "Deny", $}"#,
            r#"[{"Effect": "Allow", $}, {"Effect": "Deny", $, "Condition": {"StringNotEqualsIfExists": {"aws:ResourceOrgID": "o-1"},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}]"#,
            r#"[{"Effect": "Allow", $}, {"Effect": "Deny", "Principal": "*", "Action": "*", "NotResource": "arn:aws:s3:::mine/*"}]"#,
        ] {
            assert!(!is_open(statement), "{statement}");
        }
    }

    #[test]
    fn what_is_no_policy_is_unknown() {
        for policy in [
            "",
            "{",
            "{}",
            r#"{"Statement": "all"}"#,
            r#"{"Statement": ["all"]}"#,
            "null",
        ] {
            assert!(matches!(reach(policy), Reach::Unknown(_)), "{policy}");
        }
    }
}
