//! What is desired of one person or one team, and the change that follows. Everything it depends on is an
//! argument.

use serde_json::Value;

use super::Class;
use super::Departure;
use super::Given;
use super::GroupName;
use super::Hold;
use super::HoldKind;
use super::Left;
use super::Mapping;
use super::MappingProblem;
use super::Membership;
use super::OnCreate;
use super::OnTeamLeave;
use super::Override;
use super::Reference;
use super::Rules;
use super::ScopeFact;
use super::Traced;
use super::Why;
use super::admission::Bars;
use super::admission::bars;
use super::admission::next_look;
use super::diff;
use super::leavers::Farewell;
use super::leavers::Leaving;
use super::leavers::leaving;
use super::undo::laid_over;
use super::why::deletion_due;
use super::why::why;
use crate::expr::Environment;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::Seen;
use crate::model::SourceId;
use crate::model::Standing;
use crate::model::WitnessQuestion;
use crate::scim::Kind;
use crate::scim::fold;

/// What made a link worth deciding again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    pub object: bool,
    pub edge: bool,
    pub rules: bool,
    /// A date was reached.
    pub time: bool,
    /// The rules are those of another version of the program; comes with `rules`.
    pub upgrade: bool,
    /// The target shows otherwise than it accepted, and the policy puts it right.
    pub drift: bool,
}

impl Dirty {
    /// Nothing but the settings changed.
    pub fn is_edit(self) -> bool {
        self.rules && !self.object && !self.edge
    }

    /// Nothing but the time changed.
    pub(super) fn is_time(self) -> bool {
        self.time && !self.rules && !self.object && !self.edge
    }

    /// Nothing but the target changed.
    pub(super) fn is_drift(self) -> bool {
        self.drift && !self.rules && !self.object && !self.edge
    }
}

/// One link as the decision needs it.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub kind: Kind,
    pub source: &'a SourceId,
    pub seen: &'a Seen,
    pub scope: ScopeFact,
    pub applied: &'a Applied,
    pub dirty: Dirty,
    /// Of a group: another team has the name that this one would have.
    pub twin: bool,
    /// The groups that a person is directly in.
    pub groups: &'a [GroupName],
    pub environment: &'a Environment,
    /// What is asked of a witness for each group that a complete read no longer showed it in (P2).
    pub lost_groups: &'a [WitnessQuestion],
    /// What every `IsMemberOf` of its scope says of it.
    pub memberships: &'a [Membership<'a>],
    /// Why and since when it is not wanted, as the last decision had it.
    pub left: Option<Left>,
    /// What a person undid of it.
    pub undo: Option<&'a Override>,
    /// What somebody else did in the target, where that is put right.
    pub drifted: &'a [String],
}

impl Facts<'_> {
    /// The time that it is decided with, in seconds since 1970.
    pub fn now_second(&self) -> i64 {
        self.environment.now.as_second()
    }
}

/// What the rules make of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub desired: Desired,
    /// What is sent beside it where the resource has to be made.
    pub on_create: OnCreate,
    /// The value that is unique in the target, folded, where it is wanted active.
    pub key: Option<String>,
    pub why: Why,
    pub pending: Option<Pending>,
    /// Whom the person's attributes name, where the person is wanted active.
    pub references: Vec<Reference>,
    /// Of an account of ours that is not wanted: why, and since when.
    pub left: Option<Left>,
    /// When the account is, or was, due to be deleted.
    pub delete_at: Option<i64>,
    /// When time alone may make another decision; `i64::MAX` where it did, and only a clock that goes back changes it.
    pub decide_at: Option<i64>,
    /// Time alone is why it is not wanted, or is to be deleted.
    pub by_time: bool,
}

/// A change that would make applied equal desired, before limits, matching and witness.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    pub class: Class,
    pub hold: Option<Hold>,
}

/// Decides one link: what the rules say, and what a person undid of it over that.
pub fn decide(rules: &Rules, rules_digest: &str, facts: &Facts<'_>) -> Decision {
    laid_over(by_rules(rules, rules_digest, facts), facts.kind, facts.applied, facts.undo)
}

