//! The lines of an object, whatever they are wrapped in.
//!
//! ```text
//! text ──► Wrapping::tell ──┬ none ────────────────────────────────────► Records ──► Batch
//!                           └ Unwrapper ──┬ lines ────────────────────►    ▲   offsets of the object
//!                                         └ packed: base64, gunzip, again ─┘
//! ```

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use outflow_record::{
    BATCH_ROWS, Decoded, Error, Foreign, Format, HEAD_MAX, Learnt, LogKind, Messages, Packed,
    Place, Reject, RejectReason, TELLING_MAX, Unwrapped, Unwrapper, Wrapping,
    is_resolver_query_log,
};

use super::records::Records;
use crate::Batch;

/// Lines whose places are remembered. With more of them unflushed (blank ones, as others fill a batch before), the
/// decoder is flushed.
const PLACES_MAX: usize = 2 * BATCH_ROWS;

/// Bytes of a packed record that are inflated at once. What they hold is decoded before the next are, so that a
/// record which inflates to gigabytes needs no more memory than another.
/// As many as tell the wrapping within.
const STEP_BYTES: usize = HEAD_MAX;

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// Takes what was decoded.
pub(super) type Sink<'s> = &'s mut dyn FnMut(&Batch);

/// Decodes the text of one object.
pub(super) struct Text {
    format: Option<Format>,
    /// What was learnt of objects before, until it is told that this one has records that may be of flows.
    learnt: Learnt,
    form: Form,
}

enum Form {
    /// Not told yet: the first bytes, up to [`HEAD_MAX`] and a piece.
    Head(Vec<u8>),
    Plain(Box<Records>),
    Wrapped(Box<Wrapped>),
}

/// How an object ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As it should.
    Whole,
    /// Before its time: what stands last may be cut.
    Cut,
}

impl Text {
    pub(super) fn new(format: Option<Format>, learnt: Learnt) -> Self {
        Self {
            format,
            learnt,
            form: Form::Head(Vec::new()),
        }
    }

