//! Leavers: what made somebody leave, what the settings make of it, and when a deletion is due.

use serde::Deserialize;
use serde::Serialize;

use super::Facts;
use super::Rules;
use super::ScopeFact;
use super::admission::Bars;
use super::read_span;
use super::write_span;
use crate::model::SourceId;
use crate::model::Standing;
use crate::model::Vocabulary;

/// The event that made somebody leave. Of several that hold, the first of this list is the one that counts
/// (docs/leavers.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Departure {
    /// Deleted in the source for good.
    Purged,
    /// In the source's recycle bin.
    SoftDeleted,
    /// Missing from a complete read: in the bin or gone for good, and which of the two is not said.
    Missing,
    /// Nothing that the scope selects by gives them the application any more.
    Unassigned,
    /// Selected, and kept out by a filter or by people's policy.
    OutOfScope,
    /// Suspended in Okta.
    Suspended,
    Disabled,
}

/// What becomes of the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLeave {
    #[default]
    Deactivate,
    /// At once.
    Delete,
    /// Deactivated, and deleted when so many seconds have passed.
    DeleteAfter { seconds: i64 },
    /// Nothing; the account and its memberships stay as they are.
    Leave,
}

/// What becomes of a team whose group leaves the scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnTeamLeave {
    /// Loses the members that we added.
    #[default]
    Empty,
    Delete,
    Leave,
}

/// What happens to what leaves scope. Nothing is deleted unless a setting says so (P16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leavers {
    pub unassigned: OnLeave,
    pub out_of_scope: OnLeave,
    pub disabled: OnLeave,
    pub suspended: OnLeave,
    pub soft_deleted: OnLeave,
    pub purged: OnLeave,
    pub teams: OnTeamLeave,
}

/// Why and since when an account of ours is not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    pub by: Departure,
    /// The first cycle that saw it.
    pub at_second: i64,
}

/// An account that is deleted when its time has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DueDeletion {
    pub source: SourceId,
    /// What a person calls it: the userName.
    pub name: String,
    pub by: Departure,
    pub at_second: i64,
}

impl Departure {
    /// Every event that has a setting of its own, in the order of the settings.
    pub const SETTINGS: [Departure; 6] = [
        Departure::Unassigned,
        Departure::OutOfScope,
        Departure::Disabled,
        Departure::Suspended,
        Departure::SoftDeleted,
        Departure::Purged,
    ];

    /// The word used in settings, state and reports.
    pub fn word(self) -> &'static str {
        match self {
            Departure::Purged => "purged",
            Departure::SoftDeleted => "soft_deleted",
            Departure::Missing => "missing",
            Departure::Unassigned => "unassigned",
            Departure::OutOfScope => "out_of_scope",
            Departure::Suspended => "suspended",
            Departure::Disabled => "disabled",
        }
    }

    /// As a person says it.
    pub fn told(self) -> &'static str {
        match self {
            Departure::Purged => "deleted in the source",
            Departure::SoftDeleted => "put into the source's recycle bin",
            Departure::Missing => "missing from the source",
            Departure::Unassigned => "unassigned",
            Departure::OutOfScope => "out of scope",
            Departure::Suspended => "suspended",
            Departure::Disabled => "disabled",
        }
    }

    /// The event that keeps somebody from being wanted active; `None` where none does.
    ///
    /// | standing | selected | selected and barred | not selected |
    /// |---|---|---|---|
    /// | enabled | - | out of scope | unassigned |
    /// | disabled | disabled, or suspended | out of scope | unassigned |
    /// | deactivated in Okta, which takes the assignments itself | disabled | out of scope | disabled |
    /// | in the recycle bin, gone, missing | that | that | that |
    /// | never read | - | - | - |
    pub(super) fn of(rules: &Rules, facts: &Facts<'_>, bars: &Bars) -> Option<Departure> {
        match (facts.seen.standing, &facts.scope) {
            (Standing::Unread, _) => None,
            (Standing::Gone, _) => Some(Departure::Purged),
            (Standing::SoftDeleted, _) => Some(Departure::SoftDeleted),
            (Standing::Missing, _) => Some(Departure::Missing),
            (Standing::Disabled, ScopeFact::Out(_)) if is_in_okta(rules, facts, "DEPROVISIONED") => {
                Some(Departure::Disabled)
            }
            (_, ScopeFact::Out(_)) => Some(Departure::Unassigned),
            (_, ScopeFact::In(_)) if !bars.are_none() => Some(Departure::OutOfScope),
            (Standing::Disabled, _) if is_in_okta(rules, facts, "SUSPENDED") => Some(Departure::Suspended),
            (Standing::Disabled, _) => Some(Departure::Disabled),
            (Standing::Enabled, _) => None,
        }
    }
}

