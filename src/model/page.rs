//! What a connector hands over: reads, pages of records, and what a finished read proves.

use std::collections::BTreeMap;

use super::Container;
use super::SourceId;
use super::SourceObject;
use super::Standing;
use crate::scim::Kind;

/// One kind of thing read from a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Collection {
    /// Every user that the source has (Graph), or every user of the application (Okta).
    Users,
    Groups,
    /// The users and groups directly assigned to an application, or on another `List` of the source.
    Assignments(SourceId),
    /// The direct members of one group.
    Members(SourceId),
    /// The direct members of every group, carried by one feed (Graph `groups/delta`).
    AllMembers,
    /// The groups that one user is directly in: only of somebody who was asked for alone.
    GroupsOf(SourceId),
    /// Whether one user is on one list (`List`, or an application): only of somebody who was asked for alone.
    ListOf {
        list: SourceId,
        principal: SourceId,
    },
}

/// What a finished read of a collection proves (P1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The last page was reached: what was not shown is absent, as far as this source can say.
    Full,
    /// What changed since the watermark; silence means nothing.
    Changes,
    /// Something is missing (a lost permission, a stopped listing): proves nothing about absence.
    Partial,
}

/// How much a cycle wants to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// From the watermarks, where there are any.
    Incremental,
    /// Everything anew, watermarks ignored.
    Full,
}

/// A connector's own note of where it is in a read. Opaque to everybody else; two equal cursors in one read
/// mean that the source turns in circles, and end it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub String);

/// One chain of pages. `name` is stable over cycles (`users`, `groups`, `assignments`, `members:<id>`): it is
/// the key of the watermark that the read leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub name: String,
    pub cursor: Cursor,
}

/// Watermarks by the name of their read, as the connector wrote them.
pub type Watermarks = BTreeMap<String, String>;

/// One fact from a source.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The object as it is now, whole.
    Object(SourceObject),
    /// An explicit event says that the object is in the recycle bin or gone for good.
    Removed { kind: Kind, id: SourceId, standing: Standing },
    /// `principal` is directly assigned to, or a direct member of, `container`. `detail` is what the source
    /// says of the edge (role ids, sorted and joined by commas), empty where it says nothing.
    Edge { container: Container, principal: SourceId, kind: Kind, detail: String },
    /// An explicit event says that the edge is gone.
    EdgeRemoved { container: Container, principal: SourceId, kind: Kind },
    /// The source shows the edge in a state that nobody knows yet: it stays as it was seen, there or not.
    EdgeUnclear { container: Container, principal: SourceId, kind: Kind },
    /// Asked for by its id, the object was not there. That counts as a complete read that did not show it: it is
    /// missing, and a witness has to confirm it (P1, P2).
    NotFound { kind: Kind, id: SourceId },
}

/// One answer of a connector.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub records: Vec<Record>,
    pub next: Next,
    /// Reads that this page showed to be needed (members of a changed group); they run in this cycle.
    pub further: Vec<Read>,
    /// What the administrator should know (a permission that is missing, an object left out), without values.
    pub notes: Vec<String>,
}

/// Where a read goes on, or what it has proved.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    Page(Cursor),
    End {
        covered: Vec<(Collection, Coverage)>,
        /// The new watermark of this read; `None` leaves the old one as it is.
        watermark: Option<String>,
    },
}
