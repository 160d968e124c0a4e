//! Small files joined into large ones.

use std::collections::BTreeMap;

use deltalake::protocol::DeltaOperation;

use super::merge::Merge;
use super::{Change, Changed};
use crate::Error;
use crate::file::{FILE_BYTES_TARGET, FileWriter};
use crate::lake::{DataFile, Lake};
use crate::partition::Partition;
use crate::table::Table;

/// A file of fewer bytes is small, and is joined with the other small ones of its partition: half of what files are to
/// have, so that what two or more become is small at most once.
pub const SMALL_BYTES: u64 = FILE_BYTES_TARGET as u64 / 2;

/// Bytes, as stored, of the files that are joined at once: they are in memory together. A partition with more of them is
/// joined in several steps.
const JOINED_BYTES_MAX: u64 = 256 << 20;

/// Files that are joined at once; a partition with more is joined in several steps. Each has columns open.
const JOINED_FILES_MAX: usize = 512;

/// Bytes, as stored, of the files that one commit takes out: what is joined anew if another was faster.
const COMMIT_STORED_BYTES_MAX: u64 = 1 << 30;

/// Small files of one partition that are joined with one another.
type Group = Vec<DataFile>;

/// What a compaction did to a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Small files that it took out.
    pub files_before: u64,
    /// Files that it put in their place.
    pub files_after: u64,
    /// Bytes of those that it took out.
    pub bytes_before: u64,
    /// Bytes of those that it put in.
    pub bytes_after: u64,
    /// Rows in either.
    pub rows: u64,
    /// Whether another took out some of the same files meanwhile. What was joined of them is not in the table.
    pub overtaken: bool,
}

impl Lake {
    /// Joins the small files of a table, by partition. Readers see the same rows before and after; ingesters may go on.
    /// The files that it takes out stay until [`Lake::unneeded`] names them.
    ///
    /// # Errors
    /// [`Error::Table`] and [`Error::File`] if the table cannot be read or written; what was committed until then stays.
    pub fn compact(&self, table: Table) -> Result<Compacted, Error> {
        self.settle()?;
        let mut done = Compacted::default();
        loop {
            let groups = groups(self.files(&self.snapshot(table)?)?);
            if groups.is_empty() {
                return Ok(done);
            }
            for groups in commits(groups) {
                self.join_all(table, groups, &mut done)?;
                if done.overtaken {
                    return Ok(done);
                }
            }
        }
    }

    /// Joins groups of files, each of one partition, and commits them together.
    fn join_all(
        &self,
        table: Table,
        groups: Vec<Group>,
        done: &mut Compacted,
    ) -> Result<(), Error> {
        let mut added = Vec::new();
        for group in &groups {
            match self.join(table, group) {
                Ok(files) => added.extend(files),
                Err(error) => {
                    self.discard(&added);
                    return Err(error);
                }
            }
        }
        let change = Change {
            table,
            operation: DeltaOperation::Optimize {
                predicate: None,
                target_size: FILE_BYTES_TARGET.try_into().unwrap_or(i64::MAX),
            },
            removed: groups.into_iter().flatten().collect(),
            added,
            data_change: false,
            transaction: None,
        };
        // What did not come in is not deleted here: it may have come in and been joined by another since.
        match self.wait(self.change(&change))? {
            Changed::Overtaken => done.overtaken = true,
            Changed::Done => {
                let bytes = |files: &[DataFile]| files.iter().map(|file| file.size).sum::<u64>();
                done.files_before += change.removed.len() as u64;
                done.files_after += change.added.len() as u64;
                done.bytes_before += bytes(&change.removed);
                done.bytes_after += bytes(&change.added);
                done.rows += change.added.iter().map(|file| file.rows).sum::<u64>();
            }
        }
        Ok(())
    }

    /// Writes the rows of some files of one partition into new ones, sorted.
    fn join(&self, table: Table, group: &[DataFile]) -> Result<Vec<DataFile>, Error> {
        let mut files = Vec::new();
        let written = self.write_joined(table, group, &mut files);
        let rows = |files: &[DataFile]| files.iter().map(|file| file.rows).sum::<u64>();
        let (read, told) = (rows(&files), rows(group));
        let checked = written.and_then(|()| match read == told {
            true => Ok(()),
            false => Err(Error::Table {
                what: "join the files of",
                table: table.name(),
                source: format!("they hold {read} rows, and its log says {told}").into(),
            }),
        });
        match checked {
            Ok(()) => Ok(files),
            Err(error) => {
                self.discard(&files);
                Err(error)
            }
        }
    }

    fn write_joined(
        &self,
        table: Table,
        group: &[DataFile],
        files: &mut Vec<DataFile>,
    ) -> Result<(), Error> {
        let partition = group.first().map(|file| file.partition.clone());
        let partition = partition.unwrap_or_default();
        let mut merge = Merge::of(self, table, group)?;
        let mut writer: Option<FileWriter> = None;
        while let Some(rows) = merge.next_piece()? {
            let mut file = match writer.take() {
                Some(file) => file,
                None => FileWriter::new(table, &rows.schema())?,
            };
            file.append(&rows)?;
            if file.is_full() {
                files.push(self.store(table, &partition, file.finish()?)?);
            } else {
                writer = Some(file);
            }
        }
        if let Some(file) = writer {
            files.push(self.store(table, &partition, file.finish()?)?);
        }
        Ok(())
    }
}

/// The small files that are to be joined.
pub(crate) fn groups(files: Vec<DataFile>) -> Vec<Group> {
    let mut small: BTreeMap<Partition, Vec<DataFile>> = BTreeMap::new();
    for file in files.into_iter().filter(|file| file.size < SMALL_BYTES) {
        small.entry(file.partition.clone()).or_default().push(file);
    }
    let mut groups: Vec<Group> = Vec::new();
    for (_, mut files) in small {
        files.sort_by(|a, b| (a.size, &a.path).cmp(&(b.size, &b.path)));
        let (mut group, mut bytes) = (Vec::new(), 0);
        for file in files {
            if bytes + file.size > JOINED_BYTES_MAX || group.len() == JOINED_FILES_MAX {
                groups.push(std::mem::take(&mut group));
                bytes = 0;
            }
            bytes += file.size;
            group.push(file);
        }
        groups.push(group);
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Groups of files by the commits that they end in.
fn commits(groups: Vec<Group>) -> Vec<Vec<Group>> {
    let mut commits: Vec<Vec<Group>> = Vec::new();
    let mut bytes = COMMIT_STORED_BYTES_MAX;
    for group in groups {
        if bytes >= COMMIT_STORED_BYTES_MAX {
            commits.push(Vec::new());
            bytes = 0;
        }
        bytes += group.iter().map(|file| file.size).sum::<u64>();
        if let Some(commit) = commits.last_mut() {
            commit.push(group);
        }
    }
    commits
}
