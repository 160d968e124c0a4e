//! Gzip of any number of members, by push.
//!
//! Line feeds may stand between members and behind the last: Firehose puts one behind each record if it is told to, and a
//! record may be a member. Between two members such a line feed ends a line that the first left open. Members without one are
//! of one piece, as RFC 1952 has it: who compresses block by block ends them in the middle of a line. Zeros behind the last member are padding, as tapes and block stores leave it. Anything else is
//! damage.

use flate2::{Decompress, FlushDecompress, Status};

use super::unpack::{Out, Stop};

/// The largest window that the format allows.
const WINDOW_BITS: u8 = 15;

/// Inflates pushed bytes.
pub(super) struct Gunzip {
    state: State,
    /// Whether what was inflated so far ends within a line.
    is_open: bool,
    /// Whether a line feed was met since the last member.
    is_parted: bool,
}

enum State {
    Member(Decompress),
    Between,
    Padding,
}

impl Gunzip {
    pub(super) fn new() -> Self {
        Self {
            state: State::Between,
            is_open: false,
            is_parted: false,
        }
    }

    pub(super) fn push<E>(
        &mut self,
        mut input: &[u8],
        out: &mut Out<'_, E>,
    ) -> Result<(), Stop<E>> {
        while let [first, ..] = input {
            match (&mut self.state, first) {
                (State::Member(member), _) => {
                    let (ended, rest) = inflate(member, input, out, &mut self.is_open)?;
                    input = rest;
                    if ended {
                        self.state = State::Between;
                        self.is_parted = false;
                    }
                }
                (State::Between, 0x1f) => {
                    // Not behind the last member, whose bytes may be no lines.
                    if self.is_parted && self.is_open {
                        out.deliver(b"\n").map_err(Stop::Sink)?;
                        self.is_open = false;
                    }
                    self.state = State::Member(Decompress::new_gzip(WINDOW_BITS));
                }
                (State::Between, b'\n' | b'\r') => {
                    self.is_parted = true;
                    input = &input[1..];
                }
                (State::Between | State::Padding, 0) => {
                    self.state = State::Padding;
                    let zeros = input.iter().take_while(|byte| **byte == 0).count();
                    input = &input[zeros..];
                }
                (State::Between | State::Padding, _) => {
                    let reason = "the last gzip member is followed by something else";
                    return Err(Stop::Damaged(reason.to_owned()));
                }
            }
        }
        Ok(())
    }

    /// What is wrong if the object ends here.
    pub(super) fn cut_off(&self) -> Option<&'static str> {
        matches!(self.state, State::Member(_)).then_some("it ends in the middle of a gzip member")
    }
}

/// Inflates as far as the member or the input goes; returns whether the member ended, and the rest.
fn inflate<'i, E>(
    member: &mut Decompress,
    mut input: &'i [u8],
    out: &mut Out<'_, E>,
    is_open: &mut bool,
) -> Result<(bool, &'i [u8]), Stop<E>> {
    loop {
        let (taken_before, made_before) = (member.total_in(), member.total_out());
        let room = out.piece().len();
        let status = member.decompress(input, out.piece(), FlushDecompress::None);
        let taken = len(member.total_in() - taken_before);
        let made = len(member.total_out() - made_before);
        if let Some(last) = made.checked_sub(1) {
            *is_open = out.piece()[last] != b'\n';
        }
        // What was inflated before an error is delivered before it is reported.
        out.deliver_piece(made)?;
        input = &input[taken..];
        match status {
            Err(error) => {
                let reason = format!(
                    "corrupt gzip data: {}",
                    error.message().unwrap_or("invalid")
                );
                return Err(Stop::Damaged(reason));
            }
            Ok(Status::StreamEnd) => return Ok((true, input)),
            Ok(_) if input.is_empty() && made < room => return Ok((false, input)),
            Ok(_) if taken == 0 && made == 0 => {
                return Err(Stop::Damaged("corrupt gzip data: no progress".to_owned()));
            }
            Ok(_) => {}
        }
    }
}

fn len(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
