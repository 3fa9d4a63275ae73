//! Writing: what is to go, class by class, an intent before each batch and its outcomes after it (P5). Carrying
//! out makes no choices.

use std::collections::BTreeMap;

use serde_json::Value;

use super::CycleError;
use super::Planned;
use super::Progress;
use super::Run;
use super::failure;
use super::landed;
use super::stream;
use super::unique;
use super::witness;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::LinkId;
use crate::model::Origin;
use crate::plan;
use crate::plan::Act;
use crate::plan::Class;
use crate::plan::CycleRecord;
use crate::plan::Edit;
use crate::plan::Failure;
use crate::plan::Mode;
use crate::plan::Step;
use crate::scim;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::profiles::ActiveSemantics;
use crate::store::After;
use crate::store::CycleId;
use crate::store::Ended;
use crate::store::EntryId;
use crate::store::Intent;
use crate::store::JobId;
use crate::store::JobState;
use crate::store::PendingLink;
use crate::store::Sent;
use crate::store::Store;
use crate::store::crash_point;
use crate::targets::Operation;
use crate::targets::Outcome;

/// The outcome of a request whose answer never came.
pub(super) const UNKNOWN: &str = "unknown";
/// The outcome of a request that is sent again in halves.
pub(super) const SPLIT: &str = "not_done";

/// Carries out what is to go. `record` is kept current, so that it tells the truth also when this ends early.
pub(super) async fn write(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    cycle: CycleId,
    planned: &Planned,
    record: &mut CycleRecord,
) -> Result<(), CycleError> {
    let of = planned.header.counts.values().flat_map(BTreeMap::values).map(|tally| tally.go).sum();
    if of == 0 || on.job.mode(state) == Mode::Observe {
        return Ok(());
    }
    let testimony = witness::witness(on, store, state.id).await?;
    let mut writer = Writer { on, store, job: state.id, cycle, testimony, only: None, record, done: 0, of };
    for class in Class::ALL {
        match class {
            Class::Rename => {
                writer.renames().await?;
                writer.retirements().await?;
            }
            Class::AddMembers => writer.memberships(true).await?,
            Class::RemoveMembers => writer.memberships(false).await?,
            Class::References => writer.references().await?,
            _ => {
                for kind in Kind::ALL {
                    writer.class(class, kind).await?;
                }
            }
        }
    }
    Ok(())
}

pub(super) struct Writer<'a> {
    pub(super) on: &'a Run<'a>,
    pub(super) store: &'a Store,
    pub(super) job: JobId,
    pub(super) cycle: CycleId,
    pub(super) testimony: witness::Testimony,
    /// Nothing but this team is written.
    pub(super) only: Option<LinkId>,
    pub(super) record: &'a mut CycleRecord,
    pub(super) done: u64,
    pub(super) of: u64,
}

/// One change on its way: what is sent, and what it will make of the link.
struct Sending {
    link: PendingLink,
    act: Act,
    /// Another value for the unique attribute, for a swap.
    park: Option<String>,
}

