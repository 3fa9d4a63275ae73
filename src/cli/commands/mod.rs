//! Shelf of commands: one file a command, its arguments in, its exit code out.

pub mod apply;
pub mod approve;
pub mod check;
pub mod config;
pub mod demo;
pub mod enable;
pub mod explain;
pub mod failed;
pub mod held;
pub mod link;
pub mod link_rebuild;
pub mod link_takeover;
pub mod log;
pub mod pause;
pub mod plan;
pub mod provision;
pub mod reject;
pub mod restart;
pub mod retry;
pub mod run;
pub mod simulate;
pub mod status;
pub mod sync;
pub mod token;
pub mod undo;
pub mod workspace;
