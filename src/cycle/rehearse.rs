//! What edited rules would change, from what was seen last: neither source nor target is asked, and the state stays as
//! it is. `DefaultDomain` says what a cycle last read.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::stream::StreamExt;

use super::CycleError;
use super::How;
use super::Job;
use super::Planned;
use super::Run;
use super::decide;
use super::judge;
use super::lint;
use super::stream;
use crate::model::Container;
use crate::model::Finding;
use crate::model::GroupPick;
use crate::plan::Class;
use crate::plan::ContainerGraph;
use crate::plan::Environment;
use crate::plan::Rules;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::profiles::Demands;
use crate::store::JobState;
use crate::store::Store;
use crate::targets::Found;
use crate::targets::Listed;
use crate::targets::Lookup;
use crate::targets::Operation;
use crate::targets::Outcome;
use crate::targets::ServiceProvider;
use crate::targets::TargetError;

/// The plan of `edited`, without what the job would do today as well; `None` where the job has had no cycle yet, so that
/// nothing was seen.
pub async fn rehearse(
    today: &Job,
    edited: &Job,
    store: &Store,
    how: How<'_>,
) -> Result<Option<Planned>, CycleError> {
    let on = Run { job: today, how };
    let Some(state) = store.find_job(&today.name).await.map_err(on.store())? else { return Ok(None) };
    let (before, _) = planned(today, store, &state, how).await?;
    let (mut after, copy) = planned(edited, store, &state, how).await?;
    let kept = before.identities().await.map_err(on.store())?;
    let coming = after.identities().await.map_err(on.store())?;
    after.leave_out(kept.keys().copied().collect()).await.map_err(on.store())?;
    after.header.notes.insert(0, dropped(&kept, &coming));
    after.header.notes.push(
        "a rehearsal: the target was not asked who is there already, so some creations may be adoptions"
            .to_owned(),
    );
    let graph = copy.container_graph(state.id).await.map_err(on.store())?;
    after.header.notes.extend(never_read(today, edited, &graph));
    if edited.rules.needs_default_domain() && state.default_domain.is_none() {
        after.header.notes.push(format!(
            "never read: the directory's own domain, so rows with DefaultDomain hold people here; with the edited \
             settings run: rosterd plan {} --full",
            edited.name
        ));
    }
    Ok(Some(after))
}

/// The plan over a private copy, with the rules of `job`.
async fn planned(
    job: &Job,
    store: &Store,
    state: &JobState,
    how: How<'_>,
) -> Result<(Planned, Store), CycleError> {
    let unasked = Arc::new(Unasked { identity: job.target.identity(), demands: job.target.demands() });
    let job = Job { target: unasked, ..job.clone() };
    let on = Run { job: &job, how };
    let copy = store.private_copy().await.map_err(on.store())?;
    // Both plans draw the same, and nothing of it is ever sent.
    let environment =
        Environment { now: how.now, seed: [0; 32], default_domain: state.default_domain.clone() };
    copy.take_rules(state.id, job.rules.digest_with(&environment)).await.map_err(on.store())?;
    let clock = on.doubts_clock(&copy, state.id).await?;
    let mut notes = decide::decide(&on, &copy, state.id, &environment).await?;
    notes.extend(decide::left_out(&on, &copy, state.id).await?);
    judge::judge(&on, &copy, state, judge::Doubts { clock, ..judge::Doubts::default() }).await?;
    let mut planned = stream::planned(&on, &copy, state, notes).await?;
    planned.header.findings =
        lint::look(&copy, state.id, &job.rules, job.target.demands()).await.map_err(on.store())?;
    Ok((planned, copy))
}

/// What waits today and would not be done any more, by class.
fn dropped(before: &BTreeMap<u64, Class>, after: &BTreeMap<u64, Class>) -> String {
    let mut counts: BTreeMap<Class, u64> = BTreeMap::new();
    for (_, class) in before.iter().filter(|(identity, _)| !after.contains_key(identity)) {
        *counts.entry(*class).or_default() += 1;
    }
    if before.is_empty() {
        return "nothing waits today, so all of this comes from the edit".to_owned();
    }
    let same = before.keys().filter(|identity| after.contains_key(identity)).count();
    let by_class: Vec<String> =
        counts.iter().map(|(class, count)| format!("{count} {}", class.word())).collect();
    let gone = if by_class.is_empty() { "none".to_owned() } else { by_class.join(", ") };
    format!(
        "of what waits today, {same} would be done as well (not shown), and would not be done any more: {gone}"
    )
}

