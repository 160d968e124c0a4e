//! What can go wrong: a network that is none.

/// Errors of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Text that is no CIDR network.
    #[error("`{text}` is no network such as 10.0.0.0/8 or 2001:db8::/32")]
    BadNetwork {
        /// The text as given.
        text: String,
    },
}
