//! Matching: the target is asked for everybody who would be created. No answer means held, never created.

use std::collections::BTreeMap;

use serde_json::Value;

use super::CycleError;
use super::Run;
use super::proposals;
use super::stream;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::Origin;
use crate::plan;
use crate::plan::Adoption;
use crate::plan::Answer;
use crate::plan::Hit;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::plan::Match;
use crate::plan::Ours;
use crate::plan::Owner;
use crate::plan::Policy;
use crate::plan::find_match;
use crate::scim;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::Adopt;
use crate::store::JobId;
use crate::store::LinkVerdict;
use crate::store::Linked;
use crate::store::PendingLink;
use crate::store::Store;
use crate::targets::Found;
use crate::targets::Lookup;

const EXTERNAL_ID: &str = "externalId";
const EMPLOYEE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";

/// Looks for those of a chunk that would be created, and whom nothing settles already.
pub(super) async fn ask(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    chunk: &[PendingLink],
    verdicts: &mut [LinkVerdict],
) -> Result<(), CycleError> {
    let now = on.how.now.as_second();
    let mut pinned = Vec::new();
    let mut proposed = Vec::new();
    let mut open = Vec::new();
    for (link, verdict) in chunk.iter().zip(verdicts.iter_mut()) {
        let is_due = link.due_second.is_none_or(|due| due <= now);
        let is_settled =
            verdict.adopt.is_some() || matches!(&verdict.hold, Some(hold) if is_final(hold.kind));
        if link.applied == Applied::Absent && is_due && !is_settled {
            let with = match (&link.pinned, &link.proposed) {
                (Some(_), _) => &mut pinned,
                (None, Some(_)) => &mut proposed,
                (None, None) => &mut open,
            };
            with.push((link, verdict));
        }
    }
    if let Some((first, _)) = open.first() {
        let asked = Asked { on, store, job, kind: first.kind, passing: None };
        let values: Vec<Wanted<'_>> = open.iter().map(|(link, _)| asked.wanted(link)).collect();
        for ((link, verdict), (matched, adopt)) in open.iter_mut().zip(asked.matches(&values).await?) {
            settle(link, verdict, matched, adopt);
        }
    }
    proposals::look_at(on, store, job, &mut proposed).await?;
    set_by_hand(on, store, job, &mut pinned).await
}

/// What ownership that passes by command changes of matching.
#[derive(Clone, Copy)]
pub(super) struct Passing {
    /// What the resources bear as `externalId` are ids of the source. Otherwise it says nothing of who they are, unless
    /// it is what we would send.
    pub(super) bear_source_ids: bool,
    /// The target can be asked for an `externalId`.
    pub(super) by_external_id: bool,
}

/// Looks for these links, all of one kind and none of them in the target yet, as ownership that passes by command does: by
/// the source id first, then by what the mapping matches by. What is found comes with what was found.
pub(super) async fn look_for(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    links: &[PendingLink],
    passing: Passing,
) -> Result<Vec<(Match, Option<(Found, Adopt)>)>, CycleError> {
    let Some(first) = links.first() else { return Ok(Vec::new()) };
    let asked = Asked { on, store, job, kind: first.kind, passing: Some(passing) };
    let values: Vec<Wanted<'_>> = links.iter().map(|link| asked.wanted(link)).collect();
    asked.found(&values).await
}

/// Whether it is on the target's protect list.
pub(super) fn protects(on: &Run<'_>, found: &Found) -> bool {
    hit(on, found, None).protected
}

/// What a link is, by what says so; what another job owns is joined.
pub(super) fn known_as(found: &Found, link: &PendingLink, by: &str, linked: Option<&Linked>) -> Adopt {
    adopt(found, by, wanted(link), origin(linked))
}

