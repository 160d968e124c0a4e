//! Which interfaces the scenarios happen on, and all that happens in them in order of time.

use crate::conversation::Conversation;
use crate::destinations::{Destinations, Peer};
use crate::inventory::{Inventory, Role};
use crate::rng::{Domain, Rng};
use crate::scene::Scene;
use crate::{Error, Scenario, WorldConfig};

/// Interfaces that take part in a deploy.
const DEPLOYED_ENIS: usize = 12;

/// Of these, the ones that also report to a monitoring service; the others have room for more scenarios.
const AGENT_ENIS: usize = 6;

/// One conversation of a scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) scenario: Scenario,
    /// The interface on which the scenario happens.
    pub(crate) eni: usize,
    pub(crate) peer: Peer,
    pub(crate) conversation: Conversation,
}

/// All conversations of all scenarios, in order of their start.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) entries: Vec<Entry>,
}

impl Script {
    pub(crate) fn new(
        config: &WorldConfig,
        inventory: &Inventory,
        destinations: &Destinations,
    ) -> Result<Self, Error> {
        let mut entries = Vec::new();
        for (scenario, enis) in Self::cast(config, inventory)? {
            let rng = Rng::keyed(config.seed, Domain::Script, [1, scenario as u64]);
            Scene::new(config, scenario, rng, &mut entries).play(&enis, destinations);
        }
        entries.sort_by_key(|entry| (entry.conversation.start, entry.scenario, entry.eni));
        Ok(Self { entries })
    }

    /// Gives each configured scenario its interfaces. Which ones does not depend on what else is
    /// configured, so that a scenario can be studied alone.
    pub(crate) fn cast(
        config: &WorldConfig,
        inventory: &Inventory,
    ) -> Result<Vec<(Scenario, Vec<usize>)>, Error> {
        let mut free: Vec<usize> = (0..inventory.enis.len())
            .filter(|at| inventory.enis[*at].role.ordinary() && !inventory.enis[*at].autoscaled)
            .collect();
        Rng::keyed(config.seed, Domain::Script, [0, 0]).shuffle(&mut free);
        // Only batch workers download at this scale, so one is set aside before the others choose.
        let worker = free
            .iter()
            .position(|at| inventory.enis[*at].role == Role::Batch);
        let worker = worker.map(|at| free.remove(at));
        let mut parts = Vec::new();
        let mut deployed = Vec::new();
        for scenario in Scenario::ALL.iter().copied() {
            let (enis, wanted) = match scenario {
                Scenario::BigDownload => (worker.into_iter().collect(), 1),
                Scenario::BackupMoved => {
                    let backups = inventory.stable(0, Role::Backup);
                    (backups.iter().copied().take(1).collect(), 1)
                }
                Scenario::Deploy => {
                    deployed = take(&mut free, DEPLOYED_ENIS);
                    (deployed.clone(), DEPLOYED_ENIS)
                }
                // A small world has no others left, and a deploy changes little on an interface.
                Scenario::Beacon => (deployed.iter().copied().take(1).collect(), 1),
                Scenario::LongConnection => (deployed.iter().copied().skip(1).take(1).collect(), 1),
                Scenario::Agents => {
                    let last = deployed.iter().copied().skip(DEPLOYED_ENIS - AGENT_ENIS);
                    (last.collect(), AGENT_ENIS)
                }
                Scenario::Burst
                | Scenario::Drip
                | Scenario::SplitDestinations
                | Scenario::ResolverBypass
                | Scenario::IcmpTunnel => (take(&mut free, 1), 1),
            };
            if !config.scenarios.contains(&scenario) {
                continue;
            }
            if enis.len() < wanted {
                return Err(Error::TooFewEnis {
                    scenario,
                    enis: config.enis,
                });
            }
            parts.push((scenario, enis));
        }
        Ok(parts)
    }

    /// The conversations that begin in `[from, until)`.
    pub(crate) fn between(&self, from: i64, until: i64) -> &[Entry] {
        let position = |at: i64| self.entries.partition_point(|e| e.conversation.start < at);
        &self.entries[position(from)..position(until)]
    }
}

fn take(free: &mut Vec<usize>, count: usize) -> Vec<usize> {
    free.drain(..count.min(free.len())).collect()
}
