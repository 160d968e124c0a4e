//! Whole accounts: what is wrong is found, what is right is not, and what is not known is said to be unknown.

#[cfg(test)]
mod account;
#[cfg(test)]
mod defects;
#[cfg(test)]
mod flow_logs;
#[cfg(test)]
mod ocsf;
#[cfg(test)]
mod partial;
#[cfg(test)]
mod repaired;
#[cfg(test)]
mod unknown;
#[cfg(test)]
mod ways;
