//! Mappings: how a target attribute comes to be, row by row.

mod check;
mod evaluate;
mod expressions;
mod known;
mod names;
mod raw;
#[cfg(test)]
mod rows;
mod target;
mod trace;

pub use check::RowProblem;
pub use evaluate::Mapped;
pub use evaluate::MappingProblem;
pub use evaluate::Reference;
pub use raw::Mappings;
pub use raw::RawMapping;
pub use raw::RawPreset;
pub use raw::RawRow;
pub use raw::RawRows;
pub use target::Target;
pub use target::reference_value;
pub use trace::Traced;

pub use names::APP_ROLES;

pub(super) use names::IS_SOFT_DELETED;
pub(super) use names::is_of_groups;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::expr::Expression;
use crate::expr::Value;
use crate::model::Seen;
use crate::model::SourceId;
use crate::model::Vocabulary;
use crate::scim::Kind;

/// The rows of one resource type, each naming its own target attribute.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Mapping {
    pub rows: Vec<Row>,
    /// The service refuses accounts whose userName is not their work e-mail: they are told of ahead (`plan/lint`). It
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
    /// The groups that it is directly in, of those that the job reads; empty where they are not known.
    pub groups: &'a [GroupName],
}

/// A group that somebody is in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupName {
    pub name: String,
    pub id: SourceId,
}

/// Shows the id only (P11).
impl fmt::Debug for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {}", self.id)
    }
}

/// One target attribute.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// A SCIM path: `userName`, `name.givenName`, `emails[type eq "work"].value`, `active`, `members`.
    pub target: Target,
    pub value: RowValue,
    /// Precedence as a matching attribute, the lowest first; `None`: not used for matching.
    pub matching: Option<u8>,
    pub flow: RowFlow,
    /// Sent on create where the value is null.
    pub default: Option<String>,
    /// Where the value is null, what we sent before is taken back. Both gates are open: that of the row and that of
    /// its source attributes.
    pub clears: bool,
    /// The service asks for a value: who has none is told of beforehand. It changes nothing that is desired, so it is no
    /// part of the rules' digest.
    #[serde(skip)]
    pub required: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowValue {
    /// A source attribute, copied.
    Attribute(String),
    Constant(String),
    /// Serialized as its text.
    Expression(Expression),
    /// The members of a group, kept as team edges.
    Members,
    /// Another person whom this source attribute names; a later pass writes which resource that is (`manager`).
    Reference(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFlow {
    #[default]
    Always,
    OnCreate,
    /// Of several values: what is new is added, nothing is taken away.
    AddOnly,
}

impl Mapping {
    /// The matching rows, by precedence.
    pub fn matching(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().filter(|row| row.matching.is_some()).collect();
        rows.sort_by_key(|row| row.matching);
        rows
    }

    /// What the target is asked for, by precedence: path and value of every matching row that has a value.
    pub fn matching_values(&self, mapped: &Mapped) -> Vec<(String, String)> {
        self.matching()
            .into_iter()
            .filter_map(|row| {
                let value = mapped
                    .attributes
                    .text(&row.target)
                    .or_else(|| mapped.on_create.attributes.text(&row.target));
                Some((row.target.to_string(), value?.to_owned()))
            })
            .collect()
    }

    /// Whether a row depends on the groups that somebody is in, so that a renamed group is a change of its members.
    pub fn uses_groups(&self) -> bool {
        self.rows.iter().any(|row| row.value.attributes().into_iter().any(names::is_of_groups))
    }

    /// Whether the value at a path is shown nowhere.
    pub fn redacts(&self, path: &str) -> bool {
        self.expressions().any(|(row, expression)| row.target == path && expression.is_redacted())
    }

    /// The attributes of the source from which such values are made: they are not shown either.
    pub fn redacted_attributes(&self, vocabulary: Vocabulary) -> BTreeSet<String> {
        let redacted = self.expressions().filter(|(_, expression)| expression.is_redacted());
        let written = redacted.flat_map(|(_, expression)| expression.attributes());
        written.flat_map(|name| [Some(name.to_owned()), names::read(name, vocabulary)]).flatten().collect()
    }

    /// Whether a row asks for the directory's default domain.
    pub fn needs_default_domain(&self) -> bool {
        self.expressions().any(|(_, expression)| expression.needs_default_domain())
    }

    fn expressions(&self) -> impl Iterator<Item = (&Row, &Expression)> {
        self.rows.iter().filter_map(|row| match &row.value {
            RowValue::Expression(expression) => Some((row, expression)),
            _ => None,
        })
    }

    /// The attributes that a connector has to read for these rows, by the source's own names (`$select` of
    /// Graph). The id is always read and not among them.
    pub fn source_attributes(&self, vocabulary: Vocabulary) -> BTreeSet<String> {
        let written = self.rows.iter().flat_map(|row| row.value.attributes());
        written.filter_map(|name| names::read(name, vocabulary)).collect()
    }
}

impl RowValue {
    /// Whether its values are a question to the target.
    pub fn is_choice(&self) -> bool {
        matches!(self, RowValue::Expression(expression) if expression.is_choice())
    }

    /// The source attributes that the value depends on, as the row writes them.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            RowValue::Attribute(name) | RowValue::Reference(name) => vec![name],
            RowValue::Expression(expression) => expression.attributes().into_iter().collect(),
            RowValue::Constant(_) | RowValue::Members => Vec::new(),
        }
    }
}

/// The value of a source attribute, by the name that mappings and filters use.
pub(super) fn attribute(name: &str, given: &Given<'_>, vocabulary: Vocabulary) -> Value {
    names::value(name, given, vocabulary)
}

/// The attribute that has to be read for such a name; `None` where nothing has to be.
pub(super) fn attribute_read(name: &str, vocabulary: Vocabulary) -> Option<String> {
    names::read(name, vocabulary)
}

/// Whether a source of this vocabulary can have the attribute; the error says what to write.
pub(super) fn attribute_check(name: &str, kind: Kind, vocabulary: Vocabulary) -> Result<(), String> {
    known::check(name, kind, vocabulary)
}

/// The attribute without which the target has no such resource (RFC 7643 sections 4.1 and 4.2).
fn required(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    }
}
