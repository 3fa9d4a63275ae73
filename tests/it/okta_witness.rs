//! The witness of an Okta source with the System Log: what disappears without an event is held, what the log tells of
//! is confirmed, whatever order the answers come in (P2).

use rosterd::model::Container;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::okta::OktaSource;
use serde_json::Value;
use serde_json::json;

use super::okta_log::event;
use super::okta_log::logs;
use super::okta_log::settings;
use super::okta_log::since;
use super::okta_log::types;
use super::okta_org::Org;
use super::okta_org::Reply;
use super::okta_reads::GROUPS;
use super::okta_reads::assigned;
use super::okta_reads::group;
use super::okta_reads::id;
use super::okta_reads::members;
use super::okta_reads::org;
use super::okta_reads::read;

const NOW: &str = "2026-03-02T10:00:00Z";
const ON: &str = "/api/v1/logs?after=1772445600_1&limit=1000";
const REMOVE: &str = "application.user_membership.remove";
const OF_BO: &[(&str, &str)] = &[("AppUser", "0ua2"), ("AppInstance", "0oa1"), ("User", "00u2")];

/// An org whose log told these events at the beginning of the cycle. Ann (00u1) is assigned and in Sales.
async fn told(events: Value) -> (Org, OktaSource) {
    let org = org().await;
    org.tell(GROUPS, Reply::ok(json!([assigned("00g1", "Sales"), imported("00g2")])));
    org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}])));
    org.tell(&members("00g2"), Reply::ok(json!([{"id": "00u1"}])));
    org.tell(&since("2026-03-02T09:45:00Z"), Reply::ok(events).next(ON));
    org.tell(ON, Reply::ok(json!([])).next(ON));
    let source = OktaSource::new(settings(&org)).expect("a source");
    read(&source, &Watermarks::new(), NOW).await.expect("whole");
    (org, source)
}

fn imported(id: &str) -> Value {
    let mut row = assigned(id, "From AD");
    row["_embedded"]["group"]["type"] = json!("APP_GROUP");
    row
}

/// What the log says when it is asked about one user or group.
fn about(org: &Org, id: &str, events: Value) {
    let filter = format!("target.id eq \"{id}\" and ({})", types());
    let target = logs(&[
        ("since", "2025-12-03T10:00:00Z"),
        ("until", NOW),
        ("filter", &filter),
        ("sortOrder", "DESCENDING"),
        ("limit", "100"),
    ]);
    org.tell(&target, Reply::ok(events));
}

fn in_app(who: &str) -> WitnessQuestion {
    WitnessQuestion::Held { container: Container::App(id("0oa1")), principal: id(who), kind: Kind::User }
}

fn in_group(group: &str, who: &str) -> WitnessQuestion {
    WitnessQuestion::Held { container: Container::Group(id(group)), principal: id(who), kind: Kind::User }
}

async fn answer(source: &OktaSource, question: WitnessQuestion) -> WitnessAnswer {
    source.witness(&[question]).await.expect("an answer").remove(0)
}

fn absent(evidence: &str) -> WitnessAnswer {
    WitnessAnswer::Absent(evidence.to_owned().into())
}

fn is_held(answer: WitnessAnswer) -> bool {
    matches!(answer, WitnessAnswer::Unexplained(_))
}

#[tokio::test]
async fn an_assignment_whose_removal_the_log_told_is_gone() {
    let (org, source) = told(json!([event("a", REMOVE, OF_BO)])).await;
    let asked = org.asked().len();
    assert_eq!(answer(&source, in_app("00u2")).await, absent("404, and the System Log tells of it"));
    assert_eq!(org.asked()[asked..], ["/api/v1/apps/0oa1/users/00u2"], "the log was read before");
}

#[tokio::test]
async fn an_assignment_that_disappears_without_event_is_held() {
    let (org, source) = told(json!([])).await;
    about(&org, "00u2", json!([]));
    assert_eq!(
        answer(&source, in_app("00u2")).await,
        WitnessAnswer::Unexplained("404, and the System Log tells of no removal".to_owned())
    );
}

/// The cycle before may have heard of it, or the log was late.
#[tokio::test]
async fn the_log_is_asked_for_what_this_cycle_did_not_hear() {
    let (org, source) = told(json!([])).await;
    about(&org, "00u2", json!([event("a", REMOVE, OF_BO)]));
    assert_eq!(answer(&source, in_app("00u2")).await, absent("404, and the System Log tells of it"));
}

/// Removed once, assigned again, and now not shown: the old removal explains nothing.
#[tokio::test]
async fn an_old_removal_does_not_explain_a_new_absence() {
    let (org, source) = told(json!([])).await;
    let mut again = event("b", "application.user_membership.add", OF_BO);
    again["published"] = json!("2026-03-02T10:21:00.123Z");
    about(&org, "00u2", json!([again, event("a", REMOVE, OF_BO)]));
    assert!(is_held(answer(&source, in_app("00u2")).await));
}

#[tokio::test]
async fn a_user_who_is_shown_as_deactivated_needs_no_event() {
    let (org, source) = told(json!([])).await;
    about(&org, "00u2", json!([]));
    org.tell("/api/v1/users/00u2", Reply::ok(json!({"id": "00u2", "status": "DEPROVISIONED"})));
    assert_eq!(answer(&source, in_app("00u2")).await, absent("404, and the user is DEPROVISIONED"));
}

