//! Layers of settings in, checked jobs and targets out. The only door to figment.
//!
//! Defaults, a file, `conf.d/*.toml` beside it, `ROSTERD_…` variables, command-line options: what comes later
//! wins. [`Merged`] keeps where each value comes from; [`Merged::check`] tells everything that is wrong at once.

mod check;
mod checked;
mod files;
mod graph;
mod layers;
mod presets;
mod problem;
mod raw;
mod raw_drift;
mod raw_graph;
mod raw_service;
mod shape;
mod show;

pub use checked::Config;
pub use checked::DaemonConfig;
pub use checked::FileConfig;
pub use checked::FollowUpsConfig;
pub use checked::JobConfig;
pub use checked::OktaConfig;
pub use checked::OktaSignIn;
pub use checked::ReceiverConfig;
pub use checked::ScimConfig;
pub use checked::SecretPlace;
pub use checked::SourceConfig;
pub use checked::TargetConfig;
pub use checked::TargetKind;
pub use checked::WorkspaceConfig;
pub use files::USUAL;
pub use graph::GraphConfig;
pub use graph::SignInConfig;
pub use graph::SignInError;
pub use layers::Flags;
pub use layers::Layers;
pub use layers::Merged;
pub use layers::PREFIX;
pub use problem::Key;
pub use problem::Place;
pub use problem::Problem;
pub use problem::Problems;
pub use problem::Severity;
