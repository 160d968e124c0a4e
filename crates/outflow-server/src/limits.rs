//! What clients may take.

use std::time::Duration;

/// What clients of a server may take. Memory for queries is that of the session, and they share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeLimits {
    /// How long a statement may take, from its arrival to the last row that was sent. A client may ask for less.
    pub statement_timeout: Duration,
    /// Statements that are worked on at once; more wait.
    pub statements: usize,
    /// How long a statement may wait for its turn. Then it is refused with SQLSTATE 53300.
    pub queue_timeout: Duration,
    /// Connections at once, of each protocol. One more is refused, by PostgreSQL's protocol with SQLSTATE 53300.
    pub connections: usize,
    /// Bytes of a message of a client, and so of a statement, once it is known who it is. A longer one ends the connection.
    pub message_bytes: usize,
    /// How long a client may take to say who it is.
    pub startup_timeout: Duration,
    /// How long a client may take to read what it is sent, while nothing of it moves. Then its connection ends.
    pub write_timeout: Duration,
    /// How long a connection may say nothing; then it ends.
    pub idle_timeout: Duration,
    /// How long statements may go on when the server is told to stop.
    pub grace: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            statement_timeout: Duration::from_secs(300),
            statements: 16,
            queue_timeout: Duration::from_secs(30),
            connections: 100,
            message_bytes: 16 << 20,
            startup_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(3_600),
            grace: Duration::from_secs(10),
        }
    }
}

/// Statements and portals that a connection keeps by name; one more is refused with SQLSTATE 53400.
pub(crate) const NAMES_MAX: usize = 1_000;

/// Bytes of a message of a client of which it is not known who it is: as PostgreSQL has it.
pub(crate) const STARTUP_BYTES_MAX: usize = 10_000;

/// Places of a statement: the protocol counts them in 16 bits.
pub(crate) const PLACES_MAX: usize = 65_535;

/// Settings that a client may invent, as `SET my.name = …` does.
pub(crate) const SETTINGS_MAX: usize = 200;

/// Bytes of the name of a setting, and of its value.
pub(crate) const SETTING_BYTES_MAX: usize = 1_024;

/// Bytes of names, statements and bound values that a connection keeps; more are refused with SQLSTATE 53400.
pub(crate) const KEPT_BYTES_MAX: usize = 64 << 20;

/// Cursors and portals of a connection that have more rows to tell: each holds memory of the engine. One more is refused with
/// SQLSTATE 53400.
pub(crate) const TELLING_MAX: usize = 8;

/// Bytes that wait to be sent before they are.
pub(crate) const OUTPUT_BYTES: usize = 64 << 10;

/// Bytes of further messages that are read while a statement runs: to see that its client is still there.
pub(crate) const AHEAD_BYTES_MAX: usize = 256 << 10;
