//! Shelf of commands: one file a command, its arguments in, its exit code out.

pub mod config;
