//! Limits: which classes are over, and what is held because of it (P13).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Actions;
use super::CauseId;
use super::Class;
use super::Hold;
use super::HoldKind;
use super::Limit;
use super::Limits;
use super::Mode;
use crate::model::LinkId;

/// What the guard counts: changes that nobody has approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pending now, by class.
    pub pending: BTreeMap<Class, u64>,
    /// Done in the last 24 hours, by class.
    pub window: BTreeMap<Class, u64>,
    /// The job's active links.
    pub active: u64,
}

/// What one team loses that does not follow from its people's own changes, and that nobody has approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamLosses {
    pub team: LinkId,
    pub name: String,
    pub pending: u64,
    /// Done in the last 24 hours.
    pub window: u64,
    /// Members that it has now, by us.
    pub members: u64,
}

/// What an upgrade of the program changes, by its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    pub cause: CauseId,
    pub pending: u64,
    /// Done in the last 24 hours.
    pub window: u64,
}

/// What is over its limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    pub classes: BTreeMap<Class, Hold>,
    /// Teams that would lose too many members.
    pub teams: BTreeMap<LinkId, Hold>,
    /// Causes whose every change is held: an upgrade that does too much.
    pub whole: BTreeMap<CauseId, Hold>,
    /// Causes with a change that is over: all their removals are held.
    pub causes: BTreeSet<CauseId>,
    /// Why the clock is not believed: what time alone removes is held (P17).
    pub clock: Option<Hold>,
}

/// How many changes of a class may go.
pub fn allowed(limits: &Limits, class: Class, active: u64) -> Option<u64> {
    limits.classes.get(&class).map(|limit| most(*limit, limits.floor, active))
}

/// The count or the percentage, the first reached. In a small directory a percentage means nothing, so the floor lifts
/// it (never the count); a hundred percent is no percentage, also where nobody is active yet.
fn most(limit: Limit, floor: u64, of: u64) -> u64 {
    if limit.percent >= 100 {
        return limit.count;
    }
    let share = (of.saturating_mul(u64::from(limit.percent)) / 100).max(floor);
    limit.count.min(share)
}

/// A class over its limit is held whole, never sliced.
pub fn over(limits: &Limits, counts: &Counts, job: &str) -> BTreeMap<Class, Hold> {
    let mut over = BTreeMap::new();
    for class in Class::ALL {
        let Some(allowed) = allowed(limits, class, counts.active) else { continue };
        let pending = counts.pending.get(&class).copied().unwrap_or(0);
        let window = counts.window.get(&class).copied().unwrap_or(0);
        if pending > 0 && pending + window > allowed {
            let setting = format!("jobs.{job}.limits.{}", class.word());
            over.insert(class, too_many(class.word(), pending, window, allowed, &setting));
        }
    }
    over
}

/// Teams that would lose more members than one team may.
pub fn teams_over(limits: &Limits, losses: &[TeamLosses], job: &str) -> BTreeMap<LinkId, Hold> {
    let Some(limit) = limits.remove_members_team else { return BTreeMap::new() };
    let over = losses.iter().filter_map(|team| {
        let allowed = most(limit, limits.floor, team.members + team.window);
        let too_much = team.pending > 0 && team.pending + team.window > allowed;
        let what = format!("remove_members of team {}", team.name);
        let setting = format!("jobs.{job}.limits.remove_members_team");
        too_much.then(|| (team.team, too_many(&what, team.pending, team.window, allowed, &setting)))
    });
    over.collect()
}

/// Upgrades that change more than an upgrade may.
pub fn upgrades_over(
    limits: &Limits,
    upgraded: &[Upgraded],
    active: u64,
    job: &str,
) -> BTreeMap<CauseId, Hold> {
    let Some(limit) = limits.upgrade else { return BTreeMap::new() };
    let allowed = most(limit, limits.floor, active);
    let over = upgraded.iter().filter(|one| one.pending > 0 && one.pending + one.window > allowed);
    let setting = format!("jobs.{job}.limits.upgrade");
    let hold = |one: &Upgraded| {
        let hold = too_many("changes by an upgrade", one.pending, one.window, allowed, &setting);
        (one.cause.clone(), hold)
    };
    over.map(hold).collect()
}