/// What matching found, put into the verdict. An approval is for the one that was looked at.
fn settle(link: &PendingLink, verdict: &mut LinkVerdict, matched: Match, adopt: Option<Adopt>) {
    match matched {
        Match::Create => {}
        Match::Adopt { .. } => verdict.adopt = adopt,
        Match::AdoptWhenApproved { resource, hold, cause, .. } => {
            verdict.adopt = adopt;
            verdict.cause = Some(cause);
            if link.approved_for.as_ref() != Some(&resource) {
                verdict.hold = Some(hold);
            }
        }
        Match::Hold(hold) => verdict.hold = Some(hold),
    }
}

/// What a person said stands above every policy but the protect list: it is looked at, and taken over.
async fn set_by_hand(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    pinned: &mut [(&PendingLink, &mut LinkVerdict)],
) -> Result<(), CycleError> {
    let ids: Vec<(Kind, ResourceId)> =
        pinned.iter().filter_map(|(link, _)| Some((link.kind, link.pinned.clone()?))).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let found = on.job.target.get(&ids).await.map_err(on.target())?;
    let linked =
        store.linked(job, ids.iter().map(|(_, id)| id.clone()).collect()).await.map_err(on.store())?;
    for (((link, verdict), (kind, id)), found) in pinned.iter_mut().zip(&ids).zip(found) {
        let hold = |kind, text| Some(Hold { kind, text });
        match found {
            None => {
                let text = format!(
                    "the target has no {} {id}, which was set by hand; set another one, or rosterd link unlink",
                    kind.word()
                );
                verdict.hold = hold(HoldKind::Matching, text);
            }
            Some(found) if hit(on, &found, None).protected => {
                let text = format!("{id} is on the target's protect list; rosterd never writes it");
                verdict.hold = hold(HoldKind::Protected, text);
            }
            Some(Found { bars: Some(bars), .. }) => {
                verdict.hold = hold(HoldKind::Matching, format!("{id} was set by hand, {bars}"));
            }
            Some(found) => {
                let origin = origin(linked.get(id));
                verdict.adopt = Some(adopt(&found, "link set", wanted(link), origin));
            }
        }
    }
    Ok(())
}

/// Two people of the source are never one account: both are held (Entra provisioning reference, section 4:
/// `DuplicateSourceEntries`).
pub(super) async fn hold_what_is_adopted_twice(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
) -> Result<(), CycleError> {
    let mut verdicts = Vec::new();
    for (resource, links) in store.adopted_twice(job).await.map_err(on.store())? {
        let ids = links.iter().map(|(_, source)| source.0.as_str()).collect::<Vec<_>>().join(", ");
        let text = format!(
            "{resource} is matched by {} objects of the source: {ids}; change one of them there, or link one by hand",
            links.len()
        );
        let hold = Hold { kind: HoldKind::Matching, text };
        verdicts.extend(links.iter().map(|(link, _)| LinkVerdict::new(*link, Some(hold.clone()))));
    }
    if verdicts.is_empty() {
        return Ok(());
    }
    store.save_link_verdicts(verdicts).await.map_err(on.store())
}

struct Asked<'a> {
    on: &'a Run<'a>,
    store: &'a Store,
    job: JobId,
    /// A chunk is of one kind.
    kind: Kind,
    passing: Option<Passing>,
}

/// A link with all that would be sent for it, what is sent on create alone included.
struct Wanted<'a> {
    link: &'a PendingLink,
    attributes: Attributes,
}

