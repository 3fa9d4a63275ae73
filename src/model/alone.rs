//! One person of a source, asked for alone: who is meant, and what the source says of that one.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Collection;
use super::Coverage;
use super::Record;
use super::SourceId;

/// Who is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Sought {
    /// A source id, a name to sign in with, a mail address, or what people call them.
    pub who: String,
    /// Whom the state knows under it already.
    pub known: BTreeSet<SourceId>,
    /// The time of the run.
    pub now: Timestamp,
}

/// What a source says of one person. Nothing follows from it for anybody else: the only collections that it can cover
/// are `GroupsOf` and `ListOf` of this person.
#[derive(Default)]
pub struct Alone {
    /// Who is meant. Nothing but this is told where it is nobody, or several.
    pub ids: BTreeSet<SourceId>,
    /// The person, and the edges that it has itself.
    pub records: Vec<Record>,
    pub covered: Vec<(Collection, Coverage)>,
    /// What the administrator should know, without values.
    pub notes: Vec<String>,
}

impl Alone {
    /// Nobody, or several.
    pub fn unclear(ids: BTreeSet<SourceId>) -> Alone {
        Alone { ids, ..Alone::default() }
    }

    /// The one who is meant.
    pub fn id(&self) -> Option<&SourceId> {
        self.ids.first().filter(|_| self.ids.len() == 1)
    }
}
