//! Address classes, direction, initiator, payload and destination groups.