fn is_in_okta(rules: &Rules, facts: &Facts<'_>, status: &str) -> bool {
    let shown = facts.seen.attributes.get("status").and_then(serde_json::Value::as_str);
    rules.vocabulary == Vocabulary::Okta && shown == Some(status)
}

/// An hour at least: less is `delete`.
const DELAY_MIN_SECONDS: i64 = 3_600;

impl OnLeave {
    /// `deactivate`, `delete`, `delete after 30d`, `leave`. The error is `what; cure`.
    pub fn read(text: &str) -> Result<OnLeave, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["deactivate"] => Ok(OnLeave::Deactivate),
            ["delete"] => Ok(OnLeave::Delete),
            ["leave"] => Ok(OnLeave::Leave),
            ["delete", "after", span] => match read_span(span) {
                Some(seconds) if seconds >= DELAY_MIN_SECONDS => Ok(OnLeave::DeleteAfter { seconds }),
                _ => Err(format!(
                    "`{span}` is no time to wait; write one like 30d, 2w or 12h, an hour at least"
                )),
            },
            _ => {
                let cure = "possible here: deactivate, delete, delete after 30d, leave";
                Err(format!("`{text}` is not one of the possible values; {cure}"))
            }
        }
    }

    pub fn deletes(self) -> bool {
        matches!(self, OnLeave::Delete | OnLeave::DeleteAfter { .. })
    }

    /// How much it takes away: the less comes first.
    fn harm(self) -> (u8, i64) {
        match self {
            OnLeave::Leave => (0, 0),
            OnLeave::Deactivate => (1, 0),
            OnLeave::DeleteAfter { seconds } => (2, -seconds),
            OnLeave::Delete => (3, 0),
        }
    }
}

/// As the settings write it.
impl std::fmt::Display for OnLeave {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OnLeave::Deactivate => f.write_str("deactivate"),
            OnLeave::Delete => f.write_str("delete"),
            OnLeave::DeleteAfter { seconds } => write!(f, "delete after {}", write_span(*seconds)),
            OnLeave::Leave => f.write_str("leave"),
        }
    }
}

impl Leavers {
    /// Of somebody who is missing it is not known whether they are in the recycle bin: the milder of the two counts.
    pub fn policy(&self, by: Departure) -> OnLeave {
        match by {
            Departure::Unassigned => self.unassigned,
            Departure::OutOfScope => self.out_of_scope,
            Departure::Disabled => self.disabled,
            Departure::Suspended => self.suspended,
            Departure::SoftDeleted => self.soft_deleted,
            Departure::Purged => self.purged,
            Departure::Missing => {
                std::cmp::min_by_key(self.soft_deleted, self.purged, |policy| policy.harm())
            }
        }
    }

    /// Sets the policy of an event that has a setting.
    pub fn set(&mut self, by: Departure, policy: OnLeave) {
        match by {
            Departure::Unassigned => self.unassigned = policy,
            Departure::OutOfScope => self.out_of_scope = policy,
            Departure::Disabled => self.disabled = policy,
            Departure::Suspended => self.suspended = policy,
            Departure::SoftDeleted => self.soft_deleted = policy,
            Departure::Purged => self.purged = policy,
            Departure::Missing => {}
        }
    }
}

/// What a policy asks for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// No access: as disabled people have it in the mapping.
    Shut,
    Delete,
    Leave,
}

/// What becomes of an account of ours now, and what is remembered of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaving {
    pub farewell: Farewell,
    pub left: Left,
    /// When it is, or was, due to be deleted.
    pub delete_at: Option<i64>,
}

/// An account is deactivated before it is deleted: where it was still active when its time had come, the time begins
/// anew. `active` says whether it is, and could be deactivated. Nobody left later than now: a clock that was wrong then
/// puts nothing off.
pub(super) fn leaving(policy: OnLeave, by: Departure, facts: &Facts<'_>, active: bool) -> Leaving {
    let now = facts.now_second();
    let since = facts.left.filter(|left| left.by == by).map_or(now, |left| left.at_second.min(now));
    let at_once = |farewell| Leaving { farewell, left: Left { by, at_second: since }, delete_at: None };
    let seconds = match policy {
        OnLeave::Deactivate => return at_once(Farewell::Shut),
        OnLeave::Leave => return at_once(Farewell::Leave),
        OnLeave::Delete => return at_once(Farewell::Delete),
        OnLeave::DeleteAfter { seconds } => seconds,
    };
    let due = since.saturating_add(seconds) <= now;
    let since = if due && active { now } else { since };
    let farewell = if due && !active { Farewell::Delete } else { Farewell::Shut };
    let delete_at = Some(since.saturating_add(seconds));
    Leaving { farewell, left: Left { by, at_second: since }, delete_at }
}
