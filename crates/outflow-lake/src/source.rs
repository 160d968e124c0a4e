//! What an object is known by.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What tells one object, in one version, from all others: a digest of its name and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceId([u8; 16]);

impl SourceId {
    /// The id of these texts, in this order.
    pub fn of(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&digest.finalize()[..16]);
        Self(id)
    }

    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 32).then_some(())?;
        u128::from_str_radix(text, 16)
            .ok()
            .map(|id| Self(id.to_be_bytes()))
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What is in the lake: by the id of an object's name, the id of the version that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    versions: HashMap<SourceId, SourceId, foldhash::fast::FixedState>,
}

/// What the journal says of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was not read yet.
    New,
    /// It was read, in this very version.
    Read,
    /// Another version of it was read. Rows of both would count the same traffic twice.
    Changed,
}

impl Journal {
    /// What is known of an object by the ids of its name and of its version.
    pub fn known(&self, name: SourceId, version: SourceId) -> Known {
        match self.versions.get(&name) {
            None => Known::New,
            Some(read) if *read == version => Known::Read,
            Some(_) => Known::Changed,
        }
    }

    /// Objects read.
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    pub(crate) fn insert(&mut self, name: SourceId, version: SourceId) {
        self.versions.insert(name, version);
    }
}
