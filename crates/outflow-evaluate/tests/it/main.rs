//! An evaluation of a small network: the same numbers in every run, and no fewer thefts found than are found today.

#[cfg(test)]
mod small;
