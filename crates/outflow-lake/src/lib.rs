//! The tables that Outflow keeps: their schema, layout and commits.
//!
//! ```text
//! rows of objects ──FlowRows, RowBatches: sorted──► FileWriter ──► Parquet ──Lake::store──► files
//!                                                                                      │
//!                        Journal ◄── Lake::journal     every table, once ◄──Lake::commit
//!
//! files ──Lake::open_file──► StoredFile, row group by row group ──FlowColumns──► records as their sources had them
//! ```
//!
//! Tables are Delta tables: anything that reads these reads them.
//!
//! Not here: reading sources and what to make of records; detection.

pub use batches::RowBatches;
pub use commit::{Batch, Committed};
pub use error::{EncodeError, Error};
pub use file::{
    Encoded, FILE_BYTES_TARGET, FileWriter, FlowFile, Pieces, RollUps, SORTED_ROWS_MAX, Scratch,
    SpareMemory,
};
pub use flows::{FlowRows, Hours, Remote, Seen};
pub use lake::{DataFile, Lake, Snapshot};
pub use partition::Partition;
pub use place::{Access, LakePlace};
pub use read::{StoredFile, rows};
pub use records::{FlowColumns, Layout};
pub use source::{Journal, Known, SourceId};
pub use status::{Status, TableStatus};
pub use table::{Table, enriched};
pub use upkeep::{Compacted, EXPIRING, Expired, KEEP_DAYS_MAX, SMALL_BYTES, Unneeded};
pub use verify::{FAULTS_MAX, Fault, Read, Verified};

mod batches;
mod commit;
mod error;
mod file;
mod flows;
mod lake;
mod partition;
mod place;
mod read;
mod records;
mod source;
mod stats;
mod status;
pub mod table;
mod upkeep;
mod verify;
