//! What `log` takes.

use clap::Args;
use clap::ValueEnum;

use super::Why;

#[derive(Debug, Args)]
pub struct Log {
    /// Only this job
    #[arg(long)]
    pub job: Option<String>,
    /// Only this cycle
    #[arg(long, value_name = "N")]
    pub cycle: Option<i64>,
    /// Only this workspace: what was pushed into it, and what jobs wrote to it
    #[arg(long, value_name = "W")]
    pub workspace: Option<String>,
    /// Only this person or team: an id, a userName, a mail address or a team's name
    #[arg(long, value_name = "WHO")]
    pub who: Option<String>,
    /// Only from then on: a time (2026-03-02T10:00:00Z), a date, or so long ago (2h, 7 days)
    #[arg(long, value_name = "T")]
    pub since: Option<String>,
    /// Show no entries; walk the chain over all of them, and say whether anybody changed it
    #[arg(long, conflicts_with_all = ["job", "cycle", "workspace", "who", "since"])]
    pub verify_chain: bool,
    /// Show no entries; remove those that are older than log.keep now, as the daemon does once a day
    #[arg(long, conflicts_with_all = ["job", "cycle", "workspace", "who", "since", "verify_chain", "format"])]
    pub prune: bool,
    /// Say what --prune would remove, and remove nothing
    #[arg(long, requires = "prune")]
    pub dry_run: bool,
    #[command(flatten)]
    pub why: Why,
    /// As text, one JSON object a line, or a table for a spreadsheet
    #[arg(long, value_enum, default_value_t)]
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
    Csv,
}
