//! `link rebuild`: links come back after a lost state. What bears the id of the source is ours for sure; what only has the
//! name is proposed, never guessed; what nobody of the source is any more is named.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use serde_json::Value;

use super::CycleError;
use super::How;
use super::Job;
use super::Run;
use super::matching;
use super::matching::Passing;
use super::matching::name_path;
use super::passing::Named;
use super::passing::Pair;
use super::passing::Pairs;
use super::passing::Unsure;
use super::passing::named;
use super::passing::pair;
use super::stream::Planned;
use crate::model::LinkId;
use crate::plan::Class;
use crate::plan::Match;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::ByHand;
use crate::store::JobState;
use crate::store::Owner;
use crate::store::Passage;
use crate::store::PendingLink;
use crate::store::Store;
use crate::targets::Found;
use crate::targets::Listed;

/// Links looked for at once.
const CHUNK: usize = 500;

/// How links are to come back.
#[derive(Clone, Debug)]
pub struct Rebuilding<'a> {
    /// The embedded workspace, which knows who owns what in it.
    pub workspace: Option<&'a str>,
    /// Nothing is changed, and the state stays as it is.
    pub dry: bool,
    pub by: ByHand,
}

/// Somebody whose account or team was found by another attribute than the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    pub who: Named,
    pub resource: ResourceId,
    /// The attribute.
    pub by: String,
}

/// What looks like ours, and nobody of the source is any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    pub kind: Kind,
    pub resource: ResourceId,
    pub name: String,
    pub active: bool,
    pub external_id: Option<String>,
}

/// What came back, or would.
pub struct Rebuilt {
    pub passed: BTreeMap<Kind, u64>,
    pub passage: Passage,
    /// Members that the job does not want, and leaves, by name: team and member.
    pub foreign: Vec<(String, String)>,
    pub proposed: Vec<Proposed>,
    pub unsure: Vec<Unsure>,
    /// Whom the job wants and nobody there is: the next plan creates them.
    pub absent: Vec<Named>,
    pub former: Vec<Former>,
    /// Why the target could not be listed whole: then nobody is said to be ours formerly.
    pub partial: Vec<String>,
    /// The plan that follows.
    pub planned: Planned,
}

/// Reads the source, lists the target, and makes the links that are sure.
pub async fn rebuild(
    job: &Job,
    store: &Store,
    how: How<'_>,
    wish: Rebuilding<'_>,
) -> Result<Rebuilt, CycleError> {
    let on = Run { job, how };
    if wish.dry {
        let copy = store.private_copy().await.map_err(on.store())?;
        return on.rebuild(&copy, &wish).await;
    }
    let leases = [format!("job {}", job.name), format!("target {}", job.target.identity())];
    let _lease = store.lease(&leases).map_err(on.store())?;
    on.rebuild(store, &wish).await
}

/// One resource of the list, as far as it tells whose it is.
struct Seen {
    resource: ResourceId,
    name: String,
    active: bool,
    external_id: Option<String>,
    barred: bool,
}

/// What the target has, by kind.
#[derive(Default)]
struct Shelf {
    seen: BTreeMap<Kind, Vec<Seen>>,
    /// Where in the list an `externalId` stands.
    by_id: BTreeMap<(Kind, String), Vec<usize>>,
    partial: Vec<String>,
    /// What the workspace says that the job owns.
    owned: BTreeSet<ResourceId>,
}

/// What was found, until it is written down.
#[derive(Default)]
struct Finds {
    pairs: Pairs,
    proposed: Vec<(LinkId, Proposed)>,
}

