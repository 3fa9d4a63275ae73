//! Verification of the target: our own resources compared with what the target last accepted. What is to be put right
//! is only noted here; the ordinary decision makes the change.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use serde_json::Value;

use super::CycleError;
use super::Run;
use super::chain;
use crate::model::LinkId;
use crate::model::Origin;
use crate::plan;
use crate::plan::Drift;
use crate::plan::DriftKind;
use crate::plan::OnDrift;
use crate::plan::Sighting;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::DriftRow;
use crate::store::JobState;
use crate::store::OwnLink;
use crate::store::Repair;
use crate::store::Store;
use crate::targets::Found;
use crate::targets::Listed;
use crate::targets::TargetError;

/// Asked for, or looked at, in one call.
const CHUNK: usize = 200;
/// Strangers of one team that are named.
const NAMED: usize = 20;

/// What a verification of the target found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verified {
    /// Differences that are reported, and those that are put right.
    pub(super) reported: u64,
    pub(super) repaired: u64,
    pub(super) notes: Vec<String>,
}

/// Compares, where it is due. What cannot be read takes nothing back, and is due again in the next cycle.
pub(super) async fn verify(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
) -> Result<Option<Verified>, CycleError> {
    if !on.how.verify && !is_due(on, state) {
        return Ok(None);
    }
    let mut verifier = Verifier { on, store, state, verified: Verified::default(), away: BTreeSet::new() };
    match verifier.all().await {
        Ok(()) => {
            store.end_verification(state.id, on.how.now.as_second()).await.map_err(on.store())?;
        }
        Err(CycleError::Target { source, .. }) => {
            let why = chain(&source);
            let note = format!("the target could not be verified; the next cycle tries again: {why}");
            verifier.verified.notes.push(note);
        }
        Err(error) => return Err(error),
    }
    Ok(Some(verifier.verified))
}

fn is_due(on: &Run<'_>, state: &JobState) -> bool {
    let Some(every) = on.job.verify else { return false };
    let Some(last) = state.target_verified_second else { return true };
    let since = on.how.now.as_second().saturating_sub(last);
    u64::try_from(since).is_ok_and(|since| since >= every.as_secs())
}

struct Verifier<'a> {
    on: &'a Run<'a>,
    store: &'a Store,
    state: &'a JobState,
    verified: Verified,
    /// People who are not there, or not active: what they lost with it is no drift of its own.
    away: BTreeSet<LinkId>,
}

