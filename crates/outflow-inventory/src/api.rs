//! What AWS is asked, and what its answers become.

pub(crate) mod asker;
pub(crate) mod calls;
pub(crate) mod guardduty;
pub(crate) mod json;
pub(crate) mod query;
pub(crate) mod shape;
mod shapes;
pub(crate) mod sts;
pub(crate) mod xml;
