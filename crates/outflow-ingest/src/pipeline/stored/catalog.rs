//! The objects that a lake has read, as its journal tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use outflow_detect::open_from;
use outflow_enrich::Origin;
use outflow_lake::table::{SOURCE_ID, SOURCE_ROW};
use outflow_lake::{DataFile, Error, Lake, Layout, SourceId, Table};
use outflow_record::Field;
use serde::{Deserialize, Serialize};

use super::{DAY_SECS, each_batch};
use crate::lake::sources::{READ, SourceRow, rows_of};
use crate::pipeline::measures::{Measures, Uncountable};
use crate::s3_name::S3Name;
use crate::{Cause, Filter, Object, Problem};

/// The layouts of a source's records, each behind the number of the first row that has it.
pub(super) type Layouts = Arc<[(i64, Layout)]>;

/// What was read of a lake before.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Before {
    /// Its objects, with the day of the last row of each; of one without a row that has a time, the newest day then.
    pub(super) sources: BTreeMap<SourceId, i64>,
    /// The digests of those that count, likewise.
    pub(super) digests: BTreeMap<String, i64>,
    /// Files of its tables that hold nothing else, each behind the name of its table.
    pub(super) files: BTreeSet<String>,
}

/// Which objects of a journal a step is to read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    /// Objects that end before this day are too old to be read at all.
    pub(super) from: Option<i64>,
    /// As many whole days as have so many rows, the oldest first; all, if nothing is said.
    pub(super) rows: Option<u64>,
}

impl Before {
    /// Whether a file holds nothing new.
    pub(super) fn knows(&self, file: &DataFile) -> bool {
        !self.files.is_empty() && self.files.contains(&name_of(file))
    }

    /// Bytes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        // Trees are two thirds full, and digests and names are texts of their own.
        let digests = self.digests.keys().map(String::capacity).sum::<usize>();
        let files = self.files.iter().map(String::capacity).sum::<usize>();
        self.sources.len() * (size_of::<(SourceId, i64)>() * 3 / 2)
            + self.digests.len() * (size_of::<(String, i64)>() * 3 / 2)
            + self.files.len() * (size_of::<String>() * 3 / 2)
            + digests
            + files
    }

    /// Forgets objects that end before a day: their rows are older than any that will be read.
    pub(super) fn forget(&mut self, day: i64) {
        self.sources.retain(|_, own| *own >= day);
        self.digests.retain(|_, own| *own >= day);
    }
}

/// A file's name among those of all tables.
pub(super) fn name_of(file: &DataFile) -> String {
    format!("{}/{}", file.table.name(), file.path)
}

/// What is wanted of a lake's journal.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// By name.
    sources: Vec<StoredSource>,
    /// The number of each source; none of what is known but not wanted.
    by_id: BTreeMap<SourceId, Option<u32>>,
    before: Arc<Before>,
    /// Names of the files of the journal that were read.
    files: BTreeSet<String>,
    left_out: u64,
    copies: Vec<String>,
    /// The day before which objects are too old, and those of the journal that are: of them nothing is remembered.
    from: Option<i64>,
    outdated: BTreeSet<SourceId>,
    /// Whether objects are left to another step, and if so the first and the last second of those that are not.
    rest: Option<(i64, i64)>,
}

/// What a journal has that was not read before.
#[derive(Debug)]
pub(super) struct Unread {
    rows: Vec<(SourceId, StoredSource)>,
    files: BTreeSet<String>,
    before: Arc<Before>,
}

/// An object whose rows are in the lake.
#[derive(Debug)]
pub(super) struct StoredSource {
    /// Its books; texts that nobody asks for any more are empty.
    pub(super) row: SourceRow,
    /// What its name says of all its rows.
    pub(super) origin: Origin,
    /// Records that start before this came late.
    pub(super) open_from: i64,
    pub(super) layouts: Layouts,
}

impl Unread {
    /// Reads the journal, but for what was read before.
    pub(super) fn of(lake: &Lake, before: Arc<Before>) -> Result<Self, Error> {
        let mut rows = Vec::new();
        let mut layouts: BTreeMap<String, Layouts> = BTreeMap::new();
        let is_new = |file: &DataFile| !before.knows(file);
        let mut files = BTreeSet::new();
        each_batch(
            lake,
            Table::Sources,
            &READ,
            is_new,
            |batch, partition, file| {
                files.insert(name_of(file.file()));
                let read = rows_of(batch, partition);
                let read = read
                    .map_err(|column| file.damaged(format!("`{column}` is not as it should be")))?;
                for mut row in read {
                    let wrong = || file.damaged("a row has no id, or fields that no flow log has");
                    let id = SourceId::parse(&row.source_id).ok_or_else(wrong)?;
                    if before.sources.contains_key(&id) {
                        continue;
                    }
                    let own = match layouts.get(&row.fields) {
                        Some(known) => Arc::clone(known),
                        None => {
                            let formats = row.formats().ok_or_else(wrong)?.into_iter();
                            let made: Layouts = formats
                                .map(|(first, fields)| (first, Layout::new(fields)))
                                .collect();
                            layouts.insert(row.fields.clone(), Arc::clone(&made));
                            made
                        }
                    };
                    for text in [
                        &mut row.fields,
                        &mut row.source_id,
                        &mut row.name_id,
                        &mut row.uri,
                        &mut row.version,
                    ] {
                        *text = String::new();
                    }
                    rows.push((id, StoredSource::new(row, own)));
                }
                Ok(())
            },
        )?;
        Ok(Self {
            rows,
            files,
            before,
        })
    }

