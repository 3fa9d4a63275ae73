//! Evidence of removals as fields, in JSON and CSV, under the chain's seal and within reach of an erasure; the event and
//! its actor where Okta's log tells; tokens as decisions.

use rosterd::model::Container;
use rosterd::model::HeardOf;
use rosterd::model::SourceEvent;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::okta::OktaSource;
use serde_json::Value;
use serde_json::json;

use super::okta_log::event;
use super::okta_log::settings;
use super::okta_log::since;
use super::okta_org::Reply;
use super::okta_reads::GROUPS;
use super::okta_reads::assigned;
use super::okta_reads::id;
use super::okta_reads::members;
use super::okta_reads::org;
use super::okta_reads::read;
use crate::support::host::Host;

const ON: &str = "/api/v1/logs?after=1772445600_1&limit=1000";

fn in_app(who: &str) -> WitnessQuestion {
    WitnessQuestion::Held { container: Container::App(id("0oa1")), principal: id(who), kind: Kind::User }
}

#[tokio::test]
async fn oktas_own_event_and_request_prove_an_answer() {
    let org = org().await;
    org.tell(GROUPS, Reply::ok(json!([assigned("00g1", "Sales")])));
    org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}])));
    let of_bo = [("AppUser", "0ua2"), ("AppInstance", "0oa1"), ("User", "00u2")];
    let mut removed = event("e-17", "application.user_membership.remove", &of_bo);
    removed["actor"] =
        json!({"id": "00uadmin", "type": "User", "alternateId": "x@y.example", "displayName": "Ada Admin"});
    org.tell(&since("2026-03-02T09:45:00Z"), Reply::ok(json!([removed])).next(ON));
    org.tell(ON, Reply::ok(json!([])).next(ON));
    let missing = Reply::error(404, "E0000007").header("x-okta-request-id", "req-2");
    org.tell("/api/v1/apps/0oa1/users/00u2", missing);
    let source = OktaSource::new(settings(&org)).expect("a source");
    read(&source, &rosterd::model::Watermarks::new(), "2026-03-02T10:00:00Z").await.expect("whole");
    assert_eq!(source.heard(&in_app("00u2")), HeardOf::default(), "nothing was asked yet");
    source.witness(&[in_app("00u1"), in_app("00u2")]).await.expect("answers");
    let expected = SourceEvent {
        id: "e-17".to_owned(),
        kind: "application.user_membership.remove".to_owned(),
        at: Some("2026-03-02T10:20:00.123Z".to_owned()),
        actor_id: Some("00uadmin".to_owned()),
        actor_name: Some("Ada Admin".to_owned()),
    };
    let heard = source.heard(&in_app("00u2"));
    assert_eq!(heard, HeardOf { request_ids: vec!["req-2".to_owned()], event: Some(expected) });
    assert_eq!(source.heard(&in_app("00u1")).event, None, "it is not Bo's");
}