impl Verifier<'_> {
    async fn all(&mut self) -> Result<(), CycleError> {
        for kind in Kind::ALL {
            let first = self.next(kind, LinkId(0)).await?;
            if !first.is_empty() {
                self.kind(kind).await?;
            }
        }
        self.teams().await
    }

    async fn next(&self, kind: Kind, after: LinkId) -> Result<Vec<OwnLink>, CycleError> {
        let next = self.store.links_with_resource(self.state.id, kind, after, CHUNK).await;
        next.map_err(self.on.store())
    }

    /// The list first, whole or not; whom it does not show is asked for by id, because a list alone never says that
    /// somebody is gone.
    async fn kind(&mut self, kind: Kind) -> Result<(), CycleError> {
        let mut met = BTreeSet::new();
        if let Some(partial) = self.list(kind, &mut met).await? {
            let endpoint = kind.endpoint();
            self.note(format!(
                "the target's list of {endpoint} may not be whole, so it says nothing of who is not there: {partial}"
            ));
        }
        let (mut after, mut asked, mut left) = (LinkId(0), 0, 0_u64);
        loop {
            self.on.stopped()?;
            let chunk = self.next(kind, after).await?;
            let Some(last) = chunk.last() else { break };
            after = last.link;
            let mut unmet: Vec<OwnLink> =
                chunk.into_iter().filter(|link| !met.contains(&link.link)).collect();
            let room = usize::try_from(self.on.job.drift.lookups.saturating_sub(asked)).unwrap_or(usize::MAX);
            left += unmet.len().saturating_sub(room) as u64;
            unmet.truncate(room);
            asked += unmet.len() as u64;
            self.ask(kind, unmet).await?;
        }
        if left > 0 {
            let job = &self.on.job.name;
            self.note(format!(
                "{left} of {} were not verified: no list shows them, and no more are asked for one by one than \
                 jobs.{job}.drift.lookups",
                kind.endpoint()
            ));
        }
        Ok(())
    }

    /// Why the list may not be whole.
    async fn list(&mut self, kind: Kind, met: &mut BTreeSet<LinkId>) -> Result<Option<String>, CycleError> {
        let mut pieces = self.on.job.target.list(kind);
        loop {
            let piece = match self.on.until_stopped(pieces.try_next()).await? {
                Ok(piece) => piece,
                Err(error @ (TargetError::Store(_) | TargetError::Refused { .. })) => {
                    return Err(self.on.target()(error));
                }
                // Some services have no list: everybody is asked for instead.
                Err(error) => return Ok(Some(chain(&error))),
            };
            match piece {
                Some(Listed::Page(page)) => self.page(kind, page, met).await?,
                Some(Listed::End { partial }) => return Ok(partial),
                None => return Ok(Some("it has no end".to_owned())),
            }
        }
    }

    async fn page(
        &mut self,
        kind: Kind,
        page: Vec<Found>,
        met: &mut BTreeSet<LinkId>,
    ) -> Result<(), CycleError> {
        for chunk in page.chunks(CHUNK) {
            let ids = chunk.iter().map(|found| found.id.clone()).collect();
            let links = self.store.own_links(self.state.id, kind, ids).await.map_err(self.on.store())?;
            let mut found = Vec::new();
            for one in chunk {
                if let Some(link) = links.get(&one.id) {
                    met.insert(link.link);
                    found.push((link.clone(), Some(one.clone())));
                }
            }
            self.look(kind, found).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, kind: Kind, links: Vec<OwnLink>) -> Result<(), CycleError> {
        if links.is_empty() {
            return Ok(());
        }
        let ids: Vec<(Kind, ResourceId)> =
            links.iter().filter_map(|link| Some((kind, link.applied.accepted()?.resource.clone()))).collect();
        let shown = self.on.until_stopped(self.on.job.target.get(&ids)).await?.map_err(self.on.target())?;
        let resources = links.into_iter().filter(|link| link.applied.accepted().is_some());
        self.look(kind, resources.zip(shown).collect()).await
    }

    /// Compares, and keeps what differs.
    async fn look(&mut self, kind: Kind, sights: Vec<(OwnLink, Option<Found>)>) -> Result<(), CycleError> {
        let (mut rows, mut repairs) = (Vec::new(), Vec::new());
        for (link, found) in &sights {
            match found {
                Some(found) => self.found(kind, link, found, &mut rows, &mut repairs),
                None => self.gone(kind, link, &mut rows, &mut repairs),
            }
        }
        self.keep(rows, repairs).await
    }

    async fn keep(&mut self, rows: Vec<DriftRow>, repairs: Vec<Repair>) -> Result<(), CycleError> {
        if rows.is_empty() && repairs.is_empty() {
            return Ok(());
        }
        self.verified.reported += rows.iter().map(|row| row.count).sum::<u64>();
        let now = self.on.how.now.as_second();
        self.store.save_drift(self.state.id, now, rows, repairs).await.map_err(self.on.store())
    }

    fn found(
        &mut self,
        kind: Kind,
        link: &OwnLink,
        found: &Found,
        rows: &mut Vec<DriftRow>,
        repairs: &mut Vec<Repair>,
    ) {
        let OwnLink { applied, wanted, wanted_elsewhere, .. } = link;
        let drift = plan::compare(&Sighting {
            of: kind,
            applied,
            wanted: *wanted,
            wanted_elsewhere: *wanted_elsewhere,
            active: found.active,
            body: &found.body,
        });
        let (mut values, mut subject) = (Vec::new(), Vec::new());
        for one in drift {
            if one.kind == DriftKind::Deactivated {
                self.away.insert(link.link);
            }
            // It is what the rules want, and what waits here already.
            if one.kind == DriftKind::Reactivated && *wanted {
                repairs.push(Repair::Opened { link: link.link, subject: one.subject() });
                continue;
            }
            match self.on.job.drift.policy(kind, one.kind, &one.path) {
                OnDrift::Leave => {}
                OnDrift::Report => rows.push(self.row(kind, link.link, one)),
                OnDrift::Repair => {
                    self.verified.repaired += 1;
                    match one.kind {
                        DriftKind::Deactivated => {
                            repairs.push(Repair::Shut { link: link.link, subject: one.subject() });
                        }
                        DriftKind::Reactivated => {
                            repairs.push(Repair::Opened { link: link.link, subject: one.subject() });
                        }
                        _ => {
                            subject.push(one.subject());
                            values.push((one.path, one.found));
                        }
                    }
                }
            }
        }
        if !values.is_empty() {
            repairs.push(Repair::Shows { link: link.link, values, subject });
        }
    }

    fn gone(&mut self, kind: Kind, link: &OwnLink, rows: &mut Vec<DriftRow>, repairs: &mut Vec<Repair>) {
        self.away.insert(link.link);
        let drift = Drift { kind: DriftKind::Gone, path: String::new(), past: None, found: None };
        match self.on.job.drift.policy(kind, DriftKind::Gone, "") {
            OnDrift::Leave => {}
            OnDrift::Repair if link.wanted => {
                if !link.lost {
                    self.verified.repaired += 1;
                    let cause = plan::cause_of_drift(&[drift.subject()]);
                    repairs.push(Repair::Lost { link: link.link, cause });
                }
            }
            OnDrift::Repair | OnDrift::Report => rows.push(self.row(kind, link.link, drift)),
        }
    }

    /// Values that nobody is to see are hidden where they would be kept.
    fn row(&self, kind: Kind, link: LinkId, drift: Drift) -> DriftRow {
        let hides = self.on.job.rules.mapping(kind).redacts(&drift.path);
        let shown = |value: Option<Value>| match hides {
            true => value.map(|_| Value::String(plan::REDACTED.to_owned())),
            false => value,
        };
        DriftRow {
            link,
            kind: drift.kind,
            path: drift.path,
            person: LinkId(0),
            count: 1,
            past: shown(drift.past),
            found: shown(drift.found),
        }
    }

    /// The members of every team that is ours, where the target shows them.
    async fn teams(&mut self) -> Result<(), CycleError> {
        let mut after = LinkId(0);
        loop {
            let chunk = self.next(Kind::Group, after).await?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = last.link;
            for team in chunk {
                self.on.stopped()?;
                self.members(&team).await?;
            }
        }
    }

    async fn members(&mut self, team: &OwnLink) -> Result<(), CycleError> {
        let Some(accepted) = team.applied.accepted() else { return Ok(()) };
        let members = self.on.until_stopped(self.on.job.target.members(&accepted.resource)).await?;
        let Some(members) = members.map_err(self.on.target())? else { return Ok(()) };
        let members: BTreeSet<ResourceId> = members.into_iter().collect();
        let sides = self.store.team_sides(team.link).await.map_err(self.on.store())?;
        let (mut rows, mut repairs) = (Vec::new(), Vec::new());
        for (person, resource) in &sides.ours {
            if !members.contains(resource) && !self.away.contains(person) {
                self.lost_member(team.link, *person, &mut rows, &mut repairs);
            }
        }
        let known: BTreeSet<&ResourceId> =
            sides.known.iter().chain(sides.ours.iter().map(|(_, resource)| resource)).collect();
        let strangers: Vec<ResourceId> =
            members.into_iter().filter(|member| !known.contains(member)).collect();
        if !strangers.is_empty() {
            let kind = match accepted.origin {
                Origin::Created => DriftKind::Stranger,
                Origin::Adopted | Origin::Joined => DriftKind::Foreign,
            };
            self.strangers(team.link, kind, strangers, &mut rows, &mut repairs).await?;
        }
        self.keep(rows, repairs).await
    }

    fn lost_member(
        &mut self,
        team: LinkId,
        person: LinkId,
        rows: &mut Vec<DriftRow>,
        repairs: &mut Vec<Repair>,
    ) {
        let drift = Drift { kind: DriftKind::LostMember, path: String::new(), past: None, found: None };
        match self.on.job.drift.policy(Kind::Group, drift.kind, "") {
            OnDrift::Leave => {}
            OnDrift::Report => rows.push(DriftRow { person, ..self.row(Kind::Group, team, drift) }),
            OnDrift::Repair => {
                self.verified.repaired += 1;
                let cause = plan::cause_of_drift(&[drift.subject()]);
                repairs.push(Repair::LostMember { team, person, cause });
            }
        }
    }

    /// Whoever is a person of the source can be taken out by an ordinary change; of anybody else is only told.
    async fn strangers(
        &mut self,
        team: LinkId,
        kind: DriftKind,
        strangers: Vec<ResourceId>,
        rows: &mut Vec<DriftRow>,
        repairs: &mut Vec<Repair>,
    ) -> Result<(), CycleError> {
        let policy = self.on.job.drift.policy(Kind::Group, kind, "");
        let mut links = BTreeMap::new();
        if policy == OnDrift::Repair {
            let own = self.store.own_links(self.state.id, Kind::User, strangers.clone()).await;
            links = own.map_err(self.on.store())?;
        }
        let cause = plan::cause_of_drift(&[kind.told().to_owned()]);
        for link in links.values() {
            self.verified.repaired += 1;
            repairs.push(Repair::Stranger { team, person: link.link, cause: cause.clone() });
        }
        let told: Vec<ResourceId> = strangers.into_iter().filter(|id| !links.contains_key(id)).collect();
        if policy != OnDrift::Leave && !told.is_empty() {
            let found = told.iter().take(NAMED).map(|id| Value::String(id.0.clone())).collect();
            let drift = Drift { kind, path: String::new(), past: None, found: Some(found) };
            let count = told.len() as u64;
            rows.push(DriftRow { count, ..self.row(Kind::Group, team, drift) });
        }
        Ok(())
    }

    fn note(&mut self, note: String) {
        self.verified.notes.push(note);
    }
}
