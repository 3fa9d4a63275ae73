//! `link takeover`: what a tenant pushed into a workspace becomes a job's that pulls. Nothing is written there but whose it
//! is, and nobody is made or removed: who is not sure stays the tenant's.

use std::collections::BTreeMap;

use super::CycleError;
use super::How;
use super::Job;
use super::Run;
use super::kept;
use super::learn;
use super::matching;
use super::note_left;
use super::passing;
use super::passing::Named;
use super::passing::Pair;
use super::passing::Pairs;
use super::passing::Unsure;
use super::settle;
use super::stream::Planned;
use crate::plan::CycleRecord;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::ByHand;
use crate::store::JobState;
use crate::store::Owned;
use crate::store::Owner;
use crate::store::Passage;
use crate::store::Store;
use crate::store::Takeover;

/// A tenant that pushes changes while it is looked at: so often everything is looked at again.
const ATTEMPTS: u32 = 3;

/// What is to be taken over.
#[derive(Clone, Debug)]
pub struct Tenant<'a> {
    pub workspace: &'a str,
    pub tenant: &'a str,
    /// Nothing is changed, and the state stays as it is.
    pub dry: bool,
    pub by: ByHand,
}

/// What passed, or would.
pub struct TakenOver {
    /// Links that came to be, by kind.
    pub passed: BTreeMap<Kind, u64>,
    pub passage: Passage,
    /// Members that the job does not want, and leaves, by name: team and member.
    pub foreign: Vec<(String, String)>,
    /// The same, not active: the job's, and linked when a person approves it.
    pub asleep: Vec<(Named, ResourceId)>,
    pub unsure: Vec<Unsure>,
    /// Whom the job wants and nobody there is: the next plan creates them.
    pub absent: Vec<Named>,
    /// What stays the tenant's.
    pub left: Vec<Owned>,
    /// The plan that follows.
    pub planned: Planned,
}

/// What was looked at when ownership passed.
struct PassedOver {
    pairs: Pairs,
    asleep: Vec<Pair>,
    passage: Passage,
}

/// A job over a state, and the same with a target that lets what the tenant owns be taken over.
pub struct Passing {
    pub job: Job,
    pub from_tenant: Job,
}

/// Reads the source, matches, and passes ownership. A dry run does it on a private copy of the state, with the workspace
/// that is in it, so the job is made over the state that is worked on.
pub async fn take_over(
    over: impl Fn(&Store) -> Passing,
    store: &Store,
    how: How<'_>,
    tenant: Tenant<'_>,
) -> Result<TakenOver, CycleError> {
    let made = over(store);
    let on = Run { job: &made.job, how };
    if tenant.dry {
        let copy = store.private_copy().await.map_err(on.store())?;
        let made = over(&copy);
        return Run { job: &made.job, how }.take_over(&made.from_tenant, &copy, &tenant).await;
    }
    let leases = [format!("job {}", made.job.name), format!("target {}", made.job.target.identity())];
    let _lease = store.lease(&leases).map_err(on.store())?;
    on.take_over(&made.from_tenant, store, &tenant).await
}

