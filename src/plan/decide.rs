//! What is desired of one person or one team, and the change that follows. Everything it depends on is an
//! argument.

use serde_json::Value;

use super::Class;
use super::Given;
use super::GroupName;
use super::Hold;
use super::HoldKind;
use super::Mapping;
use super::MappingNote;
use super::MappingProblem;
use super::OnCreate;
use super::OnLeave;
use super::OnTeamLeave;
use super::Reference;
use super::Rules;
use super::ScopeFact;
use super::Why;
use super::admission::Bar;
use super::admission::bars;
use super::diff;
use super::why::why;
use crate::expr::Environment;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::Seen;
use crate::model::SourceId;
use crate::model::Standing;
use crate::scim::Kind;
use crate::scim::fold;

/// What made a link worth deciding again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    pub object: bool,
    pub edge: bool,
    pub rules: bool,
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
    /// Worth telling, though it changes nothing.
    pub note: Option<MappingNote>,
    /// Whom the person's attributes name, where the person is wanted active.
    pub references: Vec<Reference>,
}

/// A change that would make applied equal desired, before limits, matching and witness.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    pub class: Class,
    pub hold: Option<Hold>,
}

/// Decides one link.
pub fn decide(rules: &Rules, rules_digest: &str, facts: &Facts<'_>) -> Decision {
    let bars = match facts.scope {
        ScopeFact::In(_) => bars(rules, facts),
        ScopeFact::Out(_) => Vec::new(),
    };
    let Wish { desired, on_create, note, references } = match wish(rules, facts, &bars) {
        Ok(wish) => wish,
        Err(problem) => return unmapped(rules, rules_digest, facts, &problem),
    };
    let key = match &desired {
        Desired::Active(attributes) => attributes.text(key_path(facts.kind)).map(fold),
        _ => None,
    };
    let class = diff::diff(facts.kind, &desired, facts.applied).map(|act| diff::class(facts.kind, &act));
    let why = why(rules, rules_digest, facts, class, bars);
    let on_create = if class == Some(Class::Create) { on_create } else { OnCreate::default() };
    let pending = class.map(|class| Pending { class, hold: None });
    Decision { desired, on_create, key, why, pending, note, references }
}

fn key_path(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    }
}

/// What is wanted, and what is worth telling of it.
struct Wish {
    desired: Desired,
    on_create: OnCreate,
    note: Option<MappingNote>,
    references: Vec<Reference>,
}

impl From<Desired> for Wish {
    fn from(desired: Desired) -> Wish {
        Wish { desired, on_create: OnCreate::default(), note: None, references: Vec::new() }
    }
}

/// The state that scope, standing and policy ask for. Who is selected and barred is out of scope.
///
/// | standing | in scope | out of scope |
/// |---|---|---|
/// | enabled | active | policy for leavers |
/// | disabled | inactive, or policy for leavers (`scope.users.disabled = false`) | policy for leavers |
/// | in the recycle bin, gone, missing | policy for leavers | policy for leavers |
/// | never read | unmanaged | unmanaged |
fn wish(rules: &Rules, facts: &Facts<'_>, bars: &[Bar]) -> Result<Wish, MappingProblem> {
    let in_scope = matches!(facts.scope, ScopeFact::In(_)) && bars.is_empty();
    let disabled_stay = facts.kind == Kind::Group || rules.people.disabled;
    match facts.seen.standing {
        Standing::Unread => Ok(Desired::Unmanaged.into()),
        Standing::Enabled if in_scope => mapped(rules, facts, false),
        Standing::Disabled if in_scope && disabled_stay => mapped(rules, facts, true),
        _ if *facts.applied == Applied::Absent => Ok(Desired::Inactive.into()),
        _ => Ok(left(rules, facts).into()),
    }
}

