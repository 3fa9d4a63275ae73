//! The table of design P2, row by row: the question that goes over the wire, what confirms it, and what does not.

use std::collections::BTreeMap;

use rosterd::model::SourceId;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::plan::Class;
use rosterd::scim::Kind;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;
use rosterd::store::LogFilter;

use super::site::Site;
use super::site::acme;
use super::site::login;

/// One row: absent from what, after what happened.
struct Row {
    absent_from: &'static str,
    flavour: Flavour,
    happens: fn(&Site),
    /// Requests of the kinds that only a witness sends (and those of the list that is read a second time): one
    /// for whom it is about, one for the canary.
    asks: &'static [(Route, u64)],
    /// The route of the question, the place of the canary among the cycle's requests to it, and how "not there"
    /// looks on it.
    route: Route,
    canary: u64,
    silence: Trouble,
    done: &'static [(Class, u64)],
}

const NOT_FOUND: Trouble = Trouble::Status { status: 404, retry_after: None };
const ONE_LEFT: &[(Class, u64)] = &[(Class::Deactivate, 1)];
const ANN_LEFT: &[(Class, u64)] = &[(Class::RemoveMembers, 2), (Class::Deactivate, 1)];

fn rows() -> Vec<Row> {
    vec![
        Row {
            absent_from: "Graph assignments",
            flavour: Flavour::Graph,
            happens: |site| site.change(Change::Unassign { principal: login("Di") }),
            asks: &[(Route::UserAssignments, 2)],
            route: Route::UserAssignments,
            canary: 1,
            silence: Trouble::Empty,
            done: ONE_LEFT,
        },
        Row {
            absent_from: "Graph assignments, a group",
            flavour: Flavour::Graph,
            happens: |site| site.change(Change::Unassign { principal: "Sales".to_owned() }),
            asks: &[(Route::GroupAssignments, 2)],
            route: Route::GroupAssignments,
            canary: 1,
            silence: Trouble::Empty,
            done: &[(Class::RemoveMembers, 2), (Class::Deactivate, 1)],
        },
        Row {
            // The feed has forgotten us, so the groups are read anew and the change is an absence.
            absent_from: "a Graph group",
            flavour: Flavour::Graph,
            happens: |site| {
                site.change(Change::Leave { group: "Support".to_owned(), member: login("Ann") });
                site.world.fault(Fault::next(Route::GroupsDelta, Trouble::ExpireDelta { status: 410 }));
            },
            // A group that hides its members cannot be asked: the group is looked at as well.
            asks: &[(Route::CheckMemberGroups, 2), (Route::Group, 2)],
            route: Route::CheckMemberGroups,
            canary: 1,
            silence: Trouble::Empty,
            done: &[(Class::RemoveMembers, 1)],
        },
        Row {
            absent_from: "Graph users, in the recycle bin",
            flavour: Flavour::Graph,
            happens: |site| {
                site.change(Change::SoftDelete { who: login("Ann") });
                site.world.fault(Fault::next(Route::UsersDelta, Trouble::ExpireDelta { status: 400 }));
                // Where the list of the bin is read, it is an event.
                site.world.fault(Fault::next(Route::DeletedItems, Trouble::Deny));
            },
            asks: &[(Route::User, 2), (Route::DeletedItems, 1)],
            route: Route::User,
            canary: 1,
            silence: NOT_FOUND,
            done: ANN_LEFT,
        },
        Row {
            absent_from: "Graph users, purged",
            flavour: Flavour::Graph,
            happens: |site| {
                site.change(Change::Purge { who: login("Ann") });
                site.world.fault(Fault::next(Route::UsersDelta, Trouble::ExpireDelta { status: 400 }));
            },
            asks: &[(Route::User, 2), (Route::DeletedItems, 1)],
            route: Route::User,
            canary: 1,
            silence: NOT_FOUND,
            done: ANN_LEFT,
        },
        Row {
            absent_from: "Okta app users",
            flavour: Flavour::Okta,
            happens: |site| site.change(Change::Unassign { principal: login("Di") }),
            asks: &[(Route::AppUser, 2)],
            route: Route::AppUser,
            canary: 1,
            silence: NOT_FOUND,
            done: ONE_LEFT,
        },
        Row {
            absent_from: "an Okta group",
            flavour: Flavour::Okta,
            happens: |site| site.change(Change::Leave { group: "Support".to_owned(), member: login("Ann") }),
            // The members as they are read, and the second reading, which answers for the canary too.
            asks: &[(Route::Members, 2)],
            route: Route::Members,
            canary: 2,
            silence: Trouble::Empty,
            done: &[(Class::RemoveMembers, 1)],
        },
    ]
}

/// The row's site, after the first cycle and what happened then.
async fn after(row: &Row) -> Site {
    let mut site = Site::start(acme(row.flavour)).await;
    site.cycle().await;
    (row.happens)(&site);
    site.world.reset_counters();
    site
}

/// Requests that ask: one for whom it is about and one for the canary, unless one reading answers for both.
fn questions(row: &Row) -> u64 {
    if row.route == Route::Members { 1 } else { 2 }
}

fn done(row: &Row) -> BTreeMap<Class, u64> {
    row.done.iter().copied().collect()
}

/// Nothing was removed, and everything that would be is held for this reason.
async fn is_held(site: &Site, row: &Row, listing: &[String], kind: &str, text: &str) {
    assert_eq!(site.listing().await, listing, "{}", row.absent_from);
    let left = site.left().await;
    let about: Vec<&String> = left.iter().filter(|line| line.contains(text)).collect();
    assert!(!left.is_empty() && about.len() == left.len(), "{}: {left:#?}", row.absent_from);
    assert!(left.iter().all(|line| line.contains(&format!("(held: {kind}: "))), "{left:#?}");
}