impl Run<'_> {
    async fn take_over(
        &self,
        passing: &Job,
        store: &Store,
        tenant: &Tenant<'_>,
    ) -> Result<TakenOver, CycleError> {
        self.by_hand(store, tenant.dry, async |state, cycle, record| {
            let prepared = self.prepare(store, state, cycle).await?;
            record.digest.clone_from(&prepared.planned.header.digest);
            let looking = Run { job: passing, how: self.how };
            let passed = looking.pass(store, state, tenant).await?;
            let planned = self.decided_again(store, state).await?;
            record.notes.clone_from(&planned.header.notes);
            self.taken(store, state, tenant, passed, planned).await
        })
        .await
    }

    /// One cycle that a command asks for: it reads, but writes nothing to the target. Its record is kept.
    pub(super) async fn by_hand<T>(
        &self,
        store: &Store,
        dry: bool,
        work: impl AsyncFnOnce(&JobState, crate::store::CycleId, &mut CycleRecord) -> Result<T, CycleError>,
    ) -> Result<T, CycleError> {
        let state = store.job(&self.job.name).await.map_err(self.store())?;
        self.not_paused(&state)?;
        self.identified(store, &state).await?;
        if self.has_other_target(&state) {
            let cure = format!("run a cycle and look at what it says: rosterd held {}", self.job.name);
            return Err(self.refuses(format!("its target is not the one of its first cycle; {cure}")));
        }
        let now = self.how.now.as_second();
        let cycle = store.start_cycle(state.id, now).await.map_err(self.store())?;
        let mut record = CycleRecord {
            job: self.job.name.clone(),
            cycle: cycle.0,
            started_second: now,
            mode: self.job.mode(&state),
            ..CycleRecord::default()
        };
        learn::recall(store, &*self.job.target, self.how.now).await.map_err(self.store())?;
        let before = (self.job.source.requests(), self.job.target.requests());
        let result = async {
            if !dry {
                settle::settle(self, store, state.id).await?;
            }
            work(&state, cycle, &mut record).await
        }
        .await;
        record.source_requests = self.job.source.requests() - before.0;
        record.target_requests = self.job.target.requests() - before.1;
        let learned = learn::keep(store, &*self.job.target, self.how.now).await.map_err(self.store());
        let left = store.left_over(state.id, now).await.map_err(self.store());
        let left = left.map(|left| note_left(&mut record, left));
        record.ended_second = self.how.clock.now().as_second();
        // What cannot be done as it is asked for is no trouble of the job.
        let trouble = result.as_ref().err().filter(|error| !matches!(error, CycleError::Provision { .. }));
        record.error = trouble.map(|error| super::chain(error));
        let ended = store.end_cycle(cycle, record.ended_second, kept(&record)).await.map_err(self.store());
        let result = result?;
        learned.and(left).and(ended).map(|()| result)
    }

    async fn pass(
        &self,
        store: &Store,
        state: &JobState,
        tenant: &Tenant<'_>,
    ) -> Result<PassedOver, CycleError> {
        for _ in 0..ATTEMPTS {
            let (mut pairs, theirs) = self.looked_at(store, state, tenant).await?;
            let (asleep, sure): (Vec<Pair>, Vec<Pair>) =
                std::mem::take(&mut pairs.sure).into_iter().partition(|pair| !pair.found.active);
            pairs.sure = sure;
            pairs.read_members(self).await?;
            if pairs.sure.is_empty() && asleep.is_empty() && theirs == 0 {
                return Err(self.matches_nobody(tenant));
            }
            let version = |pair: &Pair| (pair.found.id.clone(), pair.passed.version.clone());
            let takeover = Takeover {
                workspace: tenant.workspace.to_owned(),
                tenant: tenant.tenant.to_owned(),
                job: (state.id, self.job.name.clone()),
                passed: pairs.sure.iter().map(|pair| pair.passed.clone()).collect(),
                asleep: asleep.iter().map(version).collect(),
            };
            let passage = store.take_over_tenant(takeover, tenant.by.clone()).await.map_err(self.store())?;
            if let Some(passage) = passage {
                return Ok(PassedOver { pairs, asleep, passage });
            }
        }
        Err(self.refuses(format!(
            "push {} keeps changing what is looked at; nothing was done; stop its provisioning in the directory, or try \
             again",
            tenant.tenant
        )))
    }

    /// Pairs with what the tenant owns; of those that others own nothing is said here. And how many resources of the
    /// tenant have a link of the job already.
    async fn looked_at(
        &self,
        store: &Store,
        state: &JobState,
        tenant: &Tenant<'_>,
    ) -> Result<(Pairs, usize), CycleError> {
        let owner = Owner::Push(tenant.tenant.to_owned());
        let mut bears = BTreeMap::new();
        for kind in Kind::ALL {
            let does = store.bear_source_ids(state.id, tenant.workspace, owner.clone(), kind).await;
            bears.insert(kind, does.map_err(self.store())?);
        }
        let how = |kind| {
            let bear_source_ids = bears.get(&kind).copied().unwrap_or_default();
            matching::Passing { bear_source_ids, by_external_id: true }
        };
        let mut pairs = passing::pairs(self, store, state.id, how).await?;
        let ids = pairs.sure.iter().map(|pair| pair.found.id.clone()).collect();
        let theirs = store.owned_among(tenant.workspace, owner.clone(), ids).await.map_err(self.store())?;
        pairs.sure.retain(|pair| theirs.contains(&pair.found.id));
        let owned = store.owned(state.id, tenant.workspace, owner).await.map_err(self.store())?;
        Ok((pairs, owned.iter().filter(|one| one.linked).count()))
    }

    async fn taken(
        &self,
        store: &Store,
        state: &JobState,
        tenant: &Tenant<'_>,
        PassedOver { pairs, asleep, passage }: PassedOver,
        planned: Planned,
    ) -> Result<TakenOver, CycleError> {
        let mut passed: BTreeMap<Kind, u64> = BTreeMap::new();
        for pair in &pairs.sure {
            *passed.entry(pair.who.kind).or_default() += 1;
        }
        let owner = Owner::Push(tenant.tenant.to_owned());
        let left = store.owned(state.id, tenant.workspace, owner).await.map_err(self.store())?;
        Ok(TakenOver {
            passed,
            foreign: self.foreign_names(&passage.foreign).await?,
            passage,
            asleep: asleep.into_iter().map(|pair| (pair.who, pair.found.id)).collect(),
            unsure: pairs.unsure,
            absent: pairs.absent,
            left,
            planned,
        })
    }

    fn matches_nobody(&self, tenant: &Tenant<'_>) -> CycleError {
        self.refuses(format!(
            "it wants nobody whom push {} made in workspace {}, so nothing passes and no token is revoked; look whether it \
             is the right tenant and the right job, and what it matches by: rosterd plan {}",
            tenant.tenant, tenant.workspace, self.job.name
        ))
    }
}
