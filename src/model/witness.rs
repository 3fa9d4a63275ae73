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
