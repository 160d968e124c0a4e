//! What addresses were called, by the answers of the resolver.

use std::collections::{BTreeMap, BTreeSet};

use outflow_posture::ENTRY_DOMAINS_MAX;
use outflow_query::rows;
use outflow_record::Addr;

use crate::exit::Failure;
use crate::query::cancellable;
use crate::session::Opened;

/// Names of addresses that are kept: some hundred megabytes. Those beyond are counted in [`Names::beyond`].
const NAMES_MAX: u64 = 1_000_000;

/// Each name once, in an order, so that the same are kept whatever their number.
const SQL: &str = "
    SELECT DISTINCT coalesce(vpc_id, '') AS vpc_id, answer['rdata'] AS addr, query_name AS name
    FROM (SELECT vpc_id, query_name, unnest(answers) AS answer FROM dns WHERE rcode = 'NOERROR') AS answered
    WHERE answer['type'] IN ('A', 'AAAA')
    ORDER BY 1, 2, 3";

/// Names by VPC and address: the resolvers of two VPCs may answer differently.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: BTreeMap<String, BTreeMap<Addr, BTreeSet<String>>>,
    kept: u64,
    beyond: u64,
}

impl Names {
    /// All that the resolver answered. Whoever asked about two names that have one address may have gone to either.
    pub(super) fn of(opened: &Opened) -> Result<Self, Failure> {
        let mut names = Self::default();
        let asked = cancellable(&opened.runtime, opened.session.query(SQL, Vec::new()));
        let mut answer = asked.map_err(|stop| stop.failure(SQL))?;
        loop {
            let batch = cancellable(&opened.runtime, answer.next());
            let Some(batch) = batch.map_err(|stop| stop.failure(SQL))? else {
                return Ok(names);
            };
            for row in rows(std::slice::from_ref(&batch)) {
                let addr = row.text("addr").and_then(|addr| addr.parse().ok());
                if let (Some(addr), Some(name)) = (addr, row.text("name")) {
                    names.add(row.text("vpc_id").unwrap_or_default(), addr, name);
                }
            }
        }
    }

    /// What an address was called in a VPC, in order.
    pub(super) fn of_addr(&self, vpc_id: &str, addr: Addr) -> impl Iterator<Item = &str> {
        let own = self.names.get(vpc_id).and_then(|of_vpc| of_vpc.get(&addr));
        own.into_iter().flatten().map(String::as_str)
    }

    /// Names that found no room.
    pub(super) fn beyond(&self) -> u64 {
        self.beyond
    }

    fn add(&mut self, vpc_id: &str, addr: Addr, name: &str) {
        if self.kept >= NAMES_MAX {
            self.beyond += 1;
            return;
        }
        if !self.names.contains_key(vpc_id) {
            self.names.insert(vpc_id.to_owned(), BTreeMap::new());
        }
        let Some(of_vpc) = self.names.get_mut(vpc_id) else {
            return;
        };
        let own = of_vpc.entry(addr).or_default();
        // One more than are kept of an address says that there are more.
        if own.len() <= ENTRY_DOMAINS_MAX && own.insert(name.trim_end_matches('.').to_owned()) {
            self.kept += 1;
        }
    }
}
