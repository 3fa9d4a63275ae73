//! O2: what a service turns out not to do is learned with its evidence, never from what says nothing of it, and never
//! over what the operator set.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use rosterd::model::Lesson;
use rosterd::scim::Kind;
use rosterd::scim::profiles::ByKind;
use rosterd::scim::profiles::Profile;
use rosterd::scim::profiles::Support;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;

use super::service::Asked;
use super::service::Reply;
use super::service::Service;
use super::service::error;
use super::service::found;
use super::service::id;
use super::service::json_reply;
use super::service::list;
use super::service::members;
use super::service::outcome;
use super::service::patch;
use super::service::refused;

fn learned(target: &RemoteTarget) -> Vec<(String, String, String)> {
    let told = |lesson: Lesson| (lesson.capability, lesson.value, lesson.evidence);
    target.lessons().into_iter().map(told).collect()
}

fn lesson(capability: &str, value: &str, evidence: &str) -> (String, String, String) {
    (capability.to_owned(), value.to_owned(), evidence.to_owned())
}

/// A user on a service that answers each PATCH alike, and takes PUT.
fn without_patch(status: u16) -> impl Fn(&Asked) -> Reply {
    move |asked| match asked.line.split(' ').next().unwrap() {
        "GET" => json_reply(
            200,
            json!({
                "id": "1", "meta": {"version": "W/\"1\""}, "groups": [{"value": "g"}], "userName": "ann",
                "title": "Boss", "emails": [{"type": "home", "value": "h@x.example"}],
            }),
        ),
        "PUT" => json_reply(200, asked.body.clone()),
        _ => json_reply(status, json!({"detail": "no PATCH for ann@x.example here"})),
    }
}

#[tokio::test]
async fn a_service_without_patch_is_sent_what_it_shows_with_the_change_in_it() {
    for status in [400, 405, 501] {
        let service = Service::start(without_patch(status)).await;
        let target = service.target();
        let change = [
            ("emails[type eq \"work\"].value", json!("ann@x.example")),
            ("title", Value::Null),
            ("active", json!(false)),
        ];
        let done = outcome(&target, patch("1", &change)).await;
        let sent = service.asked().into_iter().find(|asked| asked.line.starts_with("PUT")).unwrap();
        assert_eq!(sent.line, "PUT /scim/v2/Users/1");
        assert_eq!(
            sent.body,
            json!({
                "id": "1", "userName": "ann", "active": false,
                "emails": [
                    {"type": "home", "value": "h@x.example"}, {"type": "work", "value": "ann@x.example"},
                ],
            }),
            "everything else is as it was, without what the service alone writes"
        );
        assert_eq!(done, Outcome::Done { id: id("1"), shown: Some(sent.body) });
        let evidence = format!("PATCH /Users: status {status}: no PATCH for ••• here; PUT went");
        assert_eq!(learned(&target), [lesson("patch.users", "no", &evidence)]);
        outcome(&target, patch("1", &[("title", json!("x"))])).await;
        let patches = service.lines().iter().filter(|line| line.starts_with("PATCH")).count();
        assert_eq!(patches, 1, "what was learned is not tried again");
    }
}

#[tokio::test]
async fn what_was_learned_before_counts_from_the_start() {
    let service = Service::start(without_patch(405)).await;
    let target = service.target();
    outcome(&target, patch("1", &[("title", json!("x"))])).await;
    let lessons = target.lessons();
    let next = Service::start(without_patch(405)).await;
    let target = next.target();
    target.recall(&lessons);
    outcome(&target, patch("1", &[("title", json!("x"))])).await;
    assert_eq!(next.lines(), ["GET /scim/v2/Users/1", "PUT /scim/v2/Users/1"]);
    target.recall(&[]);
    outcome(&target, patch("1", &[("title", json!("x"))])).await;
    assert!(next.lines().contains(&"PATCH /scim/v2/Users/1".to_owned()), "forgotten, and tried again");
}

