//! The fold, the ledgers and the judges.