impl Run<'_> {
    async fn rebuild(&self, store: &Store, wish: &Rebuilding<'_>) -> Result<Rebuilt, CycleError> {
        self.by_hand(store, wish.dry, async |state, cycle, record| {
            let prepared = self.prepare(store, state, cycle).await?;
            record.digest.clone_from(&prepared.planned.header.digest);
            let shelf = self.listed(store, state, wish).await?;
            let mut finds = self.found(store, state, &shelf).await?;
            finds.pairs.none_twice();
            finds.pairs.read_members(self).await?;
            let passed = finds.pairs.sure.iter().map(|pair| pair.passed.clone()).collect();
            let proposed = finds.proposed.iter().map(|(link, one)| (*link, one.resource.clone())).collect();
            let passage = store.rebuild_links(state.id, passed, proposed, wish.by.clone()).await;
            let passage = passage.map_err(self.store())?;
            let planned = self.decided_again(store, state).await?;
            record.notes.clone_from(&planned.header.notes);
            self.rebuilt(store, state, shelf, finds, passage, planned).await
        })
        .await
    }

    async fn listed(
        &self,
        store: &Store,
        state: &JobState,
        wish: &Rebuilding<'_>,
    ) -> Result<Shelf, CycleError> {
        let mut shelf = Shelf::default();
        for kind in Kind::ALL {
            let mut pages = self.job.target.list(kind);
            while let Some(listed) = pages.try_next().await.map_err(self.target())? {
                self.stopped()?;
                match listed {
                    Listed::Page(found) => found.iter().for_each(|one| shelf.keep(kind, one)),
                    Listed::End { partial } => shelf.partial.extend(partial),
                }
            }
        }
        if let Some(workspace) = wish.workspace {
            let owner = Owner::Job(self.job.name.clone());
            let owned = store.owned(state.id, workspace, owner).await.map_err(self.store())?;
            shelf.owned = owned.into_iter().map(|one| one.resource).collect();
        }
        Ok(shelf)
    }

    /// Everybody who is wanted and has no link, against what the target has.
    async fn found(&self, store: &Store, state: &JobState, shelf: &Shelf) -> Result<Finds, CycleError> {
        let mut finds = Finds::default();
        for kind in Kind::ALL {
            let mut after = String::new();
            loop {
                self.stopped()?;
                let chunk = store.pending_links(state.id, Class::Create, kind, after, CHUNK).await;
                let chunk = chunk.map_err(self.store())?;
                let Some(last) = chunk.last() else { break };
                after = last.source.0.clone();
                let (by_id, others): (Vec<PendingLink>, Vec<PendingLink>) =
                    chunk.into_iter().partition(|link| shelf.only(link).is_some());
                self.by_id(store, state, shelf, &by_id, &mut finds).await?;
                self.by_name(store, state, shelf, &others, &mut finds).await?;
            }
        }
        Ok(finds)
    }

    /// Those whose id exactly one resource bears: they are sure, unless it is not active.
    async fn by_id(
        &self,
        store: &Store,
        state: &JobState,
        shelf: &Shelf,
        links: &[PendingLink],
        finds: &mut Finds,
    ) -> Result<(), CycleError> {
        let ids: Vec<(Kind, ResourceId)> =
            links.iter().filter_map(|link| Some((link.kind, shelf.only(link)?))).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let found = self.job.target.get(&ids).await.map_err(self.target())?;
        let taken = ids.iter().map(|(_, id)| id.clone()).collect();
        let linked = store.linked(state.id, taken).await.map_err(self.store())?;
        for (link, found) in links.iter().zip(found) {
            let Some(found) = found else {
                let why = "it was in the list, and is not there any more".to_owned();
                finds.pairs.unsure.push(Unsure { who: named(link), why });
                continue;
            };
            let adopt = matching::known_as(&found, link, "externalId", linked.get(&found.id));
            if matching::protects(self, &found) {
                let why = format!("{} is on the target's protect list", found.id);
                finds.pairs.unsure.push(Unsure { who: named(link), why });
            } else {
                finds.take(link, pair(self, link, found, &adopt), "externalId", true);
            }
        }
        Ok(())
    }

    async fn by_name(
        &self,
        store: &Store,
        state: &JobState,
        shelf: &Shelf,
        links: &[PendingLink],
        finds: &mut Finds,
    ) -> Result<(), CycleError> {
        // What stands as externalId is ours or another's, whoever wrote it.
        let passing = Passing { bear_source_ids: true, by_external_id: false };
        let found = matching::look_for(self, store, state.id, links, passing).await?;
        for (link, (matched, found)) in links.iter().zip(found) {
            match (matched, found) {
                (Match::Create, _) => finds.pairs.absent.push(named(link)),
                (Match::Hold(hold), _) => {
                    finds.pairs.unsure.push(Unsure { who: named(link), why: hold.text });
                }
                (_, Some((found, adopt))) => {
                    let bears = found.body["externalId"].as_str() == Some(link.source.0.as_str());
                    let sure = bears || shelf.owned.contains(&found.id);
                    finds.take(link, pair(self, link, found, &adopt), &adopt.by, sure);
                }
                (_, None) => {}
            }
        }
        Ok(())
    }

    async fn rebuilt(
        &self,
        store: &Store,
        state: &JobState,
        shelf: Shelf,
        finds: Finds,
        passage: Passage,
        planned: Planned,
    ) -> Result<Rebuilt, CycleError> {
        let mut passed: BTreeMap<Kind, u64> = BTreeMap::new();
        for pair in &finds.pairs.sure {
            *passed.entry(pair.who.kind).or_default() += 1;
        }
        let mut former = Vec::new();
        if shelf.partial.is_empty() {
            let spoken: BTreeSet<&ResourceId> = finds.proposed.iter().map(|(_, one)| &one.resource).collect();
            for (kind, seen) in &shelf.seen {
                let ids = store.source_ids(state.id, *kind).await.map_err(self.store())?;
                let all = seen.iter().map(|one| one.resource.clone()).collect();
                let linked = store.linked(state.id, all).await.map_err(self.store())?;
                let ours = seen.iter().filter(|one| {
                    !linked.contains_key(&one.resource) && !spoken.contains(&one.resource) && !one.barred
                });
                let forms = ids.iter().map(|id| form(id)).collect();
                let ours = ours.filter(|one| shelf.was_ours(one, &ids, &forms));
                former.extend(ours.map(|one| one.former(*kind)));
            }
        }
        Ok(Rebuilt {
            passed,
            foreign: self.foreign_names(&passage.foreign).await?,
            passage,
            proposed: finds.proposed.into_iter().map(|(_, one)| one).collect(),
            unsure: finds.pairs.unsure,
            absent: finds.pairs.absent,
            former,
            partial: shelf.partial,
            planned,
        })
    }
}

