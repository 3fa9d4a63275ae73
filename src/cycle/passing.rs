//! Whom of the source the target has already, where that becomes ours by command: what is sure, and what a person decides.

use std::collections::BTreeMap;

use serde_json::Value;

use super::CycleError;
use super::Run;
use super::environment;
use super::judge;
use super::matching;
use super::matching::Passing;
use super::matching::mapping_of;
use super::matching::name_path;
use super::stream;
use super::stream::Planned;
use crate::model::SourceId;
use crate::plan;
use crate::plan::Class;
use crate::plan::HoldKind;
use crate::plan::Match;
use crate::plan::RowValue;
use crate::scim;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::Adopt;
use crate::store::JobId;
use crate::store::JobState;
use crate::store::Passed;
use crate::store::PendingLink;
use crate::store::Store;
use crate::targets::Found;

/// Links looked for at once.
const CHUNK: usize = 500;

/// Somebody whom the job wants, by what people call them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub kind: Kind,
    pub source: SourceId,
    pub name: String,
}

/// Somebody of whom it is not sure what the target has, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsure {
    pub who: Named,
    pub why: String,
}

/// Whoever is wanted and has no link yet, one of the target at most for each.
#[derive(Default)]
pub(super) struct Pairs {
    pub(super) sure: Vec<Pair>,
    pub(super) unsure: Vec<Unsure>,
    /// The target has nobody.
    pub(super) absent: Vec<Named>,
}

pub(super) struct Pair {
    pub(super) who: Named,
    pub(super) found: Found,
    pub(super) passed: Passed,
}

/// Asks the target for everybody who is wanted and has no link. `passing`: how, by kind.
pub(super) async fn pairs(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    passing: impl Fn(Kind) -> Passing,
) -> Result<Pairs, CycleError> {
    let mut pairs = Pairs::default();
    for kind in Kind::ALL {
        let mut after = String::new();
        loop {
            on.stopped()?;
            let chunk = store.pending_links(job, Class::Create, kind, after, CHUNK).await;
            let chunk = chunk.map_err(on.store())?;
            let Some(last) = chunk.last() else { break };
            after = last.source.0.clone();
            pairs.look(on, store, job, chunk, passing(kind)).await?;
        }
    }
    pairs.none_twice();
    Ok(pairs)
}

impl Pairs {
    async fn look(
        &mut self,
        on: &Run<'_>,
        store: &Store,
        job: JobId,
        chunk: Vec<PendingLink>,
        passing: Passing,
    ) -> Result<(), CycleError> {
        let (set, open): (Vec<PendingLink>, Vec<PendingLink>) =
            chunk.into_iter().partition(|link| link.pinned.is_some());
        self.set_by_hand(on, &set).await?;
        let (stuck, open): (Vec<PendingLink>, Vec<PendingLink>) = open.into_iter().partition(is_stuck);
        for link in &stuck {
            let why = link.hold.as_ref().map(|hold| hold.text.clone()).unwrap_or_default();
            self.unsure.push(Unsure { who: named(link), why });
        }
        let found = matching::look_for(on, store, job, &open, passing).await?;
        for (link, (matched, found)) in open.iter().zip(found) {
            match (matched, found) {
                (Match::Create, _) => self.absent.push(named(link)),
                (Match::Hold(hold), _) => self.unsure.push(Unsure { who: named(link), why: hold.text }),
                // Not active, with all else sure: whoever asks decides.
                (Match::AdoptWhenApproved { cause, .. }, Some((found, adopt)))
                    if cause.kind == plan::CauseKind::MatchedInactive =>
                {
                    self.sure.push(pair(on, link, found, &adopt));
                }
                (Match::AdoptWhenApproved { hold, .. }, _) => {
                    self.unsure.push(Unsure { who: named(link), why: hold.text });
                }
                (Match::Adopt { .. }, Some((found, adopt))) => {
                    self.sure.push(pair(on, link, found, &adopt));
                }
                (Match::Adopt { .. }, None) => {}
            }
        }
        Ok(())
    }

    /// What a person said of them stands above every rule.
    async fn set_by_hand(&mut self, on: &Run<'_>, set: &[PendingLink]) -> Result<(), CycleError> {
        let ids: Vec<(Kind, ResourceId)> =
            set.iter().filter_map(|link| Some((link.kind, link.pinned.clone()?))).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let found = on.job.target.get(&ids).await.map_err(on.target())?;
        for ((link, (_, id)), found) in set.iter().zip(&ids).zip(found) {
            match found {
                Some(found) if matching::protects(on, &found) => {
                    let why = format!("{id} was set by hand, and is on the target's protect list");
                    self.unsure.push(Unsure { who: named(link), why });
                }
                Some(found) if found.bars.is_none() => {
                    let adopt = matching::known_as(&found, link, "link set", None);
                    self.sure.push(pair(on, link, found, &adopt));
                }
                Some(found) => {
                    let bars = found.bars.unwrap_or_default();
                    let why = format!("{id} was set by hand, {bars}");
                    self.unsure.push(Unsure { who: named(link), why });
                }
                None => {
                    let why = format!("{id}, which was set by hand, is not there");
                    self.unsure.push(Unsure { who: named(link), why });
                }
            }
        }
        Ok(())
    }