#[tokio::test]
async fn nothing_is_learned_from_a_refusal_that_says_nothing_of_the_verb() {
    for (status, kind) in [
        (403, ""),
        (429, ""),
        (500, ""),
        (503, ""),
        (409, "uniqueness"),
        (400, "uniqueness"),
        (400, "invalidValue"),
        (400, "mutability"),
    ] {
        let service = Service::start(move |asked| match asked.line.starts_with("PATCH") {
            true => error(status, kind),
            false => without_patch(200)(asked),
        })
        .await;
        let target = service.target();
        let done = outcome(&target, patch("1", &[("title", json!("x"))])).await;
        assert!(!matches!(done, Outcome::Done { .. }), "{status} {kind}: {done:?}");
        assert_eq!(learned(&target), [], "{status} {kind}");
        assert!(service.lines().iter().all(|line| !line.starts_with("PUT")), "{status} {kind}");
    }
    let denied = Service::start(|_| json_reply(401, json!({}))).await;
    let target = denied.target();
    assert!(target.apply(&[patch("1", &[("title", json!("x"))])]).await.is_err());
    assert_eq!(learned(&target), []);
}

#[tokio::test]
async fn a_400_after_a_patch_that_went_speaks_of_its_values() {
    let service = Service::start(|asked| match asked.line.as_str() {
        "PATCH /scim/v2/Users/2" => error(400, ""),
        line if line.starts_with("PATCH") => json_reply(200, json!({"id": "1"})),
        _ => without_patch(200)(asked),
    })
    .await;
    let target = service.target();
    outcome(&target, patch("1", &[("title", json!("x"))])).await;
    assert_eq!(outcome(&target, patch("2", &[("title", json!("x"))])).await, refused(400));
    assert_eq!(learned(&target), []);
    assert!(service.lines().iter().all(|line| !line.starts_with("PUT")));
}

#[tokio::test]
async fn what_the_operator_set_is_not_learned_over() {
    let service = Service::start(without_patch(405)).await;
    let settings = RemoteSettings {
        settled: BTreeSet::from(["patch.users".to_owned()]),
        profile: Profile {
            patch: ByKind { users: Support::Yes, groups: Support::Yes },
            put: ByKind { users: Support::No, groups: Support::No },
            ..Profile::standard()
        },
        ..service.settings()
    };
    let target = RemoteTarget::new(settings).unwrap();
    let done = outcome(&target, patch("1", &[("title", json!("x"))])).await;
    assert!(matches!(done, Outcome::Refused { status: 405, .. }), "{done:?}");
    assert_eq!(learned(&target), []);
    assert_eq!(service.lines(), ["PATCH /scim/v2/Users/1"], "PUT is not allowed");
}

/// A group that takes so many members in one patch, and never this one.
fn small_patches(most: usize, status: u16, never: &'static str) -> impl Fn(&Asked) -> Reply {
    move |asked| {
        let operation = &asked.body["Operations"][0];
        let values = operation["value"].as_array().cloned().unwrap_or_default();
        let count = values.len().max(asked.body["Operations"].as_array().map_or(0, Vec::len));
        match count > most || values.iter().any(|one| one["value"] == never) {
            true => json_reply(status, json!({"detail": "too many"})),
            false => Some((204, vec![], String::new())),
        }
    }
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("u{n}")).collect()
}

fn joining(people: &[String]) -> Operation {
    members(&people.iter().map(String::as_str).collect::<Vec<_>>(), &[])
}

fn added(service: &Service) -> Vec<usize> {
    let sent = service.asked();
    sent.iter().filter_map(|asked| asked.body["Operations"][0]["value"].as_array().map(Vec::len)).collect()
}

#[tokio::test]
async fn a_patch_with_too_many_members_is_halved_until_it_fits_and_its_size_is_kept() {
    for status in [400, 413] {
        let service = Service::start(small_patches(30, status, "")).await;
        let target = service.target();
        assert!(matches!(outcome(&target, joining(&people(100))).await, Outcome::Done { .. }));
        assert_eq!(added(&service), [100, 50, 25, 25, 25, 25], "{status}");
        let evidence = format!("PATCH /Groups with 100 members: status {status}: too many; 25 went");
        assert_eq!(learned(&target), [lesson("members.max_per_patch", "25", &evidence)]);
        outcome(&target, members(&[], &people(60).iter().map(String::as_str).collect::<Vec<_>>())).await;
        let sizes: Vec<usize> = service.asked()[6..]
            .iter()
            .map(|asked| asked.body["Operations"].as_array().unwrap().len())
            .collect();
        assert_eq!(sizes, [25, 25, 10], "removals keep to it too");
    }
}