impl Asked<'_> {
    fn wanted<'b>(&self, link: &'b PendingLink) -> Wanted<'b> {
        let attributes = wanted(link).cloned().unwrap_or_default();
        Wanted { link, attributes: stream::created(link, attributes) }
    }

    /// One lookup a matching attribute, by precedence, for those that no earlier attribute has found.
    async fn matches(&self, links: &[Wanted<'_>]) -> Result<Vec<(Match, Option<Adopt>)>, CycleError> {
        let found = self.found(links).await?.into_iter();
        Ok(found.map(|(matched, found)| (matched, found.map(|(_, adopt)| adopt))).collect())
    }

    async fn found(&self, links: &[Wanted<'_>]) -> Result<Vec<(Match, Option<(Found, Adopt)>)>, CycleError> {
        let mut answers: Vec<Vec<(String, Vec<Found>)>> = links.iter().map(|_| Vec::new()).collect();
        for path in self.paths(links) {
            let open = |of: &[(String, Vec<Found>)]| of.iter().all(|(_, found)| found.is_empty());
            let mut asked = Vec::new();
            for (at, link) in links.iter().enumerate().filter(|(at, _)| open(&answers[*at])) {
                if let Some(value) = self.looked_for(link, path) {
                    asked.push((
                        at,
                        Lookup { kind: self.kind, path: path.to_owned(), value: value.to_owned() },
                    ));
                }
            }
            let lookups: Vec<Lookup> = asked.iter().map(|(_, lookup)| lookup.clone()).collect();
            if lookups.is_empty() {
                continue;
            }
            let hits = self.on.job.target.find(&lookups).await.map_err(self.on.target())?;
            for ((at, _), hits) in asked.into_iter().zip(hits) {
                answers[at].push((path.to_owned(), hits));
            }
        }
        let resources = answers.iter().flatten().flat_map(|(_, found)| found).map(|found| found.id.clone());
        let linked = self.store.linked(self.job, resources.collect()).await.map_err(self.on.store())?;
        Ok(links.iter().zip(answers).map(|(link, answers)| self.decide(link, &answers, &linked)).collect())
    }

    fn paths(&self, links: &[Wanted<'_>]) -> Vec<&str> {
        let mut paths: Vec<&str> =
            mapping_of(self.on, self.kind).matching().iter().map(|row| row.target.as_str()).collect();
        let named = links.iter().any(|wanted| self.linked_team(wanted.link).is_some());
        if named && !paths.contains(&name_path(Kind::Group)) {
            paths.push(name_path(Kind::Group));
        }
        if self.passing.is_some_and(|passing| passing.by_external_id) {
            paths.retain(|path| *path != EXTERNAL_ID);
            paths.insert(0, EXTERNAL_ID);
        }
        paths
    }

    /// What the target is asked by an attribute: of a team that the settings link, its name there and nothing else.
    fn looked_for<'b>(&'b self, wanted: &'b Wanted<'_>, path: &str) -> Option<&'b str> {
        if let Some(name) = self.linked_team(wanted.link) {
            return (path == name_path(Kind::Group)).then_some(name);
        }
        if let (Some(passing), EXTERNAL_ID) = (self.passing, path)
            && passing.bear_source_ids
        {
            return Some(&wanted.link.source.0);
        }
        let matches = mapping_of(self.on, self.kind).matching().iter().any(|row| row.target == path);
        wanted.attributes.text(path).filter(|_| matches)
    }

    fn linked_team(&self, link: &PendingLink) -> Option<&str> {
        let team = link.kind == Kind::Group;
        let rule = self.on.job.rules.teams.rule(&link.source, &link.seen).filter(|_| team)?;
        rule.link.as_deref()
    }

    fn decide(
        &self,
        wanted: &Wanted<'_>,
        answers: &[(String, Vec<Found>)],
        linked: &BTreeMap<ResourceId, Linked>,
    ) -> (Match, Option<(Found, Adopt)>) {
        let shown = |found: &Found| self.seen_as(wanted, hit(self.on, found, linked.get(&found.id)));
        let told: Vec<Answer> = answers
            .iter()
            .map(|(path, found)| Answer { path: path.clone(), hits: Some(found.iter().map(shown).collect()) })
            .collect();
        let rules = &self.on.job.rules;
        // Whoever has ownership pass by command has decided that names are taken over.
        let least = if self.passing.is_some() { Adoption::ExternalIdOrName } else { Adoption::Never };
        let policy = Policy { adopt: rules.adoption.max(least), names: rules.teams.names };
        let matched = find_match(self.ours(wanted), &told, policy);
        let (Match::Adopt { resource, by } | Match::AdoptWhenApproved { resource, by, .. }) = &matched else {
            return (matched, None);
        };
        let found = answers.iter().flat_map(|(_, found)| found).find(|found| found.id == *resource);
        let origin = origin(linked.get(resource));
        let adopt = found.map(|found| (found.clone(), adopt(found, by, self::wanted(wanted.link), origin)));
        (matched, adopt)
    }

    /// What a tenant wrote as `externalId` is an id of the source, or one of the tenant's own, which names nobody to us.
    fn seen_as(&self, wanted: &Wanted<'_>, hit: Hit) -> Hit {
        let Some(passing) = self.passing else { return hit };
        let ours = self.ours(wanted).external_id.map(str::to_owned);
        let external_id = match hit.external_id {
            Some(id) if id == wanted.link.source.0 => ours,
            other if passing.bear_source_ids || other == ours => other,
            _ => None,
        };
        Hit { external_id, ..hit }
    }

    fn ours<'b>(&'b self, wanted: &'b Wanted<'_>) -> Ours<'b> {
        let rules = &self.on.job.rules;
        let mails =
            mapping_of(self.on, self.kind).matching().into_iter().filter(|row| plan::is_mail(&row.target));
        let mut mails = mails.filter_map(|row| wanted.attributes.text(&row.target)).peekable();
        let seen = &wanted.link.seen.attributes;
        let any = mails.peek().is_some();
        Ours {
            kind: self.kind,
            external_id: wanted
                .attributes
                .text(EXTERNAL_ID)
                .or_else(|| self.passing.map(|_| wanted.link.source.0.as_str())),
            name: wanted.attributes.text(name_path(self.kind)),
            employee: wanted.attributes.text(EMPLOYEE),
            verified_mail: any && mails.all(|mail| plan::mail_is_verified(rules.vocabulary, seen, mail)),
            link: self.linked_team(wanted.link),
        }
    }
}

