//! Whether packets look like questions and answers.

use outflow_enrich::protocol;
use outflow_finding::Why;

use crate::counters::Volume;
use crate::judge::draft::Draft;
use crate::services::Resolving;
use crate::view::Entry;

/// Mean bytes of a question above which it carries more than a name: names of ordinary questions make 60 to 90
/// bytes, encoded data fills what a question can hold.
const QUESTION_BYTES_MAX: u64 = 120;

/// Mean bytes of an answer above which it carries more than addresses: 512 bytes was all that DNS allowed, and
/// ordinary answers still stay below it.
const ANSWER_BYTES_MAX: u64 = 512;

/// Questions may not outweigh answers: an answer repeats its question.
const QUESTION_SHARE_PERCENT_MAX: u64 = 80;

/// Payload of questions over TCP a day that truncated answers and zone transfers do not explain.
const TCP_QUESTIONS_MAX: u64 = 100_000;

/// Questions a bucket (ten a second) that no host asks of one resolver for ten minutes.
const QUESTIONS_PER_BUCKET_MAX: u64 = 6_000;

/// Packets below which means tell nothing.
const PACKETS_MIN: u64 = 50;

/// A day between an interface and a resolver.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialogue {
    questions: Volume,
    answers: Volume,
    buckets: u64,
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

impl Dialogue {
    pub(super) fn of(run: &[Entry<'_>], draft: &Draft) -> Self {
        let served = run.iter().any(|entry| entry.service.served);
        let (up, down) = (draft.up(), draft.down());
        let (questions, answers) = if served { (down, up) } else { (up, down) };
        let buckets = run.chunk_by(|a, b| a.slot == b.slot).map(|of_slot| {
            let active = of_slot
                .iter()
                .fold(0, |active, entry| active | entry.counters.active);
            u64::from(active.count_ones())
        });
        let asked = |entry: &Entry<'_>| {
            let counters = entry.counters;
            if served {
                counters.down.payload
            } else {
                counters.up.payload
            }
        };
        let tcp = run
            .iter()
            .filter(|entry| entry.service.protocol == protocol::TCP);
        Self {
            questions,
            answers,
            buckets: buckets.sum(),
            over_tcp: tcp.map(asked).sum(),
        }
    }

    pub(super) fn shape(&self, how: Resolving) -> Shape {
        match how {
            Resolving::Dns => self.shape_of_dns(),
            // Encrypted sessions pad their packets, and handshakes weigh more than questions.
            Resolving::DnsOverTls | Resolving::DnsOverHttps => self.shape_of_session(),
        }
    }

    fn shape_of_dns(&self) -> Shape {
        let question = self.questions.payload / self.questions.packets.max(1);
        let answer = self.answers.payload / self.answers.packets.max(1);
        let share = self.questions.payload * 100 / self.answers.payload.max(1);
        let enough = self.questions.packets + self.answers.packets >= PACKETS_MIN;
        if enough && question > QUESTION_BYTES_MAX {
            let text = format!("questions have {question} bytes on average, names make 60 to 90");
            return Shape::Tunnel(why(question, QUESTION_BYTES_MAX, "bytes per packet", text));
        }
        if enough && answer > ANSWER_BYTES_MAX {
            let text =
                format!("answers have {answer} bytes on average, ordinary ones stay below 512");
            return Shape::Tunnel(why(answer, ANSWER_BYTES_MAX, "bytes per packet", text));
        }
        if enough && share > QUESTION_SHARE_PERCENT_MAX {
            let text =
                format!("questions weigh {share} % of answers, although answers repeat them");
            return Shape::Tunnel(why(share, QUESTION_SHARE_PERCENT_MAX, "percent", text));
        }
        if self.over_tcp > TCP_QUESTIONS_MAX {
            let text = format!("{} bytes of questions over TCP in a day", self.over_tcp);
            return Shape::Tunnel(why(self.over_tcp, TCP_QUESTIONS_MAX, "bytes", text));
        }
        let pace = self.questions.packets / self.buckets.max(1);
        if pace > QUESTIONS_PER_BUCKET_MAX {
            let text = format!("{pace} questions in ten minutes, to one resolver");
            return Shape::Busy(why(pace, QUESTIONS_PER_BUCKET_MAX, "packets", text));
        }
        let text = format!("questions of {question} and answers of {answer} bytes look ordinary");
        Shape::Plausible(why(question, QUESTION_BYTES_MAX, "bytes per packet", text))
    }

    fn shape_of_session(&self) -> Shape {
        let share = self.questions.payload * 100 / self.answers.payload.max(1);
        let text = format!("what was asked weighs {share} % of what was answered");
        if share > 200 {
            return Shape::Tunnel(why(share, 200, "percent", text));
        }
        Shape::Plausible(why(share, 200, "percent", text))
    }
}

fn why(observed: u64, bound: u64, unit: &str, text: String) -> Why {
    Why {
        observed: observed as f64,
        expected: None,
        bound: Some(bound as f64),
        unit: unit.to_owned(),
        text,
    }
}
