//! A listing as it grows, page by page.

use std::collections::BTreeSet;

use outflow_enrich::inventory::{CallState, CollectedCall};
use serde_json::{Map, Value};

use crate::api::asker::Unanswered;

/// What a call listed so far, and how it ended if it ended early.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) items: Vec<Value>,
    pub(crate) pages: u64,
    pub(crate) left_out: BTreeSet<String>,
    ended: Option<Unanswered>,
}

impl Listing {
    pub(crate) fn page(&mut self, items: Vec<Value>) {
        self.items.extend(items);
        self.pages += 1;
    }

    /// It ends here, though there may be more; the first reason is kept.
    pub(crate) fn end(&mut self, unanswered: Unanswered) {
        self.ended.get_or_insert(unanswered);
    }

    /// Whether all is there.
    pub(crate) fn is_whole(&self) -> bool {
        self.ended.is_none()
    }

    /// As a manifest has it.
    pub(crate) fn told(&self, named: Named) -> CollectedCall {
        let state = match &self.ended {
            None => CallState::Ok,
            Some(_) if self.pages > 0 => CallState::Partial,
            Some(ended) => ended.state,
        };
        let reason = self.ended.as_ref().map(|ended| match state {
            CallState::Partial => format!("{}: {}", ended.state.name(), ended.reason),
            _ => ended.reason.clone(),
        });
        CollectedCall {
            service: named.service.to_owned(),
            call: named.call.to_owned(),
            list: named.list.to_owned(),
            file: (self.pages > 0).then(|| named.file.to_owned()),
            state,
            pages: self.pages,
            items: self.items.len() as u64,
            reason,
            left_out: self.left_out.iter().cloned().collect(),
        }
    }

    /// The document that AWS's command line prints; nothing if no page was read.
    pub(crate) fn document(&self, list: &str) -> Option<Value> {
        let object = Map::from_iter([(list.to_owned(), Value::from(self.items.clone()))]);
        (self.pages > 0).then(|| object.into())
    }
}

/// What a listing is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub(crate) service: &'static str,
    pub(crate) call: &'static str,
    pub(crate) list: &'static str,
    pub(crate) file: &'static str,
}

/// Which page of a listing is asked for.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    next: Option<String>,
    seen: BTreeSet<String>,
}

impl Pages {
    /// What names the page; the first has no name.
    pub(crate) fn token(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Turns to the page that an answer names, and tells whether there is one. Pages that go round in a circle end the listing.
    pub(crate) fn turn(&mut self, next: Option<String>, listing: &mut Listing) -> bool {
        let Some(next) = next.filter(|next| !next.is_empty()) else {
            return false;
        };
        if !self.seen.insert(next.clone()) {
            listing.end(Unanswered::failed("its pages go round in a circle"));
            return false;
        }
        self.next = Some(next);
        true
    }
}
