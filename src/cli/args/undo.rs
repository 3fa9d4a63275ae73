//! The arguments of `undo`.

use clap::Args;

use super::Why;
use crate::report::Format;

#[derive(Debug, Args)]
#[command(after_help = "\
The inverse plan of the cycle is shown, and then done as far as the limits let it; what is over them is held: rosterd approve.
What is put back stays as it was, whatever the rules say, until the undo ends; then what they want comes back as held.
Deleted accounts and teams, redacted values, and what was written again since then are left as they are, and named.")]
pub struct Undo {
    /// The job, by its name in the settings
    pub job: String,
    /// The cycle, by its number in `rosterd log`
    #[arg(value_name = "CYCLE")]
    pub cycle: i64,
    /// Of the cycle only this: a cause (its 8 digits in the plan), a team or person (name or source id), `@FILE` with one of
    /// them a line
    #[arg(default_value = "all")]
    pub what: String,
    /// Shows what would be done, and does nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Until then: a time, a date, or so long from now (14d) [default: jobs.NAME.exemption, 7 days]
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// text, markdown or json
    #[arg(long, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub why: Why,
}