    /// The end of the newest object, Unix seconds, of those that do not end after a time.
    pub(super) fn newest(&self, until: i64) -> Option<i64> {
        let ends = self
            .rows
            .iter()
            .filter_map(|(_, own)| Some(own.row.span?.1));
        ends.filter(|end| *end <= until).max()
    }
}

impl Catalog {
    /// What is wanted of a journal, but for what was read before.
    pub(super) fn read(lake: &Lake, filter: &Filter, before: Arc<Before>) -> Result<Self, Error> {
        Ok(Self::of(
            Unread::of(lake, before)?,
            filter,
            Share::default(),
        ))
    }

    /// Picks what is wanted. Of objects with the very same bytes the first by name counts.
    pub(super) fn of(unread: Unread, filter: &Filter, share: Share) -> Self {
        let Unread {
            mut rows,
            files,
            before,
        } = unread;
        let mut catalog = Self {
            files,
            ..Self::default()
        };
        catalog.take_out_outdated(&mut rows, share.from);
        catalog.leave_rest(&mut rows, share.rows);
        rows.sort_by(|(a_id, a), (b_id, b)| {
            (&a.row.given_uri, a_id).cmp(&(&b.row.given_uri, b_id))
        });
        let mut digests = BTreeSet::new();
        for (id, source) in rows {
            let (account, region) = (&source.row.account_id, &source.row.partition.region);
            let is_wanted = filter.has_owner(account.as_deref(), region.as_deref());
            let digest = source
                .row
                .sha256
                .clone()
                .filter(|_| source.row.size != Some(0));
            let mut is_new =
                |digest: String| !before.digests.contains_key(&digest) && digests.insert(digest);
            let is_copy = is_wanted && digest.is_some_and(|digest| !is_new(digest));
            catalog.left_out += u64::from(!is_wanted);
            if is_copy {
                catalog.copies.push(source.row.given_uri.clone());
            }
            let number = u32::try_from(catalog.sources.len()).unwrap_or(u32::MAX);
            let counts = is_wanted && !is_copy;
            catalog.by_id.insert(id, counts.then_some(number));
            if counts {
                catalog.sources.push(source);
            }
        }
        catalog.before = before;
        catalog
    }

    /// Takes out objects of which no row is to be read any more.
    fn take_out_outdated(&mut self, rows: &mut Vec<(SourceId, StoredSource)>, from: Option<i64>) {
        let Some(from) = from else {
            return;
        };
        self.from = Some(from);
        let outdated = &mut self.outdated;
        rows.retain(|(id, own)| {
            let is_kept = own.last_day().is_none_or(|day| day >= from);
            if !is_kept {
                outdated.insert(*id);
            }
            is_kept
        });
    }

    /// Leaves to another step what is beyond so many rows: whole days, so that rows of an object lie in few files and those of
    /// copies together.
    fn leave_rest(&mut self, rows: &mut Vec<(SourceId, StoredSource)>, rows_max: Option<u64>) {
        let Some(rows_max) = rows_max else {
            return;
        };
        let mut by_day: BTreeMap<Option<i64>, u64> = BTreeMap::new();
        for (_, own) in &*rows {
            let of = &own.row;
            let all = of.rows + of.queries + of.coverage_rows;
            *by_day.entry(own.last_day()).or_default() += all;
        }
        let mut sum: u64 = 0;
        let is_full = |(_, rows): &(&Option<i64>, &u64)| {
            sum = sum.saturating_add(**rows);
            sum >= rows_max
        };
        let Some(last) = by_day.iter().find(is_full).map(|(day, _)| *day) else {
            return;
        };
        if by_day.keys().next_back() == Some(&last) {
            return;
        }
        rows.retain(|(_, own)| own.last_day() <= last);
        let spans = rows.iter().filter_map(|(_, own)| own.span());
        let all = spans.reduce(|all, own| (all.0.min(own.0), all.1.max(own.1)));
        self.rest = Some(all.unwrap_or_default());
    }