/// Ann has left.
fn left() -> Host {
    let host = Host::new();
    assert_eq!(host.run(&["enable", "hr", "--reason", "looked"]).code, 0);
    assert_eq!(host.run(&["sync"]).code, 0);
    host.people(&["bob"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    host
}

fn records(host: &Host) -> Vec<Value> {
    let log = host.run(&["log", "--format", "json"]);
    log.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_removal_has_its_evidence_beside_the_sentence_in_json_and_csv() {
    let host = left();
    let records = records(&host);
    let gone = records.iter().find(|record| record["class"] == "deactivate").unwrap();
    assert_eq!(gone["evidence"], "the file, whole by its own counts, does not show it");
    assert_eq!(
        gone["proofs"],
        json!({"coverage": [{"collection": "users", "by": "full"}],
            "witness": [{"question": "does user u-ann still exist", "answer": gone["evidence"]}]})
    );
    let csv = host.run(&["log", "--format", "csv"]).out;
    let heading = csv.lines().next().unwrap();
    assert!(heading.ends_with(",evidence,coverage,request_ids,event_id,event_actor,settings"), "{heading}");
    let row = csv.lines().find(|line| line.contains(",deactivate,")).unwrap();
    assert!(row.contains(",users (full),,,,"), "{row}");
}

#[test]
fn evidence_is_sealed_and_goes_with_an_erasure() {
    let host = left();
    let state = || rusqlite::Connection::open(host.path("rosterd.db")).unwrap();
    let changed = state()
        .execute(
            "UPDATE journal SET proofs = replace(proofs, 'exist', 'exits') WHERE class = 'deactivate'",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
    let broken = host.run(&["log", "--verify-chain"]);
    assert!(broken.out.contains("has other values than were recorded"), "{}", broken.out);
    state().execute("UPDATE journal SET proofs = replace(proofs, 'exits', 'exist')", []).unwrap();
    assert_eq!(host.run(&["log", "--verify-chain"]).code, 0);
    let erased = host.run(&["workspace", "erase", "ann@acme.example", "--reason", "asked for"]);
    assert_eq!(erased.code, 0, "{}{}", erased.out, erased.err);
    let gone = records(&host).into_iter().find(|record| record["class"] == "deactivate").unwrap();
    assert_eq!(gone["proofs"], Value::Null);
    assert_eq!(host.run(&["log", "--verify-chain"]).code, 0);
}

#[test]
fn an_erasure_clears_decisions_that_name_the_person() {
    let host = left();
    let state = || rusqlite::Connection::open(host.path("rosterd.db")).unwrap();
    state()
        .execute("INSERT INTO decisions (job, what, who, reason, at) VALUES (1, 'approve Ann@acme.example: 1 changes', 'root', '', 1)", [])
        .unwrap();
    assert_eq!(host.run(&["workspace", "erase", "ann@acme.example", "--reason", "asked for"]).code, 0);
    let left: Vec<String> = state()
        .prepare("SELECT what FROM decisions ORDER BY at")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(left, ["erased", "mode write"]);
}

#[test]
fn what_happens_to_tokens_is_in_the_log_with_who_and_why() {
    let host = Host::new();
    let of = ["--workspace", "main", "--tenant", "okta"];
    let made = host.run(&[&["token", "create", "--reason", "for okta"], &of[..]].concat());
    assert_eq!(made.code, 0, "{}", made.err);
    let id = made.out.trim().split('_').nth(1).unwrap().to_owned();
    let next = host.run(&["token", "rotate", &id, "--reason", "yearly"]);
    assert_eq!(next.code, 0, "{}", next.err);
    let successor = next.out.trim().split('_').nth(1).unwrap().to_owned();
    assert_eq!(host.run(&["token", "revoke", &id, "--reason", "leaked"]).code, 0);
    assert_eq!(host.run(&["token", "revoke", &id, "--reason", "again"]).code, 1);
    let records = records(&host);
    let told: Vec<(&str, &str)> = records
        .iter()
        .map(|record| (record["name"].as_str().unwrap(), record["reason"].as_str().unwrap()))
        .collect();
    let (create, rotate, revoke) = (
        format!("token create {id} for tenant okta: "),
        format!("token rotate {id} to {successor}"),
        format!("token revoke {id}"),
    );
    assert!(told[0].0.starts_with(&create), "{told:?}");
    assert_eq!(told[1..], [(rotate.as_str(), "yearly"), (revoke.as_str(), "leaked")]);
    for record in &records {
        assert_eq!(
            (&record["class"], &record["kind"], &record["workspace"]),
            (&json!("decide"), &json!("token"), &json!("main"))
        );
        assert_eq!(record["by"], record["initiated_by"]);
        assert!(record["settings"].is_string());
    }
    for secret in [made.out.trim(), next.out.trim()] {
        let secret = secret.rsplit('_').next().unwrap();
        assert!(!host.run(&["log", "--format", "json"]).out.contains(secret));
    }
    assert_eq!(host.run(&["log", "--verify-chain"]).code, 0);
}
