//! `workspace`: what clap parses of it.

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;

use super::Output;
use super::Why;

#[derive(Debug, Subcommand)]
pub enum Workspace {
    /// Lists accounts, their state and their teams
    Users(WorkspaceList),
    /// Lists teams and their members
    Teams(WorkspaceList),
    /// Lists access grants; gives, takes and gives them back
    Grants(Grants),
    /// Lists follow-ups: what somebody has to do because access was taken
    #[command(name = "follow-ups")]
    FollowUps(FollowUps),
    /// Erases a person who has left: takes their values out of everything that is kept, for good
    Erase(Erase),
}

#[derive(Debug, Args)]
pub struct In {
    /// The workspace; needed where the settings have several
    #[arg(long, value_name = "W")]
    pub workspace: Option<String>,
}

#[derive(Debug, Args)]
pub struct WorkspaceList {
    #[command(flatten)]
    pub place: In,
    /// As aligned text, or one SCIM resource a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Output,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Grants {
    #[command(subcommand)]
    pub act: Option<GrantsAct>,
    #[command(flatten)]
    pub list: WorkspaceList,
    /// Only this person's: an id, a userName or a mail address
    #[arg(long, value_name = "WHO")]
    pub who: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum GrantsAct {
    /// Gives a person access to an account
    Add {
        /// The person: an id, a userName or a mail address
        who: String,
        /// The account, as the system that has it calls it
        account: String,
        /// When this access is lost, the account's password has to be rotated
        #[arg(long)]
        privileged: bool,
        /// What people call the account
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        #[command(flatten)]
        place: In,
        #[command(flatten)]
        why: Why,
    },
    /// Takes one grant
    Remove {
        /// The grant's id, as the list shows it
        id: String,
        #[command(flatten)]
        place: In,
        #[command(flatten)]
        why: Why,
    },
    /// Shows what a person lost by being deactivated or deleted
    Taken {
        /// The person: an id, a userName or a mail address; the id where the account is deleted
        who: String,
        #[command(flatten)]
        list: WorkspaceList,
    },
    /// Gives back exactly what a person's last deactivation took, and cancels the follow-ups that have not gone out
    Restore {
        /// The person, who is active again: an id, a userName or a mail address
        who: String,
        #[command(flatten)]
        place: In,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct FollowUps {
    #[command(subcommand)]
    pub act: Option<FollowUpsAct>,
    #[command(flatten)]
    pub place: In,
    /// As aligned text, or one JSON object a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Output,
    /// Only those that are waiting, sent, acknowledged or cancelled
    #[arg(long, value_enum, value_name = "WORD", hide_possible_values = true)]
    pub only: Option<FollowUpWord>,
}

#[derive(Debug, Subcommand)]
pub enum FollowUpsAct {
    /// Notes that it is done
    Ack(FollowUp),
    /// Sends it now, once more where it went out before
    Resend(FollowUp),
    /// Notes that it is not to be done
    Cancel(FollowUp),
}

#[derive(Debug, Args)]
pub struct FollowUp {
    /// The follow-up's id, as the list shows it
    pub id: String,
    #[command(flatten)]
    pub place: In,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct Erase {
    /// The person: an id of the workspace or of a source, a userName or a mail address
    pub who: String,
    /// Does not ask, on a terminal, whether it is meant
    #[arg(long)]
    pub yes: bool,
    /// The receipt as text, or as one JSON document
    #[arg(long, value_enum, default_value_t)]
    pub format: Output,
    #[command(flatten)]
    pub place: In,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FollowUpWord {
    Waiting,
    Sent,
    Acknowledged,
    Cancelled,
}
