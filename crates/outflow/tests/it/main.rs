//! The one integration binary: every module is a family of tests.

#[cfg(test)]
mod breach;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod datasets;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod json;
#[cfg(test)]
mod json_contract;
#[cfg(test)]
mod labels;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod run;
#[cfg(test)]
mod tidy;