fn hit(on: &Run<'_>, found: &Found, linked: Option<&Linked>) -> Hit {
    let text = |name: &str| found.body.get(name).and_then(Value::as_str).map(str::to_owned);
    let name = text(name_path(found.kind));
    let protected = name.as_deref().map(scim::fold).is_some_and(|name| on.job.rules.protect.contains(&name));
    let shown = scim::shown(&found.body, [&EMPLOYEE.to_owned()]);
    let owner = match linked {
        None => Owner::Nobody,
        Some(Linked { job: None, .. }) => Owner::ThisJob,
        Some(Linked { job: Some(job), .. }) => Owner::OtherJob(job.clone()),
    };
    Hit {
        resource: found.id.clone(),
        active: found.active,
        external_id: text("externalId"),
        name,
        employee: shown.text(EMPLOYEE).filter(|number| !number.is_empty()).map(str::to_owned),
        protected,
        bars: found.bars.clone(),
        owner,
    }
}

/// What another job owns is joined.
fn origin(linked: Option<&Linked>) -> Origin {
    match linked {
        Some(Linked { job: Some(_), .. }) => Origin::Joined,
        _ => Origin::Adopted,
    }
}

fn adopt(found: &Found, by: &str, wanted: Option<&Attributes>, origin: Origin) -> Adopt {
    Adopt {
        resource: found.id.clone(),
        by: by.to_owned(),
        active: found.active,
        shown: scim::shown(&found.body, wanted.iter().flat_map(|wanted| wanted.0.keys())),
        origin,
    }
}

pub(super) fn mapping_of<'a>(on: &Run<'a>, kind: Kind) -> &'a plan::Mapping {
    match kind {
        Kind::User => &on.job.rules.users,
        Kind::Group => &on.job.rules.groups,
    }
}

pub(super) fn name_path(kind: Kind) -> &'static str {
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
pub(super) fn is_final(kind: HoldKind) -> bool {
    matches!(
        kind,
        HoldKind::Mapping
            | HoldKind::Uniqueness
            | HoldKind::Protected
            | HoldKind::Action
            | HoldKind::Relink
            | HoldKind::Retire
            | HoldKind::Anchors
    )
}
