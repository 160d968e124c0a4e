//! The one integration binary: every module is a family of tests.

#[cfg(test)]
mod tidy;
