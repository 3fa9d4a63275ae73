//! One person or one team now. A person is read alone (`person`); of a team, what the rules want is written and compared
//! with what the target shows (Okta calls it "Push Now"). Everything goes through the journal, and nothing else of the
//! job is written.

use std::collections::BTreeSet;

use serde_json::Value;

use super::CycleError;
use super::How;
use super::Job;
use super::Run;
use super::failure;
use super::kept;
use super::learn;
use super::note_left;
use super::person::OnDemandRun;
use super::settle;
use super::steps::Steps;
use super::witness;
use super::write::Writer;
use crate::model::SourceId;
use crate::plan;
use crate::plan::Cause;
use crate::plan::CauseKind;
use crate::plan::Class;
use crate::plan::CycleRecord;
use crate::plan::Edit;
use crate::plan::Mode;
use crate::plan::OnDemand;
use crate::plan::StepKind;
use crate::plan::StepStatus;
use crate::scim;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::After;
use crate::store::Ended;
use crate::store::Intent;
use crate::store::JobState;
use crate::store::Member;
use crate::store::Store;
use crate::store::Team;
use crate::targets::Operation;
use crate::targets::Outcome;

/// What a person asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// A person: source id, userName, mail address or name; or a group: source id, name, or the name of its team.
    pub what: &'a str,
    /// The team becomes exactly what the rules say: members that others added go too, but for protected ones.
    pub overwrite: bool,
    /// Nothing is written, and the state stays as it is.
    pub dry: bool,
    pub who: &'a str,
    pub reason: &'a str,
}

/// What was done. It carries people's values, so it has no `Debug` (P11).
pub struct Provisioned {
    /// Step by step, as Entra tells it.
    pub report: OnDemand,
    /// Of a team what its members came to, each with its heading.
    pub steps: Vec<(&'static str, String)>,
    pub record: CycleRecord,
}

/// Reads the source, decides, and brings one person or one team of the target up to date.
pub async fn provision(
    job: &Job,
    store: &Store,
    how: How<'_>,
    wish: Wish<'_>,
) -> Result<Provisioned, CycleError> {
    // A verification that is due is not what somebody waits for here.
    let job = &Job { verify: None, ..job.clone() };
    let on = Run { job, how };
    if wish.dry {
        let copy = store.private_copy().await.map_err(on.store())?;
        return on.provision(&copy, wish).await;
    }
    let leases = [format!("job {}", job.name), format!("target {}", job.target.identity())];
    let _lease = store.lease(&leases).map_err(on.store())?;
    on.provision(store, wish).await
}

impl Run<'_> {
    async fn provision(&self, store: &Store, wish: Wish<'_>) -> Result<Provisioned, CycleError> {
        let state = store.job(&self.job.name).await.map_err(self.store())?;
        self.not_paused(&state)?;
        let mode = self.job.mode(&state);
        if mode == Mode::Observe && !wish.dry {
            let name = &self.job.name;
            return Err(self.refuses(format!(
                "it only observes; look with --dry-run, or let it write first: rosterd enable {name}"
            )));
        }
        let now = self.how.now.as_second();
        let cycle = store.start_cycle(state.id, now).await.map_err(self.store())?;
        let mut record = CycleRecord {
            job: self.job.name.clone(),
            cycle: cycle.0,
            started_second: now,
            provision: Some(wish.what.to_owned()),
            mode,
            ..CycleRecord::default()
        };
        let mut steps = Vec::new();
        learn::recall(store, &*self.job.target, self.how.now).await.map_err(self.store())?;
        let of = OnDemandRun { store, state: &state, cycle, wish };
        let result = self.whoever(of, &mut record, &mut steps).await;
        let (result, report) = match result {
            Ok(report) => (Ok(()), report),
            Err(error) => (Err(error), OnDemand::default()),
        };
        let result =
            result.and(learn::keep(store, &*self.job.target, self.how.now).await.map_err(self.store()));
        let left = store.left_over(state.id, now).await.map_err(self.store());
        let result = result.and(left.map(|left| note_left(&mut record, left)));
        record.ended_second = self.how.clock.now().as_second();
        // A question that has no answer is no trouble of the job.
        let trouble = result.as_ref().err().filter(|error| !matches!(error, CycleError::Provision { .. }));
        record.error = trouble.map(|error| super::chain(error)).or(record.error);
        let ended = store.end_cycle(cycle, record.ended_second, kept(&record)).await.map_err(self.store());
        result.and(ended).map(|()| Provisioned { report, steps, record })
    }

