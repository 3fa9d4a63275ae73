//! The arguments of the commands about a job that fails, or rests: `failed`, `retry`, `pause`, `resume`, `restart`.

use clap::Args;

use super::Output;
use super::Why;

#[derive(Debug, Args)]
pub struct Failed {
    /// Only this job
    pub job: Option<String>,
    /// As aligned text or as one JSON document
    #[arg(long, value_enum, default_value_t)]
    pub format: Output,
}

#[derive(Debug, Args)]
pub struct Retry {
    /// The job, by its name in the settings
    pub job: String,
    /// A person or team (name or source id), a cause (its 8 digits), an error code, or `all`
    pub what: String,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct Pause {
    /// The job, by its name in the settings
    pub job: String,
    /// It begins again by itself then: a time (2026-03-02T10:00:00Z), a date, or so long from now (2h, 7d)
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct Resume {
    /// The job, by its name in the settings
    pub job: String,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
#[command(after_help = "Nothing named: --escrow, --watermark and --quarantine.")]
pub struct Restart {
    /// The job, by its name in the settings
    pub job: String,
    /// What failed, or was given up, is tried again in the next cycle
    #[arg(long)]
    pub escrow: bool,
    /// The next cycle reads everything anew
    #[arg(long)]
    pub watermark: bool,
    /// The job keeps its schedule again
    #[arg(long)]
    pub quarantine: bool,
    /// Forgets which account is whose: everybody is matched anew, and adopted as the policy says. Needs --reason
    #[arg(long)]
    pub links: bool,
    #[command(flatten)]
    pub why: Why,
}
