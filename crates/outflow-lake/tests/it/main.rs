//! What a lake promises, whatever its store does.

#[cfg(test)]
mod exactly_once;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod upkeep;
#[cfg(test)]
mod verify;