    /// Two of the source are never one of the target.
    pub(super) fn none_twice(&mut self) {
        let mut count: BTreeMap<ResourceId, usize> = BTreeMap::new();
        for pair in &self.sure {
            *count.entry(pair.found.id.clone()).or_default() += 1;
        }
        let (sure, twice): (Vec<Pair>, Vec<Pair>) =
            std::mem::take(&mut self.sure).into_iter().partition(|pair| count[&pair.found.id] == 1);
        self.sure = sure;
        for pair in twice {
            let why = format!(
                "{} is found for several of the source; change one of them there, or link one by hand",
                pair.found.id
            );
            self.unsure.push(Unsure { who: pair.who, why });
        }
    }

    /// Who is in the teams that are sure.
    pub(super) async fn read_members(&mut self, on: &Run<'_>) -> Result<(), CycleError> {
        for pair in self.sure.iter_mut().filter(|pair| pair.who.kind == Kind::Group) {
            on.stopped()?;
            let members = on.job.target.members(&pair.found.id).await.map_err(on.target())?;
            pair.passed.members = members.unwrap_or_default();
        }
        Ok(())
    }
}

/// Holds that no look at the target would change.
fn is_stuck(link: &PendingLink) -> bool {
    let stuck = [
        HoldKind::Mapping,
        HoldKind::Uniqueness,
        HoldKind::Protected,
        HoldKind::Relink,
        HoldKind::Retire,
        HoldKind::Anchors,
        HoldKind::Identity,
    ];
    link.hold.as_ref().is_some_and(|hold| stuck.contains(&hold.kind))
}

pub(super) fn named(link: &PendingLink) -> Named {
    let name = match &link.desired {
        crate::model::Desired::Active(wanted) => wanted.text(name_path(link.kind)).map(str::to_owned),
        _ => None,
    };
    let name = name.unwrap_or_else(|| link.source.0.clone());
    Named { kind: link.kind, source: link.source.clone(), name }
}

pub(super) fn pair(on: &Run<'_>, link: &PendingLink, found: Found, adopt: &Adopt) -> Pair {
    let text = |name: &str| found.body.get(name).and_then(Value::as_str);
    let rows = &mapping_of(on, link.kind).rows;
    let refers = rows.iter().filter(|row| matches!(row.value, RowValue::Reference(_)));
    let refers = refers.filter_map(|row| {
        let path = row.target.as_str();
        let named = scim::shown(&found.body, [path]).text(path).map(str::to_owned)?;
        Some((path.to_owned(), ResourceId(named)))
    });
    let passed = Passed {
        link: link.link,
        kind: link.kind,
        source: link.source.clone(),
        resource: found.id.clone(),
        version: found.body.pointer("/meta/version").and_then(Value::as_str).map(str::to_owned),
        active: found.active,
        shown: adopt.shown.clone(),
        key: text(name_path(link.kind)).map(scim::fold),
        origin: adopt.origin,
        refers: refers.collect(),
        members: Vec::new(),
    };
    Pair { who: named(link), passed, found }
}

impl Run<'_> {
    /// What people call these, team and member.
    pub(super) async fn foreign_names(
        &self,
        foreign: &[(ResourceId, ResourceId)],
    ) -> Result<Vec<(String, String)>, CycleError> {
        let mut told = Vec::new();
        for chunk in foreign.chunks(CHUNK) {
            let ids: Vec<(Kind, ResourceId)> = chunk
                .iter()
                .flat_map(|(team, member)| [(Kind::Group, team.clone()), (Kind::User, member.clone())])
                .collect();
            let found = self.job.target.get(&ids).await.map_err(self.target())?;
            let names: Vec<String> = ids
                .iter()
                .zip(found)
                .map(|((kind, id), found)| {
                    let name =
                        found.and_then(|found| found.body[name_path(*kind)].as_str().map(str::to_owned));
                    name.unwrap_or_else(|| id.0.clone())
                })
                .collect();
            told.extend(names.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())));
        }
        Ok(told)
    }

    /// What is decided again, and judged, once links have come to be: the plan of a cycle that finds nothing new.
    pub(super) async fn decided_again(&self, store: &Store, state: &JobState) -> Result<Planned, CycleError> {
        let environment = environment::environment(self, store, state).await?;
        let notes = super::decide::decide(self, store, state.id, &environment).await?;
        let now = self.how.now.as_second();
        store.look_at_exemptions(state.id, now).await.map_err(self.store())?;
        judge::judge(self, store, state, judge::Doubts::default()).await?;
        stream::planned(self, store, state, notes).await
    }
}