fn by_rules(rules: &Rules, rules_digest: &str, facts: &Facts<'_>) -> Decision {
    let selected = matches!(facts.scope, ScopeFact::In(_));
    let bars = if selected { bars(rules, facts) } else { Bars::default() };
    let look_at = if selected { next_look(rules, facts) } else { None };
    let departure = Departure::of(rules, facts, &bars);
    let leaving = departure.filter(|_| is_ours(facts)).map(|by| left(rules, facts, by));
    let Wish { desired, on_create, references } = match wish(rules, facts, &bars, leaving.as_ref()) {
        Ok(wish) => wish,
        Err(problem) => {
            let decision = unmapped(rules, rules_digest, facts, &problem);
            return Decision { left: facts.left, decide_at: look_at, ..decision };
        }
    };
    let key = match &desired {
        Desired::Active(attributes) => attributes.text(key_path(facts.kind)).map(fold),
        _ => None,
    };
    let class = diff::diff(facts.kind, &desired, facts.applied).map(|act| diff::class(facts.kind, &act));
    let by_time = bars.by_time;
    let on_create = if class == Some(Class::Create) { on_create } else { OnCreate::default() };
    let mut decision = Decision {
        desired,
        on_create,
        key,
        why: why(rules, rules_digest, facts, class, bars),
        pending: class.map(|class| Pending { class, hold: None }),
        references,
        left: leaving.map(|leaving| leaving.left),
        delete_at: leaving.and_then(|leaving| leaving.delete_at),
        decide_at: look_at,
        by_time,
    };
    if let Some(Leaving { farewell, left, delete_at: Some(at) }) = leaving {
        let due = farewell == Farewell::Delete;
        let look_at = if due { i64::MAX } else { at };
        decision.decide_at = Some(decision.decide_at.map_or(look_at, |other| other.min(look_at)));
        if due {
            decision.by_time = true;
            decision.why = deletion_due(rules, facts, left.by, decision.why);
        }
    }
    decision
}

/// Every row of the mapping by itself, as the decision evaluates it.
pub fn trace(rules: &Rules, facts: &Facts<'_>) -> Vec<Traced> {
    let selected = matches!(facts.scope, ScopeFact::In(_));
    let bars = if selected { bars(rules, facts) } else { Bars::default() };
    let soft_deleted = Departure::of(rules, facts, &bars).is_some();
    mapping(rules, facts.kind).trace(given(facts, soft_deleted), rules.vocabulary, facts.environment)
}

/// A person who has an account that we made or adopted.
fn is_ours(facts: &Facts<'_>) -> bool {
    facts.kind == Kind::User && *facts.applied != Applied::Absent
}

pub(super) fn key_path(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    }
}

/// What is wanted, and what is worth telling of it.
struct Wish {
    desired: Desired,
    on_create: OnCreate,
    references: Vec<Reference>,
}

impl From<Desired> for Wish {
    fn from(desired: Desired) -> Wish {
        Wish { desired, on_create: OnCreate::default(), references: Vec::new() }
    }
}

/// The state that scope, standing and policy ask for. Who is selected and barred is out of scope.
///
/// | standing | in scope | out of scope |
/// |---|---|---|
/// | enabled | active | policy of the event |
/// | disabled | policy of the event | policy of the event |
/// | in the recycle bin, gone, missing | policy of the event | policy of the event |
/// | never read | unmanaged | unmanaged |
fn wish(
    rules: &Rules,
    facts: &Facts<'_>,
    bars: &Bars,
    leaving: Option<&Leaving>,
) -> Result<Wish, MappingProblem> {
    let in_scope = matches!(facts.scope, ScopeFact::In(_)) && bars.are_none();
    match (facts.kind, facts.seen.standing, leaving) {
        (_, Standing::Unread, _) => Ok(Desired::Unmanaged.into()),
        (_, Standing::Enabled, _) if in_scope => mapped(rules, facts, false),
        (Kind::Group, Standing::Disabled, _) if in_scope => mapped(rules, facts, true),
        (_, _, _) if *facts.applied == Applied::Absent => Ok(Desired::Inactive.into()),
        (Kind::Group, _, _) => Ok(left_team(rules).into()),
        (Kind::User, _, Some(leaving)) => match leaving.farewell {
            Farewell::Shut => shut(rules, facts, leaving.left.by),
            Farewell::Delete => Ok(Desired::Absent.into()),
            Farewell::Leave => Ok(Desired::Unmanaged.into()),
        },
        (Kind::User, _, None) => Ok(Desired::Unmanaged.into()),
    }
}

fn left_team(rules: &Rules) -> Desired {
    match rules.leavers.teams {
        OnTeamLeave::Empty => Desired::Inactive,
        OnTeamLeave::Delete => Desired::Absent,
        OnTeamLeave::Leave => Desired::Unmanaged,
    }
}

