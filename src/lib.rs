//! rosterd keeps an application's accounts and teams equal to what a company's directory says.
//!
//! The rooms, in the order in which they may import each other (see ARCHITECTURE.md):

// The language, pure.
pub mod expr;
pub mod model;
pub mod scim;
// The decision, pure.
pub mod plan;
pub mod report;
// The edges: network and disk.
pub mod client;
pub mod sources;
pub mod store;
pub mod targets;
// The drivers.
pub mod cli;
pub mod config;
pub mod cycle;
pub mod daemon;
pub mod server;
pub mod simulators;
