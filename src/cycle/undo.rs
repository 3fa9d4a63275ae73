//! Undoing a cycle: what it wrote is put back by a cycle of its own, under the same limits, through the same journal. The
//! source is not read: it may be what is wrong, and what it says stays laid under the undo until that ends.

use std::collections::BTreeSet;

use super::CycleError;
use super::How;
use super::Job;
use super::Planned;
use super::Run;
use super::anchors;
use super::apply;
use super::decide;
use super::judge;
use super::kept;
use super::learn;
use super::note_left;
use super::settle;
use super::stream;
use super::stream::Row;
use super::stream::Stream;
use super::write;
use crate::model::LinkId;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::CycleRecord;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::plan::Mode;
use crate::plan::Verdict;
use crate::store::Chosen;
use crate::store::CycleId;
use crate::store::Decider;
use crate::store::JobState;
use crate::store::Laid;
use crate::store::Store;
use crate::store::UndoWish;

/// What a person asks for.
#[derive(Clone, Debug)]
pub struct Undo {
    pub cycle: i64,
    pub what: Chosen,
    /// So long what is put back stays as it was, in seconds since 1970.
    pub until_second: i64,
    pub who: String,
    pub reason: String,
}

/// What was put back, or would be.
pub struct UndoneCycle {
    pub record: CycleRecord,
    /// The plan: of a dry run as it stands; of a cycle what was left of it.
    pub planned: Planned,
    /// People, teams and memberships.
    pub objects: u64,
    /// What is not undone and why, and what has to be known.
    pub remarks: Vec<String>,
    pub unknown: BTreeSet<String>,
}

/// What one undo has put back: its plan shows, and its cycle writes, nothing else.
#[derive(Clone, Debug)]
pub(super) struct Only {
    cause: CauseId,
    links: BTreeSet<LinkId>,
}

impl Only {
    pub(super) fn covers(&self, row: &Row) -> bool {
        match row {
            // Matching may hold it under another cause.
            Row::Link(link) => self.links.contains(&link.link) || link.cause == self.cause,
            Row::Edge(edge) => edge.cause == self.cause,
            Row::Reference(reference) => reference.cause == self.cause,
        }
    }
}

/// Shows what would put a cycle back, and writes nothing: neither to the target nor to the state (P3).
pub async fn plan_undo(
    job: &Job,
    store: &Store,
    how: How<'_>,
    wish: &Undo,
) -> Result<UndoneCycle, CycleError> {
    let on = Run { job, how };
    let copy = store.private_copy().await.map_err(on.store())?;
    on.undo(&copy, wish, true).await
}

/// Puts a cycle back, as far as limits and mode let it.
pub async fn undo(job: &Job, store: &Store, how: How<'_>, wish: &Undo) -> Result<UndoneCycle, CycleError> {
    let on = Run { job, how };
    let leases = [format!("job {}", job.name), format!("target {}", job.target.identity())];
    let _lease = store.lease(&leases).map_err(on.store())?;
    on.undo(store, wish, false).await
}