/// Attributes and containers that the edited rules need and that no cycle has read: what depends on them shows as empty.
fn never_read(today: &Job, edited: &Job, graph: &ContainerGraph) -> Vec<String> {
    let mut notes = Vec::new();
    for kind in Kind::ALL {
        let (had, wants) = (today.rules.source_attributes(kind), edited.rules.source_attributes(kind));
        let missing: Vec<String> = wants.difference(&had).map(|name| format!("`{name}`")).collect();
        if !missing.is_empty() {
            notes.push(format!(
                "never read of {}s, unless the source shows everything: {}; what depends on it shows as empty here; \
                 with the edited settings run: rosterd plan {} --full",
                kind.word(),
                missing.join(", "),
                edited.name
            ));
        }
    }
    let unknown: BTreeSet<String> = containers(&edited.rules).filter_map(|one| one.unknown(graph)).collect();
    if !unknown.is_empty() {
        let unknown: Vec<String> = unknown.into_iter().collect();
        notes.push(format!(
            "never read: {}; nobody is in scope through it here; with the edited settings run: rosterd plan {} --full",
            unknown.join(", "),
            edited.name
        ));
    }
    notes
}

/// What a scope names by itself.
enum Named<'a> {
    List(&'a str),
    Group(&'a GroupPick),
}

impl Named<'_> {
    /// What to call it, where the graph does not have it. A rule on names may well choose nothing.
    fn unknown(&self, graph: &ContainerGraph) -> Option<String> {
        let mut nodes = graph.nodes.values();
        match self {
            Named::List(id) => {
                let known = nodes.any(|node| matches!(&node.container, Container::App(app) if app.0 == **id));
                (!known).then(|| format!("the application or list {id}"))
            }
            Named::Group(pick @ (GroupPick::Id(_) | GroupPick::Name(_))) => {
                let takes = |node: &crate::plan::Node| match &node.container {
                    Container::Group(id) => pick.takes(id, &node.name, &node.description),
                    Container::App(_) => false,
                };
                let name = match pick {
                    GroupPick::Id(id) => format!("id:{id}"),
                    GroupPick::Name(name) => format!("name:{name}"),
                    GroupPick::Prefix(_) | GroupPick::Rule { .. } => String::new(),
                };
                (!nodes.any(takes)).then(|| format!("the group {name}"))
            }
            Named::Group(_) => None,
        }
    }
}

fn containers(rules: &Rules) -> impl Iterator<Item = Named<'_>> {
    let selections = [&rules.scope.users, &rules.scope.teams];
    selections.into_iter().flat_map(|selection| {
        let lists = selection.all_lists().map(|id| Named::List(&id.0));
        lists.chain(selection.groups.iter().chain(selection.groups_looked_at()).map(Named::Group))
    })
}

/// A target that nobody asks and nobody writes to: it knows of nobody.
struct Unasked {
    identity: String,
    demands: Demands,
}

impl ServiceProvider for Unasked {
    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn find<'a>(&'a self, lookups: &'a [Lookup]) -> BoxFuture<'a, Result<Vec<Vec<Found>>, TargetError>> {
        async move { Ok(vec![Vec::new(); lookups.len()]) }.boxed()
    }

    fn get<'a>(
        &'a self,
        ids: &'a [(Kind, ResourceId)],
    ) -> BoxFuture<'a, Result<Vec<Option<Found>>, TargetError>> {
        async move { Ok(vec![None; ids.len()]) }.boxed()
    }

    fn list(&self, _: Kind) -> BoxStream<'_, Result<Listed, TargetError>> {
        let partial = Some("a rehearsal reads nothing".to_owned());
        futures_util::stream::iter([Ok(Listed::End { partial })]).boxed()
    }

    fn members<'a>(
        &'a self,
        _: &'a ResourceId,
    ) -> BoxFuture<'a, Result<Option<Vec<ResourceId>>, TargetError>> {
        async { Ok(None) }.boxed()
    }

    fn apply<'a>(&'a self, _: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, TargetError>> {
        let what = "a rehearsal writes nothing".to_owned();
        async { Err(TargetError::Unavailable { what }) }.boxed()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        async { Vec::new() }.boxed()
    }

    fn demands(&self) -> Demands {
        self.demands.clone()
    }

    fn batch(&self) -> usize {
        1
    }

    fn requests(&self) -> u64 {
        0
    }
}
