//! Names of hosts: which domain they belong to, and whether one lies below another.

mod punycode;
mod shared;

use std::borrow::Cow;

use psl::Psl as _;

pub(crate) use shared::is_shared_domain;

/// Bytes of a name at most, as DNS has it (RFC 1035, without the final dot). What is longer is no name.
pub const NAME_BYTES_MAX: usize = 253;

/// The domain that somebody registered, by the public suffix list with its private section: one label more than the
/// suffix. In lower case and without a final dot; punycode stays punycode.
///
/// `None` for a name that is itself a suffix, an address, or no name. An unknown top-level domain is a suffix, so
/// that names of private zones have a registered domain too.
///
/// ```
/// use outflow_enrich::registered_domain;
/// assert_eq!(registered_domain("a.b.Example.co.uk.").as_deref(), Some("example.co.uk"));
/// // Whoever has a page there, has only the page.
/// assert_eq!(registered_domain("someone.github.io").as_deref(), Some("someone.github.io"));
/// assert_eq!(registered_domain("co.uk"), None);
/// ```
pub fn registered_domain(name: &str) -> Option<Cow<'_, str>> {
    let name = canonical(name)?;
    if name.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    // The list has its rules in Unicode, and logs have names in punycode.
    let labels: Vec<Cow<'_, str>> = name.rsplit('.').map(punycode::decoded).collect();
    let suffix = psl::List.find(labels.iter().map(|label| label.as_bytes()));
    let mut labels_of_suffix = 0;
    let mut bytes = 0;
    while bytes < suffix.len {
        bytes += labels.get(labels_of_suffix)?.len() + 1;
        labels_of_suffix += 1;
    }
    if labels_of_suffix >= labels.len() {
        return None;
    }
    let before = name.rmatch_indices('.').nth(labels_of_suffix);
    let start = before.map_or(0, |(dot, _)| dot + 1);
    Some(match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[start..]),
        Cow::Owned(mut name) => {
            name.drain(..start);
            Cow::Owned(name)
        }
    })
}

/// Whether a name is a domain or lies below it. Case and final dots do not matter; the border between labels does.
///
/// ```
/// use outflow_enrich::lies_within;
/// assert!(lies_within("S3.amazonaws.com.", "amazonaws.com"));
/// assert!(!lies_within("evil-amazonaws.com", "amazonaws.com"));
/// ```
pub fn lies_within(name: &str, domain: &str) -> bool {
    let (Some(name), Some(domain)) = (canonical(name), canonical(domain)) else {
        return false;
    };
    name.strip_suffix(&*domain)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// A name in lower case and without its final dot; `None` if it has an empty label or is too long.
pub(crate) fn canonical(name: &str) -> Option<Cow<'_, str>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > NAME_BYTES_MAX || name.split('.').any(str::is_empty) {
        return None;
    }
    Some(if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

#[cfg(test)]
mod tests;
