//! Rules of OCSF 1.8 that hold for findings of any class with the profile `cloud`.

use serde_json::Value;

#[track_caller]
pub(in crate::ocsf) fn has_attributes(of: &Value, attributes: &str) {
    let object = of.as_object().unwrap();
    for attribute in attributes
        .split_whitespace()
        .filter_map(|name| name.strip_prefix('!'))
    {
        assert!(
            object.contains_key(attribute),
            "{attribute} is required: {of}"
        );
    }
    let known: Vec<&str> = attributes
        .split_whitespace()
        .map(|name| name.trim_start_matches('!'))
        .collect();
    for (name, value) in object {
        assert!(
            known.contains(&name.as_str()),
            "{name} is no attribute: {of}"
        );
        assert!(
            !value.is_null() && value != "" && value != &Value::Array(Vec::new()),
            "{name} is empty: {of}"
        );
    }
}

/// A number of an enumeration and its caption.
#[track_caller]
pub(in crate::ocsf) fn is_of(of: &Value, name: &str, captions: &[(u64, &str)]) {
    let (id, caption) = (
        of[format!("{name}_id")].as_u64().unwrap(),
        of[name].as_str().unwrap(),
    );
    assert!(captions.contains(&(id, caption)), "{name}: {id} {caption}");
}

#[track_caller]
pub(in crate::ocsf) fn is_millis(of: &Value, names: &[&str]) {
    for name in names {
        if let Some(at) = of.get(*name) {
            // Seconds would be of 1970.
            let at = at.as_i64().unwrap();
            assert!(
                (946_684_800_000..=4_291_747_199_000).contains(&at),
                "{name}: {at}"
            );
        }
    }
}

pub(in crate::ocsf) const SEVERITIES: [(u64, &str); 5] = [
    (1, "Informational"),
    (2, "Low"),
    (3, "Medium"),
    (4, "High"),
    (5, "Critical"),
];

/// Checks what all classes of findings have.
#[track_caller]
pub(in crate::ocsf) fn validate_base(event: &Value, class_uid: u64) {
    let number = |name: &str| event[name].as_u64().unwrap();
    assert_eq!(number("class_uid"), class_uid);
    assert_eq!(number("category_uid"), 2);
    assert_eq!(number("type_uid"), class_uid * 100 + number("activity_id"));
    assert!([1, 2, 3].contains(&number("activity_id")));
    let (class, activity) = (&event["class_name"], &event["activity_name"]);
    let name = format!(
        "{}: {}",
        class.as_str().unwrap(),
        activity.as_str().unwrap()
    );
    assert_eq!(event["type_name"], name);
    is_of(event, "severity", &SEVERITIES);
    is_of(event, "status", &[(1, "New")]);
    is_millis(event, &["time", "start_time", "end_time"]);
    has_attributes(&event["metadata"], "!version profiles !product");
    has_attributes(&event["metadata"]["product"], "!name vendor_name version");
    assert_eq!(event["metadata"]["version"], "1.8.0");
    assert_eq!(event["metadata"]["profiles"], serde_json::json!(["cloud"]));
    has_attributes(&event["cloud"], "!provider cloud_partition region account");
}

pub(in crate::ocsf) fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).map_or(&[], |list| list.as_array().unwrap())
}

/// The values at a path; `[]` stands for every item of a list.
pub(in crate::ocsf) fn at_path<'a>(of: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('.').fold(vec![of], |found, name| {
        let key = name.trim_end_matches("[]");
        let next = found.into_iter().filter_map(|of| of.get(key));
        match name.ends_with("[]") {
            true => next.flat_map(|of| of.as_array().unwrap()).collect(),
            false => next.collect(),
        }
    })
}