#[tokio::test]
async fn a_member_that_is_refused_by_itself_teaches_nothing_about_sizes() {
    let service = Service::start(small_patches(100, 400, "u5")).await;
    let target = service.target();
    let done = outcome(&target, joining(&people(8))).await;
    assert!(matches!(done, Outcome::Refused { status: 400, .. }), "{done:?}");
    assert_eq!(learned(&target), []);
}

#[tokio::test]
async fn a_refused_filter_leads_to_the_next_way_and_is_not_asked_again() {
    let service = Service::start(|asked| match asked.line.as_str() {
        line if line.contains("filter=externalId") => {
            json_reply(400, json!({"detail": "externalId source-1 cannot be filtered"}))
        }
        _ => list(json!([{"id": "1", "userName": "ann"}])),
    })
    .await;
    let target = service.target();
    assert_eq!(
        found(&target, "externalId", "source-1").await.unwrap(),
        [""; 0],
        "by userName, which comes next"
    );
    assert_eq!(found(&target, "externalId", "source-2").await.unwrap(), [""; 0]);
    assert_eq!(found(&target, "userName", "ann").await.unwrap(), ["1"]);
    assert_eq!(service.lines().iter().filter(|line| line.contains("externalId")).count(), 1);
    let evidence = "GET /Users with a filter on `externalId`: status 400: externalId ••• cannot be filtered";
    assert_eq!(learned(&target), [lesson("filter.user_attrs.externalId", "no", evidence)]);
}

#[tokio::test]
async fn where_no_filter_is_taken_the_whole_list_is_read_once() {
    let service = Service::start(|asked| match asked.line.contains("filter=") {
        true => error(400, "invalidFilter"),
        false => list(json!([{"id": "1", "userName": "Ann"}, {"id": "2", "userName": "bob"}])),
    })
    .await;
    let target = service.target();
    assert_eq!(found(&target, "userName", "ann").await.unwrap(), ["1"]);
    assert_eq!(found(&target, "userName", "bob").await.unwrap(), ["2"]);
    assert_eq!(found(&target, "userName", "cyd").await.unwrap(), [""; 0]);
    let filtered = service.lines().iter().filter(|line| line.contains("filter=")).count();
    assert_eq!((filtered, service.lines().len()), (1, 2));
    assert_eq!(learned(&target)[0].0, "filter.user_attrs.userName");
}

#[tokio::test]
async fn a_filter_that_worked_before_is_not_unlearned_by_one_refusal() {
    let service = Service::start(|asked| match asked.line.contains("odd") {
        true => error(400, "invalidFilter"),
        false => list(json!([])),
    })
    .await;
    let target = service.target();
    found(&target, "externalId", "fine").await.unwrap();
    let text = found(&target, "externalId", "odd-one").await.unwrap_err().to_string();
    assert!(text.contains("refuses a filter on `externalId` that it took before"), "{text}");
    assert_eq!(learned(&target), []);
}

#[tokio::test]
async fn what_a_check_sees_is_learned_by_reads_alone() {
    let service = Service::start(|asked| match asked.line.as_str() {
        "GET /scim/v2/ServiceProviderConfig" => json_reply(
            200,
            json!({
                "patch": {"supported": true}, "filter": {"supported": true},
                "bulk": {"supported": true, "maxOperations": 30, "maxPayloadSize": 50000},
            }),
        ),
        line if line.contains("filter=") => error(400, "invalidFilter"),
        _ => list(json!([])),
    })
    .await;
    let target = service.target();
    target.check().await;
    assert!(service.lines().iter().all(|line| line.starts_with("GET ")));
    let mut told = learned(&target);
    told.retain(|(capability, ..)| capability != "discovery");
    assert_eq!(
        told,
        [
            lesson("bulk.max_operations", "30", "ServiceProviderConfig says so"),
            lesson("bulk.max_payload_size", "50000", "ServiceProviderConfig says so"),
            lesson("bulk.supported", "yes", "ServiceProviderConfig says so"),
            lesson(
                "filter.user_attrs.userName",
                "no",
                "GET /Users with a filter on `userName`: status 400: no"
            ),
        ]
    );
}

