//! Deciding: every dirty link and membership gets its desired state and, where that differs, a pending change.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::CycleError;
use super::Progress;
use super::Run;
use crate::model::Container;
use crate::model::LinkId;
use crate::model::WitnessQuestion;
use crate::plan;
use crate::plan::AppRoles;
use crate::plan::Cause;
use crate::plan::CauseKind;
use crate::plan::ContainerGraph;
use crate::plan::Dirty;
use crate::plan::EdgeState;
use crate::plan::Environment;
use crate::plan::Facts;
use crate::plan::GroupName;
use crate::plan::MemberFacts;
use crate::plan::Membership;
use crate::plan::Memberships;
use crate::plan::Proof;
use crate::plan::Reach;
use crate::plan::Rehire;
use crate::plan::Rules;
use crate::plan::ScopeFact;
use crate::plan::TeamNames;
use crate::plan::wants_member;
use crate::scim::Kind;
use crate::store::DirtyEdge;
use crate::store::DirtyLink;
use crate::store::EdgeCause;
use crate::store::EdgeDecision;
use crate::store::JobId;
use crate::store::Store;
use crate::store::crash_point;

/// Links decided in one transaction: a few megabytes of attributes at most.
const CHUNK: usize = 1_000;
const EDGE_CHUNK: usize = 5_000;

/// Returns what is worth telling of those who were decided in this cycle.
pub(super) async fn decide(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    environment: &Environment,
) -> Result<Vec<String>, CycleError> {
    let twins = twins(on, store, job, false).await?.among;
    if !store.has_dirty(job).await.map_err(on.store())? {
        return Ok(Vec::new());
    }
    if on.job.rules.uses_groups() {
        store.spread_group_names(job).await.map_err(on.store())?;
    }
    let graph = store.container_graph(job).await.map_err(on.store())?;
    let mut scopes = Scopes { twins, ..Scopes::new(&on.job.rules, &graph, environment) };
    let grants = plan::grants(&scopes.users.reach, &[&scopes.users.in_groups, &scopes.teams.in_groups]);
    store.note_grants(job, grants).await.map_err(on.store())?;
    let rules_digest = on.job.rules.digest_with(environment);
    let edit = links(on, store, job, Kind::Group, &scopes).await?;
    let twins = self::twins(on, store, job, edit.is_some()).await?;
    if twins.changed {
        scopes.twins = twins.among;
        links(on, store, job, Kind::Group, &scopes).await?;
    }
    let edit = links(on, store, job, Kind::User, &scopes).await?.max(edit);
    let left_out = edges(on, store, job, edit.map(|kind| edit_cause(kind, &rules_digest))).await?;
    let note = || format!("members of teams who are not in scope were left out: {left_out}");
    Ok((left_out > 0).then(note).into_iter().collect())
}

/// The same of one link and its memberships, where anything of them has to be decided: what is dirty of others waits for
/// the next cycle.
pub(super) async fn alone(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    link: LinkId,
    environment: &Environment,
) -> Result<(), CycleError> {
    let graph = store.container_graph(job).await.map_err(on.store())?;
    let scopes = Scopes::new(&on.job.rules, &graph, environment);
    let rules_digest = on.job.rules.digest_with(environment);
    let nested = on.job.rules.scope.teams.nested;
    let mut edit = None;
    if let Some(mut facts) = store.link_facts(link).await.map_err(on.store())?
        && facts.dirty != Dirty::default()
    {
        scopes.add_roles(&mut facts);
        edit = edit_of(facts.dirty);
        let decision = scopes.with_facts(&facts, |facts| plan::decide(&on.job.rules, &rules_digest, facts));
        store.save_decisions(job, vec![(link, decision)]).await.map_err(on.store())?;
    }
    if nested {
        store.spread_dirty_edges(job).await.map_err(on.store())?;
    }
    let edit = edit.map(|kind| edit_cause(kind, &rules_digest));
    let edges = store.dirty_edges_of(job, link, nested).await.map_err(on.store())?;
    let decided = edges.iter().filter_map(|edge| decide_edge(edge, edit.as_ref())).collect();
    store.save_edges(job, decided).await.map_err(on.store())?;
    store.forget_dirty_edges_of(job, link).await.map_err(on.store())
}

/// Who is left out by the settings though the scope selects them, one line a reason: of everybody, not only of those
/// who were decided in this cycle.
pub(super) async fn left_out(on: &Run<'_>, store: &Store, job: JobId) -> Result<Vec<String>, CycleError> {
    let told = |cause: &Cause| cause.kind == CauseKind::Disabled || cause.left_out().is_some();
    let mut reasons: BTreeMap<(Kind, String), u64> = BTreeMap::new();
    for left in store.left_out(job, told).await.map_err(on.store())? {
        let (text, count) = match left.cause.left_out() {
            Some(text) => (text, left.count),
            None => (plan::NEVER_CREATED.to_owned(), left.absent),
        };
        *reasons.entry((left.kind, text)).or_default() += count;
    }
    let reasons = reasons.into_iter().filter(|(_, count)| *count > 0);
    Ok(reasons.map(|((kind, text), count)| plan::left_out(kind, &text, count)).collect())
}

