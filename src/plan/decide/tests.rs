//! Every row of the table of standing and scope, every way to leave, and every cause.

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
use crate::plan::OnLeave;
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

/// What the tests below say nothing about.
fn nobody() -> Facts<'static> {
    const SEEN: &Seen = &Seen { standing: Standing::Enabled, attributes: BTreeMap::new() };
    Facts {
        kind: Kind::User,
        source: Box::leak(Box::new(id("u1"))),
        seen: SEEN,
        scope: ScopeFact::Out(Vec::new()),
        applied: &Applied::Absent,
        dirty: Dirty::default(),
        twin: false,
        groups: &[],
        environment: Box::leak(Box::new(now())),
        lost_groups: &[],
        memberships: &[],
        left: None,
        undo: None,
        drifted: &[],
    }
}

const NOW: i64 = 1_770_000_000;

fn now() -> Environment {
    Environment { now: jiff::Timestamp::from_second(NOW).expect("a time"), ..Environment::default() }
}

/// One policy for every event.
fn always(policy: OnLeave) -> Leavers {
    let mut leavers = Leavers::default();
    Departure::SETTINGS.into_iter().for_each(|by| leavers.set(by, policy));
    leavers
}

fn loss(proof: Proof) -> Loss {
    let question =
        WitnessQuestion::Held { container: Container::App(id("app")), principal: id("u1"), kind: Kind::User };
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
    let facts = Facts { kind, seen: &seen, scope, applied, dirty, ..nobody() };
    decide(&rules(leavers), "digest", &facts)
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
        let cell = |scope, applied: &Applied| word(&decided(leavers, kind, standing, scope, applied).desired);
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
    let leavers = Leavers { teams: OnTeamLeave::Leave, ..always(OnLeave::Delete) };
    let people = "\
enabled: active absent inactive
disabled: absent absent inactive
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
        (Standing::Enabled, ScopeFact::Out(vec![loss(Proof::Event), loss(Proof::Absence)]), "Left Absence 1"),
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
        let why = why_lost(&[loss(Proof::Absence)], "digest", Dirty::default());
        (why.cause.id(), source.to_owned())
    };
    assert_eq!(of("u1").0, of("u2").0);
    let edited = |digest| why_lost(&[], digest, Dirty::default()).cause.id();
    assert_ne!(edited("one"), edited("two"));
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
        let facts = Facts { seen: &seen, scope, applied, dirty, ..nobody() };
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
