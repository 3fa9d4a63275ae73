//! Judging: what limits, mode, policy and the target's own answers say of every pending change. Nothing is
//! written to the target here; what is found is kept beside the change.

use std::collections::BTreeSet;

use serde_json::Value;

use super::CycleError;
use super::Progress;
use super::Run;
use super::unique;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::LinkId;
use crate::plan;
use crate::plan::Answer;
use crate::plan::Candidate;
use crate::plan::Class;
use crate::plan::Guard;
use crate::plan::Hit;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::plan::Match;
use crate::plan::Mode;
use crate::plan::Ours;
use crate::plan::find_match;
use crate::scim;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::Adopt;
use crate::store::JobId;
use crate::store::JobState;
use crate::store::LinkVerdict;
use crate::store::PendingEdge;
use crate::store::PendingLink;
use crate::store::Store;
use crate::targets::Found;
use crate::targets::Lookup;

const CHUNK: usize = 500;
const EDGE_CHUNK: usize = 5_000;
/// The rolling window of P13.
const WINDOW_SECONDS: i64 = 24 * 60 * 60;

pub(super) async fn judge(on: &Run<'_>, store: &Store, state: &JobState) -> Result<(), CycleError> {
    if store.quiet(state.id).await.map_err(on.store())? {
        return Ok(());
    }
    let judge = Judge {
        on,
        store,
        job: state.id,
        mode: on.job.mode(state),
        guard: guard(on, store, state.id).await?,
    };
    let blocked = unique::blocked(on, store, state.id).await?;
    let mut judged = 0;
    for class in Class::ALL {
        for kind in Kind::ALL {
            judge.links(class, kind, &blocked, &mut judged).await?;
        }
    }
    for adds in [true, false] {
        judge.edges(adds, &mut judged).await?;
    }
    judge.references(&mut judged).await
}

async fn guard(on: &Run<'_>, store: &Store, job: JobId) -> Result<Guard, CycleError> {
    let from = on.how.now.as_second() - WINDOW_SECONDS;
    let counts = store.counts(job, from).await.map_err(on.store())?;
    let classes = plan::over(&on.job.limits, &counts, &on.job.name);
    let tripped = classes.keys().copied().collect();
    let causes = store.causes_of(job, tripped).await.map_err(on.store())?;
    Ok(Guard { classes, causes })
}

pub(super) struct Judge<'a> {
    pub(super) on: &'a Run<'a>,
    pub(super) store: &'a Store,
    pub(super) job: JobId,
    pub(super) mode: Mode,
    pub(super) guard: Guard,
}