impl Run<'_> {
    async fn undo(&self, store: &Store, wish: &Undo, dry: bool) -> Result<UndoneCycle, CycleError> {
        let state = store.job(&self.job.name).await.map_err(self.store())?;
        let mode = self.job.mode(&state);
        if !dry {
            self.not_paused(&state)?;
            self.may_undo(mode)?;
        }
        let now = self.how.now.as_second();
        let cycle = store.start_cycle(state.id, now).await.map_err(self.store())?;
        let mut record = CycleRecord {
            job: self.job.name.clone(),
            cycle: cycle.0,
            started_second: now,
            undo: Some(wish.cycle),
            mode,
            ..CycleRecord::default()
        };
        learn::recall(store, &*self.job.target, self.how.now).await.map_err(self.store())?;
        let before = self.job.target.requests();
        let result = self.put_back(store, &state, cycle, wish, dry, &mut record).await;
        let learned = learn::keep(store, &*self.job.target, self.how.now).await.map_err(self.store());
        let left = store.left_over(state.id, now).await.map_err(self.store());
        let left = left.map(|left| note_left(&mut record, left));
        let noted = store.note_held(state.id, now).await.map_err(self.store());
        record.target_requests = self.job.target.requests() - before;
        record.ended_second = self.how.clock.now().as_second();
        // A question that has no answer is no trouble of the job.
        let trouble = result.as_ref().err().filter(|error| !matches!(error, CycleError::Undo { .. }));
        record.error = trouble.map(|error| super::chain(error));
        let ended = store.end_cycle(cycle, record.ended_second, kept(&record)).await.map_err(self.store());
        let (planned, laid) = result?;
        learned.and(left).and(noted).and(ended)?;
        let remarks = laid.remarks.lines();
        Ok(UndoneCycle { record, planned, objects: laid.objects, remarks, unknown: laid.unknown })
    }

    fn may_undo(&self, mode: Mode) -> Result<(), CycleError> {
        let job = &self.job.name;
        match mode {
            Mode::Observe => Err(self.no_undo(format!(
                "it only observes; look with --dry-run, or let it write first: rosterd enable {job}"
            ))),
            Mode::Approve | Mode::Write => Ok(()),
        }
    }

    fn no_undo(&self, what: String) -> CycleError {
        CycleError::Undo { job: self.job.name.clone(), what }
    }

    async fn put_back(
        &self,
        store: &Store,
        state: &JobState,
        cycle: CycleId,
        wish: &Undo,
        dry: bool,
        record: &mut CycleRecord,
    ) -> Result<(Planned, Laid), CycleError> {
        self.identified(store, state).await?;
        let mut frozen = None;
        if !self.has_other_target(state) {
            if !dry {
                settle::settle(self, store, state.id).await?;
            }
            frozen = anchors::release(self, store, state.id).await?;
        }
        let laid = self.lay(store, state, wish).await?;
        let only = Only { cause: Cause::of_undo(wish.cycle).id(), links: laid.links.clone() };
        let mut planned = self.judge_undo(store, state, wish, &only, frozen.clone()).await?;
        record.digest.clone_from(&planned.header.digest);
        record.planned.clone_from(&planned.header.counts);
        record.notes.clone_from(&planned.header.notes);
        if dry {
            return Ok((planned, laid));
        }
        write::write(self, store, state, cycle, &planned, record).await?;
        if !laid.twice.is_empty() {
            store.lay_undo_again(state.id, laid.twice.clone()).await.map_err(self.store())?;
            planned = self.judge_undo(store, state, wish, &only, frozen).await?;
            write::write(self, store, state, cycle, &planned, record).await?;
        }
        store.forget_gone(state.id).await.map_err(self.store())?;
        let left = stream::of_undo(self, store, state, only).await?;
        Ok((left, laid))
    }

    async fn lay(&self, store: &Store, state: &JobState, wish: &Undo) -> Result<Laid, CycleError> {
        let by = Decider {
            who: wish.who.clone(),
            reason: wish.reason.clone(),
            now_second: self.how.now.as_second(),
        };
        let laying = UndoWish {
            cycle: wish.cycle,
            what: wish.what.clone(),
            until_second: wish.until_second,
            by,
            users: self.job.rules.users.clone(),
            groups: self.job.rules.groups.clone(),
        };
        let laid = store.lay_undo(state.id, laying).await.map_err(self.store())?;
        let (job, cycle) = (&self.job.name, wish.cycle);
        if !laid.known {
            let what =
                format!("it has no cycle {cycle}; `rosterd log --job {job}` tells of each change its cycle");
            return Err(self.no_undo(what));
        }
        if laid.found == 0 {
            let what = match wish.what {
                Chosen::All => format!("cycle {cycle} wrote nothing"),
                _ => format!(
                    "cycle {cycle} wrote nothing of that name; see `rosterd log --job {job} --cycle {cycle}`, and give a cause \
                     (8 digits), a name, a source id, @FILE, or all"
                ),
            };
            return Err(self.no_undo(what));
        }
        Ok(laid)
    }

    /// What limits, mode and policy say of what is put back; whatever else is pending is held for this cycle. In mode
    /// `approve` the command is the decision.
    async fn judge_undo(
        &self,
        store: &Store,
        state: &JobState,
        wish: &Undo,
        only: &Only,
        frozen: Option<Hold>,
    ) -> Result<Planned, CycleError> {
        decide::edges(self, store, state.id, None).await?;
        let now = self.how.now.as_second();
        store.look_at_exemptions(state.id, now).await.map_err(self.store())?;
        let moved = self.moved(store, state).await?;
        let doubts = || judge::Doubts { moved: moved.clone(), frozen: frozen.clone(), clock: None };
        judge::judge(self, store, state, doubts()).await?;
        if self.job.mode(state) == Mode::Approve {
            let picks = self.picked(
                store,
                state,
                |held, ours| ours && held.is_some_and(|hold| hold.kind == HoldKind::Approval),
                only,
            );
            let picks = picks.await?;
            store
                .approve_pending(state.id, picks, &wish.who, &wish.reason, now)
                .await
                .map_err(self.store())?;
            judge::judge(self, store, state, doubts()).await?;
        }
        // What is held anyway keeps its own reason.
        let others = self.picked(store, state, |held, ours| !ours && held.is_none(), only).await?;
        let text = "an undo writes nothing else; the next cycle decides".to_owned();
        let hold = Hold { kind: HoldKind::Plan, text };
        store.hold_pending(state.id, others, hold).await.map_err(self.store())?;
        stream::of_undo(self, store, state, only.clone()).await
    }

    /// The pending changes that are of a kind: by what holds them, and whether they are the undo's.
    async fn picked(
        &self,
        store: &Store,
        state: &JobState,
        is: impl Fn(Option<&Hold>, bool) -> bool + Send + Sync,
        only: &Only,
    ) -> Result<Vec<crate::store::Pick>, CycleError> {
        let stream = Stream { store, job: state.id, rules: &self.job.rules, now: self.how.now };
        let mut picks = Vec::new();
        let mut take = |row: Row| {
            let verdict = stream.change(&row).verdict;
            let held = match &verdict {
                Verdict::Held(hold) => Some(hold),
                _ => None,
            };
            if is(held, only.covers(&row)) {
                picks.push(apply::pick(&row));
            }
        };
        stream.rows(&mut take).await.map_err(self.store())?;
        Ok(picks)
    }
}
