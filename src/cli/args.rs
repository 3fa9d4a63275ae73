//! The command line: what clap parses. One variant a command, in the order of the help.

mod config;
mod failing;
mod link;
mod log;
mod one;
mod token;
mod undo;
mod workspace;

pub use config::Config;
pub use config::ConfigDiff;
pub use config::ConfigShow;
pub use failing::Failed;
pub use failing::Pause;
pub use failing::Restart;
pub use failing::Resume;
pub use failing::Retry;
pub use link::Link;
pub use link::LinkImport;
pub use link::LinkList;
pub use link::LinkMove;
pub use link::LinkRebuild;
pub use link::LinkSet;
pub use link::LinkShow;
pub use link::LinkTakeover;
pub use link::LinkUnlink;
pub use log::Log;
pub use log::LogFormat;
pub use one::Explain;
pub use one::Provision;
pub use token::Token;
pub use token::TokenCreate;
pub use token::TokenList;
pub use token::TokenRevoke;
pub use token::TokenRotate;
pub use undo::Undo;
pub use workspace::Erase;
pub use workspace::FollowUp;
pub use workspace::FollowUpWord;
pub use workspace::FollowUps;
pub use workspace::FollowUpsAct;
pub use workspace::Grants;
pub use workspace::GrantsAct;
pub use workspace::In;
pub use workspace::Workspace;
pub use workspace::WorkspaceList;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;

use crate::report::Format;

const EVERYWHERE: &str = "Options of every command";
const AFTER: &str = "\
A first time: rosterd demo. Then: config check, check, plan, enable, sync, run.

Exit codes: 0 done, or in sync; 1 failed; 2 wrong usage; 3 plan found changes; 4 something is held; \
5 some objects failed. Where several apply, 1 comes before 5 before 4 before 3.";

/// Keeps an application's accounts and teams equal to what Microsoft Entra ID or Okta says, by pulling.
#[derive(Debug, Parser)]
#[command(name = "rosterd", version, max_term_width = 100, disable_help_subcommand = true, after_help = AFTER)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = EVERYWHERE)]
pub struct Global {
    /// The settings file [default: /etc/rosterd/rosterd.toml, then config/rosterd.toml]
    #[arg(
        short = 'c',
        long = "config",
        value_name = "FILE",
        env = "ROSTERD_CONFIG",
        hide_env_values = true,
        global = true
    )]
    pub config: Option<PathBuf>,
    /// The database file, instead of the one in the settings
    #[arg(long, value_name = "FILE", global = true)]
    pub state: Option<String>,
    /// What is logged to stderr: error, warn, info, debug, or a filter like `rosterd=debug`
    #[arg(long, value_name = "FILTER", env = "ROSTERD_LOG", hide_env_values = true, global = true)]
    pub log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Plays the whole job in seconds: two simulated directories, a first cycle, a day, a second cycle
    Demo(Demo),
    /// Looks at secrets, sign-in, permissions and targets, and says how to mend what is wrong
    Check(Check),
    /// Shows what would be done, and does nothing
    Plan(Plan),
    /// Reads again, and does of a saved plan what still holds; names what has moved
    Apply(Apply),
    /// Runs one cycle now: reads, decides, writes what may be written
    Sync(Sync),
    /// Brings one person or one team up to date now, step by step, and nothing else
    Provision(Provision),
    /// Shows why somebody is or is not in scope, how each attribute came to be, and what would change
    Explain(Explain),
    /// Runs as the daemon: cycles on schedule, and the HTTP service
    Run(Run),
    /// Shows each job's mode, last cycle, what waits, and next run
    Status(Status),
    /// Shows every change that was made, with its old and new values, its cause and its outcome
    Log(Log),
    /// Lets a job leave `observe`, the mode in which it begins
    Enable(Enable),
    /// Shows what waits for a decision, and the command that decides
    Held(Held),
    /// Lets what waits be done in the next cycle
    Approve(Approve),
    /// Keeps what waits from being done for a while; then it comes back as held
    Reject(Reject),
    /// Puts back what a cycle wrote, as a plan under the same limits; it stays so for a while
    Undo(Undo),
    /// Shows what could not be done, why, when it is tried again, and what helps
    Failed(Failed),
    /// Has what failed tried again in the next cycle
    Retry(Retry),
    /// Lets a job rest; a cycle that runs ends between two changes
    Pause(Pause),
    /// Ends a pause
    Resume(Resume),
    /// Begins a job anew: what failed is due, everything is read, a quarantine ends
    Restart(Restart),
    /// Looks at links, and sets, undoes or hands them over; nothing is asked of source or target
    #[command(subcommand)]
    Link(Link),
    /// Shows what an embedded workspace holds: accounts, teams, access grants, follow-ups
    #[command(subcommand)]
    Workspace(Workspace),
    /// Makes, lists, rotates and revokes tokens with which others push into a workspace over SCIM
    #[command(subcommand)]
    Token(Token),
    /// Serves a simulated directory, for rehearsal and load tests
    #[command(subcommand)]
    Simulate(Simulate),
    /// Looks at the settings themselves; nothing is asked of anybody
    #[command(subcommand)]
    Config(Config),
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Keeps state, settings and directories in this folder instead of removing them
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// People in each directory
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=5000))]
    pub users: u32,
    /// The same seed gives the same directories
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub struct Check {
    /// Only this job
    pub job: Option<String>,
}

