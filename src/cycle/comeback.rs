//! People who come back under a new id, and groups that go on with a team that is about to go: they are proposed what is
//! there instead of a second one.

use std::collections::BTreeMap;

use super::CycleError;
use super::Run;
use super::matching::is_final;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::LinkId;
use crate::model::Origin;
use crate::model::SourceId;
use crate::model::Standing;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::CauseKind;
use crate::plan::Class;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::plan::Rehire;
use crate::scim::Kind;
use crate::store::Adopt;
use crate::store::LinkVerdict;
use crate::store::PendingLink;
use crate::store::Predecessor;
use crate::store::Store;

/// A newcomer, and who was there before.
pub(super) struct Comeback {
    policy: Rehire,
    found: Vec<Predecessor>,
    /// Of a team: why the one before goes, which is then the cause of going on with it, too.
    removal: Option<Cause>,
}

/// Who of a chunk came back. Nobody did where they are strangers by the settings, or where a person has said which
/// resource it is.
pub(super) async fn comebacks(
    on: &Run<'_>,
    store: &Store,
    chunk: &[PendingLink],
) -> Result<BTreeMap<LinkId, Comeback>, CycleError> {
    let policy = on.job.rules.rehire;
    let new = |link: &&PendingLink| {
        link.class == Class::Create && link.applied == Applied::Absent && link.pinned.is_none()
    };
    let newcomers: Vec<&PendingLink> = chunk.iter().filter(new).collect();
    let Some(kind) = newcomers.first().map(|link| link.kind).filter(|_| policy != Rehire::New) else {
        return Ok(BTreeMap::new());
    };
    let ids = newcomers.iter().map(|link| link.link).collect();
    let found = store.predecessors(kind, ids).await.map_err(on.store())?;
    let causes = match (kind, found.is_empty()) {
        (Kind::Group, false) => store.causes_by_id(removals(&found)).await.map_err(on.store())?,
        _ => BTreeMap::new(),
    };
    let comeback = |(link, found): (LinkId, Vec<Predecessor>)| {
        let removal = found.first().and_then(|before| causes.get(before.cause.as_ref()?)).cloned();
        (link, Comeback { policy, found, removal })
    };
    Ok(found.into_iter().map(comeback).collect())
}

fn removals(found: &BTreeMap<LinkId, Vec<Predecessor>>) -> Vec<(LinkId, CauseId)> {
    let first = |before: &Vec<Predecessor>| {
        let before = before.first()?;
        Some((before.link, before.cause.clone()?))
    };
    found.values().filter_map(first).collect()
}

/// Nothing is taken away from what somebody new may go on with.
pub(super) fn goes_on() -> Hold {
    let text = "somebody new may go on with what this one had, so nothing is taken from it; approve that, or approve this \
                removal by its id";
    Hold { kind: HoldKind::Relink, text: text.to_owned() }
}

impl Comeback {
    pub(super) fn predecessors(&self) -> impl Iterator<Item = LinkId> {
        self.found.iter().map(|before| before.link)
    }

    /// `usual`: what limits, mode and settings say of the newcomer.
    pub(super) fn verdict(&self, link: &PendingLink, usual: Option<Hold>) -> LinkVerdict {
        let verdict = |hold| LinkVerdict::new(link.link, hold);
        let [before] = self.found.as_slice() else { return verdict(Some(several(&self.found))) };
        let (Applied::Active(is) | Applied::Inactive(is)) = &before.applied else { return verdict(usual) };
        let approved = link.approved_for.as_ref() == Some(&is.resource);
        let proposed = !approved && (self.policy == Rehire::Propose || !has_proved_to_leave(before));
        let hold = match usual {
            Some(hold) if is_final(hold.kind) => Some(hold),
            _ if proposed => Some(proposal(link.kind, before, is)),
            usual => usual,
        };
        let cause =
            self.removal.clone().filter(|_| link.kind == Kind::Group).unwrap_or_else(|| rehired(before.by));
        LinkVerdict { adopt: Some(adopt(before, is)), cause: Some(cause), ..verdict(hold) }
    }
}

/// The source said so in an event, or the removal has been through its witness and was made.
fn has_proved_to_leave(before: &Predecessor) -> bool {
    matches!(before.standing, Standing::SoftDeleted | Standing::Gone)
        || matches!(before.applied, Applied::Inactive(_))
}

fn adopt(before: &Predecessor, is: &Accepted) -> Adopt {
    Adopt {
        resource: is.resource.clone(),
        by: format!("{} of {}", before.by, before.source),
        active: matches!(before.applied, Applied::Active(_)),
        shown: is.shown.clone(),
        origin: if is.origin == Origin::Joined { Origin::Joined } else { Origin::Adopted },
    }
}

fn proposal(kind: Kind, before: &Predecessor, is: &Accepted) -> Hold {
    let text = match kind {
        Kind::User => format!(
            "it has the {} of {}, who left, so the account {} may be its own; approve that to go on with it, or set \
             rehire = \"new\" to have one made",
            before.by, before.source, is.resource
        ),
        Kind::Group => format!(
            "the team {} of {}, which is about to go, has its name; approve that to go on with it, or approve the \
             removal by the id {}",
            is.resource, before.source, before.source
        ),
    };
    Hold { kind: HoldKind::Relink, text }
}

fn several(found: &[Predecessor]) -> Hold {
    let ids = found.iter().map(|before| before.source.0.as_str()).collect::<Vec<_>>().join(", ");
    let by = found.first().map_or("", |before| before.by);
    let text = format!("{} who left have its {by}: {ids}; link one by hand: rosterd link set", found.len());
    Hold { kind: HoldKind::Relink, text }
}

fn rehired(by: &str) -> Cause {
    Cause {
        kind: CauseKind::Rehired,
        subjects: vec![SourceId(by.to_owned())],
        names: vec![by.to_owned()],
        rules: String::new(),
    }
}