/// The mapping's `active` row has the last word: without one no disable is sent (Entra provisioning reference,
/// section 8).
fn mapped(rules: &Rules, facts: &Facts<'_>, soft_deleted: bool) -> Result<Wish, MappingProblem> {
    if facts.kind == Kind::User && soft_deleted && *facts.applied == Applied::Absent {
        return Ok(Desired::Inactive.into()); // Never create somebody disabled, whatever else the mapping says.
    }
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
            note: mapping.note(&mapped),
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

fn left(rules: &Rules, facts: &Facts<'_>) -> Desired {
    match facts.kind {
        Kind::User => match rules.leavers.users {
            OnLeave::Deactivate if disables(rules, facts) => Desired::Inactive,
            OnLeave::Deactivate | OnLeave::Leave => Desired::Unmanaged,
            OnLeave::Delete => Desired::Absent,
        },
        Kind::Group => match rules.leavers.teams {
            OnTeamLeave::Empty => Desired::Inactive,
            OnTeamLeave::Delete => Desired::Absent,
            OnTeamLeave::Leave => Desired::Unmanaged,
        },
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
    let why = why(rules, rules_digest, facts, Some(class), Vec::new());
    let pending = Some(Pending { class, hold: Some(hold) });
    let on_create = OnCreate::default();
    Decision { desired, on_create, key: None, why, pending, note: None, references: Vec::new() }
}

/// Whether somebody is wanted in a team: the source shows the membership, the team is wanted, and the person is
/// in scope and active.
pub fn wants_member(shown: bool, team_wanted: bool, person_wanted: bool) -> bool {
    shown && team_wanted && person_wanted
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::model::Accepted;
    use crate::model::Container;
    use crate::model::Origin;
    use crate::model::Vocabulary;
    use crate::model::WitnessQuestion;
    use crate::plan::Actions;
    use crate::plan::Adoption;
    use crate::plan::Grant;
    use crate::plan::Leavers;
    use crate::plan::Loss;
    use crate::plan::People;
    use crate::plan::Proof;
    use crate::plan::RawClause;
    use crate::plan::RawFilters;
    use crate::plan::RawMapping;
    use crate::plan::RawRow;
    use crate::plan::Scope;
    use crate::plan::Selection;
    use crate::plan::Teams;
    use crate::plan::why::why_lost;
    use crate::scim::Attributes;
    use crate::scim::ResourceId;

    fn row(attribute: &str, matching: Option<u8>) -> RawRow {
        RawRow { attribute: Some(attribute.to_owned()), matching, ..RawRow::default() }
    }

    fn rules(leavers: Leavers) -> Rules {
        let active = RawRow { expression: Some("Not([IsSoftDeleted])".to_owned()), ..RawRow::default() };
        let raw = RawMapping {
            preset: None,
            clear: Vec::new(),
            users: BTreeMap::from([
                ("userName".to_owned(), row("userName", Some(1))),
                ("active".to_owned(), active),
            ]),
            groups: BTreeMap::from([("displayName".to_owned(), row("displayName", Some(1)))]),
        };
        let mappings = raw.check(None, Vocabulary::File).expect("the rows are sound");
        Rules {
            vocabulary: Vocabulary::File,
            scope: Scope { users: Selection::default(), teams: Selection::default() },
            people: People::default(),
            teams: Teams::default(),
            users: mappings.users,
            groups: mappings.groups,
            leavers,
            actions: Actions::default(),
            adoption: Adoption::default(),
            rehire: Default::default(),
            protect: Default::default(),
        }
    }

    fn id(text: &str) -> SourceId {
        SourceId(text.to_owned())
    }

    fn grant() -> Grant {
        Grant {
            source: id("app"),
            name: "the application".to_owned(),
            container: Container::App(id("app")),
            lost: None,
        }
    }

    fn loss(proof: Proof) -> Loss {
        let question = WitnessQuestion::Held {
            container: Container::App(id("app")),
            principal: id("u1"),
            kind: Kind::User,
        };
        Loss { subject: id("app"), name: "the application".to_owned(), whole: false, proof, question }
    }

    fn ours() -> Applied {
        let sent = Attributes::from_iter([("userName".to_owned(), json!("ann"))]);
        Applied::Active(Accepted {
            resource: ResourceId("r1".to_owned()),
            shown: sent.clone(),
            sent,
            origin: Origin::Created,
        })
    }

    fn decided(
        leavers: Leavers,
        kind: Kind,
        standing: Standing,
        scope: ScopeFact,
        applied: &Applied,
    ) -> Decision {
        let name = if kind == Kind::User { "userName" } else { "displayName" };
        let seen = Seen { standing, attributes: BTreeMap::from([(name.to_owned(), json!("ann"))]) };
        let dirty = Dirty { object: true, ..Dirty::default() };
        decide(
            &rules(leavers),
            "digest",
            &Facts {
                kind,
                source: &id("u1"),
                seen: &seen,
                scope,
                applied,
                dirty,
                twin: false,
                groups: &[],
                environment: &Environment::default(),
            },
        )
    }

    fn word(desired: &Desired) -> &'static str {
        match desired {
            Desired::Active(_) => "active",
            Desired::Inactive => "inactive",
            Desired::Absent => "absent",
            Desired::Unmanaged => "unmanaged",
        }
    }

    const STANDINGS: [(&str, Standing); 6] = [
        ("enabled", Standing::Enabled),
        ("disabled", Standing::Disabled),
        ("recycled", Standing::SoftDeleted),
        ("gone", Standing::Gone),
        ("missing", Standing::Missing),
        ("unread", Standing::Unread),
    ];

    fn table(leavers: Leavers, kind: Kind) -> String {
        let mut table = String::new();
        for (name, standing) in STANDINGS {
            let cell =
                |scope, applied: &Applied| word(&decided(leavers, kind, standing, scope, applied).desired);
            let out = || ScopeFact::Out(vec![loss(Proof::Event)]);
            table += &format!(
                "{name}: {} {} {}\n",
                cell(ScopeFact::In(vec![grant()]), &ours()),
                cell(out(), &ours()),
                cell(out(), &Applied::Absent),
            );
        }
        table
    }

    /// Columns: in scope and ours; out of scope and ours; out of scope and never ours.
    #[test]
    fn the_table_of_standing_and_scope() {
        let expected = "\
enabled: active inactive inactive
disabled: inactive inactive inactive
recycled: inactive inactive inactive
gone: inactive inactive inactive
missing: inactive inactive inactive
unread: unmanaged unmanaged unmanaged
";
        assert_eq!(table(Leavers::default(), Kind::User), expected);
    }

    #[test]
    fn the_policy_for_leavers_is_only_for_leavers() {
        let leavers = Leavers { users: OnLeave::Delete, teams: OnTeamLeave::Leave };
        let people = "\
enabled: active absent inactive
disabled: inactive absent inactive
recycled: absent absent inactive
gone: absent absent inactive
missing: absent absent inactive
unread: unmanaged unmanaged unmanaged
";
        assert_eq!(table(leavers, Kind::User), people);
        let teams = "\
enabled: active unmanaged inactive
disabled: active unmanaged inactive
recycled: unmanaged unmanaged inactive
gone: unmanaged unmanaged inactive
missing: unmanaged unmanaged inactive
unread: unmanaged unmanaged unmanaged
";
        assert_eq!(table(leavers, Kind::Group), teams);
    }

    /// How we know, and what a witness is asked, of every way to leave.
    #[test]
    fn absence_asks_and_events_do_not() {
        let ways = [
            (Standing::SoftDeleted, ScopeFact::In(vec![grant()]), "SoftDeleted Event 0"),
            (Standing::Gone, ScopeFact::In(vec![grant()]), "Gone Event 0"),
            (Standing::Missing, ScopeFact::In(vec![grant()]), "Missing Absence 1"),
            (Standing::Disabled, ScopeFact::In(vec![grant()]), "Disabled Event 0"),
            (Standing::Enabled, ScopeFact::Out(vec![loss(Proof::Event)]), "Left Event 0"),
            (Standing::Enabled, ScopeFact::Out(vec![loss(Proof::Absence)]), "Left Absence 1"),
            (
                Standing::Enabled,
                ScopeFact::Out(vec![loss(Proof::Event), loss(Proof::Absence)]),
                "Left Absence 1",
            ),
            (Standing::Enabled, ScopeFact::Out(Vec::new()), "Settings Event 0"),
        ];
        for (standing, scope, expected) in ways {
            let decision = decided(Leavers::default(), Kind::User, standing, scope, &ours());
            let why = &decision.why;
            let told = format!("{:?} {:?} {}", why.cause.kind, why.proof, why.questions.len());
            assert_eq!(told, expected);
            assert_eq!(decision.pending.map(|pending| pending.class), Some(Class::Deactivate));
        }
    }

    #[test]
    fn a_cause_is_the_same_whoever_it_explains() {
        let of = |source: &str| {
            let why = why_lost(&[loss(Proof::Absence)], "digest");
            (why.cause.id(), source.to_owned())
        };
        assert_eq!(of("u1").0, of("u2").0);
        assert_ne!(why_lost(&[], "one").cause.id(), why_lost(&[], "two").cause.id());
    }

    /// P13: the edit of a filter is a cause of its own; an attribute that changed is an event of the source.
    #[test]
    fn who_is_barred_by_a_filter_has_its_clause_as_cause() {
        let clause = RawClause {
            attribute: Some("userName".to_owned()),
            op: Some("EQUALS".to_owned()),
            value: Some("bob".into()),
            ..RawClause::default()
        };
        let mut rules = rules(Leavers::default());
        rules.scope.users.filters =
            RawFilters(vec![vec![clause]]).check(Kind::User, Vocabulary::File).expect("sound");
        let told = |dirty: Dirty, applied: &Applied| {
            let seen = Seen {
                standing: Standing::Enabled,
                attributes: BTreeMap::from([("userName".to_owned(), json!("ann"))]),
            };
            let scope = ScopeFact::In(vec![grant()]);
            let facts = Facts {
                kind: Kind::User,
                source: &id("u1"),
                seen: &seen,
                scope,
                applied,
                dirty,
                twin: false,
                groups: &[],
                environment: &Environment::default(),
            };
            let Decision { why, pending, .. } = decide(&rules, "digest", &facts);
            let class = pending.map_or("-", |pending| pending.class.word());
            format!("{class} {:?} {}: {}", why.proof, why.questions.len(), why.cause.sentence())
        };
        let object = Dirty { object: true, ..Dirty::default() };
        let edited = Dirty { rules: true, ..object };
        assert_eq!(told(object, &ours()), "deactivate Event 0: userName EQUALS bob is not met");
        assert_eq!(
            told(edited, &ours()),
            "deactivate Event 0: the settings were edited: userName EQUALS bob is not met"
        );
        assert_eq!(told(edited, &Applied::Absent), "- Event 0: userName EQUALS bob is not met");
    }
}
