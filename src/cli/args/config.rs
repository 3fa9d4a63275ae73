//! What `config` takes.

use clap::Args;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Tells everything that is wrong with the settings, each with file, line, key and cure
    Check,
    /// Shows the merged settings, each with where it comes from; secrets are not shown
    Show(ConfigShow),
    /// Lists the versions of the settings that were in force, as the state keeps them
    Versions,
    /// Shows what changed from one version of the settings to another, line by line
    Diff(ConfigDiff),
}

#[derive(Debug, Args)]
pub struct ConfigShow {
    /// The version of this digest, as the log names it, instead of today's
    #[arg(long, value_name = "DIGEST", conflicts_with = "at")]
    pub digest: Option<String>,
    /// The version that was in force then: a time (2026-03-02T10:00:00Z) or a date (its end, UTC)
    #[arg(long, value_name = "T")]
    pub at: Option<String>,
}

#[derive(Debug, Args)]
pub struct ConfigDiff {
    /// The digest of the older version, or its first digits
    pub from: String,
    /// The digest of the newer one [default: today's settings]
    pub to: Option<String>,
}
