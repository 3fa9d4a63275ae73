//! Every event that makes somebody leave, every policy, and the time that a deletion waits: text cases.

use std::collections::BTreeMap;

use rosterd::expr::Environment;
use rosterd::model::Accepted;
use rosterd::model::Applied;
use rosterd::model::Desired;
use rosterd::model::Origin;
use rosterd::model::Seen;
use rosterd::model::SourceId;
use rosterd::model::Standing;
use rosterd::model::Vocabulary;
use rosterd::plan;
use rosterd::plan::Departure;
use rosterd::plan::Dirty;
use rosterd::plan::Facts;
use rosterd::plan::Left;
use rosterd::plan::OnLeave;
use rosterd::plan::RawClause;
use rosterd::plan::RawFilters;
use rosterd::plan::Rules;
use rosterd::plan::ScopeFact;
use rosterd::scim::Attributes;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use serde_json::json;

use super::support::sections;
use super::support::story;
use super::support::wording;

const NOW: i64 = 1_770_000_000;
const DAY: i64 = 86_400;

fn now() -> Environment {
    Environment { now: jiff::Timestamp::from_second(NOW).expect("a time"), ..Environment::default() }
}

/// `unassigned for 31 days`, or words that hold together; behind a comma, what was remembered before.
struct So {
    now: Vec<String>,
    left: Option<Left>,
}

fn so(text: &str) -> So {
    let (now, before) = text.split_once(',').unwrap_or((text, text));
    let (now, _) = now.split_once(" for ").unwrap_or((now, ""));
    let left = before.trim().split_once(" for ").map(|(event, days)| {
        let days: i64 = days.trim_end_matches(" days").parse().expect("days");
        Left { by: departure(event), at_second: NOW - days * DAY }
    });
    So { now: now.split_whitespace().map(str::to_owned).collect(), left }
}

fn departure(word: &str) -> Departure {
    match word {
        "unassigned" => Departure::Unassigned,
        "filtered" => Departure::OutOfScope,
        "disabled" => Departure::Disabled,
        "suspended" => Departure::Suspended,
        "recycled" => Departure::SoftDeleted,
        "purged" => Departure::Purged,
        "missing" => Departure::Missing,
        other => panic!("no such event: {other}"),
    }
}

fn seen(so: &So) -> Seen {
    let is = |word: &str| so.now.iter().any(|said| said == word);
    let standing = match () {
        () if is("purged") => Standing::Gone,
        () if is("recycled") => Standing::SoftDeleted,
        () if is("missing") => Standing::Missing,
        () if is("disabled") || is("suspended") || is("deprovisioned") => Standing::Disabled,
        () => Standing::Enabled,
    };
    let status = match () {
        () if is("suspended") => "SUSPENDED",
        () if is("deprovisioned") => "DEPROVISIONED",
        () => "ACTIVE",
    };
    let department = if is("filtered") { "Shop" } else { "Sales" };
    let attributes = json!({
        "userName": "ann@x.example", "mail": "ann@x.example", "givenName": "Ann", "surname": "Lee",
        "department": department, "status": status,
    });
    Seen { standing, attributes: serde_json::from_value(attributes).expect("an object") }
}

fn rules(settings: &str, okta: bool) -> Rules {
    let mut rules = story::rules();
    let clause = RawClause {
        attribute: Some("department".to_owned()),
        op: Some("EQUALS".to_owned()),
        value: Some("Sales".into()),
        ..RawClause::default()
    };
    let filters = RawFilters(vec![vec![clause]]);
    rules.scope.users.filters = filters.check(Kind::User, Vocabulary::File).expect("sound");
    if okta {
        rules.vocabulary = Vocabulary::Okta;
    }
    for setting in settings.split(',').map(str::trim).filter(|setting| !setting.is_empty()) {
        let (key, policy) = setting.split_once(" = ").expect("a setting");
        let by = Departure::SETTINGS.into_iter().find(|by| by.word() == key).expect("an event");
        rules.leavers.set(by, OnLeave::read(policy).expect("a policy"));
    }
    rules
}

fn account(word: &str, rules: &Rules, seen: &Seen) -> Applied {
    let given = plan::Given { id: &id(), kind: Kind::User, seen, soft_deleted: false, groups: &[] };
    let sent: Attributes =
        rules.users.evaluate(given, Vocabulary::File, &Environment::default()).expect("mapped").attributes;
    let accepted = Accepted {
        resource: ResourceId("r1".to_owned()),
        shown: sent.clone(),
        sent,
        origin: Origin::Created,
    };
    match word {
        "none" => Applied::Absent,
        "active" => Applied::Active(accepted),
        "inactive" => Applied::Inactive(accepted),
        other => panic!("no such account: {other}"),
    }
}

