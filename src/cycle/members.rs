//! Memberships on their way: one operation a team and batch, one journal entry for each.

use std::collections::BTreeSet;

use super::CycleError;
use super::failure;
use super::witness::Testimony;
use super::witness::Told;
use super::witness::by_absence;
use super::witness::proofs;
use super::witness::questions_of;
use super::write::SPLIT;
use super::write::Writer;
use crate::model::By;
use crate::model::LinkId;
use crate::model::Shown;
use crate::plan::CauseId;
use crate::plan::Class;
use crate::plan::EscrowSchedule;
use crate::plan::Proof;
use crate::scim::ResourceId;
use crate::store::After;
use crate::store::EdgePlace;
use crate::store::Ended;
use crate::store::EntryId;
use crate::store::Intent;
use crate::store::PendingEdge;
use crate::targets::Operation;
use crate::targets::Outcome;

/// Memberships looked at in one transaction.
const CHUNK: usize = 5_000;

/// Batches that are sent again in halves, of one call of the target: enough to find a few that are refused among
/// thousands. Where most are refused, the rest waits with them.
const SPLITS_MAX: usize = 100;

/// Members of one team that are added, or removed, for one cause.
#[derive(Clone)]
struct Batch {
    team: LinkId,
    resource: ResourceId,
    cause: CauseId,
    approved: bool,
    people: Vec<(LinkId, ResourceId)>,
    /// The team itself is not wanted any more.
    team_lost: bool,
    /// Another job holds these memberships as well: ours are only let go.
    kept: bool,
    /// What of the source showed that they are to go.
    shown: BTreeSet<Shown>,
}

impl Writer<'_> {
    pub(super) async fn memberships(&mut self, adds: bool) -> Result<(), CycleError> {
        let mut after = EdgePlace::default();
        loop {
            self.on.stopped()?;
            let chunk =
                self.store.pending_edges(self.job, adds, after, CHUNK).await.map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = last.place();
            let chosen = chunk.into_iter().filter(|edge| self.only.is_none_or(|only| only == edge.team));
            let batches = batches(chosen.collect(), self.on.how.now.as_second());
            for batches in batches.chunks(self.on.job.target.batch()) {
                self.on.stopped()?;
                self.send_members(adds, batches).await?;
            }
        }
    }

    /// Those of one person: each is a team of its own.
    pub(super) async fn memberships_of(&mut self, person: LinkId, adds: bool) -> Result<(), CycleError> {
        let pending = self.store.pending_edges_of(person).await.map_err(self.on.store())?;
        let chosen = pending.into_iter().filter(|edge| edge.adds == adds).collect();
        for batches in batches(chosen, self.on.how.now.as_second()).chunks(self.on.job.target.batch()) {
            self.on.stopped()?;
            self.send_members(adds, batches).await?;
        }
        Ok(())
    }

    /// A batch that is refused is sent again in halves until the one that is refused is alone, so that the others of its
    /// team go on (P12).
    async fn send_members(&mut self, adds: bool, batches: &[Batch]) -> Result<(), CycleError> {
        let mut splits = SPLITS_MAX;
        let mut halves = self.send_batches(adds, batches, &mut splits).await?;
        while !halves.is_empty() {
            self.on.stopped()?;
            halves = self.send_batches(adds, &halves, &mut splits).await?;
        }
        Ok(())
    }

    /// Returns what is to be sent again.
    async fn send_batches(
        &mut self,
        adds: bool,
        batches: &[Batch],
        splits: &mut usize,
    ) -> Result<Vec<Batch>, CycleError> {
        let class = if adds { Class::AddMembers } else { Class::RemoveMembers };
        let intents = batches.iter().map(|batch| batch.intent(class, &self.testimony)).collect();
        let entries = self.intend(intents).await?;
        let sent = batches.iter().filter(|batch| !batch.kept);
        let operations: Vec<Operation> = sent.map(|batch| batch.operation(adds)).collect();
        let mut outcomes = match operations.as_slice() {
            [] => Vec::new(),
            some => self.apply(some).await?,
        }
        .into_iter();
        let schedule = &self.on.job.limits.escrow;
        let (mut ended, mut again) = (Vec::with_capacity(batches.len()), Vec::new());
        for (batch, entry) in batches.iter().zip(entries) {
            let kept = || Some(Outcome::Done { id: batch.resource.clone(), shown: None });
            let Some(outcome) = (if batch.kept { kept() } else { outcomes.next() }) else { continue };
            if *splits > 0 && batch.is_split(&outcome) {
                *splits -= 1;
                let (whole, halves) = batch.split(entry, class, &outcome);
                ended.push(whole);
                again.extend(halves);
            } else {
                ended.push(batch.ended(entry, class, outcome, schedule));
            }
        }
        self.end(ended).await?;
        Ok(again)
    }
}