impl Writer<'_> {
    pub(super) async fn class(&mut self, class: Class, kind: Kind) -> Result<(), CycleError> {
        let mut after = String::new();
        loop {
            self.on.stopped()?;
            let batch = self.on.job.target.batch();
            let chunk = self
                .store
                .pending_links(self.job, class, kind, after.clone(), batch)
                .await
                .map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after.clone_from(&last.source.0);
            let ready =
                chunk.into_iter().filter(|link| self.is_due(link)).map(|link| self.sending(link, None));
            let ready = ready.collect();
            self.send(ready).await?;
        }
    }

    /// The change of one link, unless somebody else's has to go before it.
    pub(super) async fn link(&mut self, link: LinkId) -> Result<(), CycleError> {
        let pending = self.store.pending_by_id(vec![link]).await.map_err(self.on.store())?;
        let due = pending.into_iter().filter(|link| self.is_due(link));
        let ready = due.map(|link| self.sending(link, None)).collect();
        self.send(ready).await
    }

    /// Releases before takes; a swap parks one of the two under a temporary name.
    async fn renames(&mut self) -> Result<(), CycleError> {
        let steps = unique::steps(self.on, self.store, self.job).await?;
        for chunk in steps.chunks(self.on.job.target.batch()) {
            self.on.stopped()?;
            // A value that another had is taken in a batch of its own: a remote target does a batch at once.
            for group in chunk.chunk_by(|_, next| matches!(next, Step::Take { released: false, .. })) {
                self.rename(group).await?;
            }
        }
        // Other renames keep their unique value (a work e-mail alone).
        self.class(Class::Rename, Kind::User).await
    }

    async fn rename(&mut self, steps: &[Step]) -> Result<(), CycleError> {
        let mut parked = BTreeMap::new();
        let mut links = Vec::new();
        for step in steps {
            match step {
                Step::Take { link, .. } => links.push(*link),
                Step::Park(link) => {
                    links.push(*link);
                    parked.insert(*link, ());
                }
                Step::Blocked { .. } => {}
            }
        }
        let pending = self.store.pending_by_id(links).await.map_err(self.on.store())?;
        let due = pending.into_iter().filter(|link| self.is_due(link));
        let sending = due.map(|link| {
            let park = parked.contains_key(&link.link).then(|| temporary(link.link));
            self.sending(link, park)
        });
        let sending = sending.collect();
        self.send(sending).await
    }

    fn is_due(&self, link: &PendingLink) -> bool {
        self.only.is_none_or(|only| only == link.link)
            && link.hold.is_none()
            && link.retires.is_none()
            && link.due_second.is_none_or(|due| due <= self.on.how.now.as_second())
    }

    fn sending(&self, link: PendingLink, park: Option<String>) -> Sending {
        let act = match &park {
            Some(name) => Act::Update {
                edits: vec![Edit {
                    path: "userName".to_owned(),
                    old: link.applied.accepted().and_then(|is| is.sent.get("userName").cloned()),
                    new: Some(Value::String(name.clone())),
                }],
            },
            None => stream::act(&self.on.job.rules, &link),
        };
        Sending { link, act, park }
    }

    async fn send(&mut self, sending: Vec<Sending>) -> Result<(), CycleError> {
        if sending.is_empty() {
            return Ok(());
        }
        let intents = sending.iter().map(|sending| self.intent(sending)).collect();
        let entries = self.intend(intents).await?;
        let mut outcomes: Vec<Option<Outcome>> = vec![None; sending.len()];
        let mut operations = Vec::new();
        let mut sent = Vec::new();
        for (at, sending) in sending.iter().enumerate() {
            match operation(self.on, sending) {
                Some(operation) => {
                    operations.push(operation);
                    sent.push(at);
                }
                // Adopting what is equal already needs no request.
                None => outcomes[at] = resource(sending).map(|id| Outcome::Done { id, shown: None }),
            }
        }
        if !operations.is_empty() {
            let answers = self.apply(&operations).await?;
            for (at, answer) in sent.into_iter().zip(answers) {
                outcomes[at] = Some(answer);
            }
        }
        let mut ended = Vec::with_capacity(sending.len());
        for ((sending, entry), outcome) in sending.iter().zip(entries).zip(outcomes) {
            let Some(outcome) = outcome else { continue };
            let conflict = matches!((&sending.act, &outcome), (Act::Create { .. }, Outcome::Conflict { .. }));
            let mut end = self.ended(sending, entry, outcome);
            if conflict
                && let Some(after) = landed::after_all(self.on, self.store, self.job, &sending.link).await?
            {
                let detail = "an earlier request had arrived after all".to_owned();
                end = Ended { outcome: "done", detail, after, ..end };
            }
            ended.push(end);
        }
        self.end(ended).await
    }

    /// Makes intents durable, before anything of them is sent.
    pub(super) async fn intend(&self, intents: Vec<Intent>) -> Result<Vec<EntryId>, CycleError> {
        crash_point("before_intent");
        let sent = Sent {
            now_second: self.on.how.now.as_second(),
            at_ms: self.on.how.clock.now().as_millisecond(),
            patience_ms: i64::try_from(self.on.job.target.patience().as_millis()).unwrap_or(i64::MAX),
        };
        let entries = self.store.intend(self.job, self.cycle, sent, intents).await;
        crash_point("after_intent");
        entries.map_err(self.on.store())
    }

    /// Sends what has its intent.
    pub(super) async fn apply(&self, operations: &[Operation]) -> Result<Vec<Outcome>, CycleError> {
        let outcomes = self.on.job.target.apply(operations).await;
        crash_point("after_answer");
        outcomes.map_err(self.on.target())
    }

    fn intent(&self, sending: &Sending) -> Intent {
        let link = &sending.link;
        let mut edits = plan::shown_edits(self.on.job.rules.mapping(link.kind), edits(&sending.act));
        if activates(sending) {
            edits.push(active(false, true));
        }
        let told = self.testimony.of_link(link.link);
        Intent {
            link: link.link,
            class: link.class,
            cause: link.cause.clone(),
            people: Vec::new(),
            edits,
            approved: link.approved,
            evidence: told.map(|told| told.evidence.clone()),
            proofs: witness::proofs(witness::shown_of(link), told),
        }
    }

    /// Counts outcomes and records them. An answer that never came leaves its entry open: it is settled by
    /// asking when the next cycle begins.
    pub(super) async fn end(&mut self, ended: Vec<Ended>) -> Result<(), CycleError> {
        for end in &ended {
            let changes = end.people.len().max(1) as u64;
            let counts = match end.outcome {
                "done" => &mut self.record.done,
                // It is sent again in parts, and these are counted.
                SPLIT => continue,
                _ => &mut self.record.failed,
            };
            *counts.entry(end.class).or_default() += changes;
            self.done += changes;
        }
        (self.on.how.watch)(Progress::Writing { done: self.done, of: self.of });
        let now = self.on.how.now.as_second();
        let answered = ended.into_iter().filter(|end| end.outcome != UNKNOWN).collect();
        let clock_ms = Some(self.on.how.clock.now().as_millisecond());
        let recorded = self.store.end(self.job, now, clock_ms, answered).await;
        crash_point("after_outcome");
        recorded.map_err(self.on.store())
    }

    fn ended(&self, sending: &Sending, entry: EntryId, outcome: Outcome) -> Ended {
        let link = &sending.link;
        let failure = failure::failure(&outcome);
        let (outcome, detail, after) = match (outcome, failure) {
            // Whoever is gone from the target has lost everything there: a leaver is done with.
            (Outcome::Missing, _)
                if matches!(link.class, Class::Deactivate | Class::Delete | Class::DeleteTeams) =>
            {
                ("done", "the target had no such account any more".to_owned(), After::Gone)
            }
            (Outcome::Missing, Some(failure)) if link.applied != Applied::Absent => {
                ("missing", failure.reason.clone(), After::Lost { failure })
            }
            (Outcome::Done { .. }, _) if self.loses_identity(sending) => {
                ("done", "the service deletes whoever is not active".to_owned(), After::Gone)
            }
            (Outcome::Done { id, shown }, _) => {
                ("done", String::new(), accepted(sending, id, shown.as_ref()))
            }
            (Outcome::Unknown { detail }, _) => (UNKNOWN, detail, After::Unchanged),
            (outcome, failure) => {
                let (word, detail) = failure::told(&outcome);
                (word, detail, failure.map_or(After::Unchanged, |failure| self.failed(failure)))
            }
        };
        Ended { entry, link: link.link, class: link.class, outcome, detail, people: Vec::new(), after }
    }

    /// Whether nobody is left to be reactivated: there the id goes with the activity (SCIM reference, O7).
    fn loses_identity(&self, sending: &Sending) -> bool {
        let semantics = self.on.job.target.demands().active_semantics;
        sending.act == Act::Deactivate && semantics == ActiveSemantics::DeleteIdentity
    }

    pub(super) fn failed(&self, failure: Failure) -> After {
        After::Failed { failure, schedule: self.on.job.limits.escrow.clone() }
    }
}

