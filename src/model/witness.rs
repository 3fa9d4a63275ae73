//! The second, independent question that a removal from absence needs (P2).

use std::borrow::Cow;

use serde::Deserialize;
use serde::Serialize;

use super::Container;
use super::SourceId;
use crate::scim::Kind;

/// Asked of the source, one a removal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WitnessQuestion {
    /// Is the principal (still) assigned to this application, or a direct member of this group?
    Held { container: Container, principal: SourceId, kind: Kind },
    /// Does the object (still) exist?
    Exists { id: SourceId, kind: Kind },
}

impl WitnessQuestion {
    /// Whom it is about.
    pub fn about(&self) -> &SourceId {
        match self {
            WitnessQuestion::Held { principal, .. } => principal,
            WitnessQuestion::Exists { id, .. } => id,
        }
    }

    /// The collection whose complete read raised it: `users`, `assignments of APPLICATION`, `members of GROUP`.
    pub fn collection(&self) -> String {
        match self {
            WitnessQuestion::Held { container: Container::App(app), .. } => format!("assignments of {app}"),
            WitnessQuestion::Held { container: Container::Group(group), .. } => format!("members of {group}"),
            WitnessQuestion::Exists { kind: Kind::User, .. } => "users".to_owned(),
            WitnessQuestion::Exists { kind: Kind::Group, .. } => "groups".to_owned(),
        }
    }
}

impl std::fmt::Display for WitnessQuestion {
    /// With ids alone, without values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = |kind: &Kind| match kind {
            Kind::User => "user",
            Kind::Group => "group",
        };
        match self {
            WitnessQuestion::Held { container: Container::App(app), principal, kind: of } => {
                write!(f, "is {} {principal} still assigned to {app}", kind(of))
            }
            WitnessQuestion::Held { container: Container::Group(group), principal, kind: of } => {
                write!(f, "is {} {principal} still a member of {group}", kind(of))
            }
            WitnessQuestion::Exists { id, kind: of } => write!(f, "does {} {id} still exist", kind(of)),
        }
    }
}

/// What the source says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// The edge or the object is not there: the removal is confirmed. The text is the evidence, without values:
    /// `404, and in the recycle bin`.
    Absent(Cow<'static, str>),
    /// It is there after all: the answers disagree, the removal is held.
    Present,
    /// It is there, and may not sign in: that confirms a deactivation, not a deletion.
    Disabled,
    /// It is not there, but the source keeps a log of such events and knows none that explains it: held.
    Unexplained(String),
    /// The source cannot or may not say (a missing permission, an error); absence in a second complete read
    /// in a later cycle is the witness then. The text says why.
    CannotSay(String),
}
