//! What became of a delivery.

/// What became of the items that were for one target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The target, as [`Target`](crate::Target) displays itself.
    pub target: String,
    /// Items that arrived.
    pub delivered: u64,
    /// Items that were not for this target: of another format or family, or not grave enough.
    pub passed_over: u64,
    /// Items that did not arrive, and why.
    pub failed: Vec<Failure>,
    /// How many of those that failed were written to the file of dead letters.
    pub dead_lettered: u64,
    /// Why those that failed were not written there: they are nowhere but with the caller.
    pub unkept: Option<String>,
    /// Requests, or writes to a file.
    pub attempts: u64,
}

impl Report {
    /// Items that neither arrived nor were kept to be delivered again.
    pub fn lost(&self) -> u64 {
        (self.failed.len() as u64).saturating_sub(self.dead_lettered)
    }
}

/// An item that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its id.
    pub id: String,
    /// Why, as a fragment of a sentence.
    pub reason: String,
}

/// What became of dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redelivery {
    /// For each target that had any.
    pub reports: Vec<Report>,
    /// Dead letters of targets that are not among those that were opened. They stay.
    pub of_others: u64,
    /// Numbers of the lines that are no dead letters, from 1. They stay, and only a person can tell what they were.
    pub unreadable: Vec<u64>,
}