fn temporary(link: LinkId) -> String {
    format!("rosterd-rename-{}", link.0)
}

fn active(old: bool, new: bool) -> Edit {
    Edit { path: "active".to_owned(), old: Some(Value::Bool(old)), new: Some(Value::Bool(new)) }
}

/// Whether an adoption makes the account active that it finds.
fn activates(sending: &Sending) -> bool {
    let inactive = sending.link.adopt.as_ref().is_some_and(|adopt| !adopt.active);
    inactive && sending.link.kind == Kind::User && matches!(sending.act, Act::Link { .. })
}

/// Old and new values, as the journal keeps them.
fn edits(act: &Act) -> Vec<Edit> {
    match act {
        Act::Create { attributes } => attributes
            .iter()
            .map(|(path, value)| Edit { path: path.clone(), old: None, new: Some(value.clone()) })
            .collect(),
        Act::Link { edits, .. } | Act::Update { edits } => edits.clone(),
        Act::Reactivate { edits } => {
            std::iter::once(active(false, true)).chain(edits.iter().cloned()).collect()
        }
        Act::Deactivate => vec![active(true, false)],
        Act::Release { .. }
        | Act::Delete
        | Act::AddMember { .. }
        | Act::RemoveMember { .. }
        | Act::Refer { .. } => Vec::new(),
    }
}

