//! What is said of some people and teams.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::model::Container;
use crate::model::Finding;
use crate::model::LinkId;
use crate::model::Standing as InSource;
use crate::plan::ContainerGraph;
use crate::plan::EdgeState;
use crate::plan::Node;
use crate::plan::Proof;
use crate::scim::profiles::Profile;

struct Someone {
    source: SourceId,
    wanted: Attributes,
    guest: bool,
    applied: bool,
    teams: u64,
}

fn someone(id: &str, values: &[(&str, &str)]) -> Someone {
    let wanted = values.iter().map(|(path, value)| ((*path).to_owned(), json!(value))).collect();
    Someone { source: SourceId(id.to_owned()), wanted, guest: false, applied: false, teams: 1 }
}

fn demands_of(profile: &str) -> Demands {
    Profile::named(profile).expect("a profile of the shelf").demands()
}

fn said(demands: Demands, people: &[Someone], teams: &[(&str, &str, u64)], standing: Standing) -> String {
    let mut lint = Lint::new(demands, &[]);
    for someone in people {
        lint.person(&Person {
            source: &someone.source,
            wanted: &someone.wanted,
            guest: someone.guest,
            applied: someone.applied,
            pending: (!someone.applied).then_some(Class::Create),
            teams: someone.teams,
        });
    }
    for (id, name, members) in teams {
        lint.team(&Team { source: &SourceId((*id).to_owned()), name, members: *members });
    }
    let told = |finding: Finding| format!("{:?} {}: {}\n", finding.grade, finding.subject, finding.text);
    lint.findings(standing, &[]).into_iter().map(told).collect()
}

#[test]
fn nothing_is_said_of_people_who_are_there_and_sound() {
    let ann = Someone { applied: true, ..someone("u1", &[("userName", "ann@x.example")]) };
    assert_eq!(said(demands_of("standard"), &[ann], &[("g1", "Sales", 1)], Standing::default()), "");
}

#[test]
fn an_address_that_two_people_want_is_named_whatever_its_case() {
    let people = [
        someone("u1", &[("userName", "Ann@x.example")]),
        someone("u2", &[("userName", "bob"), ("emails[type eq \"work\"].value", "ann@X.example")]),
        someone("u3", &[("userName", "ÄRGER")]),
        someone("u4", &[("userName", "ärger")]),
    ];
    let told = said(demands_of("standard"), &people, &[], Standing::default());
    assert!(
        told.starts_with(
            "Warning addresses: 2 addresses are shared by several people: ann@x.example (u1, u2), ärger (u3, u4)\n"
        ),
        "{told}"
    );
}

#[test]
fn equal_team_names_are_named() {
    let told =
        said(demands_of("standard"), &[], &[("g1", "Sales", 1), ("g2", "SALES", 0)], Standing::default());
    assert_eq!(told, "Warning team names: 1 team name is shared by several groups: sales (g1, g2)\n");
}

#[test]
fn what_cerby_requires_and_somebody_lacks_is_said() {
    let people = [someone(
        "u1",
        &[
            ("userName", "ann"),
            ("active", "True"),
            ("name.givenName", "Ann"),
            ("emails[type eq \"work\"].value", "ann@x.example"),
        ],
    )];
    let told = said(demands_of("cerby"), &people, &[], Standing::default());
    assert!(told.contains(
        "Warning required: the target wants `name.familyName`, and 1 person (ann) would have none\n"
    ));
    assert!(
        told.contains("Warning user names: the target wants userName and work e-mail to be equal; they differ for 1 person (ann)\n"),
        "{told}"
    );
}

#[test]
fn values_that_a_target_would_refuse_are_said() {
    let people = [
        someone("u1", &[("userName", "ann"), ("emails[type eq \"work\"].value", "ann at x")]),
        someone("u2", &[("userName", "bob"), ("title", "Chief\u{7}")]),
        someone("u3", &[("userName", "cyd"), ("title", " Clerk")]),
    ];
    let told = said(demands_of("standard"), &people, &[], Standing::default());
    assert!(
        told.contains("Warning e-mail: 1 value that is no address (ann (emails[type eq \"work\"].value))\n"),
        "{told}"
    );
    assert!(
        told.contains("Warning values: 2 values (bob (title), cyd (title)) begins or ends with a blank, or has an unprintable character\n"),
        "{told}"
    );
}

