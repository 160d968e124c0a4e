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
    let start = registered_at(&name)?.0;
    Some(match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[start..]),
        Cow::Owned(mut name) => {
            name.drain(..start);
            Cow::Owned(name)
        }
    })
}

/// A name, parted where its registered domain begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered<'n> {
    /// What stands before the domain, without the dot between them; empty if the name is the domain.
    pub below: &'n str,
    /// The domain that somebody registered, as of [`registered_domain`].
    pub domain: &'n str,
    /// Whether the public suffix list knows its top-level domain. Others are of private zones, or of none.
    pub is_listed: bool,
}

impl<'n> Registered<'n> {
    /// Parts a name in lower case and without a final dot; `None` for one that is itself a suffix.
    ///
    /// ```
    /// use outflow_enrich::Registered;
    /// let parts = Registered::of("a.b.example.co.uk").unwrap();
    /// assert_eq!((parts.below, parts.domain, parts.is_listed), ("a.b", "example.co.uk", true));
    /// assert!(!Registered::of("db.corp").unwrap().is_listed);
    /// ```
    pub fn of(name: &'n str) -> Option<Self> {
        let (start, is_listed) = registered_at(name)?;
        Some(Self {
            below: name[..start].strip_suffix('.').unwrap_or_default(),
            domain: &name[start..],
            is_listed,
        })
    }
}

/// Where the registered domain of a name begins, and whether the list knows its top-level domain.
fn registered_at(name: &str) -> Option<(usize, bool)> {
    let (suffix_bytes, is_listed) = if name.contains("xn--") {
        // The list has its rules in Unicode, and logs have names in punycode.
        let labels: Vec<Cow<'_, str>> = name.rsplit('.').map(punycode::decoded).collect();
        let suffix = psl::List.find(labels.iter().map(|label| label.as_bytes()));
        let (mut count, mut bytes) = (0, 0);
        while bytes < suffix.len {
            bytes += labels.get(count)?.len() + 1;
            count += 1;
        }
        let labels = name.rsplit('.').take(count).map(|label| label.len() + 1);
        (labels.sum::<usize>().checked_sub(1)?, suffix.typ.is_some())
    } else {
        let suffix = psl::List.find(name.rsplit('.').map(str::as_bytes));
        (suffix.len, suffix.typ.is_some())
    };
    let before = name.len().checked_sub(suffix_bytes + 1)?;
    let start = name.as_bytes()[..before]
        .iter()
        .rposition(|byte| *byte == b'.')
        .map_or(0, |dot| dot + 1);
    Some((start, is_listed))
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