fn left(rules: &Rules, facts: &Facts<'_>, by: Departure) -> Leaving {
    let active = matches!(facts.applied, Applied::Active(_)) && disables(rules, facts);
    leaving(rules.leavers.policy(by), by, facts, active)
}

/// Who is disabled stays in scope where the settings say so, so that what else the mapping says is still sent.
fn shut(rules: &Rules, facts: &Facts<'_>, by: Departure) -> Result<Wish, MappingProblem> {
    let stays = matches!(by, Departure::Disabled | Departure::Suspended)
        && matches!(facts.scope, ScopeFact::In(_))
        && rules.people.disabled;
    match stays {
        true => mapped(rules, facts, true),
        false if disables(rules, facts) => Ok(Desired::Inactive.into()),
        false => Ok(Desired::Unmanaged.into()),
    }
}

/// The mapping's `active` row has the last word: without one no disable is sent (Entra provisioning reference,
/// section 8).
fn mapped(rules: &Rules, facts: &Facts<'_>, soft_deleted: bool) -> Result<Wish, MappingProblem> {
    let mapping = mapping(rules, facts.kind);
    let mut mapped = mapping.evaluate(given(facts, soft_deleted), rules.vocabulary, facts.environment)?;
    if let (Kind::Group, Some(name)) = (facts.kind, mapped.attributes.text(key_path(Kind::Group))) {
        let name = rules.teams.name(facts.source, facts.seen, facts.twin, name);
        mapped.attributes.set(key_path(Kind::Group), Value::String(name));
    }
    if let Some(accepted) = facts.applied.accepted() {
        mapping.keep_added(&mut mapped, accepted);
    }
    match (facts.kind, mapped.active) {
        (Kind::User, Some(false)) => Ok(Desired::Inactive.into()),
        _ => Ok(Wish {
            desired: Desired::Active(mapped.attributes),
            references: mapped.references,
            on_create: mapped.on_create,
        }),
    }
}

fn mapping(rules: &Rules, kind: Kind) -> &Mapping {
    match kind {
        Kind::User => &rules.users,
        Kind::Group => &rules.groups,
    }
}

/// Whether the mapping turns `active` off for somebody who left. A leaver whose other attributes cannot be
/// mapped any more is disabled all the same.
fn disables(rules: &Rules, facts: &Facts<'_>) -> bool {
    match rules.users.evaluate(given(facts, true), rules.vocabulary, facts.environment) {
        Ok(mapped) => mapped.active == Some(false),
        Err(_) => rules.users.rows.iter().any(|row| row.target == "active"),
    }
}

fn given<'a>(facts: &Facts<'a>, soft_deleted: bool) -> Given<'a> {
    Given { id: facts.source, kind: facts.kind, seen: facts.seen, soft_deleted, groups: facts.groups }
}

/// What cannot be mapped is held as it is: it neither changes nor loses anything (P12).
fn unmapped(rules: &Rules, rules_digest: &str, facts: &Facts<'_>, problem: &MappingProblem) -> Decision {
    let hold = Hold { kind: HoldKind::Mapping, text: format!("{}: {}", problem.path, problem.text) };
    let (desired, class) = match facts.applied {
        Applied::Absent => (Desired::Inactive, Class::Create),
        Applied::Active(accepted) => (Desired::Active(accepted.sent.clone()), Class::Update),
        Applied::Inactive(_) => (Desired::Inactive, Class::Reactivate),
    };
    Decision {
        desired,
        on_create: OnCreate::default(),
        key: None,
        why: why(rules, rules_digest, facts, Some(class), Bars::default()),
        pending: Some(Pending { class, hold: Some(hold) }),
        references: Vec::new(),
        left: None,
        delete_at: None,
        decide_at: None,
        by_time: false,
    }
}

/// Whether somebody is wanted in a team: the source shows the membership, the team is wanted, and the person is
/// in scope and active. Where one of the two is left as it is (policy `leave`), so is the membership.
pub fn wants_member(member: &MemberFacts) -> bool {
    match member.frozen {
        true => member.applied,
        false => member.shown && member.team_wanted && member.person_wanted,
    }
}

/// One pair of a group and a person.
#[derive(Clone, Copy, Debug)]
pub struct MemberFacts {
    /// The source shows the membership.
    pub shown: bool,
    pub team_wanted: bool,
    pub person_wanted: bool,
    /// The team or the person is not ours to change any more.
    pub frozen: bool,
    /// The person is a member in the target, by us.
    pub applied: bool,
}

#[cfg(test)]
mod tests;