impl Judge<'_> {
    async fn links(
        &self,
        class: Class,
        kind: Kind,
        blocked: &unique::Blocked,
        judged: &mut u64,
    ) -> Result<(), CycleError> {
        let mut after = String::new();
        loop {
            self.on.stopped()?;
            let chunk = self
                .store
                .pending_links(self.job, class, kind, after.clone(), CHUNK)
                .await
                .map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after.clone_from(&last.source.0);
            let mut verdicts = self.own(&chunk, blocked).await?;
            self.matching(&chunk, &mut verdicts).await?;
            let changed = chunk.iter().zip(verdicts);
            let changed =
                changed.filter(|(link, verdict)| link.hold != verdict.hold || link.adopt != verdict.adopt);
            let changed = changed.map(|(_, verdict)| verdict).collect();
            self.store.save_link_verdicts(changed).await.map_err(self.on.store())?;
            *judged += chunk.len() as u64;
            (self.on.how.watch)(Progress::Judging { changes: *judged });
        }
    }

    /// What can be said without asking the target.
    async fn own(
        &self,
        chunk: &[PendingLink],
        blocked: &unique::Blocked,
    ) -> Result<Vec<LinkVerdict>, CycleError> {
        let taken = unique::taken(self.on, self.store, self.job, chunk).await?;
        let verdict = |link: &PendingLink| {
            let mapping = link.hold.clone().filter(|hold| hold.kind == HoldKind::Mapping);
            let unique = blocked.get(&link.link).or_else(|| taken.get(&link.link)).cloned();
            let hold = mapping.or(unique).or_else(|| self.verdict(link));
            LinkVerdict { link: link.link, hold, adopt: None }
        };
        Ok(chunk.iter().map(verdict).collect())
    }

    fn verdict(&self, link: &PendingLink) -> Option<Hold> {
        let candidate = Candidate {
            class: link.class,
            cause: &link.cause,
            team: link.kind == Kind::Group,
            approved: link.approved,
            protected: self.protects(link),
        };
        plan::judge(&self.on.job.name, self.mode, &self.on.job.rules.actions, &self.guard, &candidate)
    }

    fn protects(&self, link: &PendingLink) -> bool {
        let names = |attributes: &Attributes| {
            let name = attributes.text(name_path(link.kind)).map(scim::fold);
            name.is_some_and(|name| self.on.job.rules.protect.contains(&name))
        };
        let wanted = matches!(&link.desired, Desired::Active(attributes) if names(attributes));
        wanted
            || link.applied.accepted().is_some_and(|accepted| names(&accepted.shown) || names(&accepted.sent))
    }

    /// Asks the target for those that would be created: no answer means held, never created.
    async fn matching(&self, chunk: &[PendingLink], verdicts: &mut [LinkVerdict]) -> Result<(), CycleError> {
        let now = self.on.how.now.as_second();
        let asks = |(link, verdict): (&PendingLink, &LinkVerdict)| {
            link.applied == Applied::Absent
                && link.due_second.is_none_or(|due| due <= now)
                && !matches!(&verdict.hold, Some(hold) if final_hold(hold.kind))
        };
        let open: Vec<usize> = chunk
            .iter()
            .zip(verdicts.iter())
            .enumerate()
            .filter(|(_, pair)| asks(*pair))
            .map(|(at, _)| at)
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let questions: Vec<&PendingLink> = open.iter().map(|at| &chunk[*at]).collect();
        for (at, matched) in open.iter().zip(self.ask(&questions).await?) {
            let (link, verdict) = (&chunk[*at], &mut verdicts[*at]);
            match matched {
                (Match::Create, _) => {}
                (Match::Adopt { .. }, adopt) => verdict.adopt = adopt,
                (Match::AdoptWhenApproved { hold, .. }, adopt) => {
                    verdict.adopt = adopt;
                    if !link.approved {
                        verdict.hold = Some(hold);
                    }
                }
                (Match::Hold(hold), _) => verdict.hold = Some(hold),
            }
        }
        Ok(())
    }

    /// One lookup a matching attribute, by precedence, for those that no earlier attribute has found.
    async fn ask(&self, links: &[&PendingLink]) -> Result<Vec<(Match, Option<Adopt>)>, CycleError> {
        let mut answers: Vec<Vec<Answer>> = vec![Vec::new(); links.len()];
        let mut found: Vec<Vec<Found>> = vec![Vec::new(); links.len()];
        // A chunk is of one kind.
        let kind = links.first().map_or(Kind::User, |link| link.kind);
        let matching = mapping_of(self.on, kind).matching();
        let mut rows: Vec<&str> = matching.iter().map(|row| row.target.as_str()).collect();
        let named = links.iter().any(|link| self.linked_team(link).is_some());
        if named && !rows.contains(&name_path(Kind::Group)) {
            rows.push(name_path(Kind::Group));
        }
        for path in rows {
            let mut asked = Vec::new();
            for (at, link) in links.iter().enumerate().filter(|(at, _)| found[*at].is_empty()) {
                if let Some(value) = self.looked_for(link, path) {
                    asked.push((
                        at,
                        Lookup { kind: link.kind, path: path.to_owned(), value: value.to_owned() },
                    ));
                }
            }
            let lookups: Vec<Lookup> = asked.iter().map(|(_, lookup)| lookup.clone()).collect();
            if lookups.is_empty() {
                continue;
            }
            let hits = self.on.job.target.find(&lookups).await.map_err(self.on.target())?;
            for ((at, _), hits) in asked.iter().zip(hits) {
                let protect = |found: &Found| self.hit(found);
                answers[*at]
                    .push(Answer { path: path.to_owned(), hits: Some(hits.iter().map(protect).collect()) });
                found[*at].extend(hits);
            }
        }
        let resources = found.iter().flatten().map(|found| found.id.clone()).collect();
        let linked = self.store.linked(resources).await.map_err(self.on.store())?;
        Ok(links
            .iter()
            .zip(answers)
            .zip(found)
            .map(|((link, answers), found)| self.settle(link, &answers, &found, &linked))
            .collect())
    }

    /// What the target is asked by an attribute: of a team that the settings link, its name there and nothing else.
    fn looked_for<'b>(&'b self, link: &'b PendingLink, path: &str) -> Option<&'b str> {
        if let Some(name) = self.linked_team(link) {
            return (path == name_path(Kind::Group)).then_some(name);
        }
        let matches = mapping_of(self.on, link.kind).matching().iter().any(|row| row.target == path);
        wanted(link).filter(|_| matches)?.text(path)
    }

    fn linked_team<'b>(&'b self, link: &PendingLink) -> Option<&'b str> {
        let team = link.kind == Kind::Group;
        let rule = self.on.job.rules.teams.rule(&link.source, &link.seen).filter(|_| team)?;
        rule.link.as_deref()
    }

    fn hit(&self, found: &Found) -> Hit {
        let text = |name: &str| found.body.get(name).and_then(Value::as_str).map(str::to_owned);
        let name = text(name_path(found.kind));
        let protected =
            name.as_deref().map(scim::fold).is_some_and(|name| self.on.job.rules.protect.contains(&name));
        Hit {
            resource: found.id.clone(),
            active: found.active,
            external_id: text("externalId"),
            name,
            protected,
        }
    }

    fn settle(
        &self,
        link: &PendingLink,
        answers: &[Answer],
        found: &[Found],
        linked: &BTreeSet<ResourceId>,
    ) -> (Match, Option<Adopt>) {
        let wanted = wanted(link);
        let ours = Ours {
            kind: link.kind,
            external_id: wanted.and_then(|wanted| wanted.text("externalId")),
            name: wanted.and_then(|wanted| wanted.text(name_path(link.kind))),
            link: self.linked_team(link),
        };
        let matched = find_match(ours, answers, self.on.job.rules.adoption, linked);
        let adopt = match &matched {
            Match::Adopt { resource, by } | Match::AdoptWhenApproved { resource, by, .. } => {
                found.iter().find(|found| found.id == *resource).map(|found| Adopt {
                    resource: resource.clone(),
                    by: by.clone(),
                    active: found.active,
                    shown: scim::shown(&found.body, wanted.iter().flat_map(|wanted| wanted.0.keys())),
                })
            }
            Match::Create | Match::Hold(_) => None,
        };
        (matched, adopt)
    }

    async fn edges(&self, adds: bool, judged: &mut u64) -> Result<(), CycleError> {
        let mut after = (LinkId(0), LinkId(0));
        loop {
            self.on.stopped()?;
            let chunk =
                self.store.pending_edges(self.job, adds, after, EDGE_CHUNK).await.map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = (last.team, last.person);
            let holds = chunk.iter().map(|edge| (edge, self.edge_hold(edge)));
            let changed = holds.filter(|(edge, hold)| edge.hold != *hold);
            let changed = changed.map(|(edge, hold)| (edge.team, edge.person, hold)).collect();
            self.store.save_edge_holds(changed).await.map_err(self.on.store())?;
            *judged += chunk.len() as u64;
            (self.on.how.watch)(Progress::Judging { changes: *judged });
        }
    }

    /// A removal that follows from the person's own change has the person's verdict.
    fn edge_hold(&self, edge: &PendingEdge) -> Option<Hold> {
        if edge.follows && edge.person_hold.is_some() {
            return edge.person_hold.clone();
        }
        let candidate = Candidate {
            class: if edge.adds { Class::AddMembers } else { Class::RemoveMembers },
            cause: &edge.cause,
            team: true,
            approved: edge.approved || edge.follows,
            protected: self.on.job.rules.protect.contains(&scim::fold(&edge.team_name)),
        };
        plan::judge(&self.on.job.name, self.mode, &self.on.job.rules.actions, &self.guard, &candidate)
    }
}

fn mapping_of<'a>(on: &Run<'a>, kind: Kind) -> &'a plan::Mapping {
    match kind {
        Kind::User => &on.job.rules.users,
        Kind::Group => &on.job.rules.groups,
    }
}

fn name_path(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    }
}

fn wanted(link: &PendingLink) -> Option<&Attributes> {
    match &link.desired {
        Desired::Active(attributes) => Some(attributes),
        _ => None,
    }
}

/// Holds that an answer of the target would not change.
fn final_hold(kind: HoldKind) -> bool {
    matches!(kind, HoldKind::Mapping | HoldKind::Uniqueness | HoldKind::Protected | HoldKind::Action)
}
