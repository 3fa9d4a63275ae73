//! The plan as it is shown: a header, and a sorted stream of changes read from the pending index.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::CycleError;
use super::Run;
use super::apply;
use super::undo::Only;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::Origin;
use crate::plan;
use crate::plan::Act;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::Change;
use crate::plan::Class;
use crate::plan::Header;
use crate::plan::Mode;
use crate::plan::Proof;
use crate::plan::SavedHead;
use crate::plan::Saving;
use crate::plan::Tally;
use crate::plan::Verdict;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::store::EdgePlace;
use crate::store::JobId;
use crate::store::JobState;
use crate::store::PendingEdge;
use crate::store::PendingLink;
use crate::store::PendingReference;
use crate::store::ReferencePlace;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::Waits;

/// Changes read at once: a plan of any length is shown in constant memory.
const CHUNK: usize = 1_000;
/// Of equal differences in the target so many are named.
const EXAMPLES: usize = 5;
/// Deletions to come that a header names; the rest is counted.
const DELETIONS: usize = 100;

/// A plan that was made, and is not carried out.
pub struct Planned {
    pub header: Header,
    store: Store,
    job: JobId,
    rules: plan::Rules,
    now: Timestamp,
    /// Changes that are not shown, by what they do: of a rehearsal, those that today's rules make as well.
    without: BTreeSet<u64>,
    /// Nothing else is shown: what an undo puts back.
    only: Option<Only>,
}

impl Planned {
    /// Hands every change to `take`, in the plan's order, as it may be shown.
    pub async fn changes(&self, take: &mut (dyn FnMut(Change) + Send)) -> Result<(), StoreError> {
        let mut shown = |change: Change| {
            let mapping = self.rules.mapping(change.kind);
            take(Change { act: plan::shown(mapping, change.act), ..change });
        };
        self.each(&mut shown).await
    }

    /// The same as it is, with what may not be shown.
    async fn each(&self, take: &mut (dyn FnMut(Change) + Send)) -> Result<(), StoreError> {
        let mut left = |change: Change| {
            if self.without.is_empty() || !self.without.contains(&doing(&change)) {
                take(change);
            }
        };
        let stream = Stream { store: &self.store, job: self.job, rules: &self.rules, now: self.now };
        stream.each(self.only.as_ref(), &mut left).await
    }

    /// Hands every line of the plan as a file to `take`.
    pub async fn save(&self, take: &mut (dyn FnMut(String) + Send)) -> Result<(), StoreError> {
        let Header { job, source, target, digest, .. } = self.header.clone();
        let rules = self.store.job(&job).await?.rules.unwrap_or_default();
        let head = SavedHead { form: plan::PLAN_FORM, job, source, target, digest, rules };
        let mut saving = Saving::default();
        take(saving.head(&head));
        for (cause, _) in &self.header.causes {
            take(saving.cause(cause));
        }
        let stream = Stream { store: &self.store, job: self.job, rules: &self.rules, now: self.now };
        let mut line = |row: Row| {
            let change = stream.change(&row);
            let (key, needs) = (apply::key(&change), apply::needs(&row));
            let mapping = self.rules.mapping(change.kind);
            let shown = Change { act: plan::shown(mapping, change.act), ..change };
            take(saving.change(&shown, key, needs));
        };
        stream.rows(&mut line).await?;
        take(saving.end());
        Ok(())
    }

    /// What each change does, whatever its cause and verdict.
    pub(super) async fn identities(&self) -> Result<BTreeMap<u64, Class>, StoreError> {
        let mut identities = BTreeMap::new();
        let mut note = |change: Change| {
            identities.insert(doing(&change), change.class);
        };
        self.each(&mut note).await?;
        Ok(identities)
    }

    /// Shows and counts these no more.
    pub(super) async fn leave_out(&mut self, without: BTreeSet<u64>) -> Result<(), StoreError> {
        self.without = without;
        let mut tallies = Tallies::default();
        self.each(&mut |change| tallies.add(&change)).await?;
        let known = self.store.causes(self.job).await?;
        tallies.into_header(&mut self.header, &known);
        Ok(())
    }
}

/// What has to be known of a job to show what is pending. No secret is needed for it, nor the network.
#[derive(Clone, Copy)]
pub struct Standing<'a> {
    pub job: &'a str,
    pub rules: &'a plan::Rules,
    /// The most that the settings let the job do.
    pub ceiling: Mode,
}

