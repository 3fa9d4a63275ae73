//! The System Log as an Okta source follows it: where it begins and goes on, what it hints at, what it removes, and
//! that nothing depends on it.

use rosterd::model::Watermarks;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use serde_json::Value;
use serde_json::json;

use super::okta_org::Org;
use super::okta_org::Pulled;
use super::okta_org::Reply;
use super::okta_reads::GROUPS;
use super::okta_reads::assigned;
use super::okta_reads::members;
use super::okta_reads::org;
use super::okta_reads::read;

const MORNING: &str = "2026-03-02T10:00:00Z";
const LATER: &str = "2026-03-02T10:40:00Z";
/// Where the log goes on.
const ON: &str = "/api/v1/logs?after=1772445600_1&limit=1000";
const FURTHER: &str = "/api/v1/logs?after=1772445600_2&limit=1000";

pub fn settings(org: &Org) -> OktaSettings {
    let mut settings = org.settings("0oa1");
    settings.system_log = true;
    settings
}

fn source(org: &Org) -> OktaSource {
    OktaSource::new(settings(org)).expect("a source")
}

/// Everything that changes who is somewhere, or how somebody stands (okta.md section 4).
const TYPES: [&str; 20] = [
    "application.user_membership.add",
    "application.user_membership.remove",
    "application.user_membership.revoke",
    "application.user_membership.deprovision",
    "application.user_membership.restore",
    "group.application_assignment.add",
    "group.application_assignment.remove",
    "group.user_membership.add",
    "group.user_membership.remove",
    "group.lifecycle.create",
    "group.lifecycle.delete",
    "app.user_management",
    "user.lifecycle.activate",
    "user.lifecycle.reactivate",
    "user.lifecycle.deactivate",
    "user.lifecycle.suspend",
    "user.lifecycle.unsuspend",
    "user.lifecycle.delete.initiated",
    "user.lifecycle.delete.completed",
    "user.account.update_profile",
];

pub fn types() -> String {
    TYPES.map(|name| format!("eventType eq \"{name}\"")).join(" or ")
}

pub fn logs(query: &[(&str, &str)]) -> String {
    let mut url = url::Url::parse("https://x/api/v1/logs").expect("an address");
    url.query_pairs_mut().extend_pairs(query);
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// The address of a log that begins at this time.
pub fn since(at: &str) -> String {
    logs(&[("since", at), ("filter", &types()), ("sortOrder", "ASCENDING"), ("limit", "1000")])
}

pub fn event(uuid: &str, kind: &str, targets: &[(&str, &str)]) -> Value {
    let targets: Vec<Value> = targets.iter().map(|(kind, id)| json!({"id": id, "type": kind})).collect();
    json!({"uuid": uuid, "published": "2026-03-02T10:20:00.123Z", "eventType": kind,
        "outcome": {"result": "SUCCESS", "reason": null}, "target": targets})
}

/// A first cycle with an empty log, which goes on at [`ON`]; the group Sales has one member.
async fn begun() -> (Org, OktaSource, Watermarks) {
    let org = org().await;
    org.tell(GROUPS, Reply::ok(json!([assigned("00g1", "Sales")])));
    org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}])));
    org.tell(&since("2026-03-02T09:45:00Z"), Reply::ok(json!([])).next(ON));
    let source = source(&org);
    let first = read(&source, &Watermarks::new(), MORNING).await.expect("whole");
    assert_eq!(first.notes, Vec::<String>::new());
    (org, source, first.watermarks)
}

async fn second(org: &Org, source: &OktaSource, marks: &Watermarks, events: Value) -> Pulled {
    org.tell(ON, Reply::ok(events).next(FURTHER));
    org.tell(FURTHER, Reply::ok(json!([])).next(FURTHER));
    read(source, marks, LATER).await.expect("whole")
}

fn suspended(uuid: &str) -> Value {
    event(uuid, "user.lifecycle.suspend", &[("User", "00u9")])
}

