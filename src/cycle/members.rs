//! Memberships on their way: one operation a team and batch, one journal entry for each.

use super::CycleError;
use super::witness::Testimony;
use super::write::UNKNOWN;
use super::write::Writer;
use super::write::due_again;
use crate::model::LinkId;
use crate::plan::CauseId;
use crate::plan::Class;
use crate::scim::ResourceId;
use crate::store::After;
use crate::store::Ended;
use crate::store::EntryId;
use crate::store::Intent;
use crate::store::PendingEdge;
use crate::targets::Operation;
use crate::targets::Outcome;

/// Memberships looked at in one transaction.
const CHUNK: usize = 5_000;

/// Members of one team that are added, or removed, for one cause.
struct Batch {
    team: LinkId,
    resource: ResourceId,
    cause: CauseId,
    approved: bool,
    people: Vec<(LinkId, ResourceId)>,
    attempts: u32,
    /// Another job holds these memberships as well: ours are only let go.
    kept: bool,
}

impl Writer<'_> {
    pub(super) async fn memberships(&mut self, adds: bool) -> Result<(), CycleError> {
        let mut after = (LinkId(0), LinkId(0));
        loop {
            self.on.stopped()?;
            let chunk =
                self.store.pending_edges(self.job, adds, after, CHUNK).await.map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = (last.team, last.person);
            let chosen = chunk.into_iter().filter(|edge| self.only.is_none_or(|only| only == edge.team));
            let batches = batches(chosen.collect(), self.on.how.now.as_second());
            for batches in batches.chunks(self.on.job.target.batch()) {
                self.on.stopped()?;
                self.send_members(adds, batches).await?;
            }
        }
    }

    async fn send_members(&mut self, adds: bool, batches: &[Batch]) -> Result<(), CycleError> {
        let now = self.on.how.now.as_second();
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
        let mut ended = Vec::with_capacity(batches.len());
        for (batch, entry) in batches.iter().zip(entries) {
            let kept = || Some(Outcome::Done { id: batch.resource.clone(), shown: None });
            let outcome = if batch.kept { kept() } else { outcomes.next() };
            ended.extend(outcome.map(|outcome| batch.ended(entry, class, outcome, now)));
        }
        self.end(ended).await
    }
}

impl Batch {
    fn people(&self) -> Vec<LinkId> {
        self.people.iter().map(|(link, _)| *link).collect()
    }

    fn intent(&self, class: Class, testimony: &Testimony) -> Intent {
        let mut told: Vec<&str> =
            self.people.iter().filter_map(|(person, _)| testimony.of_edge(self.team, *person)).collect();
        told.dedup();
        let evidence = (!told.is_empty()).then(|| told.join("; "));
        Intent {
            evidence,
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

    fn ended(&self, entry: EntryId, class: Class, outcome: Outcome, now: i64) -> Ended {
        let people = self.people();
        let failed = |failure: String| After::Failed { failure, due_second: due_again(now, self.attempts) };
        let adds = class == Class::AddMembers;
        let (outcome, detail, after) = match outcome {
            Outcome::Done { .. } => ("done", String::new(), After::Members { people: people.clone(), adds }),
            Outcome::Missing if !adds => {
                let detail = "the target had no such team any more".to_owned();
                ("done", detail, After::Members { people: people.clone(), adds })
            }
            Outcome::Missing => {
                let detail = "the target no longer has this team (404)".to_owned();
                ("missing", detail.clone(), After::Lost { failure: detail })
            }
            Outcome::Conflict { detail } => ("conflict", detail.clone(), failed(detail)),
            Outcome::Refused { status, detail } => {
                let detail = format!("refused with {status}: {detail}");
                ("refused", detail.clone(), failed(detail))
            }
            Outcome::Later { detail } => ("later", detail, After::Unchanged),
            Outcome::Unknown { detail } => (UNKNOWN, detail, After::Unchanged),
        };
        Ended { entry, link: self.team, class, outcome, detail, people, after }
    }
}

/// What is to go and has both its ends, by team and cause; the order of the stream is kept.
fn batches(edges: Vec<PendingEdge>, now: i64) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for edge in edges {
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
                batch.attempts = batch.attempts.max(edge.attempts);
            }
            None => batches.push(Batch {
                team: edge.team,
                resource: team,
                cause: edge.cause,
                approved,
                people: vec![member],
                attempts: edge.attempts,
                kept: edge.kept,
            }),
        }
    }
    batches
}