/// The pending changes that a job has now, as its last cycle judged them; nothing is read or asked.
pub async fn standing(
    of: Standing<'_>,
    store: &Store,
    now: Timestamp,
) -> Result<Option<Planned>, StoreError> {
    let Some(state) = store.find_job(of.job).await? else { return Ok(None) };
    let (source, target) = (state.source_identity.clone(), state.target_identity.clone());
    let sides = Sides { source: source.unwrap_or_default(), target: target.unwrap_or_default() };
    tally(of, sides, store, &state, now, None).await.map(Some)
}

pub(super) async fn planned(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    notes: Vec<String>,
) -> Result<Planned, CycleError> {
    let mut planned = whole_or(on, store, state, None).await?;
    planned.header.notes = notes;
    Ok(planned)
}

/// What an undo puts back, and nothing else.
pub(super) async fn of_undo(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    only: Only,
) -> Result<Planned, CycleError> {
    whole_or(on, store, state, Some(only)).await
}

async fn whole_or(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    only: Option<Only>,
) -> Result<Planned, CycleError> {
    let job = on.job;
    let source = state.source_identity.clone().or_else(|| job.source.identity()).unwrap_or_default();
    let sides = Sides { source, target: job.target.identity() };
    tally(job.standing(), sides, store, state, on.how.now, only).await.map_err(on.store())
}

/// Between what the changes go, as the header names it.
struct Sides {
    source: String,
    target: String,
}

async fn tally(
    of: Standing<'_>,
    sides: Sides,
    store: &Store,
    state: &JobState,
    now: Timestamp,
    only: Option<Only>,
) -> Result<Planned, StoreError> {
    let stream = Stream { store, job: state.id, rules: of.rules, now };
    let mut tallies = Tallies::default();
    stream.each(only.as_ref(), &mut |change| tallies.add(&change)).await?;
    let (active, desired) = store.population(state.id).await?;
    let known = if tallies.causes.is_empty() { BTreeMap::new() } else { store.causes(state.id).await? };
    let (deletions, deletions_total) = store.due_deletions(state.id, DELETIONS).await?;
    let held = store.held_causes(state.id, now.as_second()).await?;
    let mut held_since = BTreeMap::new();
    for held in held {
        let since = held_since.entry(held.cause).or_insert(held.since_second);
        *since = held.since_second.min(*since);
    }
    let mut header = Header {
        exemptions: store.exemptions(state.id).await?,
        undone: store.undone(state.id).await?,
        held_since,
        at_second: now.as_second(),
        job: of.job.to_owned(),
        source: sides.source,
        target: sides.target,
        mode: of.ceiling.min(state.mode),
        active,
        desired,
        counts: BTreeMap::new(),
        causes: Vec::new(),
        deletions,
        deletions_total,
        drift: store.drift(state.id, EXAMPLES).await?,
        discovery: None,
        notes: Vec::new(),
        findings: Vec::new(),
        digest: String::new(),
    };
    tallies.into_header(&mut header, &known);
    let (store, rules) = (store.clone(), of.rules.clone());
    Ok(Planned { header, store, job: state.id, rules, now, without: BTreeSet::new(), only })
}

/// What a header counts of a stream of changes.
#[derive(Default)]
struct Tallies {
    counts: BTreeMap<Class, BTreeMap<Kind, Tally>>,
    causes: BTreeMap<CauseId, Tally>,
    digest: blake3::Hasher,
}

impl Tallies {
    fn add(&mut self, change: &Change) {
        add(self.counts.entry(change.class).or_default().entry(change.kind).or_default(), &change.verdict);
        add(self.causes.entry(change.cause.clone()).or_default(), &change.verdict);
        self.digest.update(&identity_of(change));
    }

    fn into_header(self, header: &mut Header, known: &BTreeMap<CauseId, Cause>) {
        let causes = self.causes.into_iter();
        header.causes = causes.filter_map(|(id, tally)| Some((known.get(&id)?.clone(), tally))).collect();
        header
            .causes
            .sort_by(|(a, left), (b, right)| right.total().cmp(&left.total()).then_with(|| a.cmp(b)));
        header.counts = self.counts;
        header.digest = self.digest.finalize().to_hex()[..16].to_owned();
    }
}

