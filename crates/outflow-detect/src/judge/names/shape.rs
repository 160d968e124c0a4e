//! Whether packets look like questions and answers.

use outflow_enrich::protocol;
use outflow_finding::Why;

use crate::counters::Volume;
use crate::judge::draft::bounded;
use crate::key::Role;
use crate::services::Resolving;
use crate::time::BUCKET_SECS;
use crate::view::Entry;

/// Mean bytes of a question, headers included, above which it carries more than a name: ordinary questions have
/// 60 to 90 bytes, encoded data fills what a question can hold.
const QUESTION_BYTES_MAX: u64 = 120;

/// Mean bytes of an answer above which it carries more than addresses: 512 bytes was all that DNS allowed, and
/// ordinary answers still stay below it.
const ANSWER_BYTES_MAX: u64 = 512;

/// Questions may not outweigh answers: an answer repeats its question.
const QUESTION_SHARE_PERCENT_MAX: u64 = 80;

/// Payload of questions over TCP a day that truncated answers and zone transfers do not explain.
const TCP_QUESTIONS_MAX: u64 = 100_000;

/// Questions a second that no host asks of one resolver for long.
const QUESTIONS_PER_SEC_MAX: u64 = 5;

/// Questions below which their pace tells nothing: a page or a start-up asks for some hundreds at once.
const QUESTIONS_MIN: u64 = 1_000;

/// Seconds added to the span of a dialogue: flow logs place packets up to a minute off.
const SPAN_SLACK_SECS: u64 = 30;

/// Packets below which means tell nothing.
const PACKETS_MIN: u64 = 50;

/// A day between an interface and one or more resolvers or clients.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dialogue {
    questions: Volume,
    answers: Volume,
    /// Seconds in which there was traffic, at most: by ten-minute buckets, or from first to last packet.
    active_secs: u64,
    over_tcp: u64,
}

/// What it looks like, and why.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// Packets carry more than names and addresses.
    Tunnel(Why),
    /// Packets look ordinary, but nobody asks so much.
    Busy(Why),
    /// Nothing speaks against questions and answers.
    Plausible(Why),
}

impl Shape {
    /// Whether nothing speaks against questions and answers.
    pub(super) fn is_plausible(&self) -> bool {
        matches!(self, Self::Plausible(_))
    }

    /// Whether packets carry more than names and addresses.
    pub(super) fn is_tunnel(&self) -> bool {
        matches!(self, Self::Tunnel(_))
    }
}

impl Dialogue {
    /// The sums of entries in the order of slots, all of which serve or none.
    pub(super) fn of(run: &[Entry<'_>]) -> Self {
        let mut dialogue = Self::default();
        for of_slot in run.chunk_by(|a, b| a.slot == b.slot) {
            let mut active = 0u64;
            let (mut first, mut last) = (u32::MAX, 0);
            for entry in of_slot {
                let counters = entry.counters;
                let (questions, answers) = match entry.service.role {
                    Role::Client => (counters.up(), counters.down()),
                    Role::Server | Role::LikelyServer => (counters.down(), counters.up()),
                };
                dialogue.questions.add(&questions);
                dialogue.answers.add(&answers);
                if entry.service.protocol == protocol::TCP {
                    dialogue.over_tcp = dialogue.over_tcp.saturating_add(questions.payload);
                }
                active |= counters.active();
                (first, last) = (first.min(counters.first), last.max(counters.last));
            }
            let span = u64::from(last.saturating_sub(first)) + SPAN_SLACK_SECS;
            let buckets = u64::from(active.count_ones()) * BUCKET_SECS.unsigned_abs();
            dialogue.active_secs += span.min(buckets);
        }
        dialogue
    }

    /// Two dialogues of the same time as one.
    pub(super) fn with(mut self, other: Self) -> Self {
        self.questions.add(&other.questions);
        self.answers.add(&other.answers);
        self.active_secs = self.active_secs.max(other.active_secs);
        self.over_tcp = self.over_tcp.saturating_add(other.over_tcp);
        self
    }

    /// Payload both ways.
    pub(super) fn payload(&self) -> u64 {
        self.questions.payload.saturating_add(self.answers.payload)
    }

    /// What it looks like.
    pub(super) fn shape(&self, how: Resolving) -> Shape {
        match how {
            Resolving::Dns => self.shape_of_dns(),
            // Encrypted sessions pad their packets, and handshakes weigh more than questions.
            Resolving::DnsOverTls | Resolving::DnsOverHttps => self.shape_of_session(),
        }
    }

    fn shape_of_dns(&self) -> Shape {
        let question = self.questions.bytes / self.questions.packets.max(1);
        let answer = self.answers.payload / self.answers.packets.max(1);
        let share = self.questions.payload.saturating_mul(100) / self.answers.payload.max(1);
        let enough = self.questions.packets.saturating_add(self.answers.packets) >= PACKETS_MIN;
        if enough && question > QUESTION_BYTES_MAX {
            let text =
                format!("questions have {question} bytes on average; ordinary ones have 60 to 90");
            return Shape::Tunnel(bounded(
                question,
                QUESTION_BYTES_MAX,
                "bytes per packet",
                text,
            ));
        }
        if enough && answer > ANSWER_BYTES_MAX {
            let text =
                format!("answers carry {answer} bytes on average; ordinary ones stay below 512");
            return Shape::Tunnel(bounded(answer, ANSWER_BYTES_MAX, "bytes per packet", text));
        }
        if enough && share > QUESTION_SHARE_PERCENT_MAX {
            let text =
                format!("questions weigh {share} % of answers, although answers repeat them");
            return Shape::Tunnel(bounded(share, QUESTION_SHARE_PERCENT_MAX, "percent", text));
        }
        if self.over_tcp > TCP_QUESTIONS_MAX {
            let text = format!("{} bytes of questions over TCP in a day", self.over_tcp);
            return Shape::Tunnel(bounded(self.over_tcp, TCP_QUESTIONS_MAX, "bytes", text));
        }
        let pace = self.questions.packets / self.active_secs.max(1);
        if self.questions.packets >= QUESTIONS_MIN && pace >= QUESTIONS_PER_SEC_MAX {
            let text = format!("{} questions at {pace} a second", self.questions.packets);
            return Shape::Busy(bounded(
                pace,
                QUESTIONS_PER_SEC_MAX,
                "packets per second",
                text,
            ));
        }
        let text = format!("questions of {question} and answers of {answer} bytes look ordinary");
        Shape::Plausible(bounded(
            question,
            QUESTION_BYTES_MAX,
            "bytes per packet",
            text,
        ))
    }

    fn shape_of_session(&self) -> Shape {
        let share = self.questions.payload.saturating_mul(100) / self.answers.payload.max(1);
        let text = format!("what was asked weighs {share} % of what was answered");
        if share > 200 {
            return Shape::Tunnel(bounded(share, 200, "percent", text));
        }
        Shape::Plausible(bounded(share, 200, "percent", text))
    }
}
