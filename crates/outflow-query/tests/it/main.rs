//! The one integration binary of the crate.

#[cfg(test)]
mod countries;
#[cfg(test)]
mod hours;
#[cfg(test)]
mod names;
#[cfg(test)]
mod needs;
#[cfg(test)]
mod office;
#[cfg(test)]
mod once;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod saved;
#[cfg(test)]
mod session;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod staging;
#[cfg(test)]
mod world;
