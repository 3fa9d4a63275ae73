//! One person or group, step by step, from what the state knows: neither source nor target is asked.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::decide::Scopes;
use super::stream;
use super::stream::Standing;
use crate::model::Applied;
use crate::plan;
use crate::plan::AttributeStory;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::Environment;
use crate::plan::Explanation;
use crate::plan::Facts;
use crate::plan::HistoryStory;
use crate::plan::Linked;
use crate::plan::PlannedStory;
use crate::plan::RowFlow;
use crate::plan::TeamStory;
use crate::plan::Traced;
use crate::scim;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::store::DirtyLink;
use crate::store::Entry;
use crate::store::JobState;
use crate::store::LinkRow;
use crate::store::PendingLink;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TeamOf;

/// The newest entries of the journal that are shown.
const HISTORY: usize = 20;
/// More objects of one name than these are not told apart by reading about all of them.
const OBJECTS: usize = 5;

/// Everything that is known of whoever has this source id, name, mail address or resource; `None` where the job has had
/// no cycle yet.
pub async fn explain(
    of: Standing<'_>,
    store: &Store,
    who: &str,
    now: Timestamp,
) -> Result<Option<Vec<Explanation>>, StoreError> {
    let Some(state) = store.find_job(of.job).await? else { return Ok(None) };
    let graph = store.container_graph(state.id).await?;
    // What was drawn by chance stands in what was sent.
    let default_domain = state.default_domain.clone();
    let environment = Environment { now, default_domain, ..Environment::default() };
    let scopes = Scopes::new(of.rules, &graph, &environment);
    let causes = store.causes(state.id).await?;
    let explain = Explain { of, store, state: &state, scopes: &scopes, causes: &causes, now };
    let mut explained = Vec::new();
    for row in store.links_called(state.id, who).await?.into_iter().take(OBJECTS) {
        if let Some(mut facts) = store.link_facts(row.link).await? {
            scopes.add_roles(&mut facts);
            explained.push(explain.one(row, &facts).await?);
        }
    }
    Ok(Some(explained))
}

struct Explain<'a> {
    of: Standing<'a>,
    store: &'a Store,
    state: &'a JobState,
    scopes: &'a Scopes<'a>,
    causes: &'a BTreeMap<CauseId, Cause>,
    now: Timestamp,
}