#[tokio::test]
async fn a_service_that_describes_itself_otherwise_is_worth_a_warning() {
    let patch = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let said = std::sync::Arc::clone(&patch);
    let service = Service::start(move |asked| match asked.line.contains("ServiceProviderConfig") {
        true => {
            let supported = said.load(std::sync::atomic::Ordering::Relaxed);
            let etag = json!({"supported": supported});
            json_reply(
                200,
                json!({"patch": {"supported": true}, "etag": etag, "meta": {"lastModified": asked.raw.len()}}),
            )
        }
        false => list(json!([])),
    })
    .await;
    let target = service.target();
    let descriptions = |findings: Vec<rosterd::model::Finding>| {
        findings.into_iter().filter(|finding| finding.subject == "description").count()
    };
    assert_eq!(descriptions(target.check().await), 0, "the first time there is nothing to compare");
    let lessons = target.lessons();
    target.recall(&lessons);
    assert_eq!(descriptions(target.check().await), 0);
    patch.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(descriptions(target.check().await), 1);
    assert_eq!(descriptions(target.check().await), 0, "said once");
}

#[tokio::test]
async fn groups_are_replaced_only_where_all_of_their_members_are_shown() {
    let group = json!({"id": "t", "displayName": "Sales", "members": [{"value": "a"}, {"value": "b"}]});
    let service = Service::start(move |asked| match asked.line.split(' ').next().unwrap() {
        "GET" => json_reply(200, group.clone()),
        "PUT" => json_reply(200, asked.body.clone()),
        _ => error(405, ""),
    })
    .await;
    let rename = Operation::Patch {
        kind: Kind::Group,
        id: id("t"),
        set: vec![("displayName".to_owned(), json!("Sales EMEA"))],
        add: Vec::new(),
    };
    assert!(matches!(outcome(&service.target(), rename.clone()).await, Outcome::Done { .. }));
    let put = service.asked().into_iter().find(|asked| asked.line.starts_with("PUT")).unwrap();
    assert_eq!(put.body["members"], json!([{"value": "a"}, {"value": "b"}]), "whoever is in it stays");
    let asked = service.lines().len();
    let mut hidden = Profile::standard();
    hidden.members.returned = false;
    assert_eq!(outcome(&service.target_with(hidden), rename).await, refused(405));
    assert!(service.lines()[asked..].iter().all(|line| !line.starts_with("PUT")), "a PUT would empty it");
}

#[tokio::test]
async fn members_are_replaced_only_where_the_profile_says_so_and_nothing_else_can_be() {
    let group = json!({"id": "t", "displayName": "Sales", "members": [{"value": "a"}, {"value": "b"}]});
    let service = Service::start(move |asked| match asked.line.split(' ').next().unwrap() {
        "GET" => json_reply(200, group.clone()),
        "PUT" => json_reply(200, asked.body.clone()),
        _ => error(405, ""),
    })
    .await;
    let done = outcome(&service.target(), members(&["c"], &["a"])).await;
    assert_eq!(done, refused(405));
    assert!(service.lines().iter().all(|line| line.starts_with("PATCH")));
    let mut replacing = Profile::standard();
    replacing.members.replace_all = true;
    let target = service.target_with(replacing);
    assert!(matches!(outcome(&target, members(&["c"], &["a"])).await, Outcome::Done { .. }));
    let put = service.asked().into_iter().find(|asked| asked.line.starts_with("PUT")).unwrap();
    assert_eq!(put.body["members"], json!([{"value": "b"}, {"value": "c"}]), "b was not named, and stays");
    assert_eq!(learned(&target)[0].0, "patch.groups");
}
