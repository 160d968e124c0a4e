//! The one integration binary: every module is a family of tests.

#[cfg(test)]
mod breach;
#[cfg(test)]
mod case;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod context;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod datasets;
#[cfg(test)]
mod deliver;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod from_lake;
#[cfg(test)]
mod guardduty;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod inventory;
#[cfg(test)]
mod json;
#[cfg(test)]
mod json_contract;
#[cfg(test)]
mod labels;
#[cfg(test)]
mod lake;
#[cfg(test)]
mod misreadings;
#[cfg(test)]
mod posture;
#[cfg(test)]
mod query;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod reconciliation;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod run;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod serve;
#[cfg(test)]
#[path = "../../../outflow-ingest/src/s3/stub.rs"]
#[expect(
    dead_code,
    reason = "for the tests of outflow-ingest it fails in more ways"
)]
mod stub;
#[cfg(test)]
mod suppressions;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod timeline;
#[cfg(test)]
mod tunnels;
#[cfg(test)]
mod watch;
