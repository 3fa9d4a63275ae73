//! The integration tests, one binary: each topic is a module.

mod architecture;
mod client;
mod config;
mod file_source;
mod foreign_server;
mod remote_target;
mod report;
