//! The laws of the fold, the truth of findings over simulated worlds, and exact sums.

#[cfg(test)]
mod counted_once;
#[cfg(test)]
mod excuses;
#[cfg(test)]
mod explained;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod forgetting;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod knowledge;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod merges;
#[cfg(test)]
mod network;
#[cfg(test)]
mod pasts;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod rhythms;
#[cfg(test)]
mod scans;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod sums;
#[cfg(test)]
mod totals;
#[cfg(test)]
mod truth;