#[test]
fn of_many_five_are_named() {
    let people: Vec<Someone> = (0..12)
        .map(|n| Someone { guest: true, ..someone(&format!("u{n}"), &[("userName", &format!("g{n}"))]) })
        .collect();
    let told = said(demands_of("standard"), &people, &[], Standing::default());
    assert!(
        told.contains("12 guests (g0, g1, g2, g3, g4 and 7 more) would be active in the target"),
        "{told}"
    );
}

#[test]
fn what_creating_costs_at_configcat() {
    let ann = Someone { applied: true, ..someone("u1", &[("userName", "ann@x.example")]) };
    let bob = Someone { teams: 0, ..someone("u2", &[("userName", "bob@y.example")]) };
    let standing = Standing { active: 10, leaving: 2 };
    assert_eq!(
        said(demands_of("configcat"), &[ann, bob], &[], standing),
        "Warning teams: access hangs on teams there, and 1 person (bob@y.example) would be in none\n\
         Warning mail domains: not seen in the target yet: y.example\n\
         Ok seats: 10 active now, 1 new, 0 active again, 2 leaving: 9 in all\n\
         Ok invitations: 1 person will get an invitation by mail\n"
    );
}

#[test]
fn more_people_than_seats_are_a_warning() {
    let demands = Demands { seats: Some(10), ..demands_of("standard") };
    let told =
        said(demands, &[someone("u1", &[("userName", "ann")])], &[], Standing { active: 10, leaving: 0 });
    assert_eq!(
        told,
        "Warning seats: 10 active now, 1 new, 0 active again, 0 leaving: 11 in all, of 10 seats\n"
    );
}

#[test]
fn a_team_over_the_limit_of_the_target_is_said() {
    let demands = Demands { team_members_max: Some(100), ..demands_of("standard") };
    let told = said(demands, &[], &[("g1", "Sales", 101), ("g2", "Ops", 100)], Standing::default());
    assert_eq!(
        told,
        "Warning team size: the target takes at most 100 members a team, and 1 team (Sales (101)) would have more\n"
    );
}

#[test]
fn circles_of_groups_are_found_and_edges_that_are_gone_are_none() {
    let node = |n: i64| {
        let node = Node {
            link: LinkId(n),
            container: Container::Group(SourceId(format!("g{n}"))),
            name: format!("G{n}"),
            description: String::new(),
            standing: InSource::Enabled,
        };
        (LinkId(n), node)
    };
    let edge = |to: i64| (LinkId(to), EdgeState::Present);
    let gone = |to: i64| (LinkId(to), EdgeState::Gone(Proof::Event));
    let graph = ContainerGraph {
        nodes: (1..=8).map(node).collect(),
        below: BTreeMap::from([
            (LinkId(1), vec![edge(2)]),
            (LinkId(2), vec![edge(3)]),
            (LinkId(3), vec![edge(1), edge(4)]),
            (LinkId(4), vec![edge(5)]),
            (LinkId(5), vec![gone(4)]),
            (LinkId(6), vec![edge(6)]),
            (LinkId(7), vec![edge(8), edge(1)]),
            (LinkId(8), vec![edge(4)]),
        ]),
        details: BTreeMap::new(),
    };
    assert_eq!(circles(&graph), [vec!["G1", "G2", "G3"], vec!["G6"]]);
}

/// A row of the mapping that says `required = true`, whatever the profile knows; a wish to unassign is no value.
#[test]
fn what_the_mapping_marks_as_required_is_asked_of_everybody() {
    let mut lint = Lint::new(demands_of("standard"), &["active", "title"]);
    let mut bo = someone("u2", &[("userName", "bo")]);
    bo.wanted.unassign("title");
    for someone in [someone("u1", &[("userName", "ann"), ("title", "Boss")]), bo] {
        let Someone { source, wanted, .. } = &someone;
        lint.person(&Person { source, wanted, guest: false, applied: true, pending: None, teams: 1 });
    }
    let told = lint.findings(Standing::default(), &[]);
    let told: Vec<&str> = told.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(told, ["the target wants `title`, and 1 person (bo) would have none"]);
}