/// `None` where there is nothing to send.
fn operation(on: &Run<'_>, sending: &Sending) -> Option<Operation> {
    let kind = sending.link.kind;
    if let Act::Create { attributes } = &sending.act {
        let mut attributes = attributes.clone();
        if kind == Kind::User && on.job.rules.users.rows.iter().any(|row| row.target == "active") {
            attributes.set("active", Value::Bool(true));
        }
        return Some(Operation::Create { kind, attributes });
    }
    let id = resource(sending)?;
    if sending.act == Act::Delete {
        return Some(Operation::Delete { kind, id });
    }
    let mapping = on.job.rules.mapping(kind);
    let (add, set): (Vec<Edit>, Vec<Edit>) =
        edits(&sending.act).into_iter().partition(|edit| mapping.only_adds(&edit.path));
    let add: Vec<(String, Value)> =
        add.into_iter().map(|edit| (edit.path.clone(), Value::Array(plan::added(&edit)))).collect();
    let mut set: Vec<(String, Value)> =
        set.into_iter().map(|edit| (edit.path, edit.new.unwrap_or(Value::Null))).collect();
    if activates(sending) {
        set.push(("active".to_owned(), Value::Bool(true)));
    }
    (!set.is_empty() || !add.is_empty()).then_some(Operation::Patch { kind, id, set, add })
}

fn resource(sending: &Sending) -> Option<ResourceId> {
    match &sending.act {
        Act::Link { resource, .. } => Some(resource.clone()),
        _ => sending.link.applied.accepted().map(|accepted| accepted.resource.clone()),
    }
}

/// What a target that answers without a body shows now: what was written, and of the rest what it showed before.
fn as_it_was(sending: &Sending, sent: &Attributes) -> Attributes {
    let before = match (&sending.act, &sending.link.adopt) {
        (Act::Link { .. }, Some(adopt)) => Some(&adopt.shown),
        _ => sending.link.applied.accepted().map(|is| &is.shown),
    };
    let written = edits(&sending.act);
    let is_written = |path: &str| written.iter().any(|edit| edit.path == path);
    let shows = |path: &str, value: &Value| match before.filter(|_| !is_written(path)) {
        Some(before) => before.get(path).cloned().unwrap_or(Value::Null),
        None => value.clone(),
    };
    sent.iter().map(|(path, value)| (path.clone(), shows(path, value))).collect()
}

/// What the target has accepted: as we sent it, and as it shows it where it does.
fn accepted(sending: &Sending, id: ResourceId, body: Option<&Value>) -> After {
    let link = &sending.link;
    let (mut sent, origin) = match (&sending.act, &link.applied) {
        (Act::Delete, _) => return After::Gone,
        (Act::Release { .. }, _) if link.desired == Desired::Absent => return After::Gone,
        (Act::Create { attributes }, _) => (attributes.clone(), Origin::Created),
        (Act::Link { .. }, _) => match &link.adopt {
            Some(adopt) if adopt.origin == Origin::Joined => (adopt.shown.clone(), Origin::Joined),
            _ => (Attributes::default(), Origin::Adopted),
        },
        (_, Applied::Active(is) | Applied::Inactive(is)) => (is.sent.clone(), is.origin),
        (_, Applied::Absent) => (Attributes::default(), Origin::Created),
    };
    if let (Desired::Active(wanted), true) = (&link.desired, origin != Origin::Joined) {
        wanted.iter().for_each(|(path, value)| sent.set(path.clone(), value.clone()));
    }
    if let Some(name) = &sending.park {
        sent = link.applied.accepted().map(|is| is.sent.clone()).unwrap_or_default();
        sent.set("userName", Value::String(name.clone()));
    }
    let shown = match body {
        Some(body) => scim::shown(body, sent.0.keys()),
        None => as_it_was(sending, &sent),
    };
    let key = sent.text("userName").or_else(|| sent.text("displayName")).map(scim::fold);
    let accepted = Accepted { resource: id, sent, shown, origin };
    match &sending.park {
        Some(name) => After::Parked { active: true, accepted, key: scim::fold(name) },
        None => {
            let active = !matches!(sending.act, Act::Deactivate | Act::Release { .. });
            After::Applied { active, accepted, key }
        }
    }
}
