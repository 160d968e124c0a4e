//! What a lake promises, whatever its store does.

mod exactly_once;
mod faulty;
mod objects;
mod upkeep;
mod verify;