    /// A group that is known is meant before somebody whom nobody has seen yet; an id before a name.
    async fn whoever(
        &self,
        of: OnDemandRun<'_>,
        record: &mut CycleRecord,
        steps: &mut Vec<(&'static str, String)>,
    ) -> Result<OnDemand, CycleError> {
        let OnDemandRun { store, state, wish, .. } = of;
        let teams = store.teams_called(state.id, wish.what).await.map_err(self.store())?;
        let people = store.links_called(state.id, wish.what).await.map_err(self.store())?;
        let mut people: BTreeSet<SourceId> =
            people.into_iter().filter(|row| row.kind == Kind::User).map(|row| row.source).collect();
        let mut teams: BTreeSet<SourceId> = teams.into_iter().map(|team| team.source).collect();
        let exact = SourceId(wish.what.to_owned());
        if teams.contains(&exact) {
            people.clear();
        } else if people.contains(&exact) {
            (teams, people) = (BTreeSet::new(), BTreeSet::from([exact]));
        }
        if !teams.is_empty() && !people.is_empty() {
            return Err(self.several(wish.what, &people.union(&teams).cloned().collect()));
        }
        if wish.overwrite && !people.is_empty() {
            return Err(self.refuses(format!("`{}` is a person; --overwrite is for a team", wish.what)));
        }
        if teams.is_empty()
            && let Some(report) = self.one_person(of, people, record).await?
        {
            return Ok(report);
        }
        let mut told = Steps::begun(self, record, state, wish.dry);
        self.one_team(of, record, steps, &mut told).await?;
        let details = steps.iter().map(|(step, told)| ((*step).to_owned(), told.clone())).collect();
        let status = if wish.dry { StepStatus::Skipped } else { StepStatus::Success };
        let step = (plan::export_name(Class::AddMembers), StepKind::Export);
        told.step(step, status, "the team against what the target shows".to_owned(), details);
        Ok(told.ended())
    }

    async fn one_team(
        &self,
        of: OnDemandRun<'_>,
        record: &mut CycleRecord,
        steps: &mut Vec<(&'static str, String)>,
        told: &mut Steps<'_>,
    ) -> Result<(), CycleError> {
        let OnDemandRun { store, state, cycle, wish } = of;
        self.identified(store, state).await?;
        if !wish.dry && !self.has_other_target(state) {
            settle::settle(self, store, state.id).await?;
        }
        let before = self.job.source.requests();
        let prepared = self.prepare(store, state, cycle).await?;
        record.source_requests = self.job.source.requests() - before;
        record.digest.clone_from(&prepared.planned.header.digest);
        record.notes.clone_from(&prepared.planned.header.notes);
        record.objects_changed = prepared.read.promoted.objects;
        record.edges_changed = prepared.read.promoted.edges;
        steps.push(("read", format!("{} requests to the source", record.source_requests)));

        let team = self.team(store, state, wish.what).await?;
        steps.push(("team", described(&team)));
        told.known(store, state, team.link, &[]).await?;
        if wish.dry {
            told.would_write(store, team.link).await?;
        }
        let done = self.bring(of, &team, record, steps).await;
        if !wish.dry && done.is_ok() {
            told.written(store, team.link, None).await?;
        }
        done
    }

    async fn bring(
        &self,
        OnDemandRun { store, state, cycle, wish }: OnDemandRun<'_>,
        team: &Team,
        record: &mut CycleRecord,
        steps: &mut Vec<(&'static str, String)>,
    ) -> Result<(), CycleError> {
        let testimony = witness::Testimony::default();
        let mut writer = Writer {
            on: self,
            store,
            job: state.id,
            cycle,
            testimony,
            only: Some(team.link),
            record,
            done: 0,
            of: 0,
        };
        if !wish.dry {
            for class in [Class::Create, Class::Update, Class::Reactivate] {
                writer.class(class, Kind::Group).await?;
            }
        }
        let Some(resource) = store.resource_of(team.link).await.map_err(self.store())? else {
            steps.push(("target", "it has no such team yet; the members follow when it is there".to_owned()));
            return Ok(());
        };
        let strangers = self.compare(store, team, &resource, steps).await?;
        if wish.dry {
            steps.push(("strangers", self.told(&strangers, wish.overwrite)));
            return Ok(());
        }
        if wish.overwrite {
            let now = self.how.now.as_second();
            store
                .approve_team(state.id, team.link, wish.who, wish.reason, now)
                .await
                .map_err(self.store())?;
        }
        writer.memberships(true).await?;
        writer.memberships(false).await?;
        if wish.overwrite {
            writer.drive_out(team, &resource, &strangers).await?;
        }
        steps.push(("strangers", self.told(&strangers, wish.overwrite)));
        Ok(())
    }

    async fn team(&self, store: &Store, state: &JobState, what: &str) -> Result<Team, CycleError> {
        let mut teams = store.teams_called(state.id, what).await.map_err(self.store())?;
        if let Some(exact) = teams.iter().position(|team| team.source.0 == what) {
            teams.swap(0, exact);
            teams.truncate(1);
        }
        match (teams.pop(), teams.len()) {
            (None, _) => Err(self.refuses(format!(
                "the source shows nobody and no group `{what}`; give an id, a userName, a mail address, or the name of a \
                 group or its team"
            ))),
            (Some(team), 0) if !team.wanted => Err(self.refuses(format!(
                "group {} ({}) is not one that becomes a team; see jobs.{}.scope.teams",
                team.name, team.source, self.job.name
            ))),
            (Some(team), 0) => Ok(team),
            (Some(last), _) => {
                teams.push(last);
                let ids = teams.iter().map(|team| team.source.0.as_str()).collect::<Vec<_>>().join(", ");
                Err(self.refuses(format!(
                    "several groups are called `{what}`; give the id of one of them: {ids}"
                )))
            }
        }
    }

    /// Puts down what the target shows, and returns the members that no link of ours explains, by name.
    async fn compare(
        &self,
        store: &Store,
        team: &Team,
        resource: &ResourceId,
        steps: &mut Vec<(&'static str, String)>,
    ) -> Result<Vec<Stranger>, CycleError> {
        let members = store.members_of(team.link).await.map_err(self.store())?;
        let shown = self.job.target.members(resource).await.map_err(self.target())?;
        let Some(shown) = shown else {
            // Nothing can be compared; adding somebody twice is harmless.
            let again = members.iter().filter(|member| member.desired).map(|member| (member.person, false));
            store.note_members(team.link, again.collect()).await.map_err(self.store())?;
            steps.push(("members", "the target does not show them; all are sent again".to_owned()));
            return Ok(Vec::new());
        };
        let shown: BTreeSet<ResourceId> = shown.into_iter().collect();
        let is_shown = |member: &Member| member.resource.as_ref().is_some_and(|id| shown.contains(id));
        let noted = members.iter().filter(|member| member.resource.is_some());
        let noted = noted.map(|member| (member.person, is_shown(member))).collect();
        store.note_members(team.link, noted).await.map_err(self.store())?;
        let count = |wanted: &dyn Fn(&Member) -> bool| members.iter().filter(|member| wanted(member)).count();
        steps.push((
            "members",
            format!(
                "{} wanted, {} shown by the target; {} to add, {} to remove, {} wait for an account",
                count(&|member| member.desired),
                shown.len(),
                count(&|member| member.desired && member.resource.is_some() && !is_shown(member)),
                count(&|member| !member.desired && is_shown(member)),
                count(&|member| member.desired && member.resource.is_none()),
            ),
        ));
        let ours: BTreeSet<&ResourceId> =
            members.iter().filter_map(|member| member.resource.as_ref()).collect();
        self.strangers(shown.iter().filter(|id| !ours.contains(id)).cloned().collect()).await
    }

    async fn strangers(&self, ids: Vec<ResourceId>) -> Result<Vec<Stranger>, CycleError> {
        let asked: Vec<(Kind, ResourceId)> = ids.iter().map(|id| (Kind::User, id.clone())).collect();
        let found = self.job.target.get(&asked).await.map_err(self.target())?;
        let stranger = |(id, found): (ResourceId, Option<crate::targets::Found>)| {
            let name = found.and_then(|found| found.body.get("userName")?.as_str().map(str::to_owned));
            let protected =
                name.as_ref().is_some_and(|name| self.job.rules.protect.contains(&scim::fold(name)));
            Stranger { name: name.unwrap_or_else(|| id.0.clone()), id, protected }
        };
        Ok(ids.into_iter().zip(found).map(stranger).collect())
    }

    fn told(&self, strangers: &[Stranger], overwrite: bool) -> String {
        if strangers.is_empty() {
            return "none".to_owned();
        }
        let told = strangers.iter().map(|stranger| match (stranger.protected, overwrite) {
            (true, _) => format!("{} stays: it is protected", stranger.name),
            (false, true) => format!("{} goes", stranger.name),
            (false, false) => format!("{} stays: --overwrite removes it", stranger.name),
        });
        told.collect::<Vec<_>>().join("; ")
    }

    pub(super) fn refuses(&self, what: String) -> CycleError {
        CycleError::Provision { job: self.job.name.clone(), what }
    }
}

/// A member of a team that others added.
struct Stranger {
    id: ResourceId,
    name: String,
    protected: bool,
}

impl Writer<'_> {
    async fn drive_out(
        &mut self,
        team: &Team,
        resource: &ResourceId,
        strangers: &[Stranger],
    ) -> Result<(), CycleError> {
        let remove: Vec<ResourceId> = strangers
            .iter()
            .filter(|stranger| !stranger.protected)
            .map(|stranger| stranger.id.clone())
            .collect();
        if remove.is_empty() {
            return Ok(());
        }
        let cause = Cause {
            kind: CauseKind::Overwritten,
            subjects: vec![team.source.clone()],
            names: vec![format!("group {}", team.name)],
            rules: String::new(),
        };
        self.store.note_cause(self.job, cause.clone()).await.map_err(self.on.store())?;
        let gone = |id: &ResourceId| Edit {
            path: "members".to_owned(),
            old: Some(Value::String(id.0.clone())),
            new: None,
        };
        let intent = Intent {
            link: team.link,
            class: Class::RemoveMembers,
            cause: cause.id(),
            people: Vec::new(),
            edits: remove.iter().map(gone).collect(),
            approved: true,
            evidence: None,
            proofs: None,
        };
        let entries = self.intend(vec![intent]).await?;
        let count = remove.len() as u64;
        let operation = Operation::Members { team: resource.clone(), add: Vec::new(), remove };
        let outcomes = self.apply(&[operation]).await?;
        for (entry, outcome) in entries.into_iter().zip(outcomes) {
            let (outcome, detail) = worded(&outcome);
            let counts = if outcome == "done" { &mut self.record.done } else { &mut self.record.failed };
            // `end` counts one of them.
            *counts.entry(Class::RemoveMembers).or_default() += count - 1;
            let (link, class, people) = (team.link, Class::RemoveMembers, Vec::new());
            let ended = Ended { entry, link, class, outcome, detail, people, after: After::Unchanged };
            self.end(vec![ended]).await?;
        }
        Ok(())
    }
}

fn worded(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Missing => ("missing", "the target no longer has this team (404)".to_owned()),
        other => failure::told(other),
    }
}

fn described(team: &Team) -> String {
    match &team.resource {
        Some(resource) => format!("{} ({}) is {} of the target", team.name, team.source, resource.0),
        None => format!("{} ({})", team.name, team.source),
    }
}
