//! Judging: what limits, mode, policy and the target's own answers say of every pending change. Nothing is
//! written to the target here; what is found is kept beside the change.

use std::collections::BTreeSet;

use super::CycleError;
use super::Progress;
use super::Run;
use super::anchors;
use super::choose::Choices;
use super::comeback;
use super::comeback::Comeback;
use super::matching;
use super::matching::name_path;
use super::retire;
use super::unique;
use crate::model::Desired;
use crate::model::LinkId;
use crate::plan;
use crate::plan::Candidate;
use crate::plan::Class;
use crate::plan::Counts;
use crate::plan::Guard;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::plan::Mode;
use crate::scim;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::store::EdgePlace;
use crate::store::JobId;
use crate::store::JobState;
use crate::store::LinkVerdict;
use crate::store::PendingEdge;
use crate::store::PendingLink;
use crate::store::Store;

const CHUNK: usize = 500;
const EDGE_CHUNK: usize = 5_000;
/// The rolling window of P13.
const WINDOW_SECONDS: i64 = 24 * 60 * 60;

/// What makes a cycle careful as a whole.
#[derive(Default)]
pub(super) struct Doubts {
    /// It may be another target: nothing is matched or written, approved or not (P15).
    pub(super) moved: Option<Hold>,
    /// Nothing is created or removed until a person approves (P15).
    pub(super) frozen: Option<Hold>,
    /// Why the clock is not believed (P17).
    pub(super) clock: Option<Hold>,
}

pub(super) async fn judge(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    doubts: Doubts,
) -> Result<(), CycleError> {
    if store.quiet(state.id).await.map_err(on.store())? {
        return Ok(());
    }
    let mut judge = opened(on, store, state, doubts).await?;
    let blocked = unique::blocked(on, store, state.id).await?;
    let mut judged = 0;
    for class in Class::ALL {
        for kind in Kind::ALL {
            judge.links(class, kind, &blocked, &mut judged).await?;
        }
        if class == Class::Create {
            matching::hold_what_is_adopted_twice(on, store, state.id).await?;
        }
    }
    for adds in [true, false] {
        judge.edges(adds, &mut judged).await?;
    }
    judge.references(&mut judged).await
}

/// The same of one person alone, with the memberships and references; what is said of others stays as it was.
pub(super) async fn alone(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    doubts: Doubts,
    link: LinkId,
) -> Result<(), CycleError> {
    let mut judge = opened(on, store, state, doubts).await?;
    let blocked = unique::blocked(on, store, state.id).await?;
    let pending = store.pending_by_id(vec![link]).await.map_err(on.store())?;
    if !pending.is_empty() {
        judge.look(&pending, &blocked, &mut Choices::default()).await?;
        matching::hold_what_is_adopted_twice(on, store, state.id).await?;
    }
    let edges = store.pending_edges_of(link).await.map_err(on.store())?;
    judge.look_at_edges(&edges).await?;
    let references = store.pending_references_of(link).await.map_err(on.store())?;
    judge.look_at_references(&references).await
}

async fn opened<'a>(
    on: &'a Run<'a>,
    store: &'a Store,
    state: &JobState,
    doubts: Doubts,
) -> Result<Judge<'a>, CycleError> {
    Ok(Judge {
        on,
        store,
        job: state.id,
        mode: on.job.mode(state),
        guard: Guard { clock: doubts.clock, ..guard(on, store, state.id).await? },
        moved: doubts.moved,
        frozen: doubts.frozen,
        succeeded: BTreeSet::new(),
    })
}

/// What somebody else deactivated is reactivated only with an approval, whatever else there is to change.
fn shut(link: &PendingLink) -> Option<Hold> {
    let held = link.shut && link.class == Class::Reactivate && !link.approved;
    held.then(|| {
        let text = "somebody else deactivated the account in the target; it is reactivated when you approve"
            .to_owned();
        Hold { kind: HoldKind::Shut, text }
    })
}

