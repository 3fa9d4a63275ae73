//! References between people, in a pass of their own: when all accounts are there, one write for each. A reference
//! that fails, or that waits, never is a failure of the person (Entra provisioning reference, section 5).

use serde_json::Value;

use super::CycleError;
use super::Progress;
use super::failure;
use super::judge::Judge;
use super::write::Writer;
use crate::model::LinkId;
use crate::plan;
use crate::plan::Candidate;
use crate::plan::Class;
use crate::plan::Edit;
use crate::plan::EscrowSchedule;
use crate::plan::Hold;
use crate::scim;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::After;
use crate::store::Ended;
use crate::store::EntryId;
use crate::store::Intent;
use crate::store::PendingReference;
use crate::store::ReferencePlace;
use crate::targets::Operation;
use crate::targets::Outcome;

/// References judged in one transaction.
const CHUNK: usize = 5_000;

impl Judge<'_> {
    pub(super) async fn references(&self, judged: &mut u64) -> Result<(), CycleError> {
        let mut after = ReferencePlace::default();
        loop {
            self.on.stopped()?;
            let chunk =
                self.store.pending_references(self.job, after, CHUNK).await.map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = last.place();
            self.look_at_references(&chunk).await?;
            *judged += chunk.len() as u64;
            (self.on.how.watch)(Progress::Judging { changes: *judged });
        }
    }

    pub(super) async fn look_at_references(&self, chunk: &[PendingReference]) -> Result<(), CycleError> {
        let holds = chunk.iter().map(|reference| (reference, self.reference_hold(reference)));
        let changed = holds.filter(|(reference, hold)| reference.hold != *hold);
        let changed = changed.map(|(reference, hold)| (reference.person, reference.path.clone(), hold));
        self.store.save_reference_holds(changed.collect()).await.map_err(self.on.store())
    }

    fn reference_hold(&self, reference: &PendingReference) -> Option<Hold> {
        if self.moved.is_some() {
            return self.moved.clone();
        }
        let candidate = Candidate {
            class: Class::References,
            cause: &reference.cause,
            team: false,
            approved: reference.approved,
            protected: self.on.job.rules.protect.contains(&scim::fold(&reference.person_name)),
            by_time: false,
            rejected: reference.rejected,
            loses: None,
        };
        plan::judge(&self.on.job.name, self.mode, &self.on.job.rules.actions, &self.guard, &candidate)
    }
}

impl Writer<'_> {
    pub(super) async fn references(&mut self) -> Result<(), CycleError> {
        let mut after = ReferencePlace::default();
        loop {
            self.on.stopped()?;
            let batch = self.on.job.target.batch();
            let chunk =
                self.store.pending_references(self.job, after, batch).await.map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = last.place();
            let now = self.on.how.now.as_second();
            let sending = chunk.into_iter().filter_map(|reference| Sending::of(reference, now));
            self.send_references(sending.collect()).await?;
        }
    }

    /// Those of one person.
    pub(super) async fn references_of(&mut self, person: LinkId) -> Result<(), CycleError> {
        let pending = self.store.pending_references_of(person).await.map_err(self.on.store())?;
        let now = self.on.how.now.as_second();
        let sending = pending.into_iter().filter_map(|reference| Sending::of(reference, now));
        self.send_references(sending.collect()).await
    }

    async fn send_references(&mut self, sending: Vec<Sending>) -> Result<(), CycleError> {
        if sending.is_empty() {
            return Ok(());
        }
        let intents = sending.iter().map(Sending::intent).collect();
        let entries = self.intend(intents).await?;
        let operations: Vec<Operation> = sending.iter().map(Sending::operation).collect();
        let outcomes = self.apply(&operations).await?;
        let schedule = &self.on.job.limits.escrow;
        let ended = sending.iter().zip(entries).zip(outcomes);
        let ended = ended.map(|((sending, entry), outcome)| sending.ended(entry, outcome, schedule));
        self.end(ended.collect()).await
    }
}

/// A reference that goes: both accounts are there, or nobody is meant.
struct Sending {
    reference: PendingReference,
    resource: ResourceId,
}

impl Sending {
    fn of(reference: PendingReference, now: i64) -> Option<Sending> {
        let due = reference.hold.is_none() && reference.due_second.is_none_or(|due| due <= now);
        let known = reference.new.is_some() || !reference.wanted;
        let resource = reference.person_resource.clone().filter(|_| due && known)?;
        Some(Sending { reference, resource })
    }

    fn intent(&self) -> Intent {
        let id = |id: &Option<ResourceId>| id.as_ref().map(|id| Value::String(id.0.clone()));
        let PendingReference { path, old, new, .. } = &self.reference;
        Intent {
            link: self.reference.person,
            class: Class::References,
            cause: self.reference.cause.clone(),
            people: Vec::new(),
            edits: vec![Edit { path: path.clone(), old: id(old), new: id(new) }],
            approved: self.reference.approved,
            evidence: None,
            proofs: None,
        }
    }

    fn operation(&self) -> Operation {
        let path = self.reference.path.clone();
        let value = self.reference.new.as_ref().map_or(Value::Null, |id| plan::reference_value(&path, &id.0));
        let set = vec![(path, value)];
        Operation::Patch { kind: Kind::User, id: self.resource.clone(), set, add: Vec::new() }
    }

    fn ended(&self, entry: EntryId, outcome: Outcome, schedule: &EscrowSchedule) -> Ended {
        let PendingReference { path, new, .. } = &self.reference;
        let path = path.clone();
        let (word, detail) = failure::told(&outcome);
        let after = match (&outcome, failure::failure(&outcome)) {
            (Outcome::Done { .. }, _) => After::Refers { path, resource: new.clone() },
            (_, Some(failure)) => After::ReferenceFailed { path, failure, schedule: schedule.clone() },
            (_, None) => After::Unchanged,
        };
        let (link, class, people) = (self.reference.person, Class::References, Vec::new());
        Ended { entry, link, class, outcome: word, detail, people, after }
    }
}
