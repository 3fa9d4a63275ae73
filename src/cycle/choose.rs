//! SelectUniqueValue: of the values in their order, the first that nobody in the target has.

use std::collections::BTreeSet;

use super::CycleError;
use super::Run;
use super::matching::is_final;
use crate::model::Applied;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::scim::fold;
use crate::store::LinkVerdict;
use crate::store::PendingLink;
use crate::targets::Lookup;

/// What was chosen while one class was judged: nobody else of it gets the same.
#[derive(Default)]
pub(super) struct Choices {
    taken: BTreeSet<(String, String)>,
}

/// A value that has to be chosen for one link.
struct Open<'a> {
    /// The place of the link in its chunk.
    at: usize,
    link: &'a PendingLink,
    path: &'a str,
    value: &'a str,
    rest: std::slice::Iter<'a, String>,
}

impl Choices {
    /// Chooses for those that would be made. One round asks for one value of each; who finds it taken asks for the next
    /// in the round after. Who finds all taken is held: another cycle asks again.
    pub(super) async fn choose(
        &mut self,
        on: &Run<'_>,
        chunk: &[PendingLink],
        verdicts: &mut [LinkVerdict],
    ) -> Result<(), CycleError> {
        let mut open: Vec<Open<'_>> = chunk
            .iter()
            .zip(verdicts.iter())
            .enumerate()
            .filter(|(_, (link, verdict))| is_made(link, verdict))
            .flat_map(|(at, (link, _))| questions(at, link))
            .collect();
        while !open.is_empty() {
            on.stopped()?;
            let lookups: Vec<Lookup> = open.iter().map(lookup).collect();
            let answers = on.job.target.find(&lookups).await.map_err(on.target())?;
            let mut further = Vec::new();
            for (mut asked, found) in open.into_iter().zip(answers) {
                let key = (asked.path.to_owned(), fold(asked.value));
                let Some(verdict) = verdicts.get_mut(asked.at) else { continue };
                if found.is_empty() && self.taken.insert(key) {
                    let on_create = verdict.on_create.get_or_insert_with(|| asked.link.on_create.clone());
                    on_create.attributes.set(asked.path, asked.value.into());
                } else if let Some(next) = asked.rest.next() {
                    further.push(Open { value: next, ..asked });
                } else {
                    verdict.hold = Some(exhausted(asked.path));
                }
            }
            open = further;
        }
        Ok(())
    }
}

/// What takes over a resource that is there makes none, and what cannot be made needs no value.
fn is_made(link: &PendingLink, verdict: &LinkVerdict) -> bool {
    let held_for_good = verdict.hold.as_ref().is_some_and(|hold| is_final(hold.kind));
    link.applied == Applied::Absent && verdict.adopt.is_none() && !held_for_good
}

fn questions(at: usize, link: &PendingLink) -> impl Iterator<Item = Open<'_>> {
    link.on_create.choices.0.iter().filter_map(move |(path, values)| {
        let mut rest = values.iter();
        let value = rest.next()?;
        Some(Open { at, link, path, value, rest })
    })
}

fn lookup(open: &Open<'_>) -> Lookup {
    Lookup { kind: open.link.kind, path: open.path.to_owned(), value: open.value.to_owned() }
}

fn exhausted(path: &str) -> Hold {
    let text = format!(
        "{path}: the target has every value that SelectUniqueValue offers; give it one more, such as one with Guid()"
    );
    Hold { kind: HoldKind::Uniqueness, text }
}