fn id() -> SourceId {
    SourceId("u1".to_owned())
}

fn follows(what: &str, applied: &str, settings: &str) -> String {
    let so = so(what);
    let seen = seen(&so);
    let okta = ["suspended", "deprovisioned"].iter().any(|word| so.now.iter().any(|said| said == word));
    let rules = rules(settings, okta);
    let applied = account(applied, &rules, &seen);
    let scope = match so.now.iter().any(|word| word == "unassigned") {
        true => ScopeFact::Out(Vec::new()),
        false => ScopeFact::In(Vec::new()),
    };
    let facts = Facts {
        undo: None,
        drifted: &[],
        kind: Kind::User,
        source: &id(),
        seen: &seen,
        scope,
        applied: &applied,
        dirty: Dirty { object: true, ..Dirty::default() },
        twin: false,
        groups: &[],
        environment: &now(),
        lost_groups: &[],
        memberships: &[],
        left: so.left,
    };
    let decision = plan::decide(&rules, "digest", &facts);
    let class = decision.pending.map_or("nothing", |pending| pending.class.word());
    match decision.delete_at.filter(|at| *at > NOW) {
        Some(at) => format!("{class}, delete in {} days", (at - NOW) / DAY),
        None => class.to_owned(),
    }
}

#[test]
fn every_event_and_every_policy_as_the_cases_say() {
    let text = include_str!("../cases/leavers/events.txt");
    let comments = |line: &&str| line.starts_with('#') && line.contains("ection");
    text.lines().filter(comments).for_each(|line| sections::check_source("events.txt", line));
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    for (line, row) in text.lines().enumerate().filter(|(_, row)| !row.starts_with('#') && !row.is_empty()) {
        let [what, applied, settings, expected] = row.split(';').map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("events.txt:{}: four columns", line + 1)
        };
        assert_eq!(follows(what, applied, settings), expected, "events.txt:{}: {row}", line + 1);
        *events.entry(so(what).now.concat()).or_default() += 1;
    }
    for event in ["unassigned", "filtered", "disabled", "suspended", "recycled", "purged", "missing"] {
        assert!(events.get(event).is_some_and(|rows| *rows > 2), "{event}: {events:?}");
    }
}

/// What becomes of a team.
fn follows_of_team(what: &str, applied: &str, policy: &str) -> String {
    let so = so(what);
    let mut seen = seen(&so);
    seen.attributes.insert("displayName".to_owned(), json!("Sales"));
    let mut rules = story::rules();
    if !policy.is_empty() {
        rules.leavers.teams = wording::parsed(policy);
    }
    let sent = Attributes::from_iter([
        ("displayName".to_owned(), json!("Sales")),
        ("externalId".to_owned(), json!("u1")),
    ]);
    let there = Accepted {
        resource: ResourceId("r1".to_owned()),
        shown: sent.clone(),
        sent,
        origin: Origin::Created,
    };
    let applied = if applied == "none" { Applied::Absent } else { Applied::Active(there) };
    let out = so.now.iter().any(|word| word == "unassigned");
    let facts = Facts {
        undo: None,
        drifted: &[],
        kind: Kind::Group,
        source: &id(),
        seen: &seen,
        scope: if out { ScopeFact::Out(Vec::new()) } else { ScopeFact::In(Vec::new()) },
        applied: &applied,
        dirty: Dirty { object: true, ..Dirty::default() },
        twin: false,
        groups: &[],
        environment: &now(),
        lost_groups: &[],
        memberships: &[],
        left: None,
    };
    let decision = plan::decide(&rules, "digest", &facts);
    match (decision.pending, decision.desired) {
        (Some(pending), _) => pending.class.word().to_owned(),
        (None, Desired::Active(_)) => "kept".to_owned(),
        (None, Desired::Inactive) => "emptied".to_owned(),
        (None, Desired::Unmanaged) => "left alone".to_owned(),
        (None, Desired::Absent) => "nothing".to_owned(),
    }
}

#[test]
fn every_policy_of_teams_as_the_cases_say() {
    let text = include_str!("../cases/leavers/teams.txt");
    let comments: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
    sections::check_source("teams.txt", &comments.join("\n"));
    let mut played = 0;
    for (line, row) in text.lines().enumerate().filter(|(_, row)| !row.starts_with('#') && !row.is_empty()) {
        let [what, applied, policy, expected] = row.split(';').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("teams.txt:{}: four columns", line + 1)
        };
        assert_eq!(follows_of_team(what, applied, policy), expected, "teams.txt:{}: {row}", line + 1);
        played += 1;
    }
    assert!(played > 15, "{played}");
}

