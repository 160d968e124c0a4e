//! Functions of the engine's that questions of traffic need most: its own list has hundreds.

use crate::about::{About, Argument, Kind};
use crate::templates::TO_CHAR;

static DATE_BIN: About = About {
    name: "date_bin",
    arguments: &[
        Argument {
            name: "width",
            kind: Kind::Span,
            tells: "how long a bucket is, as `INTERVAL '10 minutes'`",
        },
        Argument {
            name: "time",
            kind: Kind::Time,
            tells: "a time",
        },
    ],
    optional: &[Argument {
        name: "origin",
        kind: Kind::Time,
        tells: "a time at which a bucket begins; 1970-01-01 if it is left out",
    }],
    returns: Kind::Time,
    tells: "When the bucket begins that a time is in. Of the engine: it makes buckets of any length, as of ten minutes.",
    fails: "if the width is not above zero",
    example: "SELECT date_bin(INTERVAL '10 minutes', TIMESTAMP '2026-10-01T08:47:11')",
    answer: "2026-10-01T08:40:00",
};

static DATE_TRUNC: About = About {
    name: "date_trunc",
    arguments: &[
        Argument {
            name: "precision",
            kind: Kind::Text,
            tells: "`second`, `minute`, `hour`, `day`, `week` (from Monday), `month`, `quarter` or `year`",
        },
        Argument {
            name: "time",
            kind: Kind::Time,
            tells: "a time",
        },
    ],
    optional: &[],
    returns: Kind::Time,
    tells: "When the hour, day, week or other part of the calendar begins that a time is in, in UTC. Of the engine.",
    fails: "if there is no such precision",
    example: "SELECT date_trunc('hour', TIMESTAMP '2026-10-01T08:47:11')",
    answer: "2026-10-01T08:00:00",
};

static TO_CHAR_ABOUT: About = About {
    name: TO_CHAR,
    arguments: &[
        Argument {
            name: "time",
            kind: Kind::Time,
            tells: "a time or a day",
        },
        Argument {
            name: "template",
            kind: Kind::Text,
            tells: "as PostgreSQL has them (`YYYY-MM-DD HH24:MI`), or with `%` as strftime does (`%Y-%m-%d %H:%M`)",
        },
    ],
    optional: &[],
    returns: Kind::Text,
    tells: "A time as text. Of PostgreSQL's patterns it has YYYY, YY, MM, DD, DDD, HH24, HH12, MI, SS, MS, US, AM, Mon, Dy, FMMonth, FMDay, IYYY, IW, ID and Q; text stands in double \
            quotes. Of the engine.",
    fails: "for any other pattern",
    example: "SELECT to_char(TIMESTAMP '2026-10-01T08:47:11', 'YYYY-MM-DD HH24:MI')",
    answer: "2026-10-01 08:47",
};

/// What these are. They are registered with the engine already, but for [`to_char`](crate::to_char()), which takes the place of its own.
pub fn of_engine() -> [&'static About; 3] {
    [&DATE_BIN, &DATE_TRUNC, &TO_CHAR_ABOUT]
}
