//! The checks, one subject a file. Each looks at one VPC and says what it found and which criteria hold.

pub(crate) mod endpoints;
pub(crate) mod flow_logs;
pub(crate) mod groups;
pub(crate) mod leaving;
pub(crate) mod recorder;
pub(crate) mod watching;
pub(crate) mod ways;