    /// Decodes what follows; full batches go to `sink`.
    ///
    /// # Errors
    /// As [`Decoder::decode`] and [`Unwrapper::push`].
    pub(super) fn push(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<(), Error> {
        let Form::Head(head) = &mut self.form else {
            return self.decode(piece, sink);
        };
        // Of all but small objects the first piece tells all, and need not be copied.
        if head.is_empty() && piece.len() >= HEAD_MAX {
            self.tell(piece)?;
            return self.decode(piece, sink);
        }
        head.extend_from_slice(piece);
        if head.len() < HEAD_MAX {
            return Ok(());
        }
        let head = std::mem::take(head);
        self.tell(&head)?;
        self.decode(&head, sink)
    }

    /// Ends the object. What is left goes to `sink`, also where there is an error.
    ///
    /// # Errors
    /// As [`Decoder::finish`] and [`Unwrapper::finish`].
    pub(super) fn finish(&mut self, end: End, sink: Sink<'_>) -> Result<(), Error> {
        let ended = self.end(end, sink);
        self.flush(sink);
        ended
    }

    fn end(&mut self, end: End, sink: Sink<'_>) -> Result<(), Error> {
        if let Form::Head(head) = &mut self.form {
            let head = std::mem::take(head);
            self.tell(&head)?;
            self.decode(&head, sink)?;
        }
        match &mut self.form {
            Form::Wrapped(wrapped) => wrapped.finish(end, sink),
            Form::Plain(records) if end == End::Cut => records.finish_truncated(),
            Form::Plain(records) => records.finish(),
            Form::Head(_) => Ok(()),
        }
    }

    /// Gives what is decoded to `sink`.
    pub(super) fn flush(&mut self, sink: Sink<'_>) {
        match &mut self.form {
            Form::Plain(records) => {
                if let Some(batch) = records.flush() {
                    sink(&batch);
                }
            }
            Form::Wrapped(wrapped) => {
                wrapped.flush(sink);
                if wrapped.records.are_told() {
                    wrapped.give_rejects(sink);
                }
            }
            Form::Head(_) => {}
        }
    }

    /// Messages so far that hold no record, but check a destination.
    pub(super) fn control_messages(&self) -> u64 {
        match &self.form {
            Form::Wrapped(wrapped) => wrapped.control_messages,
            Form::Plain(_) | Form::Head(_) => 0,
        }
    }

    /// What was learnt of this object and of those before.
    pub(super) fn into_learnt(self) -> Learnt {
        let learnt = match self.form {
            Form::Plain(records) => records.into_learnt(),
            Form::Wrapped(wrapped) => wrapped.records.into_learnt(),
            Form::Head(_) => None,
        };
        learnt.unwrap_or(self.learnt)
    }

    fn tell(&mut self, head: &[u8]) -> Result<(), Error> {
        if let Some(foreign) = Foreign::tell(head) {
            return Err(Error::Foreign(foreign));
        }
        let wrapping = Wrapping::tell(head, self.format.as_ref());
        // Of JSON, and where damage stands first, more than the first line tells.
        let is_open = !matches!(wrapping, Ok(Some(Wrapping::Stamped | Wrapping::Csv)));
        if is_open && is_resolver_query_log(head) {
            self.form = Form::Plain(Box::new(Records::queries()));
            return Ok(());
        }
        if self.format.is_none() && head.trim_ascii_start().starts_with(b"[") {
            return Err(Error::Foreign(Foreign::JSON_ARRAY));
        }
        let wrapping = wrapping?;
        let learnt = std::mem::take(&mut self.learnt);
        self.form = match wrapping {
            None => Form::Plain(Box::new(Records::flows(self.format.clone(), learnt))),
            Some(wrapping) => {
                let wrapped = Wrapped::new(wrapping, self.format.clone(), learnt);
                Form::Wrapped(Box::new(wrapped))
            }
        };
        Ok(())
    }

    fn decode(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<(), Error> {
        let records = match &mut self.form {
            Form::Plain(records) => records,
            Form::Wrapped(wrapped) => return wrapped.push(piece, sink),
            Form::Head(_) => return Ok(()),
        };
        let mut rest = piece;
        while !rest.is_empty() {
            let taken = records.decode(rest)?;
            rest = &rest[taken..];
            if rest.is_empty() {
                break;
            }
            if let Some(batch) = records.flush() {
                sink(&batch);
            }
        }
        Ok(())
    }
}

/// Decodes lines that are wrapped.
struct Wrapped {
    format: Option<Format>,
    unwrapper: Unwrapper,
    unwrapped: Unwrapped,
    /// What the messages were told to be.
    messages: Option<Messages>,
    records: Records,
    /// Bytes that the decoder took.
    decoded_bytes: u64,
    /// For the lines that are not flushed: where the decoder met each, and where the object has it.
    places: Vec<(u64, u64)>,
    /// Rejects of the wrapping. They wait until the format is told, or they fill a batch: of a refused object nothing
    /// counts.
    rejects: Vec<Reject>,
    header_lines: u64,
    control_messages: u64,
}

impl Wrapped {
    fn new(wrapping: Wrapping, format: Option<Format>, learnt: Learnt) -> Self {
        Self {
            unwrapper: Unwrapper::new(wrapping),
            unwrapped: Unwrapped::default(),
            messages: None,
            records: Records::flows(format.clone(), learnt),
            format,
            decoded_bytes: 0,
            places: Vec::new(),
            rejects: Vec::new(),
            header_lines: 0,
            control_messages: 0,
        }
    }

    fn push(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<(), Error> {
        self.unwrapper.push(piece, &mut self.unwrapped)?;
        if self.messages.is_none() && self.tells_too_little() {
            return Ok(());
        }
        self.take_unwrapped(sink)
    }

    /// Whether more messages should tell what they are, before any is decoded.
    fn tells_too_little(&self) -> bool {
        let waiting = &self.unwrapped;
        (1..TELLING_MAX).contains(&waiting.places.len())
            && waiting.text.len() < HEAD_MAX
            && waiting.packed.is_empty()
            && waiting.rejects.len() < BATCH_ROWS
    }

    fn finish(&mut self, end: End, sink: Sink<'_>) -> Result<(), Error> {
        match end {
            End::Whole => self.unwrapper.finish(&mut self.unwrapped)?,
            End::Cut => self.unwrapper.finish_truncated(&mut self.unwrapped)?,
        }
        self.take_unwrapped(sink)?;
        self.records.finish()?;
        self.flush(sink);
        // The format may not be told even now, if there was no line to tell it.
        self.give_rejects(sink);
        Ok(())
    }

    fn take_unwrapped(&mut self, sink: Sink<'_>) -> Result<(), Error> {
        let mut unwrapped = std::mem::take(&mut self.unwrapped);
        let packed = std::mem::take(&mut unwrapped.packed);
        self.messages = self.messages.or(self.unwrapper.messages());
        self.take(&mut unwrapped, self.messages, sink)?;
        for packed in &packed {
            self.open(packed, &mut unwrapped, sink)?;
        }
        self.unwrapped = unwrapped;
        if self.records.are_told() || self.rejects.len() >= BATCH_ROWS {
            self.give_rejects(sink);
        }
        Ok(())
    }

    /// Decodes the lines, and keeps the rest.
    fn take(
        &mut self,
        unwrapped: &mut Unwrapped,
        messages: Option<Messages>,
        sink: Sink<'_>,
    ) -> Result<(), Error> {
        if messages == Some(Messages::Resolver) {
            self.records.become_queries()?;
        }
        self.control_messages += unwrapped.control_messages;
        self.header_lines += unwrapped.header_lines;
        self.rejects.append(&mut unwrapped.rejects);
        let base = self.decoded_bytes;
        let place = |place: &Place| (base + place.at as u64, place.offset);
        self.places.extend(unwrapped.places.iter().map(place));
        let mut rest = &unwrapped.text[..];
        while !rest.is_empty() {
            let taken = self.records.decode(rest)?;
            self.decoded_bytes += taken as u64;
            rest = &rest[taken..];
            if !rest.is_empty() {
                self.flush(sink);
            }
        }
        if self.places.len() > PLACES_MAX {
            self.flush(sink);
        }
        unwrapped.clear();
        Ok(())
    }

    fn flush(&mut self, sink: Sink<'_>) {
        let Some(mut batch) = self.records.flush() else {
            return;
        };
        for reject in batch.rejects() {
            let place = self.places.partition_point(|(at, _)| *at <= reject.offset);
            if let Some((_, offset)) = place.checked_sub(1).and_then(|at| self.places.get(at)) {
                reject.offset = *offset;
            }
        }
        sink(&batch);
        let done = self
            .places
            .partition_point(|(at, _)| *at < self.decoded_bytes);
        self.places.drain(..done);
    }

    fn give_rejects(&mut self, sink: Sink<'_>) {
        let rejects = std::mem::take(&mut self.rejects);
        let header_lines = std::mem::take(&mut self.header_lines);
        if !rejects.is_empty() || header_lines > 0 {
            let kind = self.records.format().map_or(LogKind::Vpc, Format::kind);
            sink(&Batch::Flows(Decoded::without_rows(
                kind,
                rejects,
                header_lines,
            )));
        }
    }

    /// Decodes what a packed record holds: a delivery once more, or lines. What of it makes no sense is a reject at
    /// the record's own offset.
    fn open(
        &mut self,
        packed: &Packed,
        unwrapped: &mut Unwrapped,
        sink: Sink<'_>,
    ) -> Result<(), Error> {
        let opened = match STANDARD.decode(packed.base64.trim_ascii()) {
            Ok(stored) => self.inflate(&stored, packed.offset, unwrapped, sink)?,
            Err(_) => Err(RejectReason::BadPayload),
        };
        if let Err(reason) = opened {
            unwrapped.clear();
            self.rejects.push(reject(packed, reason));
        }
        Ok(())
    }

    /// Decodes the payload at this offset, and says whether it made sense.
    fn inflate(
        &mut self,
        stored: &[u8],
        offset: u64,
        unwrapped: &mut Unwrapped,
        sink: Sink<'_>,
    ) -> Result<Result<(), RejectReason>, Error> {
        let mut plain = stored;
        let mut gzip = MultiGzDecoder::new(stored);
        let is_gzip = stored.starts_with(GZIP_MAGIC);
        let source: &mut dyn io::Read = if is_gzip { &mut gzip } else { &mut plain };
        let mut step = vec![0; STEP_BYTES];
        let mut inner: Option<Unwrapper> = None;
        loop {
            let (filled, sound) = fill(source, &mut step);
            let own = match &mut inner {
                Some(own) => own,
                None => {
                    let wrapping = Wrapping::tell(&step[..filled], self.format.as_ref())?;
                    inner.insert(Unwrapper::new(wrapping.unwrap_or(Wrapping::Bare)))
                }
            };
            let ended = filled < step.len();
            let mut read = own.push(&step[..filled], unwrapped);
            if ended && sound && read.is_ok() {
                read = own.finish(unwrapped);
            }
            if read.is_err() {
                return Ok(Err(RejectReason::NoMessage));
            }
            let messages = own.messages();
            relocate(unwrapped, offset);
            self.take(unwrapped, messages, sink)?;
            if !sound {
                return Ok(Err(RejectReason::BadPayload));
            }
            if ended {
                return Ok(if stored.is_empty() {
                    Err(RejectReason::NoMessage)
                } else {
                    Ok(())
                });
            }
        }
    }
}

/// Places all that was unwrapped at one offset of the object.
fn relocate(unwrapped: &mut Unwrapped, offset: u64) {
    unwrapped
        .places
        .iter_mut()
        .for_each(|place| place.offset = offset);
    // No delivery is packed twice.
    let packed = std::mem::take(&mut unwrapped.packed);
    let twice = packed
        .iter()
        .map(|packed| reject(packed, RejectReason::BadPayload));
    unwrapped.rejects.extend(twice);
    unwrapped
        .rejects
        .iter_mut()
        .for_each(|reject| reject.offset = offset);
}

fn reject(packed: &Packed, reason: RejectReason) -> Reject {
    Reject {
        offset: packed.offset,
        reason,
        bytes: packed.base64.bytes().take(Reject::BYTES_MAX).collect(),
    }
}

/// Fills the buffer as far as the source goes, and says whether it went on or ended soundly.
fn fill(source: &mut dyn io::Read, buffer: &mut [u8]) -> (usize, bool) {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return (filled, false),
        }
    }
    (filled, true)
}

#[cfg(test)]
mod tests;
