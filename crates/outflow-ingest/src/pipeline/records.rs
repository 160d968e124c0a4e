//! The records of one object: of traffic, or of name resolution.

use outflow_record::{Decoder, DnsDecoder, Error, Format, Learnt};

use crate::Batch;

/// A decoder of either kind of log.
pub(super) enum Records {
    /// Flow logs.
    Flows(Box<Decoder>),
    /// Route 53 Resolver query logs.
    Queries(Box<DnsDecoder>),
}

impl Records {
    pub(super) fn flows(format: Option<Format>, learnt: Learnt) -> Self {
        Self::Flows(Box::new(Decoder::with_learnt(format, learnt)))
    }

    pub(super) fn queries() -> Self {
        Self::Queries(Box::new(DnsDecoder::new()))
    }

    /// What comes is of a Resolver query log.
    ///
    /// # Errors
    /// [`Error::Undecidable`] if flow records came before: no source of AWS mixes them.
    pub(super) fn become_queries(&mut self) -> Result<(), Error> {
        let Self::Flows(decoder) = self else {
            return Ok(());
        };
        if decoder.format().is_some() {
            return Err(Error::Undecidable {
                reason: "it has flow records and messages of a Route 53 Resolver query log"
                    .to_owned(),
            });
        }
        *self = Self::queries();
        Ok(())
    }

    /// The format of flow records, once it is told.
    pub(super) fn format(&self) -> Option<&Format> {
        match self {
            Self::Flows(decoder) => decoder.format(),
            Self::Queries(_) => None,
        }
    }

    /// As [`Decoder::into_learnt`]; none of queries.
    pub(super) fn into_learnt(self) -> Option<Learnt> {
        match self {
            Self::Flows(decoder) => Some(decoder.into_learnt()),
            Self::Queries(_) => None,
        }
    }

    /// Whether it is known how to read the records.
    pub(super) fn are_told(&self) -> bool {
        matches!(self, Self::Queries(_)) || self.format().is_some()
    }

    /// As [`Decoder::decode`] and [`DnsDecoder::decode`].
    pub(super) fn decode(&mut self, input: &[u8]) -> Result<usize, Error> {
        match self {
            Self::Flows(decoder) => decoder.decode(input),
            Self::Queries(decoder) => Ok(decoder.decode(input)),
        }
    }

    /// As [`Decoder::finish`] and [`DnsDecoder::finish`].
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        match self {
            Self::Flows(decoder) => return decoder.finish(),
            Self::Queries(decoder) => decoder.finish(),
        }
        Ok(())
    }

    /// As [`Decoder::finish_truncated`] and [`DnsDecoder::finish_truncated`].
    pub(super) fn finish_truncated(&mut self) -> Result<(), Error> {
        match self {
            Self::Flows(decoder) => return decoder.finish_truncated(),
            Self::Queries(decoder) => decoder.finish_truncated(),
        }
        Ok(())
    }

    /// What was read since the last flush.
    pub(super) fn flush(&mut self) -> Option<Batch> {
        match self {
            Self::Flows(decoder) => decoder.flush().map(Batch::Flows),
            Self::Queries(decoder) => decoder.flush().map(Batch::Queries),
        }
    }
}