#[derive(Debug, Args)]
pub struct Plan {
    /// Only these jobs
    pub jobs: Vec<String>,
    /// Reads everything anew instead of what changed
    #[arg(long)]
    pub full: bool,
    /// text, markdown or json
    #[arg(long, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    /// Saves the plan as well, for `rosterd apply FILE`; of one job
    #[arg(long, value_name = "FILE", conflicts_with = "with")]
    pub out: Option<PathBuf>,
    /// Shows what these edited settings would change, from what was seen last; asks nobody
    #[arg(long, value_name = "SETTINGS", conflicts_with = "full")]
    pub with: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Apply {
    /// A plan that was saved with `rosterd plan JOB --out FILE`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// All of it or nothing: where something has moved, nothing is written
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct Sync {
    /// Only these jobs
    pub jobs: Vec<String>,
    /// Reads everything anew instead of what changed
    #[arg(long)]
    pub full: bool,
    /// Reads what changed, then everything anew, and says what the changes had missed
    #[arg(long, conflicts_with = "full")]
    pub verify: bool,
}

#[derive(Debug, Args)]
pub struct Run {
    /// The address of the HTTP service, instead of the one in the settings
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
}

#[derive(Debug, Args)]
pub struct Status {
    /// Only this job
    pub job: Option<String>,
    /// As aligned text or as one JSON document
    #[arg(long, value_enum, default_value_t)]
    pub format: Output,
}

#[derive(Debug, Args)]
pub struct Enable {
    /// The job, by its name in the settings
    pub job: String,
    /// `approve`: every plan waits for a person; `write`: what is within the limits is done
    #[arg(long, value_enum, default_value_t = EnableMode::Write)]
    pub mode: EnableMode,
    /// The digest of the plan that you looked at; it must still be the plan
    #[arg(long, value_name = "DIGEST")]
    pub plan: Option<String>,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct Held {
    /// Only this job
    pub job: Option<String>,
    /// text, markdown or json
    #[arg(long, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Approve {
    /// The job, by its name in the settings
    pub job: String,
    /// A cause (its 8 digits in the plan), a team or person (name or source id), `@FILE` with one of them a line, or `all`;
    /// `identity` for another source or target than the pinned one
    pub what: String,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct Reject {
    /// The job, by its name in the settings
    pub job: String,
    /// A cause (its 8 digits in the plan), a team or person (name or source id), `@FILE` with one of them a line, or `all`
    pub what: String,
    /// Until then: a time, a date, or so long from now (14d) [default: jobs.NAME.exemption, 7 days]
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    #[command(flatten)]
    pub why: Why,
}

/// Recorded with what was decided or changed, beside who did it.
#[derive(Debug, Args)]
pub struct Why {
    /// Why; recorded beside who did it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
}

#[derive(Debug, Subcommand)]
pub enum Simulate {
    /// Serves a tenant as Microsoft Graph does, and prints the settings that reach it
    Graph(Simulated),
    /// Serves an org as the Okta API does, and prints the settings that reach it
    Okta(Simulated),
}

#[derive(Clone, Debug, Args)]
pub struct Simulated {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// People in the directory
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub users: u32,
    /// Groups in the directory
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub groups: u32,
    /// Groups that each person is in, on average
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub memberships: u32,
    /// The same seed gives the same directory
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// A fault to play, such as `users_delta@2=503` or `*+=delay/200`; may be repeated
    #[arg(long, value_name = "ROUTE[@NTH][+]=TROUBLE")]
    pub fault: Vec<String>,
    /// So many seconds pass there in one of ours: with 288 a day takes five minutes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub speed: u32,
    /// How the service behaves where it may behave in several ways, such as `page_size=50`; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub knob: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EnableMode {
    Approve,
    Write,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DialectWord {
    Strict,
    #[default]
    Tolerant,
}
