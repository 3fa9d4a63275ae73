//! One person now: read alone, decided, matched and written through the journal, and nobody else is touched. Limits,
//! mode, witness and holds are those of a cycle; watermarks stay where they are, so that the next cycle sees
//! everything that it would have seen.

use std::collections::BTreeSet;

use super::CycleError;
use super::Run;
use super::anchors;
use super::decide;
use super::environment;
use super::identity;
use super::judge;
use super::provision::Wish;
use super::settle;
use super::steps::Steps;
use super::unique;
use super::witness;
use super::write::Writer;
use crate::model::Alone;
use crate::model::LinkId;
use crate::model::Sought;
use crate::model::SourceId;
use crate::plan::Class;
use crate::plan::CycleRecord;
use crate::plan::Environment;
use crate::plan::Mode;
use crate::plan::OnDemand;
use crate::plan::Step;
use crate::store::CycleId;
use crate::store::InForce;
use crate::store::JobState;
use crate::store::Store;

/// One run on demand: what all its steps share.
#[derive(Clone, Copy)]
pub(super) struct OnDemandRun<'a> {
    pub(super) store: &'a Store,
    pub(super) state: &'a JobState,
    pub(super) cycle: CycleId,
    pub(super) wish: Wish<'a>,
}

impl Run<'_> {
    /// `None`: the source knows nobody of this name.
    pub(super) async fn one_person(
        &self,
        of: OnDemandRun<'_>,
        known: BTreeSet<SourceId>,
        record: &mut CycleRecord,
    ) -> Result<Option<OnDemand>, CycleError> {
        let mut steps = Steps::begun(self, record, of.state, of.wish.dry);
        match self.steps_of(of, known, record, &mut steps).await {
            Ok(true) => Ok(Some(steps.ended())),
            Ok(false) => Ok(None),
            Err(error @ (CycleError::Source { .. } | CycleError::Target { .. })) => {
                steps.unreached(&error);
                record.error = Some(super::chain(&error));
                Ok(Some(steps.ended()))
            }
            Err(error) => Err(error),
        }
    }

    async fn steps_of(
        &self,
        of: OnDemandRun<'_>,
        known: BTreeSet<SourceId>,
        record: &mut CycleRecord,
        steps: &mut Steps<'_>,
    ) -> Result<bool, CycleError> {
        let OnDemandRun { store, state, wish, .. } = of;
        self.identified(store, state).await?;
        if !wish.dry && !self.has_other_target(state) {
            settle::settle(self, store, state.id).await?;
        }
        let before = self.job.source.requests();
        let sought = Sought { who: wish.what.to_owned(), known, now: self.how.now };
        let alone = self.until_stopped(self.job.source.person(&sought)).await?;
        record.source_requests = self.job.source.requests() - before;
        let alone = alone.map_err(self.source())?;
        let Some(id) = alone.id().cloned() else {
            return if alone.ids.is_empty() { Ok(false) } else { Err(self.several(wish.what, &alone.ids)) };
        };
        record.notes.clone_from(&alone.notes);
        let environment = environment::environment(self, store, state).await?;
        let link = self.promoted(of, alone, &id, &environment, record).await?;
        self.decided(store, state, link, &environment).await?;
        steps.known(store, state, link, &record.notes).await?;
        if wish.dry {
            steps.would_write(store, link).await?;
            return Ok(true);
        }
        let ordered = self.write_one(of, link, record).await?;
        steps.written(store, link, ordered).await?;
        Ok(true)
    }

    /// `seen` of this one person, and nothing else.
    async fn promoted(
        &self,
        OnDemandRun { store, state, .. }: OnDemandRun<'_>,
        alone: Alone,
        id: &SourceId,
        environment: &Environment,
        record: &mut CycleRecord,
    ) -> Result<LinkId, CycleError> {
        let staging = store.stage(state.id).await.map_err(self.store())?;
        staging.record(alone.records).await.map_err(self.store())?;
        staging.finish_read("person", alone.covered, None).await.map_err(self.store())?;
        self.identified(store, state).await?;
        self.pin(store, state).await?;
        let force =
            InForce { rules: self.job.rules.digest_with(environment), program: self.job.program.clone() };
        let (promoted, link) = staging.promote_alone(id.clone(), force).await.map_err(self.store())?;
        record.objects_changed = promoted.objects;
        record.edges_changed = promoted.edges;
        record.missing = promoted.missing;
        link.ok_or_else(|| {
            self.refuses(format!(
                "{id} is not in the directory any more, and this job never knew it: there is nothing to do"
            ))
        })
    }

    async fn decided(
        &self,
        store: &Store,
        state: &JobState,
        link: LinkId,
        environment: &Environment,
    ) -> Result<(), CycleError> {
        let mut frozen = None;
        if !self.has_other_target(state) {
            frozen = anchors::release(self, store, state.id).await?;
        }
        let clock = self.doubts_clock(store, state.id).await?;
        let now = self.how.now.as_second();
        store.end_overrides(state.id, now).await.map_err(self.store())?;
        decide::alone(self, store, state.id, link, environment).await?;
        store.look_at_exemptions(state.id, now).await.map_err(self.store())?;
        store.due_now(link, now).await.map_err(self.store())?;
        let moved = self.moved(store, state).await?;
        if frozen.is_none() {
            frozen = identity::nobody_is_left(self, store, state).await?;
        }
        judge::alone(self, store, state, judge::Doubts { moved, frozen, clock }, link).await
    }

    /// The person's own change, the memberships, the references; who leaves, leaves the teams first, as in a cycle.
    /// Returns why the own change was left, where another one has to go before it.
    async fn write_one(
        &self,
        OnDemandRun { store, state, cycle, .. }: OnDemandRun<'_>,
        link: LinkId,
        record: &mut CycleRecord,
    ) -> Result<Option<String>, CycleError> {
        if self.job.mode(state) == Mode::Observe {
            return Ok(None);
        }
        let testimony = witness::alone(self, store, state.id, link).await?;
        let pending = store.pending_by_id(vec![link]).await.map_err(self.store())?.into_iter().next();
        let class = pending.as_ref().map(|pending| pending.class);
        let ordered = match &pending {
            Some(pending) if pending.hold.is_none() && pending.retires.is_some() => Some(
                "the account that has its name is renamed out of the way first, which a cycle does"
                    .to_owned(),
            ),
            Some(pending) if pending.hold.is_none() && pending.class == Class::Rename => {
                self.waits_for_another(store, state, link).await?
            }
            _ => None,
        };
        let (only, job) = (None, state.id);
        let mut writer = Writer { on: self, store, job, cycle, testimony, only, record, done: 0, of: 1 };
        let leaves = class.is_some_and(Class::removes);
        if !leaves && ordered.is_none() {
            writer.link(link).await?;
        }
        writer.memberships_of(link, true).await?;
        writer.memberships_of(link, false).await?;
        writer.references_of(link).await?;
        if leaves {
            writer.link(link).await?;
        }
        Ok(ordered)
    }

    /// A name that somebody else gives up is taken after that: the order of all renames is a cycle's matter.
    async fn waits_for_another(
        &self,
        store: &Store,
        state: &JobState,
        link: LinkId,
    ) -> Result<Option<String>, CycleError> {
        let of_others = |step: &Step| match step {
            Step::Take { link: of, released } => *of == link && *released,
            Step::Park(of) => *of == link,
            Step::Blocked { .. } => false,
        };
        let waits = unique::steps(self, store, state.id).await?.iter().any(of_others);
        Ok(waits.then(|| {
            "somebody else has this name until their own rename, and a cycle does both in order".to_owned()
        }))
    }

    pub(super) fn several(&self, who: &str, ids: &BTreeSet<SourceId>) -> CycleError {
        let ids = ids.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(", ");
        self.refuses(format!("several are called `{who}`; give the id of one of them: {ids}"))
    }
}
