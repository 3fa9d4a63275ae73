//! One person out of a source that can only be read whole.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use super::Source;
use super::SourceError;
use crate::model::Alone;
use crate::model::Collection;
use crate::model::Coverage;
use crate::model::Next;
use crate::model::Page;
use crate::model::Reading;
use crate::model::Record;
use crate::model::Sought;
use crate::model::SourceId;
use crate::model::SourceObject;
use crate::model::Watermarks;
use crate::scim::Kind;
use crate::scim::fold;

/// What people are called by, whatever the vocabulary.
const NAMES: [&str; 9] = [
    "userName",
    "userPrincipalName",
    "mail",
    "email",
    "displayName",
    "appuser.userName",
    "user.login",
    "user.email",
    "user.displayName",
];

/// Read twice: who is meant is known when everybody has been seen, and edges may come before.
pub(super) async fn person<S: Source + ?Sized>(source: &S, sought: &Sought) -> Result<Alone, SourceError> {
    let who = fold(&sought.who);
    let (mut shown, mut named) = (BTreeSet::new(), BTreeSet::new());
    walk(source, sought, |page| {
        for record in &page.records {
            let Record::Object(object) = record else { continue };
            if object.kind == Kind::User
                && (sought.known.contains(&object.id) || is_called(object, &sought.who, &who))
            {
                shown.insert(object.id.clone());
                named.extend((object.id.0 == sought.who).then(|| object.id.clone()));
            }
        }
    })
    .await?;
    // An id is nobody's name, and who is there comes before who was.
    let ids = [named, shown.clone(), sought.known.clone()].into_iter().find(|ids| !ids.is_empty());
    let mut alone = Alone::unclear(ids.unwrap_or_default());
    let Some(id) = alone.id().cloned() else { return Ok(alone) };
    let mut all = Covered::default();
    walk(source, sought, |page| {
        alone.records.extend(page.records.iter().filter(|record| is_about(record, &id)).cloned());
        alone.notes.extend(page.notes.iter().cloned());
        if let Next::End { covered, .. } = &page.next {
            covered.iter().for_each(|(collection, coverage)| all.note(collection, *coverage));
        }
    })
    .await?;
    if !shown.contains(&id) && all.users == Some(Coverage::Full) {
        alone.records.push(Record::NotFound { kind: Kind::User, id: id.clone() });
    }
    alone.covered = all.of(&id);
    Ok(alone)
}

/// What the reads proved of everybody.
#[derive(Default)]
struct Covered {
    users: Option<Coverage>,
    members: Option<Coverage>,
    lists: Vec<(SourceId, Coverage)>,
}

impl Covered {
    fn note(&mut self, collection: &Collection, coverage: Coverage) {
        let worse = |known: &mut Option<Coverage>| {
            *known = Some(known.filter(|known| *known != Coverage::Full).unwrap_or(coverage));
        };
        match collection {
            Collection::Users => worse(&mut self.users),
            Collection::Members(_) | Collection::AllMembers => worse(&mut self.members),
            Collection::Assignments(list) => self.lists.push((list.clone(), coverage)),
            Collection::Groups | Collection::GroupsOf(_) | Collection::ListOf { .. } => {}
        }
    }

    fn of(self, id: &SourceId) -> Vec<(Collection, Coverage)> {
        let groups = self.members.map(|coverage| (Collection::GroupsOf(id.clone()), coverage));
        let lists = self
            .lists
            .into_iter()
            .map(|(list, coverage)| (Collection::ListOf { list, principal: id.clone() }, coverage));
        groups.into_iter().chain(lists).collect()
    }
}

async fn walk<S: Source + ?Sized>(
    source: &S,
    sought: &Sought,
    mut look: impl FnMut(&Page),
) -> Result<(), SourceError> {
    let mut open: VecDeque<_> = source.reads(&Watermarks::new(), Reading::Full, sought.now).into();
    let mut begun = BTreeSet::new();
    while let Some(mut read) = open.pop_front() {
        if !begun.insert(read.name.clone()) {
            continue;
        }
        let mut visited = BTreeSet::new();
        loop {
            if !visited.insert(read.cursor.clone()) {
                let what = format!("the pages of `{}` turn in a circle", read.name);
                return Err(SourceError::Unavailable { what });
            }
            let page = source.page(&read).await?;
            look(&page);
            open.extend(page.further);
            match page.next {
                Next::Page(cursor) => read.cursor = cursor,
                Next::End { .. } => break,
            }
        }
    }
    Ok(())
}

fn is_called(object: &SourceObject, who: &str, folded: &str) -> bool {
    let named = |name: &&str| object.attributes.get(*name).and_then(|value| value.as_str());
    object.id.0 == who || NAMES.iter().filter_map(named).any(|name| fold(name) == folded)
}

fn is_about(record: &Record, person: &SourceId) -> bool {
    match record {
        Record::Object(object) => object.kind == Kind::User && object.id == *person,
        Record::Removed { kind, id, .. } | Record::NotFound { kind, id } => {
            *kind == Kind::User && id == person
        }
        Record::Edge { principal, kind, .. }
        | Record::EdgeRemoved { principal, kind, .. }
        | Record::EdgeUnclear { principal, kind, .. } => *kind == Kind::User && principal == person,
    }
}
