//! What can go wrong: context that is not what it is said to be.

/// Errors of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Text that is no CIDR network.
    #[error("`{text}` is no network such as 10.0.0.0/8 or 2001:db8::/32")]
    BadNetwork {
        /// The text as given.
        text: String,
    },
    /// More prefixes than a table takes.
    #[error("more than {} prefixes", crate::PREFIXES_MAX)]
    TooManyPrefixes,
    /// Bytes that are not AWS's list of address ranges.
    #[error("not AWS's ip-ranges.json: {what}")]
    BadRanges {
        /// What is wrong, and where.
        what: String,
    },
    /// Bytes that are no database in MaxMind's format, or one that tells nothing of use.
    #[error("not a database of addresses: {what}")]
    BadDatabase {
        /// What is wrong.
        what: String,
    },
    /// Bytes that are no list of known destinations.
    #[error("not a list of destinations: {what}")]
    BadDestinations {
        /// What is wrong.
        what: String,
    },
    /// Bytes that are no inventory.
    #[error("not an inventory: {what}")]
    BadInventory {
        /// What is wrong.
        what: String,
    },
}
