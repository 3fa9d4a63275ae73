//! Whole filters: AND, OR, negation, exclusion, dates and groups, as text cases; and when time alone decides again.

use std::collections::BTreeMap;

use rosterd::expr::Environment;
use rosterd::model::Applied;
use rosterd::model::Container;
use rosterd::model::LinkId;
use rosterd::model::Seen;
use rosterd::model::SourceId;
use rosterd::model::Standing;
use rosterd::model::Vocabulary;
use rosterd::plan;
use rosterd::plan::ContainerGraph;
use rosterd::plan::Decision;
use rosterd::plan::Dirty;
use rosterd::plan::EdgeState;
use rosterd::plan::Facts;
use rosterd::plan::Filters;
use rosterd::plan::Memberships;
use rosterd::plan::Node;
use rosterd::plan::ScopeFact;
use rosterd::scim::Kind;

use super::support::sections;
use super::support::story;
use super::support::wording;

/// 2026-03-01T00:00:00Z.
const NOW: i64 = 1_772_323_200;
const DAY: i64 = 86_400;

/// Group 2 is in group 1; group 3 is by itself.
fn graph() -> ContainerGraph {
    let node = |number: i64| Node {
        link: LinkId(number),
        container: Container::Group(SourceId(format!("g{number}"))),
        name: format!("Group {number}"),
        description: String::new(),
        standing: Standing::Enabled,
    };
    ContainerGraph {
        nodes: (1..=3).map(|number| (LinkId(number), node(number))).collect(),
        below: BTreeMap::from([(LinkId(1), vec![(LinkId(2), EdgeState::Present)])]),
        ..ContainerGraph::default()
    }
}

fn filters(text: &str) -> Filters {
    let words: Vec<&str> = text.split_whitespace().collect();
    wording::filters(&words).check(Kind::User, Vocabulary::File).expect("sound filters")
}

/// Somebody who is selected, enabled and in group 2.
fn decided(admit: &str, exclude: &str, attributes: &str, now_second: i64) -> Decision {
    let mut rules = story::rules();
    rules.scope.users.filters = filters(admit);
    rules.scope.users.exclude = filters(exclude);
    let mut attributes: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(attributes).expect("an object");
    for (name, value) in
        [("userName", "ann"), ("mail", "ann@x.example"), ("givenName", "Ann"), ("surname", "Lee")]
    {
        attributes.insert(name.to_owned(), value.into());
    }
    let seen = Seen { standing: Standing::Enabled, attributes };
    let (id, graph) = (SourceId("u1".to_owned()), graph());
    let memberships = Memberships::new(&rules.scope.users, Vocabulary::File, &graph);
    let memberships = memberships.of(&id, Kind::User, &[(LinkId(2), EdgeState::Present)]);
    let now = jiff::Timestamp::from_second(now_second).expect("a time");
    let environment = Environment { now, ..Environment::default() };
    let facts = Facts {
        undo: None,
        drifted: &[],
        kind: Kind::User,
        source: &id,
        seen: &seen,
        scope: ScopeFact::In(Vec::new()),
        applied: &Applied::Absent,
        dirty: Dirty { object: true, ..Dirty::default() },
        twin: false,
        groups: &[],
        environment: &environment,
        lost_groups: &[],
        memberships: &memberships,
        left: None,
    };
    plan::decide(&rules, "digest", &facts)
}

#[test]
fn whole_filters_say_what_the_cases_say() {
    let text = include_str!("../cases/scope/filters.txt");
    let comments = |line: &&str| line.starts_with('#') && line.contains("ection");
    text.lines().filter(comments).for_each(|line| sections::check_source("filters.txt", line));
    let rows = text.lines().enumerate().filter(|(_, row)| !row.starts_with('#') && !row.is_empty());
    let mut played = 0;
    for (line, row) in rows {
        let [admit, exclude, attributes, expected] = row.split(';').map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("filters.txt:{}: four columns", line + 1)
        };
        let decision = decided(admit, exclude, attributes, NOW);
        let told = match decision.pending {
            Some(_) => "in".to_owned(),
            None => decision.why.cause.sentence(),
        };
        assert_eq!(told, expected, "filters.txt:{}: {row}", line + 1);
        played += 1;
    }
    assert!(played > 30, "{played}");
}

/// When time alone changes the answer, it is known to the second; what changes no more is looked at when the clock
/// goes back, and what has no date never.
#[test]
fn the_next_look_is_when_a_date_changes_the_answer() {
    let at = |admit: &str, attributes: &str| decided(admit, "", attributes, NOW).decide_at;
    assert_eq!(at("leaves AFTER now", r#"{"leaves": "2026-03-11"}"#), Some(NOW + 10 * DAY));
    assert_eq!(at("starts BEFORE now+2d", r#"{"starts": "2026-03-11"}"#), Some(NOW + 8 * DAY + 1));
    assert_eq!(at("hired BEFORE now-90d", r#"{"hired": "2026-03-01"}"#), Some(NOW + 90 * DAY + 1));
    assert_eq!(
        at("starts BEFORE now and leaves AFTER now", r#"{"starts": "2026-03-05", "leaves": "2026-03-11"}"#),
        Some(NOW + 4 * DAY + 1)
    );
    assert_eq!(at("leaves AFTER now", r#"{"leaves": "2026-02-11"}"#), Some(i64::MAX));
    assert_eq!(at("leaves AFTER now", "{}"), None);
    assert_eq!(at("leaves AFTER 2026-12-31", r#"{"leaves": "2026-03-11"}"#), None);
    // And it is the second before which the answer is the one, and from which on it is the other.
    let is_in = |now| decided("leaves AFTER now", "", r#"{"leaves": "2026-03-11"}"#, now).pending.is_some();
    assert!(is_in(NOW + 10 * DAY - 1) && !is_in(NOW + 10 * DAY));
    let is_in =
        |now| decided("starts BEFORE now+2d", "", r#"{"starts": "2026-03-11"}"#, now).pending.is_some();
    assert!(!is_in(NOW + 8 * DAY) && is_in(NOW + 8 * DAY + 1));
}
