//! The arguments of the commands about one person or group: `explain` and `provision`.

use clap::Args;

use super::Output;
use super::Why;

#[derive(Debug, Args)]
pub struct Explain {
    pub job: String,
    /// A person or a group: source id, userName, mail address, team name or resource id
    pub who: String,
    /// As it stood then: a time (2026-03-02T10:00:00Z) or a date (its end, UTC)
    #[arg(long, value_name = "T")]
    pub at: Option<String>,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Output,
}

#[derive(Debug, Args)]
pub struct Provision {
    /// The job, by its name in the settings
    pub job: String,
    /// A person: source id, userName, mail address or name; or a group: source id, name, or the name of its team
    #[arg(value_name = "WHO")]
    pub what: String,
    /// Makes a team exactly what the source says: members that others added are removed too
    #[arg(long)]
    pub overwrite: bool,
    /// Shows what would be done, and does nothing
    #[arg(long)]
    pub dry_run: bool,
    /// As text, or as one JSON object in the form of Entra's provision on demand
    #[arg(long, value_enum, default_value_t)]
    pub format: Output,
    #[command(flatten)]
    pub why: Why,
}
