//! Zstandard of any number of frames, by push, with the padding rule of gzip.

use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::unpack::{Out, Stop};

/// Frames with a larger window (128 MiB) are refused as damage, as the `zstd` tool does without `--long`: the
/// window is held in memory by every worker.
const WINDOW_LOG_MAX: u32 = 27;

/// Input given at once. The decoder forgets what it made in a call that fails, so a call should be short.
const STEP_BYTES: usize = 8 << 10;

/// Unpacks pushed bytes.
pub(super) struct Unzstd {
    decoder: Result<Decoder<'static>, String>,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Frame,
    Between,
    Padding,
}

impl Unzstd {
    pub(super) fn new() -> Self {
        let decoder = Decoder::new().and_then(|mut decoder| {
            decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
            Ok(decoder)
        });
        Self {
            decoder: decoder.map_err(|error| error.to_string()),
            state: State::Between,
        }
    }

    pub(super) fn push<E>(
        &mut self,
        mut input: &[u8],
        out: &mut Out<'_, E>,
    ) -> Result<(), Stop<E>> {
        while let [first, ..] = input {
            match (self.state, first) {
                (State::Between | State::Padding, 0) => {
                    self.state = State::Padding;
                    let zeros = input.iter().take_while(|byte| **byte == 0).count();
                    input = &input[zeros..];
                }
                (State::Padding, _) => {
                    let reason = "the last zstd frame is followed by something else";
                    return Err(Stop::Damaged(reason.to_owned()));
                }
                (State::Frame | State::Between, _) => {
                    self.state = State::Frame;
                    input = self.step(input, out)?;
                }
            }
        }
        Ok(())
    }

    /// Unpacks to the end of the step or of the frame; returns the rest of the input.
    fn step<'i, E>(&mut self, input: &'i [u8], out: &mut Out<'_, E>) -> Result<&'i [u8], Stop<E>> {
        let damaged =
            |what: &dyn std::fmt::Display| Stop::Damaged(format!("corrupt zstd data: {what}"));
        let decoder = self.decoder.as_mut().map_err(|error| damaged(error))?;
        let (mut step, rest) = input.split_at(input.len().min(STEP_BYTES));
        loop {
            let room = out.piece().len();
            let status = decoder
                .run_on_buffers(step, out.piece())
                .map_err(|error| damaged(&error))?;
            out.deliver_piece(status.bytes_written)?;
            step = &step[status.bytes_read..];
            if status.remaining == 0 {
                self.state = State::Between;
                return Ok(&input[input.len() - rest.len() - step.len()..]);
            }
            if step.is_empty() && status.bytes_written < room {
                return Ok(rest);
            }
        }
    }

    /// What is wrong if the object ends here.
    pub(super) fn cut_off(&self) -> Option<&'static str> {
        (self.state == State::Frame).then_some("it ends in the middle of a zstd frame")
    }
}
