//! One user or group as a source shows it, under its immutable id.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::scim::Kind;

/// The immutable id of an object in its source (Graph `id`, Okta `id`): the key of everything (P7).
/// Names and addresses are attributes; a renamed person keeps this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(pub String);

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an object stands in its source, as far as the last read showed it.
///
/// | standing | Graph | Okta |
/// |---|---|---|
/// | Enabled | `accountEnabled` true | a status that may sign in |
/// | Disabled | `accountEnabled` false | SUSPENDED, DEPROVISIONED, STAGED |
/// | SoftDeleted | `@removed` changed | - |
/// | Gone | `@removed` deleted | an explicit deletion event |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Named by an edge (a member, an assignment), but never read itself.
    Unread,
    Enabled,
    Disabled,
    /// In the recycle bin: an explicit event said so, and it can come back.
    SoftDeleted,
    /// Removed for good: an explicit event said so.
    Gone,
    /// Missing from a complete read. That is not removal: a witness has to confirm it (P1, P2).
    Missing,
}

/// Attribute values by the source's own names. Absent and `null` mean the same: no value.
///
/// Names: Graph property names (`userPrincipalName`, `surname`, …); for Okta `user.<name>` from the user
/// profile, `appuser.<name>` from the app user's profile and `appuser.userName` from its credentials, or the
/// login for somebody who has none (a member of a chosen group without the application); for a group of Okta
/// `name` and `description`; for a file whatever the file says.
pub type SourceAttributes = BTreeMap<String, Value>;

/// Which family of attribute names a source speaks; mappings resolve their aliases by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vocabulary {
    Graph,
    Okta,
    File,
}

/// A user or a group, whole: an attribute that is not here has no value.
#[derive(Clone, PartialEq)]
pub struct SourceObject {
    pub id: SourceId,
    pub kind: Kind,
    pub standing: Standing,
    pub attributes: SourceAttributes,
}

/// Shows ids only (P11).
impl fmt::Debug for SourceObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({:?})", self.kind.word(), self.id, self.standing)
    }
}

/// What holds principals: the application that people and groups are assigned to (or another list that the source
/// keeps, by the id that `List` gives it), or a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    App(SourceId),
    Group(SourceId),
}

impl Container {
    pub fn id(&self) -> &SourceId {
        match self {
            Container::App(id) | Container::Group(id) => id,
        }
    }
}
