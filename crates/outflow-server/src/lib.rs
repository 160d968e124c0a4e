//! A lake over PostgreSQL's wire protocol and over Flight SQL.
