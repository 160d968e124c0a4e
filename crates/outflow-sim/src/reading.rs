//! Reads a world back, line by line, as tests want it.

use outflow_record::{Addr, Field, Format, Timestamp};

use crate::{World, WorldConfig};

/// A line split into its tokens, read by field.
pub(crate) struct Line<'t>(Vec<&'t str>, &'t Format);

impl<'t> Line<'t> {
    pub(crate) fn text(&self, field: Field) -> &'t str {
        self.0[self.1.position(field).unwrap()]
    }

    pub(crate) fn number(&self, field: Field) -> i64 {
        self.text(field).parse().unwrap()
    }

    pub(crate) fn addr(&self, field: Field) -> Addr {
        self.text(field).parse().unwrap()
    }
}

/// A world of two days in which everything happens.
pub(crate) fn small() -> WorldConfig {
    WorldConfig {
        days: 2,
        base_flows_per_eni_hour: 3,
        ..WorldConfig::breach()
    }
}

/// Calls `each` for every line of the world, with the start of the object's slot.
pub(crate) fn read(config: &WorldConfig, mut each: impl FnMut(i64, &Line<'_>)) {
    let header: Vec<&str> = config
        .format
        .fields()
        .iter()
        .map(|field| field.name())
        .collect();
    for object in World::new(config).unwrap().objects() {
        let slot = slot_start(&object.path);
        let text = String::from_utf8(object.text).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(header.join(" ").as_str()));
        for line in lines {
            let tokens: Vec<&str> = line.split(' ').collect();
            assert_eq!(tokens.len(), header.len(), "{line}");
            assert!(tokens.iter().all(|token| !token.is_empty()), "{line}");
            each(slot, &Line(tokens, &config.format));
        }
    }
}

/// The instant in an object's name.
pub(crate) fn slot_start(path: &str) -> i64 {
    let stamp = path.rsplit('_').nth(1).unwrap();
    let (date, clock) = (&stamp[..8], &stamp[9..13]);
    let text = format!(
        "{}-{}-{}T{}:{}",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..]
    );
    text.parse::<Timestamp>().unwrap().secs()
}