/// A policy is what the settings write; what cannot be one is refused with its cure.
#[test]
fn a_policy_is_read_as_it_is_written() {
    for text in ["deactivate", "delete", "delete after 30d", "delete after 12h", "leave"] {
        assert_eq!(OnLeave::read(text).map(|policy| policy.to_string()), Ok(text.to_owned()));
    }
    assert_eq!(OnLeave::read("delete after 2w"), Ok(OnLeave::DeleteAfter { seconds: 14 * DAY }));
    for (text, problem) in [
        (
            "purge",
            "`purge` is not one of the possible values; possible here: deactivate, delete, delete after 30d, leave",
        ),
        ("delete after soon", "`soon` is no time to wait; write one like 30d, 2w or 12h, an hour at least"),
        ("delete after 30m", "`30m` is no time to wait; write one like 30d, 2w or 12h, an hour at least"),
        ("delete after 9999d", "`9999d` is no time to wait; write one like 30d, 2w or 12h, an hour at least"),
    ] {
        assert_eq!(OnLeave::read(text), Err(problem.to_owned()));
    }
}

/// Without a mapping of IsSoftDeleted no disable is sent (section 8); the deletion still has its time.
#[test]
fn where_the_mapping_disables_nobody_nothing_happens_until_the_deletion_is_due() {
    let so = so("unassigned for 10 days");
    let seen = seen(&so);
    let mut rules = rules("unassigned = delete after 30d", false);
    rules.users.rows.retain(|row| row.target != "active");
    let applied = account("active", &rules, &seen);
    let told = |days: i64| {
        let facts = Facts {
            undo: None,
            drifted: &[],
            kind: Kind::User,
            source: &id(),
            seen: &seen,
            scope: ScopeFact::Out(Vec::new()),
            applied: &applied,
            dirty: Dirty { object: true, ..Dirty::default() },
            twin: false,
            groups: &[],
            environment: &now(),
            lost_groups: &[],
            memberships: &[],
            left: Some(Left { by: Departure::Unassigned, at_second: NOW - days * DAY }),
        };
        plan::decide(&rules, "digest", &facts).pending.map(|pending| pending.class.word())
    };
    assert_eq!((told(10), told(31)), (None, Some("delete")));
}

/// Nothing of a person is in what is told of a step (P11), and a value is only said to be there.
#[test]
fn the_steps_of_a_decision_are_told_in_order() {
    let told = |what: &str, settings: &str, change: &dyn Fn(&mut Rules)| {
        let so = so(what);
        let seen = seen(&so);
        let mut rules = rules(settings, false);
        change(&mut rules);
        let applied = account("active", &rules, &seen);
        let facts = Facts {
            undo: None,
            drifted: &[],
            kind: Kind::User,
            source: &id(),
            seen: &seen,
            scope: if so.now.contains(&"unassigned".to_owned()) {
                ScopeFact::Out(Vec::new())
            } else {
                ScopeFact::In(Vec::new())
            },
            applied: &applied,
            dirty: Dirty::default(),
            twin: false,
            groups: &[],
            environment: &now(),
            lost_groups: &[],
            memberships: &[],
            left: None,
        };
        let steps = plan::explain_scope(&rules, &facts);
        steps.iter().map(|step| step.sentence()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        told("enabled", "", &|_| ()),
        "\
selected, as everybody is
filters.0.0: department EQUALS Sales is met (department has a value)
enabled in the source
in scope"
    );
    assert_eq!(
        told("filtered", "out_of_scope = delete after 30d", &|_| ()),
        "\
selected, as everybody is
filters.0.0: department EQUALS Sales is not met (department has a value)
enabled in the source
out of scope: delete after 30d"
    );
    assert_eq!(
        told("recycled unassigned", "", &|_| ()),
        "not selected\nin the source's recycle bin\nput into the source's recycle bin: deactivate"
    );
    let guests_out = |rules: &mut Rules| {
        rules.people.guests = false;
        let raw = RawClause {
            attribute: Some("country".to_owned()),
            op: Some("IS NULL".to_owned()),
            ..RawClause::default()
        };
        rules.scope.users.exclude =
            RawFilters(vec![vec![raw]]).check(Kind::User, Vocabulary::File).expect("sound");
    };
    assert_eq!(
        told("disabled", "", &guests_out),
        "\
selected, as everybody is
filters.0.0: department EQUALS Sales is met (department has a value)
exclude.0.0: country IS NULL is met (country has no value)
disabled in the source
out of scope: deactivate"
    );
}