/// Classes that are held because all jobs of the target together would do too much to it. `counts` are this job's
/// pending changes, with what all jobs did in the window and have active; `held` are the classes that do not go anyway.
pub fn target_over(limits: &Limits, counts: &Counts, held: &BTreeMap<Class, Hold>) -> BTreeMap<Class, Hold> {
    let mut over = BTreeMap::new();
    let target = &limits.target;
    let totals = [
        (target.removals, "removals", true, "accounts and teams taken away by all jobs of the target"),
        (target.changes, "changes", false, "changes by all jobs of the target"),
    ];
    for (limit, key, removals_only, what) in totals {
        let Some(limit) = limit else { continue };
        let counted = |class: &Class| !removals_only || class.removes() && *class != Class::RemoveMembers;
        let going = |class: &Class| counted(class) && !held.contains_key(class);
        let pending = sum(&counts.pending, going);
        let window = sum(&counts.window, counted);
        let allowed = most(limit, limits.floor, counts.active);
        if pending == 0 || pending + window <= allowed {
            continue;
        }
        let hold = too_many(what, pending, window, allowed, &format!("targets.{}.limits.{key}", target.name));
        let classes = counts.pending.iter().filter(|(class, count)| going(class) && **count > 0);
        classes.for_each(|(class, _)| {
            over.entry(*class).or_insert_with(|| hold.clone());
        });
    }
    over
}

fn sum(counts: &BTreeMap<Class, u64>, which: impl Fn(&Class) -> bool) -> u64 {
    counts.iter().filter(|(class, _)| which(class)).map(|(_, count)| count).sum()
}

/// `142 deactivate after 3 in the last 24 hours, allowed are 50 (jobs.acme.limits.deactivate)`.
fn too_many(what: &str, pending: u64, window: u64, allowed: u64, setting: &str) -> Hold {
    let before = if window > 0 { format!(" after {window} in the last 24 hours") } else { String::new() };
    let text = format!("{pending} {what}{before}, allowed are {allowed} ({setting})");
    Hold { kind: HoldKind::Limit, text }
}

/// What is known of one change besides its link's own holds.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    pub class: Class,
    pub cause: &'a CauseId,
    pub team: bool,
    pub approved: bool,
    pub protected: bool,
    /// Time alone causes it.
    pub by_time: bool,
    /// It was rejected, and the exemption has ended.
    pub rejected: bool,
    /// The team that it takes somebody out of, where that is its own decision.
    pub loses: Option<LinkId>,
}

/// The verdict of settings, mode and limits; `None` is go. The first that speaks is the one that is shown:
/// what a person cannot approve away comes first.
pub fn judge(
    job: &str,
    mode: Mode,
    actions: &Actions,
    guard: &Guard,
    change: &Candidate<'_>,
) -> Option<Hold> {
    if change.protected {
        let text = "on the target's protect list; rosterd never writes it".to_owned();
        return Some(Hold { kind: HoldKind::Protected, text });
    }
    if let Some(action) = switched_off(actions, change) {
        let text = format!("the action is off (jobs.{job}.actions.{action} = false)");
        return Some(Hold { kind: HoldKind::Action, text });
    }
    match mode {
        Mode::Observe => {
            let text = "the job only observes".to_owned();
            return Some(Hold { kind: HoldKind::Observe, text });
        }
        Mode::Approve if !change.approved => {
            let text = "the job writes only what a person has approved".to_owned();
            return Some(Hold { kind: HoldKind::Approval, text });
        }
        Mode::Approve | Mode::Write => {}
    }
    if change.approved {
        return None;
    }
    if change.rejected {
        let text = "it was rejected before, and that time is over: approve it, or reject it again".to_owned();
        return Some(Hold { kind: HoldKind::Rejected, text });
    }
    if let Some(hold) = guard.clock.as_ref().filter(|_| change.by_time && change.class.removes()) {
        return Some(hold.clone());
    }
    let team = change.loses.and_then(|team| guard.teams.get(&team));
    let over = guard.classes.get(&change.class).or(team).or_else(|| guard.whole.get(change.cause));
    if let Some(hold) = over {
        return Some(hold.clone());
    }
    if change.class.removes() && guard.causes.contains(change.cause) {
        let text = "its cause is over a limit, so all its removals wait".to_owned();
        return Some(Hold { kind: HoldKind::Limit, text });
    }
    None
}

fn switched_off(actions: &Actions, change: &Candidate<'_>) -> Option<&'static str> {
    let (on, name) = match change.class {
        Class::AddMembers | Class::RemoveMembers => (actions.teams, "teams"),
        _ if change.team && !actions.teams => (false, "teams"),
        Class::Create => (actions.create, "create"),
        Class::Rename | Class::Update | Class::Reactivate | Class::References => (actions.update, "update"),
        Class::Deactivate => (actions.deactivate, "deactivate"),
        Class::Delete | Class::DeleteTeams => (actions.delete, "delete"),
    };
    (!on).then_some(name)
}

#[cfg(test)]
mod tests;