impl Explain<'_> {
    async fn one(&self, row: LinkRow, link: &DirtyLink) -> Result<Explanation, StoreError> {
        let pending = self.store.pending_by_id(vec![link.link]).await?.into_iter().next();
        let edits = self.edited(pending.as_ref());
        let told = |facts: &Facts<'_>| {
            let steps = plan::explain_scope(self.of.rules, facts);
            (steps.iter().map(plan::ScopeStep::sentence).collect(), plan::trace(self.of.rules, facts))
        };
        let (scope, traced): (Vec<String>, Vec<Traced>) = self.scopes.with_facts(link, told);
        let teams = match link.kind {
            Kind::User => self.store.teams_of(link.link).await?.iter().map(team).collect(),
            Kind::Group => Vec::new(),
        };
        let history = self.store.history_of(link.link, HISTORY).await?.into_iter().map(entry).collect();
        let ownerless = row.is_ownerless();
        Ok(Explanation {
            job: self.of.job.to_owned(),
            kind: link.kind,
            source: link.source.clone(),
            name: row.name.clone(),
            scope,
            matching: matching(&traced, &link.applied, pending.as_ref(), &row),
            attributes: traced.iter().map(|one| attribute(one, &link.applied, &edits)).collect(),
            teams,
            drift: self.store.drift_of(link.link).await?,
            planned: pending.as_ref().map(|pending| self.planned(pending)),
            exemptions: self.store.exemptions_of(self.state.id, link.link).await?,
            undone: self.store.undone_of(self.state.id, link.link).await?,
            history,
            next: self.next(pending.as_ref()),
            link: Linked {
                desired: row.desired,
                applied: row.applied,
                resource: row.resource,
                origin: row.origin,
                shared_with: row.shared_with,
                owner: row.owner,
                ownerless,
            },
        })
    }

    /// The paths that the pending change would write.
    fn edited(&self, pending: Option<&PendingLink>) -> BTreeSet<String> {
        let Some(pending) = pending else { return BTreeSet::new() };
        match stream::act(self.of.rules, pending) {
            plan::Act::Create { attributes } => attributes.0.into_keys().collect(),
            plan::Act::Link { edits, .. } | plan::Act::Update { edits } | plan::Act::Reactivate { edits } => {
                edits.into_iter().map(|edit| edit.path).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    fn planned(&self, pending: &PendingLink) -> PlannedStory {
        let cause = self.causes.get(&pending.cause).map(Cause::sentence).unwrap_or_default();
        let due = pending.due_second.filter(|due| *due > self.now.as_second());
        let verdict = match (&pending.hold, due) {
            (Some(hold), _) => format!("held: {}", hold.text),
            (None, Some(due)) => {
                let failure = pending.failure.as_deref().unwrap_or("no reason given");
                format!("failed: {failure}; {}", plan::told_due(due))
            }
            (None, None) => "goes in the next cycle".to_owned(),
        };
        PlannedStory {
            class: pending.class.word().to_owned(),
            cause,
            cause_id: pending.cause.0.clone(),
            verdict,
        }
    }

    fn next(&self, pending: Option<&PendingLink>) -> Vec<String> {
        let job = self.of.job;
        match pending {
            Some(pending) if pending.hold.is_some() => {
                let mode = self.of.ceiling.min(self.state.mode);
                match mode {
                    plan::Mode::Observe => vec![format!("rosterd plan {job}")],
                    _ => vec![
                        format!("rosterd held {job}"),
                        format!("rosterd approve {job} {} --reason \"…\"", pending.cause.0),
                    ],
                }
            }
            Some(_) => vec![format!("rosterd sync {job}")],
            None => Vec::new(),
        }
    }
}

fn matching(
    traced: &[Traced],
    applied: &Applied,
    pending: Option<&PendingLink>,
    row: &LinkRow,
) -> Vec<String> {
    if let Some(accepted) = applied.accepted() {
        return vec![format!("paired already, with the resource {}", accepted.resource)];
    }
    if let Some(adopt) = pending.and_then(|pending| pending.adopt.as_ref()) {
        return vec![format!("`{}` finds the resource {}", adopt.by, adopt.resource)];
    }
    if let Some(pinned) = &row.pinned {
        return vec![format!("set by hand to {pinned}, which each cycle looks for by its id")];
    }
    let mut rows: Vec<&Traced> = traced.iter().filter(|row| row.matching.is_some()).collect();
    rows.sort_by_key(|row| row.matching);
    let asks = if pending.is_some() { "is asked" } else { "would be asked" };
    let line = |row: &&Traced| match &row.value {
        Ok(Value::Null) => format!("`{}` has no value, so it is not asked for", row.target),
        Ok(value) => format!("the target {asks} for `{}` equal to {value}", row.target),
        Err(text) => format!("`{}` cannot be asked for: {text}", row.target),
    };
    rows.iter().map(line).collect()
}

fn attribute(row: &Traced, applied: &Applied, edits: &BTreeSet<String>) -> AttributeStory {
    let accepted = applied.accepted();
    let is_state = row.target == "active";
    let of = |attributes: &Attributes| match is_state {
        // The account's own state, not an attribute among others.
        true => Some(Value::Bool(matches!(applied, Applied::Active(_)))),
        false => attributes.get(&row.target).cloned(),
    };
    let wanted = row.value.as_ref().ok().filter(|value| !value.is_null()).cloned();
    let sent = accepted.and_then(|accepted| of(&accepted.sent));
    let verdict = match (&row.value, accepted) {
        (Err(text), _) => format!("cannot be had: {text}"),
        _ if row.from.starts_with("reference") => "written by a pass of its own".to_owned(),
        (_, Some(_)) if row.flow == RowFlow::OnCreate => "only on create".to_owned(),
        _ if edits.contains(&row.target) => "would be written".to_owned(),
        (Ok(_), _) if wanted.is_none() && sent.is_some() => {
            "no value: the target keeps what it has".to_owned()
        }
        (Ok(_), _) if wanted.is_none() => "no value".to_owned(),
        (Ok(value), Some(_)) if sent.as_ref().is_some_and(|sent| scim::same(&row.target, sent, value)) => {
            "as it is".to_owned()
        }
        _ => "not now".to_owned(),
    };
    AttributeStory {
        target: row.target.clone(),
        from: row.from.clone(),
        wanted,
        sent,
        shown: accepted.and_then(|accepted| of(&accepted.shown)),
        verdict,
    }
}

fn team(of: &TeamOf) -> TeamStory {
    let state = match (of.desired, of.applied) {
        (true, true) => "is a member",
        (true, false) => "is to be added",
        (false, true) => "is to be removed",
        (false, false) => "is no member",
    };
    let verdict = match (&of.hold, &of.failure) {
        (Some(hold), _) => format!("{state}; held: {}", hold.text),
        (None, Some(failure)) => format!("{state}; failed: {failure}"),
        (None, None) => state.to_owned(),
    };
    TeamStory { team: of.team.clone(), wanted: of.desired, applied: of.applied, verdict }
}

fn entry(of: Entry) -> HistoryStory {
    let class = match &of.team {
        Some(team) => format!("{} ({team})", of.class),
        None => of.class,
    };
    HistoryStory {
        at_second: of.at_second,
        class,
        outcome: of.outcome.unwrap_or_else(|| "no outcome known".to_owned()),
        cause: of.cause.map(|cause| cause.sentence()),
        edits: of.edits,
        detail: of.detail,
    }
}