/// A hash of what a change does.
fn doing(change: &Change) -> u64 {
    let doing = (&change.class, &change.kind, &change.source, &change.act);
    let text = serde_json::to_vec(&doing).expect("a change is plain values with text keys");
    let hash = blake3::hash(&text);
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

/// What makes a change the same change: not its verdict, so that a plan that was looked at in `observe` is the
/// plan that `enable` names.
pub(super) fn identity_of(change: &Change) -> Vec<u8> {
    let identity = (&change.class, &change.kind, &change.source, &change.act, &change.cause);
    serde_json::to_vec(&identity).expect("a change is plain values with text keys")
}

fn add(tally: &mut Tally, verdict: &Verdict) {
    match verdict {
        Verdict::Go => tally.go += 1,
        Verdict::Held(_) => tally.held += 1,
        Verdict::Waiting(_) => tally.waiting += 1,
        Verdict::Escrow(_) => tally.escrow += 1,
    }
}

/// All that is pending of a job, in the order of a plan.
pub(super) struct Stream<'a> {
    pub(super) store: &'a Store,
    pub(super) job: JobId,
    pub(super) rules: &'a plan::Rules,
    pub(super) now: Timestamp,
}

/// One pending change, as the state keeps it.
pub(super) enum Row {
    Link(Box<PendingLink>),
    Edge(Box<PendingEdge>),
    Reference(Box<PendingReference>),
}

