//! From an object to batches, whatever wraps or stores them.

use std::sync::atomic::Ordering;

use outflow_record::{Format, Learnt};

use super::Progress;
use super::text::{End, Text};
use crate::s3::Fetched;
use crate::{Batch, Object, Parquet, Problem, ReadError, Reader};

/// What an object came to, beside the batches that it handed out.
#[derive(Debug, Default)]
pub(crate) struct Decoding {
    /// Digest of what is stored, unless it was not read to its end or the reader makes none.
    pub(crate) sha256: Option<String>,
    /// What is wrong with it.
    pub(crate) problem: Option<Problem>,
    /// Whether it could not be read to its end, and may be another time: what was handed out is no more than a part.
    pub(crate) is_cut_off: bool,
    /// Messages by which CloudWatch Logs checks a destination.
    pub(crate) control_messages: u64,
    /// Columns of a table that no log has.
    pub(crate) columns_not_read: Vec<String>,
}

/// Decodes objects, one after the other.
#[derive(Default)]
pub(crate) struct ObjectDecoder {
    reader: Reader,
    learnt: Learnt,
}

impl ObjectDecoder {
    /// One of objects that this reads.
    pub(crate) fn new(reader: Reader) -> Self {
        Self {
            reader,
            learnt: Learnt::default(),
        }
    }

    /// Decodes an object, and hands its batches to `sink`.
    pub(crate) fn decode(
        &mut self,
        source: (&Object, Option<Fetched>),
        format: Option<&Format>,
        progress: &Progress,
        sink: &mut dyn FnMut(&Batch),
    ) -> Decoding {
        let mut text = Text::new(format.cloned(), std::mem::take(&mut self.learnt));
        let done = decode(&mut self.reader, source, &mut text, progress, sink);
        self.learnt = text.into_learnt();
        done
    }
}

fn decode(
    reader: &mut Reader,
    (object, fetched): (&Object, Option<Fetched>),
    text: &mut Text,
    progress: &Progress,
    sink: &mut dyn FnMut(&Batch),
) -> Decoding {
    // What is not compressed does not show otherwise that its end is missing.
    let mut torn_at = None;
    let sink = &mut |batch: &Batch| {
        torn_at = torn_at.or_else(|| batch.torn_at());
        sink(batch);
    };
    let result = reader.read_fetched(object, fetched, &mut |piece| text.push(piece, &mut *sink));
    let stored = match &result {
        Ok(read) => read.stored_bytes,
        Err(ReadError::Parquet(parquet)) => parquet.stored_bytes(),
        Err(_) => object.size.unwrap_or(0),
    };
    progress.stored_bytes.fetch_add(stored, Ordering::Relaxed);
    let mut done = Decoding::default();
    let end = match result {
        Err(ReadError::Parquet(parquet)) => return decode_parquet(object, &parquet, sink),
        Ok(read) => {
            done.sha256 = read.sha256;
            done.problem = read.damage.map(|damage| Problem::damaged(object, &damage));
            Some(if done.problem.is_some() {
                End::Cut
            } else {
                End::Whole
            })
        }
        // A header in mid-file may be what was refused: what came before it is kept.
        Err(ReadError::Sink { error, sha256 }) => {
            done.sha256 = sha256;
            done.problem = Some(Problem::refused(object, &error));
            None
        }
        // What came before the failure is kept: its last line may be cut.
        Err(ReadError::Object(error)) => {
            done.problem = Some(Problem::unread(&error));
            done.is_cut_off = true;
            Some(End::Cut)
        }
    };
    let ended = match end {
        Some(end) => text.finish(end, &mut *sink),
        None => {
            text.flush(&mut *sink);
            Ok(())
        }
    };
    let refused = ended.err().map(|error| Problem::refused(object, &error));
    let torn = torn_at.map(|offset| Problem::torn(object, offset));
    done.problem = done.problem.or(refused).or(torn);
    done.control_messages = text.control_messages();
    done
}

fn decode_parquet(object: &Object, parquet: &Parquet, sink: &mut dyn FnMut(&Batch)) -> Decoding {
    let mut done = Decoding {
        sha256: parquet.sha256().map(str::to_owned),
        ..Decoding::default()
    };
    match parquet.decode(sink) {
        Ok(read) => {
            let damage = read.damage.as_deref();
            done.problem = damage.map(|reason| Problem::cut(object, read.rows, reason));
            done.columns_not_read = read.unknown;
        }
        Err(error) => done.problem = Some(Problem::refused_table(object, &error)),
    }
    done
}