pub(super) struct Scopes<'a> {
    graph: &'a ContainerGraph,
    users: Side<'a>,
    teams: Side<'a>,
    /// Teams that would be the second of their name.
    twins: BTreeSet<LinkId>,
    /// `None` where nothing asks for them.
    roles: Option<AppRoles>,
    environment: &'a Environment,
}

/// Of people, or of teams.
struct Side<'a> {
    reach: Reach,
    in_groups: Memberships<'a>,
}

struct Twins {
    among: BTreeSet<LinkId>,
    /// Some have another name than they should; they are marked.
    changed: bool,
}

/// Which teams get an ending, where the policy is to give one, as far as names are known now.
async fn twins(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    rules_were_edited: bool,
) -> Result<Twins, CycleError> {
    if on.job.rules.teams.names != TeamNames::Suffix {
        return Ok(Twins { among: BTreeSet::new(), changed: false });
    }
    let mut teams = store.named_teams(job).await.map_err(on.store())?;
    if on.job.rules.rehire == Rehire::New {
        // Nobody goes on with a team about to go, so its name is taken like any other.
        teams.iter_mut().for_each(|team| team.going = false);
    }
    let among = plan::twins(&teams);
    let wrong: BTreeSet<LinkId> = plan::suffixed(&teams).symmetric_difference(&among).copied().collect();
    let changed = !wrong.is_empty();
    if changed {
        store.decide_again(wrong, rules_were_edited).await.map_err(on.store())?;
    }
    Ok(Twins { among, changed })
}

impl<'a> Scopes<'a> {
    /// Without twins: who the second of a name is, is known when all names are.
    pub(super) fn new(
        rules: &'a Rules,
        graph: &'a ContainerGraph,
        environment: &'a Environment,
    ) -> Scopes<'a> {
        let side = |selection| Side {
            reach: Reach::new(selection, rules.vocabulary, graph),
            in_groups: Memberships::new(selection, rules.vocabulary, graph),
        };
        let (users, teams) = (side(&rules.scope.users), side(&rules.scope.teams));
        let roles = rules.needs_app_roles().then(|| AppRoles::new(&rules.scope.users, graph));
        Scopes { graph, users, teams, twins: BTreeSet::new(), roles, environment }
    }

    /// What a decision about this link is made from.
    pub(super) fn with_facts<T>(&self, link: &DirtyLink, look: impl FnOnce(&Facts<'_>) -> T) -> T {
        look(&Facts {
            kind: link.kind,
            source: &link.source,
            seen: &link.seen,
            scope: self.fact(link),
            applied: &link.applied,
            dirty: link.dirty,
            twin: self.twins.contains(&link.link),
            groups: &self.groups(link),
            environment: self.environment,
            lost_groups: &self.lost_groups(link),
            memberships: &self.memberships(link),
            left: link.left,
            undo: link.undo.as_ref(),
            drifted: &link.drifted,
        })
    }

    /// The groups that a person is directly in.
    fn groups(&self, link: &DirtyLink) -> Vec<GroupName> {
        let present = link.edges.iter().filter(|(_, state)| *state == EdgeState::Present);
        let nodes = present.filter_map(|(container, _)| self.graph.nodes.get(container));
        let named = nodes.filter_map(|node| match &node.container {
            Container::Group(id) => Some(GroupName { name: node.name.clone(), id: id.clone() }),
            Container::App(_) => None,
        });
        named.collect()
    }

    fn fact(&self, link: &DirtyLink) -> ScopeFact {
        match link.kind {
            Kind::User => self.users.reach.fact(&link.source, link.kind, &link.edges),
            Kind::Group => match self.graph.nodes.get(&link.link) {
                Some(node) => self.teams.reach.fact_of_group(node),
                None => ScopeFact::Out(Vec::new()),
            },
        }
    }

    pub(super) fn add_roles(&self, link: &mut DirtyLink) {
        if let (Some(roles), Kind::User) = (&self.roles, link.kind) {
            roles.show(&mut link.seen, &link.edges, &link.details);
        }
    }

    /// The groups that a complete read no longer showed it in, as a witness is asked for them.
    fn lost_groups(&self, link: &DirtyLink) -> Vec<WitnessQuestion> {
        let absent = link.edges.iter().filter(|(_, state)| *state == EdgeState::Gone(Proof::Absence));
        let nodes = absent.filter_map(|(container, _)| self.graph.nodes.get(container));
        let groups = nodes.filter(|node| matches!(node.container, Container::Group(_)));
        let asked = groups.map(|node| WitnessQuestion::Held {
            container: node.container.clone(),
            principal: link.source.clone(),
            kind: link.kind,
        });
        asked.collect()
    }

    fn memberships(&self, link: &DirtyLink) -> Vec<Membership<'_>> {
        let side = match link.kind {
            Kind::User => &self.users,
            Kind::Group => &self.teams,
        };
        side.in_groups.of(&link.source, link.kind, &link.edges)
    }
}

