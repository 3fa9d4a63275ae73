//! Why a change is in the plan: one event of the source, one edit of the settings. Equal causes fold.

use serde::Deserialize;
use serde::Serialize;

use crate::model::SourceId;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// Came into scope through the subjects (an application, groups).
    Joined,
    /// Left the subjects, which are still in scope themselves.
    Left,
    /// The subjects (groups) lost their own assignment, or are gone.
    GroupLost,
    Disabled,
    Enabled,
    SoftDeleted,
    Gone,
    /// Missing from a complete read of the source.
    Missing,
    /// Attributes changed in the source.
    Changed,
    /// Members of a team changed in the source (the subject is the group).
    Members,
    /// Somebody else is meant by a reference, or has another account (the subject is the target attribute).
    Referred,
    /// The settings were edited; the subjects are the clauses that keep somebody out, where one does.
    Settings,
    /// Another version of the program makes something else of the same rules; `rules` is their digest.
    Upgrade,
    /// A person had a team overwritten (the subject is the group).
    Overwritten,
    /// A filter or a policy keeps out what the selection reaches; the subjects are its clauses.
    Filtered,
    /// Accounts that are there match by the subject (an attribute), and the adoption policy does not take them over.
    Matched,
    /// The same of accounts that are not active.
    MatchedInactive,
    /// Came back under a new id: the subject (an attribute) is that of an account whose person left.
    Rehired,
    /// The address is still held by the account of somebody who left.
    Retired,
    /// The target no longer has what we knew by its id.
    LostAnchor,
    /// A person undid the subject, a cycle.
    Undo,
    /// The undo of the subject has ended, and the rules want it otherwise.
    UndoEnded,
    /// Somebody else changed it in the target, and the policy puts it right; the subjects are what was found.
    Drift,
    /// Time alone: a deletion is due, or a date of a filter was reached; the subject says which.
    Time,
}

impl CauseKind {
    /// Whether the source had no part in it: an edit of the settings, or an upgrade of the program (P13).
    pub fn is_ours(self) -> bool {
        matches!(self, CauseKind::Settings | CauseKind::Upgrade)
    }
}

/// A cause has an identity of its own: kind, subject, settings digest. It does not depend on evidence, so it
/// survives an expired watermark.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cause {
    pub kind: CauseKind,
    /// Source ids, or clauses of the settings, sorted; empty where the kind says it all (folded over people).
    pub subjects: Vec<SourceId>,
    /// What people call the subjects, in the same order.
    pub names: Vec<String>,
    /// The digest of the rules, for `Settings` and `Upgrade` only.
    pub rules: String,
}

/// The first 8 hex digits of the hash of a cause's identity: what a person types.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CauseId(pub String);

impl Cause {
    /// Names are left out: a renamed group is the same cause.
    pub fn id(&self) -> CauseId {
        let mut hash = blake3::Hasher::new();
        hash.update(format!("{:?}", self.kind).as_bytes());
        for subject in &self.subjects {
            hash.update(b"\0");
            hash.update(subject.0.as_bytes());
        }
        hash.update(b"\0\0");
        hash.update(self.rules.as_bytes());
        CauseId(hash.finalize().to_hex()[..8].to_owned())
    }

    /// That of a reference in this target attribute.
    pub fn of_reference(path: &str) -> Cause {
        let name = path.rsplit(':').next().unwrap_or(path).to_owned();
        let (subjects, names) = (vec![SourceId(path.to_owned())], vec![name]);
        Cause { kind: CauseKind::Referred, subjects, names, rules: String::new() }
    }

    /// What of the settings keeps somebody out, where the cause is of that kind.
    pub fn left_out(&self) -> Option<String> {
        let told = (self.kind == CauseKind::Filtered || self.kind.is_ours()) && !self.names.is_empty();
        told.then(|| self.names.join(", and "))
    }

    /// A clause for reports: `group app-sales lost its assignment`.
    pub fn sentence(&self) -> String {
        let subjects = || self.names.join(", ");
        match self.kind {
            CauseKind::Joined if self.names.is_empty() => "everybody is in scope".to_owned(),
            CauseKind::Joined => format!("assigned through {}", subjects()),
            CauseKind::Left => format!("no longer in {}", subjects()),
            CauseKind::GroupLost if self.names.len() > 1 => format!("{} lost their assignments", subjects()),
            CauseKind::GroupLost => format!("{} lost its assignment", subjects()),
            CauseKind::Disabled => "disabled in the source".to_owned(),
            CauseKind::Enabled => "enabled in the source".to_owned(),
            CauseKind::SoftDeleted => "in the source's recycle bin".to_owned(),
            CauseKind::Gone => "deleted in the source".to_owned(),
            CauseKind::Missing => "missing from a complete read of the source".to_owned(),
            CauseKind::Changed => "changed in the source".to_owned(),
            CauseKind::Members => format!("members of {} changed", subjects()),
            CauseKind::Referred => format!("another person is meant by {}, or has a new account", subjects()),
            CauseKind::Overwritten => format!("{} was overwritten by hand", subjects()),
            CauseKind::Settings if self.names.is_empty() => "the settings were edited".to_owned(),
            CauseKind::Settings => format!("the settings were edited: {}", self.names.join(", and ")),
            CauseKind::Upgrade if self.names.is_empty() => "rosterd was upgraded".to_owned(),
            CauseKind::Upgrade => format!("rosterd was upgraded: {}", self.names.join(", and ")),
            CauseKind::Filtered | CauseKind::Time => self.names.join(", and "),
            CauseKind::Matched => format!("what is there already matches by {}", subjects()),
            CauseKind::MatchedInactive => {
                format!("what is there already, and not active, matches by {}", subjects())
            }
            CauseKind::Rehired => format!("back under a new id, by the same {}", subjects()),
            CauseKind::Retired => "the address is held by the account of somebody who left".to_owned(),
            CauseKind::Undo => format!("somebody undid {}", subjects()),
            CauseKind::UndoEnded => format!("the undo of {} has ended", subjects()),
            CauseKind::Drift => format!("drift in the target: {}", subjects()),
            CauseKind::LostAnchor => "the target has the account or team no more".to_owned(),
        }
    }
}