impl Batch {
    fn people(&self) -> Vec<LinkId> {
        self.people.iter().map(|(link, _)| *link).collect()
    }

    fn intent(&self, class: Class, testimony: &Testimony) -> Intent {
        let told: Vec<&Told> =
            self.people.iter().filter_map(|(person, _)| testimony.of_edge(self.team, *person)).collect();
        let mut sentences: Vec<&str> = told.iter().map(|told| told.evidence.as_str()).collect();
        sentences.dedup();
        let evidence = (!sentences.is_empty()).then(|| sentences.join("; "));
        let all = Told {
            evidence: String::new(),
            witness: told.iter().flat_map(|told| told.witness.iter().cloned()).collect(),
        };
        Intent {
            evidence,
            proofs: proofs(self.shown.iter().cloned().collect(), Some(&all)),
            link: self.team,
            class,
            cause: self.cause.clone(),
            people: self.people(),
            edits: Vec::new(),
            approved: self.approved,
        }
    }

    fn operation(&self, adds: bool) -> Operation {
        let ids: Vec<ResourceId> = self.people.iter().map(|(_, id)| id.clone()).collect();
        let (add, remove) = if adds { (ids, Vec::new()) } else { (Vec::new(), ids) };
        Operation::Members { team: self.resource.clone(), add, remove }
    }

    fn ended(&self, entry: EntryId, class: Class, outcome: Outcome, schedule: &EscrowSchedule) -> Ended {
        let people = self.people();
        let adds = class == Class::AddMembers;
        let (mut word, mut detail) = failure::told(&outcome);
        let after = match (&outcome, failure::failure(&outcome)) {
            (Outcome::Done { .. }, _) => After::Members { people: people.clone(), adds },
            // Of a team that is to be empty nothing is left to be removed; one that is wanted is an anchor that was lost.
            (Outcome::Missing, _) if !adds && self.team_lost => {
                (word, detail) = ("done", "the target had no such team any more".to_owned());
                After::Members { people: people.clone(), adds }
            }
            (Outcome::Missing, Some(failure)) => After::Lost { failure },
            (_, Some(failure)) => After::Failed { failure, schedule: schedule.clone() },
            (_, None) => After::Unchanged,
        };
        Ended { entry, link: self.team, class, outcome: word, detail, people, after }
    }

    /// Refused as a whole: one of them may be why.
    fn is_split(&self, outcome: &Outcome) -> bool {
        self.people.len() > 1 && matches!(outcome, Outcome::Refused { .. } | Outcome::Conflict { .. })
    }

    fn split(&self, entry: EntryId, class: Class, outcome: &Outcome) -> (Ended, [Batch; 2]) {
        let (_, detail) = failure::told(outcome);
        let detail = format!("{detail}; sent again in halves");
        let ended = Ended {
            entry,
            link: self.team,
            class,
            outcome: SPLIT,
            detail,
            people: self.people(),
            after: After::Unchanged,
        };
        let (one, other) = self.people.split_at(self.people.len() / 2);
        (ended, [one, other].map(|people| Batch { people: people.to_vec(), ..self.clone() }))
    }
}

/// Of a removal, and not of one that follows from the person's own change.
fn shown_of(edge: &PendingEdge) -> Vec<Shown> {
    match edge.proof {
        _ if edge.adds || edge.follows => Vec::new(),
        Proof::Absence => by_absence(&questions_of(edge)),
        Proof::Event => {
            vec![Shown { collection: format!("members of {}", edge.team_source), by: By::Event }]
        }
    }
}

/// What is to go and has both its ends, by team and cause; the order of the stream is kept.
fn batches(edges: Vec<PendingEdge>, now: i64) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for edge in edges {
        let shown = shown_of(&edge);
        let due = edge.hold.is_none() && edge.due_second.is_none_or(|due| due <= now);
        let (true, Some(team), Some(person)) = (due, edge.team_resource, edge.person_resource) else {
            continue;
        };
        let member = (edge.person, person);
        // What follows from a person's own change was counted, or approved, with the person.
        let approved = edge.approved || edge.follows;
        let same = |batch: &&mut Batch| {
            (batch.team, batch.approved, batch.kept) == (edge.team, approved, edge.kept)
                && batch.cause == edge.cause
        };
        match batches.iter_mut().rev().take_while(|batch| batch.team == edge.team).find(|batch| same(batch)) {
            Some(batch) => {
                batch.people.push(member);
                batch.shown.extend(shown);
            }
            None => batches.push(Batch {
                team: edge.team,
                resource: team,
                cause: edge.cause,
                approved,
                people: vec![member],
                team_lost: edge.team_lost,
                kept: edge.kept,
                shown: shown.into_iter().collect(),
            }),
        }
    }
    batches
}