    /// Whether rows that were delivered until a second are of objects that are too old.
    pub(super) fn is_outdated(&self, last: i64) -> bool {
        self.from.is_some_and(|from| last < from * DAY_SECS)
    }

    /// Whether objects are left to another step.
    pub(super) fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    /// Whether a file of `flows` or `dns` whose rows lie in a time may hold what this step is to read.
    pub(super) fn may_want(&self, (first, last): (i64, i64)) -> bool {
        self.rest
            .is_none_or(|(from, until)| first <= until && last >= from)
    }

    pub(super) fn sources(&self) -> &[StoredSource] {
        &self.sources
    }

    /// Objects of other accounts and regions.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Names of objects that have the very bytes of another.
    pub(super) fn copies(&self) -> &[String] {
        &self.copies
    }

    /// Whether some of the lake was read before.
    pub(super) fn follows(&self) -> bool {
        !self.before.sources.is_empty() || !self.outdated.is_empty()
    }

    /// Names of the files of the journal that were read.
    pub(super) fn files(&self) -> &BTreeSet<String> {
        &self.files
    }

    /// The ids of all objects of the journal that are to be remembered as read, with the day of the last row of each, if it has
    /// any.
    pub(super) fn ids(&self) -> impl Iterator<Item = (SourceId, Option<i64>)> {
        let day = |number: &Option<u32>| self.sources.get((*number)? as usize)?.last_day();
        self.by_id
            .iter()
            .map(move |(id, number)| (*id, day(number)))
    }

    /// The number of the source with this id: `None` if the journal has none, `Some(None)` if it is not wanted.
    pub(super) fn number(&self, id: &str) -> Option<Option<u32>> {
        let id = SourceId::parse(id)?;
        let is_old = || self.before.sources.contains_key(&id) || self.outdated.contains(&id);
        let known = self.by_id.get(&id).copied();
        known.or_else(|| is_old().then_some(None))
    }

    /// The columns of `flows` to read: those that any source has.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        let mut seen: BTreeSet<*const (i64, Layout)> = BTreeSet::new();
        let mut fields: BTreeSet<Field> = BTreeSet::new();
        let mut columns = vec![SOURCE_ID];
        for source in &self.sources {
            if seen.insert(source.layouts.as_ptr()) {
                fields.extend(
                    source
                        .layouts
                        .iter()
                        .flat_map(|(_, layout)| layout.fields()),
                );
                if source.layouts.len() > 1 && !columns.contains(&SOURCE_ROW) {
                    columns.push(SOURCE_ROW);
                }
            }
        }
        columns.extend(fields.into_iter().map(Field::column));
        columns
    }
}

impl StoredSource {
    fn new(row: SourceRow, layouts: Layouts) -> Self {
        let delivery = S3Name::delivery(&row.given_uri);
        Self {
            origin: Origin {
                account_id: row.account_id.clone(),
                region: row.partition.region.clone(),
                flow_log: row.flow_log_id.clone(),
            },
            open_from: delivery.map_or(i64::MIN, |(_, at)| open_from(at)),
            row,
            layouts,
        }
    }

    /// The first second and the last of its rows; of one whose rows have no time, of the days about its delivery.
    fn span(&self) -> Option<(i64, i64)> {
        self.row.span.or_else(|| {
            let day = i64::from(self.row.partition.day?) * DAY_SECS;
            Some((day - DAY_SECS, day + DAY_SECS - 1))
        })
    }

    /// The day of its last row, counted from 1970; none if nothing tells.
    pub(super) fn last_day(&self) -> Option<i64> {
        Some(self.span()?.1.div_euclid(DAY_SECS))
    }

    /// What was wrong with the object when it was read.
    pub(super) fn problem(&self) -> Option<Problem> {
        Some(Problem {
            uri: self.row.given_uri.clone(),
            reason: self.row.problem.clone()?,
            hint: "what could be read of it is in the lake and counted".to_owned(),
            cause: Cause::Object,
        })
    }
}

/// Says what is wrong with a source of which no row could be counted, if all its rows were looked at.
pub(super) fn judge_rows(
    source: &StoredSource,
    measures: &Measures,
    problems: &mut Vec<Problem>,
    without_values: &mut Vec<Problem>,
) {
    if measures.rows() < source.row.rows {
        return;
    }
    let object = Object {
        uri: source.row.given_uri.clone(),
        path: None,
        s3: None,
        size: source.row.size,
        account_id: source.row.account_id.clone(),
        region: source.row.partition.region.clone(),
    };
    match measures.uncountable(&object) {
        Some(Uncountable::Certain(problem)) => problems.push(problem),
        Some(Uncountable::IfAlone(problem)) if source.row.problem.is_none() => {
            without_values.push(problem);
        }
        Some(Uncountable::IfAlone(_)) | None => {}
    }
}