/// Whether the rules were edited since some of them were decided, by somebody or by an upgrade.
async fn links(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    kind: Kind,
    scopes: &Scopes<'_>,
) -> Result<Option<CauseKind>, CycleError> {
    let rules_digest = on.job.rules.digest_with(scopes.environment);
    let mut edit = None;
    let mut after = LinkId(0);
    let mut count = 0;
    loop {
        on.stopped()?;
        let mut chunk = store.dirty_links(job, kind, after, CHUNK).await.map_err(on.store())?;
        chunk.iter_mut().for_each(|link| scopes.add_roles(link));
        let Some(last) = chunk.last() else { return Ok(edit) };
        after = last.link;
        edit = chunk.iter().filter_map(|link| edit_of(link.dirty)).max().max(edit);
        count += chunk.len() as u64;
        let decide = |link: &DirtyLink| {
            let decision = scopes.with_facts(link, |facts| plan::decide(&on.job.rules, &rules_digest, facts));
            (link.link, decision)
        };
        let decided: Vec<_> = chunk.iter().map(decide).collect();
        store.save_decisions(job, decided).await.map_err(on.store())?;
        crash_point("decided");
        (on.how.watch)(Progress::Deciding { links: count });
    }
}

fn edit_of(dirty: Dirty) -> Option<CauseKind> {
    let kind = if dirty.upgrade { CauseKind::Upgrade } else { CauseKind::Settings };
    dirty.is_edit().then_some(kind)
}

fn edit_cause(kind: CauseKind, rules_digest: &str) -> Cause {
    Cause { kind, subjects: Vec::new(), names: Vec::new(), rules: rules_digest.to_owned() }
}

/// Returns how many members of teams were left out because they are not in scope.
pub(super) async fn edges(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    edit: Option<Cause>,
) -> Result<u64, CycleError> {
    let nested = on.job.rules.scope.teams.nested;
    if nested {
        store.spread_dirty_edges(job).await.map_err(on.store())?;
    }
    let mut after = (LinkId(0), LinkId(0));
    let mut left_out = 0;
    loop {
        on.stopped()?;
        let chunk = store.dirty_edges(job, nested, after, EDGE_CHUNK).await.map_err(on.store())?;
        let Some(last) = chunk.last() else { break };
        after = (last.team, last.person);
        left_out +=
            chunk.iter().filter(|edge| edge.shown && edge.team_wanted && !edge.person_wanted).count() as u64;
        let decided = chunk.iter().filter_map(|edge| decide_edge(edge, edit.as_ref())).collect();
        store.save_edges(job, decided).await.map_err(on.store())?;
    }
    store.forget_dirty_edges(job).await.map_err(on.store())?;
    Ok(left_out)
}

/// `None` where there is nothing to keep: not wanted, and not ours. A membership that the source never took back ends
/// because of the edit, where there was one (P13). What a person undid stands over both.
fn decide_edge(edge: &DirtyEdge, edit: Option<&Cause>) -> Option<EdgeDecision> {
    let by_rules = wants_member(&MemberFacts {
        shown: edge.shown,
        team_wanted: edge.team_wanted,
        person_wanted: edge.person_wanted,
        frozen: edge.frozen,
        applied: edge.applied,
    });
    let lasting = edge.undo.as_ref().filter(|undo| !undo.ended);
    let wanted = match lasting.and_then(|undo| undo.member) {
        Some(member) => member && edge.person_wanted && (edge.team_wanted || edge.team_stays),
        None => by_rules,
    };
    if !wanted && !edge.known {
        return None;
    }
    let own = || {
        EdgeCause::Own(Cause {
            kind: CauseKind::Members,
            subjects: vec![edge.team_source.clone()],
            names: vec![format!("group {}", edge.team_name)],
            rules: String::new(),
        })
    };
    let undone = edge.undo.as_ref().map(|undo| match undo.ended {
        true => undo.cause.when_undo_ended(),
        false => undo.cause.clone(),
    });
    let cause = match (edge.person_wanted, edge.team_wanted, undone) {
        (false, ..) => EdgeCause::Person,
        (true, _, Some(undone)) => EdgeCause::Own(undone),
        (true, false, None) => EdgeCause::Team,
        (true, true, None) => match edit.filter(|_| !wanted && !edge.taken_back) {
            Some(edit) => EdgeCause::Own(edit.clone()),
            None => own(),
        },
    };
    let proof = if lasting.is_some() { Proof::Event } else { edge.proof };
    Some(EdgeDecision { team: edge.team, person: edge.person, wanted, cause, proof })
}