#[tokio::test]
async fn the_log_goes_on_where_the_last_cycle_stopped_and_ends_with_an_empty_page() {
    let (org, source, marks) = begun().await;
    assert_eq!(marks["log"], format!(r#"{{"next":"{}{ON}","read_at":"2026-03-02T10:00:00Z"}}"#, org.host));
    let pulled = second(&org, &source, &marks, json!([suspended("a")])).await;
    let asked: Vec<String> =
        org.asked().into_iter().filter(|target| target.starts_with("/api/v1/logs")).collect();
    assert_eq!(asked.len(), 3, "{asked:#?}");
    assert_eq!(asked[1..], [ON, FURTHER]);
    assert!(pulled.watermarks["log"].contains("1772445600_2"), "{:?}", pulled.watermarks);
}

#[tokio::test]
async fn an_event_about_members_reads_the_group_though_its_time_stamp_is_old() {
    let (org, source, marks) = begun().await;
    let of = [("User", "00u1"), ("UserGroup", "00g1")];
    let events = json!([event("a", "group.user_membership.remove", &of)]);
    assert_eq!(second(&org, &source, &marks, events).await.further, ["members:00g1"]);
    let mut failed = event("b", "group.user_membership.remove", &of);
    failed["outcome"]["result"] = json!("FAILURE");
    assert_eq!(second(&org, &source, &marks, json!([failed])).await.further, Vec::<String>::new());
}

#[tokio::test]
async fn a_deletion_is_an_event_and_a_list_that_still_shows_the_object_has_the_last_word() {
    let (org, source, marks) = begun().await;
    let events = json!([
        event("a", "user.lifecycle.delete.initiated", &[("User", "00u7")]),
        event("b", "user.lifecycle.delete.completed", &[("User", "00u8")]),
        event("b", "user.lifecycle.delete.completed", &[("User", "00u8")]),
        event("c", "group.lifecycle.delete", &[("UserGroup", "00g1")]),
    ]);
    let short = second(&org, &source, &marks, events).await.short();
    let begins = "removed: user 00u8 Gone\nremoved: group 00g1 Gone\nuser 00u1 (Enabled)";
    assert!(short.starts_with(begins), "{short}");
    assert!(short.contains("\ngroup 00g1 (Enabled)"), "the list comes later: {short}");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_done_without_and_named() {
    for (status, code) in [(403, "E0000006"), (404, "E0000008"), (401, "E0000015"), (500, "E0000053")] {
        let (org, source, marks) = begun().await;
        for limit in [1000, 200, 100] {
            let target = format!("/api/v1/logs?after=1772445600_1&limit={limit}");
            org.tell(&target, Reply::error(status, code));
        }
        let pulled = read(&source, &marks, LATER).await.expect("the lists go on");
        assert!(pulled.short().contains("app 0oa1 > user 00u1"));
        assert!(pulled.notes[0].contains("the System Log cannot be read"), "{code}: {:?}", pulled.notes);
        assert_eq!(pulled.watermarks.get("log"), None, "the next cycle goes on from the same link");
    }
}

#[tokio::test]
async fn a_link_that_the_log_refuses_is_given_up_for_a_new_beginning_once() {
    let (org, source, marks) = begun().await;
    org.tell(ON, Reply::error(400, "E0000053"));
    let fresh = since("2026-03-02T10:25:00Z");
    org.tell(&fresh, Reply::ok(json!([])).next(FURTHER));
    let pulled = read(&source, &marks, LATER).await.expect("whole");
    assert!(pulled.watermarks["log"].contains("1772445600_2"));
    assert!(pulled.notes[0].contains("followed anew from now on"), "{:?}", pulled.notes);
    org.tell(&fresh, Reply::error(400, "E0000053"));
    let pulled = read(&source, &marks, LATER).await.expect("whole");
    assert!(pulled.notes[1].contains("the System Log cannot be read"), "{:?}", pulled.notes);
}

#[tokio::test]
async fn a_link_that_is_older_than_the_log_keeps_is_not_followed() {
    let (org, source, marks) = begun().await;
    org.tell(&since("2026-06-02T09:45:00Z"), Reply::ok(json!([])).next(FURTHER));
    let pulled = read(&source, &marks, "2026-06-02T10:00:00Z").await.expect("whole");
    assert!(!org.asked().iter().any(|target| target == ON));
    assert!(pulled.watermarks["log"].contains("1772445600_2"));
}

#[tokio::test]
async fn a_log_that_turns_in_a_circle_ends_and_the_cycle_goes_on() {
    let (org, source, marks) = begun().await;
    org.tell(ON, Reply::ok(json!([suspended("a")])).next(FURTHER));
    org.tell(FURTHER, Reply::ok(json!([suspended("b")])).next(ON));
    let pulled = read(&source, &marks, LATER).await.expect("whole");
    assert!(pulled.short().contains("app 0oa1 > user 00u1"));
}

#[tokio::test]
async fn without_the_setting_the_log_is_not_asked() {
    let org = org().await;
    let source = org.source("0oa1");
    read(&source, &Watermarks::new(), MORNING).await.expect("whole");
    assert!(!org.asked().iter().any(|target| target.contains("/logs")));
}
