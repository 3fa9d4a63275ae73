//! The integration tests, one binary: each topic is a module.

mod architecture;
mod cli;
mod client;
mod config;
mod conformance;
mod corpus_graph;
mod corpus_graph_files;
mod corpus_okta;
mod corpus_scim;
mod cycles;
mod file_source;
mod foreign_server;
mod graph_simulated;
mod graph_source;
mod graph_tenant;
mod graph_witness;
mod history;
mod okta_org;
mod okta_source;
mod presets;
mod remote_target;
mod report;
mod server;
mod simulators;
mod support;
mod workspace;
