//! Unique values: who has one, who wants one, and who therefore has to wait.

use std::collections::BTreeMap;

use super::CycleError;
use super::Run;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::LinkId;
use crate::plan;
use crate::plan::Class;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::plan::Identity;
use crate::plan::Rename;
use crate::plan::Step;
use crate::plan::order;
use crate::scim::Kind;
use crate::scim::fold;
use crate::store::JobId;
use crate::store::Keeper;
use crate::store::PendingLink;
use crate::store::Store;

/// Links that cannot get the value they want, with the hold that says why.
pub(super) type Blocked = BTreeMap<LinkId, Hold>;

/// The job's renames in an order that the target can take.
pub(super) async fn steps(on: &Run<'_>, store: &Store, job: JobId) -> Result<Vec<Step>, CycleError> {
    let renames = store.renames(job).await.map_err(on.store())?;
    let mut wanted: BTreeMap<&str, u32> = BTreeMap::new();
    for rename in &renames {
        *wanted.entry(&rename.to).or_default() += 1;
    }
    let (single, twice): (Vec<&Rename>, Vec<&Rename>) =
        renames.iter().partition(|rename| wanted[rename.to.as_str()] == 1);
    let single: Vec<Rename> = single.into_iter().cloned().collect();
    let keys = single.iter().map(|rename| rename.to.clone()).collect();
    let owners = store.key_owners(job, keys).await.map_err(on.store())?;
    let mut steps = order(&single, &owners);
    steps.extend(twice.iter().map(|rename| Step::Blocked { link: rename.link, owner: rename.link }));
    Ok(steps)
}

/// Renames to a value that nobody releases.
pub(super) async fn blocked(on: &Run<'_>, store: &Store, job: JobId) -> Result<Blocked, CycleError> {
    let mut blocked = Blocked::new();
    for step in steps(on, store, job).await? {
        if let Step::Blocked { link, owner } = step {
            let text = if link == owner {
                duplicate()
            } else {
                store.describe(owner).await.map_err(on.store()).map(|owner| belongs(&owner))?
            };
            blocked.insert(link, Hold { kind: HoldKind::Uniqueness, text });
        }
    }
    Ok(blocked)
}

/// Why a link cannot have its unique value now.
pub(super) struct Taken {
    pub hold: Hold,
    /// The account that could be renamed out of the way, where a person approves it.
    pub retires: Option<Keeper>,
}

/// People to be created or to come back, and teams to be created or renamed, whose value another one of this job has and
/// keeps, or wants as well. The links of a chunk are of one kind.
pub(super) async fn taken(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    chunk: &[PendingLink],
) -> Result<BTreeMap<LinkId, Taken>, CycleError> {
    let mut taken = BTreeMap::new();
    let takes = || chunk.iter().filter(|link| takes(link));
    let Some(kind) = takes().map(|link| link.kind).next() else { return Ok(taken) };
    let keys: Vec<String> = takes().filter_map(|link| link.wanted_key.clone()).collect();
    let mut claims = store.claims(job, kind, keys).await.map_err(on.store())?;
    for link in takes() {
        let Some(claim) = link.wanted_key.as_ref().and_then(|key| claims.get_mut(key)) else { continue };
        let keeper = claim.kept_by.clone().filter(|keeper| keeper.link != link.link);
        let text = match (keeper, kind) {
            (Some(keeper), Kind::User) if keeper.retired && link.applied == Applied::Absent => {
                taken.insert(link.link, retiring(link, keeper));
                continue;
            }
            (Some(keeper), Kind::User) => belongs(&keeper.name),
            (Some(keeper), Kind::Group) => {
                second_team(&format!("{} has its name", keeper.name), &link.source.0)
            }
            (None, Kind::User) if claim.wanted_by > 1 => duplicate(),
            (None, Kind::Group) if claim.wanted_by > 1 => {
                second_team("another group of the same name is to become one too", &link.source.0)
            }
            (None, _) => continue,
        };
        let hold = Hold { kind: HoldKind::Uniqueness, text };
        taken.insert(link.link, Taken { hold, retires: None });
    }
    Ok(taken)
}

/// Whether the change takes a unique value that the link does not have yet. Renamed people are ordered before this.
fn takes(link: &PendingLink) -> bool {
    let has_another =
        |is: &Accepted, path: &str, wanted: &String| is.sent.text(path).map(fold).as_ref() != Some(wanted);
    match (link.kind, link.applied.accepted(), &link.wanted_key) {
        (_, _, None) => false,
        (_, None, Some(_)) => true,
        (Kind::User, Some(is), Some(wanted)) => {
            link.class == Class::Reactivate && has_another(is, "userName", wanted)
        }
        (Kind::Group, Some(is), Some(wanted)) => has_another(is, "displayName", wanted),
    }
}

/// The address is held by an account that nobody uses: that may be renamed, if a person says so.
fn retiring(link: &PendingLink, keeper: Keeper) -> Taken {
    let evidence = plan::other_person(&Identity::of(&link.seen), &keeper.identity, keeper.left_second);
    let evidence = evidence.map_or_else(String::new, |why| format!(" ({why})"));
    let text = format!(
        "its userName is held by the account of {}, who left; it is not taken over, since a recycled address is a \
         different person{evidence}: approve it to rename that account out of the way, or link the two by hand",
        keeper.name
    );
    Taken { hold: Hold { kind: HoldKind::Retire, text }, retires: Some(keeper) }
}

/// Two groups are never merged into one team (Okta reference, section 10).
fn second_team(why: &str, group: &str) -> String {
    format!(
        "a team of this name would be the second: {why}; rename one of them, give this one a name of its own \
         (teams.\"id:{group}\".name), or set team_names = \"suffix\""
    )
}

fn belongs(owner: &str) -> String {
    format!(
        "its userName belongs to {owner} in the target; a recycled address is a different person: rename or delete \
         that account first"
    )
}

fn duplicate() -> String {
    "two people of the source have the same userName; change one of them in the source".to_owned()
}