async fn guard(on: &Run<'_>, store: &Store, job: JobId) -> Result<Guard, CycleError> {
    let (limits, name) = (&on.job.limits, &on.job.name);
    let from = on.how.now.as_second() - WINDOW_SECONDS;
    let counts = store.counts(job, from).await.map_err(on.store())?;
    let mut classes = plan::over(limits, &counts, name);
    let all = store.target_counts(&on.job.target.identity(), from).await.map_err(on.store())?;
    let together = Counts { pending: counts.pending.clone(), ..all };
    classes.extend(plan::target_over(limits, &together, &classes));
    let losses = store.team_losses(job, from).await.map_err(on.store())?;
    let teams = plan::teams_over(limits, &losses, name);
    let upgraded = store.upgraded(job, from).await.map_err(on.store())?;
    let whole = plan::upgrades_over(limits, &upgraded, counts.active, name);
    let tripped = classes.keys().copied().collect();
    let mut causes = store.causes_of(job, tripped).await.map_err(on.store())?;
    let lost = store.causes_of_losses(teams.keys().copied().collect()).await.map_err(on.store())?;
    causes.extend(lost);
    Ok(Guard { classes, teams, whole, causes, clock: None })
}

pub(super) struct Judge<'a> {
    pub(super) on: &'a Run<'a>,
    pub(super) store: &'a Store,
    pub(super) job: JobId,
    pub(super) mode: Mode,
    pub(super) guard: Guard,
    pub(super) moved: Option<Hold>,
    frozen: Option<Hold>,
    /// Links whose account or team somebody new goes on with, or may go on with: nothing is removed from them.
    succeeded: BTreeSet<LinkId>,
}

