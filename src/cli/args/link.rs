//! Arguments of `link`.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use super::Output;
use super::Why;

#[derive(Debug, Subcommand)]
pub enum Link {
    /// Lists who and which groups have, or are to get, something in the target
    List(LinkList),
    /// Shows one link whole, with what people have decided of it
    Show(LinkShow),
    /// Says which account or team of the target somebody is; the next cycle takes it over
    Set(LinkSet),
    /// Takes a link away and leaves the account as it is; who is still wanted is matched anew
    Unlink(LinkUnlink),
    /// Sets many links from a CSV file, all or none
    Import(LinkImport),
    /// Makes another job of the same target the owner; nothing is written there
    Move(LinkMove),
    /// Makes a job the owner of what a tenant pushed into its workspace, and ends the tenant's tokens
    ///
    /// Reads the source and matches everybody whom the job wants with what the tenant owns. Nothing is made, removed or
    /// changed in the workspace. Whoever matches nobody stays the tenant's, and is named.
    Takeover(LinkTakeover),
    /// Makes links anew from a full target, after the state was lost
    ///
    /// What bears the id of the source is linked; what only has the name is proposed, and held until a person approves it.
    /// Nothing is made, removed or changed in the target. Until then a job that starts anew only observes.
    Rebuild(LinkRebuild),
}

#[derive(Debug, Args)]
pub struct LinkList {
    /// The job, by its name in the settings
    pub job: String,
    /// As aligned text, or one JSON object a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Output,
}

#[derive(Debug, Args)]
pub struct LinkShow {
    /// The job, by its name in the settings
    pub job: String,
    /// A source id, a userName or a team's name
    pub who: String,
}

#[derive(Debug, Args)]
pub struct LinkUnlink {
    /// The job, by its name in the settings
    pub job: String,
    /// A source id, a userName or a team's name
    pub who: String,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct LinkSet {
    /// The job, by its name in the settings
    pub job: String,
    /// A source id, a userName or a team's name
    pub who: String,
    /// The id of the account or team in the target
    #[arg(value_name = "RESOURCE")]
    pub resource: String,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct LinkImport {
    /// The job, by its name in the settings
    pub job: String,
    /// Lines of WHO,RESOURCE; a first line `source,resource` is a heading
    #[arg(value_name = "CSV")]
    pub file: PathBuf,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct LinkMove {
    /// The job that owns it now
    pub job: String,
    /// A source id, a userName or a team's name
    pub who: String,
    /// The job that is to own it
    #[arg(value_name = "TO_JOB")]
    pub to: String,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct LinkTakeover {
    /// The job that pulls from now on, by its name in the settings
    pub job: String,
    /// The tenant that pushed until now, as `rosterd token list` shows it
    pub tenant: String,
    /// Shows what would pass, and changes nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct LinkRebuild {
    /// The job, by its name in the settings
    pub job: String,
    /// Shows what would be linked and proposed, and changes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Writes what is proposed as a CSV that `link import` reads; who was ours formerly stands in its remarks
    #[arg(long, value_name = "CSV")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub why: Why,
}