#[tokio::test]
async fn a_log_that_cannot_be_asked_confirms_nothing() {
    let (_org, source) = told(json!([])).await;
    let WitnessAnswer::Unexplained(why) = answer(&source, in_app("00u2")).await else { panic!("it is held") };
    assert!(why.starts_with("404, and the System Log cannot say (GET "), "{why}");
}

#[tokio::test]
async fn a_membership_is_confirmed_by_a_second_read_and_an_event() {
    let of = [("User", "00u2"), ("UserGroup", "00g1")];
    let (_org, source) = told(json!([event("a", "group.user_membership.remove", &of)])).await;
    assert_eq!(
        answer(&source, in_group("00g1", "00u2")).await,
        absent("a second complete read does not show it either, and the System Log tells of it")
    );
    assert_eq!(answer(&source, in_group("00g1", "00u1")).await, WitnessAnswer::Present);
}

#[tokio::test]
async fn a_membership_that_ends_without_event_is_held_unless_the_group_is_imported() {
    let (org, source) = told(json!([])).await;
    about(&org, "00u2", json!([]));
    assert!(is_held(answer(&source, in_group("00g1", "00u2")).await));
    assert_eq!(
        answer(&source, in_group("00g2", "00u2")).await,
        absent("a second complete read does not show it either"),
        "the log does not tell of every member of an imported group"
    );
}

#[tokio::test]
async fn users_and_groups_that_are_gone_are_explained_by_their_deletion() {
    let (org, source) = told(json!([
        event("a", "user.lifecycle.delete.completed", &[("User", "00u2")]),
        event("b", "group.lifecycle.delete", &[("UserGroup", "00g3")]),
    ]))
    .await;
    let exists = |who: &str, kind| WitnessQuestion::Exists { id: id(who), kind };
    let explained = absent("404, and the System Log tells of it");
    assert_eq!(answer(&source, exists("00u2", Kind::User)).await, explained);
    assert_eq!(answer(&source, exists("00g3", Kind::Group)).await, explained);
    about(&org, "00u4", json!([]));
    assert!(is_held(answer(&source, exists("00u4", Kind::User)).await));
    org.tell("/api/v1/groups/00g4", Reply::ok(group("00g4", "Board")));
    assert_eq!(answer(&source, exists("00g4", Kind::Group)).await, WitnessAnswer::Present);
    org.tell("/api/v1/users/00u5", Reply::ok(json!({"id": "00u5", "status": "SUSPENDED"})));
    assert_eq!(answer(&source, exists("00u5", Kind::User)).await, WitnessAnswer::Disabled);
}

#[tokio::test]
async fn only_so_many_questions_go_to_the_log_in_one_cycle() {
    let (org, source) = told(json!([])).await;
    let questions: Vec<WitnessQuestion> = (100..130).map(|number| in_app(&format!("00u{number}"))).collect();
    let asked = org.asked().len();
    let answers = source.witness(&questions).await.expect("answers");
    assert!(answers.into_iter().all(is_held));
    let to_the_log = org.asked()[asked..].iter().filter(|target| target.contains("/logs")).count();
    assert_eq!(to_the_log, 20);
}

#[tokio::test]
async fn a_pushed_group_is_asked_for_by_its_source() {
    let (org, source) = told(json!([])).await;
    let pushed = |group: &str| WitnessQuestion::Held {
        container: Container::App(id("push:0oa1")),
        principal: id(group),
        kind: Kind::Group,
    };
    let target =
        |group: &str| format!("/api/v1/apps/0oa1/group-push/mappings?limit=100&sourceGroupId={group}");
    let mapping = |group: &str| json!([{"id": "gPm1", "sourceGroupId": group, "status": "INACTIVE"}]);
    org.tell(&target("00g1"), Reply::ok(mapping("00g1")));
    org.tell(&target("00g2"), Reply::ok(json!([])));
    org.tell(&target("00g3"), Reply::ok(mapping("00g9")));
    org.tell(&target("00g4"), Reply::error(403, "E0000006"));
    let silent = |answer| matches!(answer, WitnessAnswer::CannotSay(_));
    assert_eq!(answer(&source, pushed("00g1")).await, WitnessAnswer::Present, "a deactivated push is one");
    assert_eq!(answer(&source, pushed("00g2")).await, absent("no mapping has this source group"));
    assert!(silent(answer(&source, pushed("00g3")).await), "not what was asked");
    assert!(silent(answer(&source, pushed("00g4")).await));
}

#[tokio::test]
async fn a_group_is_read_a_second_time_once_in_a_cycle() {
    let (org, source) = told(json!([])).await;
    let asked = org.asked().len();
    answer(&source, in_group("00g2", "00u1")).await;
    answer(&source, in_group("00g2", "00u2")).await;
    assert_eq!(org.asked()[asked..], [members("00g2")]);
    read(&source, &Watermarks::new(), NOW).await.expect("whole");
    let asked = org.asked().len();
    answer(&source, in_group("00g2", "00u2")).await;
    assert_eq!(org.asked()[asked..], [members("00g2")], "the next cycle reads it anew");
}