impl Judge<'_> {
    async fn links(
        &mut self,
        class: Class,
        kind: Kind,
        blocked: &unique::Blocked,
        judged: &mut u64,
    ) -> Result<(), CycleError> {
        let mut after = String::new();
        let mut choices = Choices::default();
        loop {
            self.on.stopped()?;
            let chunk = self
                .store
                .pending_links(self.job, class, kind, after.clone(), CHUNK)
                .await
                .map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after.clone_from(&last.source.0);
            self.look(&chunk, blocked, &mut choices).await?;
            *judged += chunk.len() as u64;
            (self.on.how.watch)(Progress::Judging { changes: *judged });
        }
    }

    async fn look(
        &mut self,
        chunk: &[PendingLink],
        blocked: &unique::Blocked,
        choices: &mut Choices,
    ) -> Result<(), CycleError> {
        let verdicts = match &self.moved {
            Some(hold) => chunk.iter().map(|link| LinkVerdict::new(link.link, Some(hold.clone()))).collect(),
            None => {
                let mut verdicts = self.own(chunk, blocked).await?;
                matching::ask(self.on, self.store, self.job, chunk, &mut verdicts).await?;
                choices.choose(self.on, chunk, &mut verdicts).await?;
                verdicts
            }
        };
        let changed = chunk.iter().zip(verdicts).filter(|(link, verdict)| verdict.changes(link));
        let changed = changed.map(|(_, verdict)| verdict).collect();
        self.store.save_link_verdicts(changed).await.map_err(self.on.store())
    }

    /// What can be said without asking the target.
    async fn own(
        &mut self,
        chunk: &[PendingLink],
        blocked: &unique::Blocked,
    ) -> Result<Vec<LinkVerdict>, CycleError> {
        let taken = unique::taken(self.on, self.store, self.job, chunk).await?;
        let back = comeback::comebacks(self.on, self.store, chunk).await?;
        let mut verdicts = Vec::with_capacity(chunk.len());
        for link in chunk {
            let mut verdict = self.first(link, blocked, taken.get(&link.link), back.get(&link.link));
            if verdict.hold.is_none() && self.is_frozen(link) {
                verdict.hold.clone_from(&self.frozen);
            }
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// The first that speaks: what cannot be mapped, what is lost, who was there before, whose name it is, then limits,
    /// mode and settings.
    fn first(
        &mut self,
        link: &PendingLink,
        blocked: &unique::Blocked,
        taken: Option<&unique::Taken>,
        back: Option<&Comeback>,
    ) -> LinkVerdict {
        let usual = self.verdict(link).or_else(|| shut(link));
        let verdict = |hold| LinkVerdict::new(link.link, hold);
        if let Some(mapping) = link.hold.as_ref().filter(|hold| hold.kind == HoldKind::Mapping) {
            return verdict(Some(mapping.clone()));
        }
        if link.lost && !link.approved {
            return LinkVerdict { cause: Some(anchors::cause()), ..verdict(self.frozen.clone().or(usual)) };
        }
        if self.succeeded.contains(&link.link) && !link.approved {
            return verdict(Some(comeback::goes_on()));
        }
        if matches!(&usual, Some(hold) if matching::is_final(hold.kind)) {
            return verdict(usual);
        }
        if let Some(back) = back {
            self.succeeded.extend(back.predecessors());
            return back.verdict(link, usual);
        }
        match (blocked.get(&link.link), taken) {
            (Some(hold), _) => verdict(Some(hold.clone())),
            (None, Some(taken)) => retire::verdict(link, taken, usual),
            (None, None) => verdict(usual),
        }
    }

    fn is_frozen(&self, link: &PendingLink) -> bool {
        let moves = link.class == Class::Create || link.class.removes();
        self.frozen.is_some() && moves && !link.approved
    }

    fn verdict(&self, link: &PendingLink) -> Option<Hold> {
        let candidate = Candidate {
            class: link.class,
            cause: &link.cause,
            team: link.kind == Kind::Group,
            approved: link.approved,
            protected: self.protects(link),
            by_time: link.by_time,
            rejected: link.rejected,
            loses: None,
        };
        plan::judge(&self.on.job.name, self.mode, &self.on.job.rules.actions, &self.guard, &candidate)
    }

    fn protects(&self, link: &PendingLink) -> bool {
        let names = |attributes: &Attributes| {
            let name = attributes.text(name_path(link.kind)).map(scim::fold);
            name.is_some_and(|name| self.on.job.rules.protect.contains(&name))
        };
        let wanted = matches!(&link.desired, Desired::Active(attributes) if names(attributes));
        wanted
            || link.applied.accepted().is_some_and(|accepted| names(&accepted.shown) || names(&accepted.sent))
    }

    async fn edges(&self, adds: bool, judged: &mut u64) -> Result<(), CycleError> {
        let mut after = EdgePlace::default();
        loop {
            self.on.stopped()?;
            let chunk =
                self.store.pending_edges(self.job, adds, after, EDGE_CHUNK).await.map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = last.place();
            self.look_at_edges(&chunk).await?;
            *judged += chunk.len() as u64;
            (self.on.how.watch)(Progress::Judging { changes: *judged });
        }
    }

    async fn look_at_edges(&self, chunk: &[PendingEdge]) -> Result<(), CycleError> {
        let holds = chunk.iter().map(|edge| (edge, self.edge_hold(edge)));
        let changed = holds.filter(|(edge, hold)| edge.hold != *hold);
        let changed = changed.map(|(edge, hold)| (edge.team, edge.person, hold)).collect();
        self.store.save_edge_holds(changed).await.map_err(self.on.store())
    }

    /// A removal that follows from the person's own change has the person's verdict.
    fn edge_hold(&self, edge: &PendingEdge) -> Option<Hold> {
        if self.moved.is_some() {
            return self.moved.clone();
        }
        if edge.follows && edge.person_hold.is_some() {
            return edge.person_hold.clone();
        }
        if !edge.adds && !edge.approved && self.succeeded.contains(&edge.team) {
            return Some(comeback::goes_on());
        }
        let candidate = Candidate {
            class: if edge.adds { Class::AddMembers } else { Class::RemoveMembers },
            cause: &edge.cause,
            team: true,
            approved: edge.approved || edge.follows,
            protected: self.on.job.rules.protect.contains(&scim::fold(&edge.team_name)),
            by_time: edge.by_time,
            rejected: edge.rejected,
            loses: Some(edge.team).filter(|_| !edge.adds),
        };
        let hold =
            plan::judge(&self.on.job.name, self.mode, &self.on.job.rules.actions, &self.guard, &candidate);
        let frozen = self.frozen.as_ref().filter(|_| !edge.adds && !candidate.approved);
        hold.or_else(|| frozen.cloned())
    }
}