#[tokio::test]
async fn every_question_is_asked_and_confirms() {
    for row in rows() {
        let mut site = after(&row).await;
        let record = site.cycle().await;
        let counters = site.world.counters();
        let asked = match row.flavour {
            Flavour::Graph => counters.batched,
            Flavour::Okta => counters.requests,
        };
        for (route, times) in row.asks {
            assert_eq!(asked.get(route), Some(times), "{}: {asked:?}", row.absent_from);
        }
        assert_eq!(record.done, done(&row), "{}: {:#?}", row.absent_from, site.left().await);
        site.equals().await;
        assert_eq!(site.cycle().await.written(), 0, "{}", row.absent_from);
    }
}

/// A witness counts only while somebody who is known to be there still answers.
#[tokio::test]
async fn a_silent_canary_makes_the_witness_worthless() {
    for row in rows() {
        let mut site = after(&row).await;
        let listing = site.listing().await;
        site.world.fault(Fault::nth(row.route, row.canary, row.silence.clone()));
        site.cycle().await;
        assert_eq!(site.world.faults(), [], "{}", row.absent_from);
        let silent = "a canary known to be there was not found either";
        is_held(&site, &row, &listing, "Unwitnessed", silent).await;
        assert_eq!(site.cycle().await.done, done(&row), "{}: it sings again", row.absent_from);
        site.equals().await;
    }
}

/// Without permission for the question, a second complete read in a later cycle is the witness: the next cycle
/// makes it, whatever its watermarks say.
#[tokio::test]
async fn without_permission_a_second_complete_read_confirms() {
    for row in rows() {
        let mut site = after(&row).await;
        let listing = site.listing().await;
        let denied = || Fault {
            nth: row.canary,
            times: Some(questions(&row)),
            ..Fault::next(row.route, Trouble::Deny)
        };
        site.world.fault(denied());
        site.cycle().await;
        assert_eq!(site.world.faults(), [], "{}", row.absent_from);
        is_held(&site, &row, &listing, "Unwitnessed", "403").await;
        site.world.fault(denied());
        let record = site.cycle().await;
        assert_eq!(record.done, done(&row), "{}: {:#?}", row.absent_from, site.left().await);
        site.equals().await;
    }
}

/// The witness is down: nothing is removed in this cycle.
#[tokio::test]
async fn a_witness_that_does_not_answer_removes_nobody() {
    for row in rows() {
        let mut site = after(&row).await;
        let listing = site.listing().await;
        let down = Trouble::Status { status: 503, retry_after: None };
        site.world.fault(Fault { nth: row.canary, times: None, ..Fault::next(row.route, down) });
        let _ = site.try_cycle(rosterd::model::Reading::Incremental).await;
        site.world.clear_faults();
        assert_eq!(site.listing().await, listing, "{}", row.absent_from);
        site.cycle().await;
        site.equals().await;
    }
}

/// The last row: whether somebody exists in the org at all.
#[tokio::test]
async fn an_okta_user_exists_unless_deactivated_or_deleted() {
    let site = Site::start(acme(Flavour::Okta)).await;
    let ids: Vec<String> = ["Ann", "Bo", "Cy", "Di"].iter().map(|name| site.id(&login(name))).collect();
    site.change(Change::SoftDelete { who: ids[1].clone() });
    site.change(Change::Purge { who: ids[2].clone() });
    site.change(Change::Disable { who: ids[3].clone() });
    let exists = |id: &String| WitnessQuestion::Exists { id: SourceId(id.clone()), kind: Kind::User };
    let questions: Vec<WitnessQuestion> = ids.iter().map(exists).collect();
    let answers = site.source.witness(&questions).await.expect("answers");
    use WitnessAnswer::Disabled;
    use WitnessAnswer::Present;
    let absent = |evidence: &'static str| WitnessAnswer::Absent(evidence.into());
    let expected = [Present, absent("the user is DEPROVISIONED"), absent("404"), Disabled];
    assert_eq!(answers, expected, "here, deactivated, deleted, suspended");
    assert_eq!(site.world.counters().of(Route::User), 4);
}

/// What is over the budget is held, said, and asked for in the next cycle.
#[tokio::test]
async fn questions_over_the_budget_wait_for_the_next_cycle() {
    for flavour in [Flavour::Graph, Flavour::Okta] {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        for who in ["Di", "Ed"] {
            site.change(Change::Unassign { principal: login(who) });
        }
        site.limits.witness_budget = 1;
        assert_eq!(site.cycle().await.done, BTreeMap::from([(Class::Deactivate, 1)]));
        let left = site.left().await;
        assert!(
            left.len() == 1 && left[0].contains("(held: Unwitnessed: unwitnessed: the cycle's budget of 1")
        );
        assert_eq!(site.cycle().await.done, BTreeMap::from([(Class::Deactivate, 1)]));
        site.equals().await;
    }
}

/// The journal keeps what the witness answered.
#[tokio::test]
async fn a_removal_is_told_with_its_evidence() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.cycle().await;
    site.change(Change::Unassign { principal: login("Di") });
    site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
    let cycle = site.cycle().await;
    let filter = LogFilter { cycle: Some(cycle.cycle), limit: 10, ..LogFilter::default() };
    let rows = site.store.log(filter).await.expect("a log");
    let told: Vec<_> = rows.iter().map(|row| (row.class.as_str(), row.evidence.as_deref())).collect();
    let no_row = "no row of the application among the principal's own assignments";
    assert_eq!(told, [("remove_members", None), ("deactivate", Some(no_row))], "the feed told of Ann");
}