impl Shelf {
    fn keep(&mut self, kind: Kind, found: &Found) {
        let text = |name: &str| found.body.get(name).and_then(Value::as_str).map(str::to_owned);
        let seen = self.seen.entry(kind).or_default();
        let external_id = text("externalId").filter(|id| !id.is_empty());
        if let Some(id) = &external_id {
            self.by_id.entry((kind, id.clone())).or_default().push(seen.len());
        }
        seen.push(Seen {
            resource: found.id.clone(),
            name: text(name_path(kind)).unwrap_or_else(|| found.id.0.clone()),
            active: found.active,
            external_id,
            barred: found.bars.is_some(),
        });
    }

    /// The one resource that bears the link's own id, and that nobody else owns.
    fn only(&self, link: &PendingLink) -> Option<ResourceId> {
        let [at] = self.by_id.get(&(link.kind, link.source.0.clone()))?.as_slice() else { return None };
        let seen = self.seen.get(&link.kind)?.get(*at)?;
        (!seen.barred).then(|| seen.resource.clone())
    }

    /// The workspace says so, or it bears an id of the form of the source's, which the source does not show.
    fn was_ours(&self, one: &Seen, ids: &BTreeSet<String>, forms: &BTreeSet<(String, usize)>) -> bool {
        let id = one.external_id.as_ref().filter(|id| !ids.contains(*id));
        id.is_some_and(|id| forms.contains(&form(id))) || self.owned.contains(&one.resource)
    }
}

/// What ids of one kind have in common: their separators; of those without, their length.
fn form(id: &str) -> (String, usize) {
    let separators: String = id.chars().filter(|c| !c.is_alphanumeric()).collect();
    let length = if separators.is_empty() { id.len() } else { 0 };
    (separators, length)
}

impl Seen {
    fn former(&self, kind: Kind) -> Former {
        Former {
            kind,
            resource: self.resource.clone(),
            name: self.name.clone(),
            active: self.active,
            external_id: self.external_id.clone(),
        }
    }
}

impl Finds {
    /// What is not active is proposed, too: to link it would be to activate it (P6).
    fn take(&mut self, link: &PendingLink, pair: Pair, by: &str, sure: bool) {
        if sure && pair.found.active {
            self.pairs.sure.push(pair);
            return;
        }
        let proposed = Proposed { who: pair.who, resource: pair.found.id, by: by.to_owned() };
        self.proposed.push((link.link, proposed));
    }
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn an_id_is_of_the_form_of_others_by_its_separators_and_else_by_its_length() {
        let object = form("0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef");
        assert_eq!(form("8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"), object);
        assert!(form("ann.lee") != object && form("4711") != object);
        let okta = form("00ub0oNGTSWTBKOLGLNR");
        assert_eq!(form("00ujl29u0le5T6Aj10h7"), okta);
        assert_ne!(form("ann"), okta);
        assert_eq!(form("u-ghost"), form("u-ann"));
    }
}