impl Stream<'_> {
    async fn each(
        &self,
        only: Option<&Only>,
        take: &mut (dyn FnMut(Change) + Send),
    ) -> Result<(), StoreError> {
        self.rows(&mut |row| {
            if only.is_none_or(|only| only.covers(&row)) {
                take(self.change(&row));
            }
        })
        .await
    }

    pub(super) async fn rows(&self, take: &mut (dyn FnMut(Row) + Send)) -> Result<(), StoreError> {
        for class in Class::ALL {
            match class {
                Class::AddMembers => self.edges(true, take).await?,
                Class::RemoveMembers => self.edges(false, take).await?,
                Class::References => self.references(take).await?,
                _ => {
                    for kind in Kind::ALL {
                        self.links(class, kind, take).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn links(
        &self,
        class: Class,
        kind: Kind,
        take: &mut (dyn FnMut(Row) + Send),
    ) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let chunk = self.store.pending_links(self.job, class, kind, after.clone(), CHUNK).await?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after.clone_from(&last.source.0);
            chunk.into_iter().map(|link| Row::Link(Box::new(link))).for_each(&mut *take);
        }
    }

    async fn edges(&self, adds: bool, take: &mut (dyn FnMut(Row) + Send)) -> Result<(), StoreError> {
        let mut after = EdgePlace::default();
        loop {
            let chunk = self.store.pending_edges(self.job, adds, after, CHUNK).await?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = last.place();
            chunk.into_iter().map(|edge| Row::Edge(Box::new(edge))).for_each(&mut *take);
        }
    }

    async fn references(&self, take: &mut (dyn FnMut(Row) + Send)) -> Result<(), StoreError> {
        let mut after = ReferencePlace::default();
        loop {
            let chunk = self.store.pending_references(self.job, after, CHUNK).await?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = last.place();
            chunk.into_iter().map(|reference| Row::Reference(Box::new(reference))).for_each(&mut *take);
        }
    }

    pub(super) fn change(&self, row: &Row) -> Change {
        match row {
            Row::Link(link) => self.link(link),
            Row::Edge(edge) => self.edge(edge),
            Row::Reference(reference) => self.reference(reference),
        }
    }

    fn reference(&self, reference: &PendingReference) -> Change {
        let escrow = self.escrow(reference.due_second, reference.attempts, reference.failure.as_deref());
        let verdict = match (&reference.hold, escrow, reference.waits) {
            (Some(hold), ..) => Verdict::Held(hold.clone()),
            (None, Some(escrow), _) => escrow,
            (None, None, Some(waits)) => Verdict::Waiting(waits_for(waits, &reference.path)),
            (None, None, None) => Verdict::Go,
        };
        let PendingReference { source, person_name: name, path, old_name: old, new_name: new, cause, .. } =
            reference.clone();
        let (class, act) = (Class::References, Act::Refer { path, old, new });
        Change { class, kind: Kind::User, source, name, act, cause, proof: Proof::Event, verdict }
    }

    fn link(&self, link: &PendingLink) -> Change {
        let verdict = match (&link.hold, self.escrow(link.due_second, link.attempts, link.failure.as_deref()))
        {
            (Some(hold), _) => Verdict::Held(hold.clone()),
            (None, Some(escrow)) => escrow,
            (None, None) => Verdict::Go,
        };
        Change {
            class: link.class,
            kind: link.kind,
            source: link.source.clone(),
            name: name(link),
            act: act(self.rules, link),
            cause: link.cause.clone(),
            proof: link.proof,
            verdict,
        }
    }

    fn edge(&self, edge: &PendingEdge) -> Change {
        let verdict = match (&edge.hold, self.escrow(edge.due_second, edge.attempts, edge.failure.as_deref()))
        {
            (Some(hold), _) => Verdict::Held(hold.clone()),
            (None, Some(escrow)) => escrow,
            (None, None) if edge.waits => {
                Verdict::Waiting("for an account or a team that is not there yet".to_owned())
            }
            (None, None) => Verdict::Go,
        };
        let (person, person_name) = (edge.person_source.clone(), edge.person_name.clone());
        let (class, act) = if edge.adds {
            (Class::AddMembers, Act::AddMember { person, person_name })
        } else {
            (Class::RemoveMembers, Act::RemoveMember { person, person_name })
        };
        let (source, name, cause) = (edge.team_source.clone(), edge.team_name.clone(), edge.cause.clone());
        Change { class, kind: Kind::Group, source, name, act, cause, proof: edge.proof, verdict }
    }

    fn escrow(&self, due: Option<i64>, attempts: u32, failure: Option<&str>) -> Option<Verdict> {
        let due = due.filter(|due| *due > self.now.as_second())?;
        let times = if attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
        let text =
            format!("failed {times}: {}; {}", failure.unwrap_or("no reason given"), plan::told_due(due));
        Some(Verdict::Escrow(text))
    }
}

/// `for its manager, who has no account`.
fn waits_for(waits: Waits, path: &str) -> String {
    match waits {
        Waits::Own => "for its own account, which is not there yet".to_owned(),
        Waits::Other => {
            let name = path.rsplit(':').next().unwrap_or(path);
            format!("for its {name}, who has no account here")
        }
    }
}

/// What a pending link would do.
pub(super) fn act(rules: &plan::Rules, link: &PendingLink) -> Act {
    let act = plan::diff(link.kind, &link.desired, &link.applied);
    match (act, &link.adopt) {
        (Some(Act::Create { .. }), Some(adopt)) => Act::Link {
            resource: adopt.resource.clone(),
            by: adopt.by.clone(),
            edits: match (adopt.origin, &link.desired) {
                (Origin::Created | Origin::Adopted, Desired::Active(wanted)) => {
                    plan::edits_to_adopt(rules.mapping(link.kind), &adopt.shown, wanted)
                }
                _ => Vec::new(),
            },
        },
        (Some(Act::Create { attributes }), None) => Act::Create { attributes: created(link, attributes) },
        (Some(act @ (Act::Deactivate | Act::Delete)), _) => match &link.wanted_by {
            Some(job) => Act::Release { job: job.clone() },
            None => act,
        },
        (Some(act), _) => act,
        // Gone from the target, and nothing else of it differs.
        (None, _) if link.lost => Act::Update { edits: Vec::new() },
        // Held because it cannot be mapped: there is nothing to show of it.
        (None, _) => Act::Create { attributes: Attributes::default() },
    }
}

/// With what is sent once, on create: rows that flow only then, and defaults.
pub(super) fn created(link: &PendingLink, mut attributes: Attributes) -> Attributes {
    for (path, value) in link.on_create.attributes.iter() {
        attributes.0.entry(path.clone()).or_insert_with(|| value.clone());
    }
    attributes
}

/// What people call it: as it is wanted, else as it stands in the target, else as the source shows it.
pub(super) fn name(link: &PendingLink) -> String {
    let path = match link.kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    };
    let wanted = match &link.desired {
        Desired::Active(attributes) => attributes.text(path),
        _ => None,
    };
    let is = match &link.applied {
        Applied::Active(accepted) | Applied::Inactive(accepted) => accepted.sent.text(path),
        Applied::Absent => None,
    };
    let seen = || {
        ["userPrincipalName", "appuser.userName", "userName", "displayName", "name"]
            .iter()
            .find_map(|name| link.seen.attributes.get(*name).and_then(Value::as_str))
    };
    wanted.or(is).or_else(seen).unwrap_or(&link.source.0).to_owned()
}
