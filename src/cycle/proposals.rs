//! What `link rebuild` has proposed: looked at by its id in every cycle, and taken over when a person approves it. Nobody
//! is made beside it.

use super::CycleError;
use super::Run;
use super::matching;
use crate::model::SourceId;
use crate::plan::Cause;
use crate::plan::CauseKind;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::JobId;
use crate::store::LinkVerdict;
use crate::store::Linked;
use crate::store::PendingLink;
use crate::store::Store;
use crate::targets::Found;

/// By what these are found, where a person asks.
const BY: &str = "link rebuild";

pub(super) async fn look_at(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    links: &mut [(&PendingLink, &mut LinkVerdict)],
) -> Result<(), CycleError> {
    let ids: Vec<(Kind, ResourceId)> =
        links.iter().filter_map(|(link, _)| Some((link.kind, link.proposed.clone()?))).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let found = on.job.target.get(&ids).await.map_err(on.target())?;
    let taken = ids.iter().map(|(_, id)| id.clone()).collect();
    let linked = store.linked(job, taken).await.map_err(on.store())?;
    for (((link, verdict), (kind, id)), found) in links.iter_mut().zip(&ids).zip(found) {
        if let Some(text) = stands_against(on, *kind, id, found.as_ref(), linked.get(id)) {
            let cure = format!("rosterd link unlink {} {}", on.job.name, link.source);
            let text = format!("{text}; take the proposal away: {cure}");
            verdict.hold = Some(Hold { kind: HoldKind::Matching, text });
            continue;
        }
        let Some(found) = found else { continue };
        verdict.adopt = Some(matching::known_as(&found, link, BY, linked.get(id)));
        let kind = if found.active { CauseKind::Matched } else { CauseKind::MatchedInactive };
        let (subjects, names) = (vec![SourceId(BY.to_owned())], vec![BY.to_owned()]);
        verdict.cause = Some(Cause { kind, subjects, names, rules: String::new() });
        if link.approved_for.as_ref() != Some(id) {
            verdict.hold = Some(proposal(link.kind, id, found.active));
        }
    }
    Ok(())
}

fn proposal(kind: Kind, id: &ResourceId, active: bool) -> Hold {
    let wakes = if active { "" } else { "; it is not active, and would be" };
    let text = format!(
        "the {} {id} may have been ours before the state was lost; approve it to go on with it, or link another one by \
         hand{wakes}",
        kind.word()
    );
    Hold { kind: HoldKind::Adoption, text }
}

fn stands_against(
    on: &Run<'_>,
    kind: Kind,
    id: &ResourceId,
    found: Option<&Found>,
    linked: Option<&Linked>,
) -> Option<String> {
    let Some(found) = found else {
        return Some(format!("the target has no {} {id} any more, which was proposed", kind.word()));
    };
    if matching::protects(on, found) {
        return Some(format!("{id}, which was proposed, is on the target's protect list"));
    }
    if let Some(bars) = &found.bars {
        return Some(format!("{id} was proposed, {bars}"));
    }
    let other = linked.is_some_and(|linked| linked.job.is_none());
    other.then(|| format!("{id}, which was proposed, is linked to somebody else"))
}
