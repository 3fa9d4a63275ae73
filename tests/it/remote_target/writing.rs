//! Create, patch, delete, members: what is sent, and what becomes of every answer.

use serde_json::Value;
use serde_json::json;

use rosterd::client::Secret;
use rosterd::scim::Kind;
use rosterd::scim::profiles::Members;
use rosterd::scim::profiles::Profile;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use rosterd::targets::TargetError;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;

use super::service::Service;
use super::service::create;
use super::service::error;
use super::service::found;
use super::service::id;
use super::service::json_reply;
use super::service::list;
use super::service::members;
use super::service::outcome;
use super::service::patch;
use super::service::profile;
use super::service::refused;

// Creating (O5, O13).

#[tokio::test]
async fn a_create_sends_the_resource_and_returns_what_is_shown() {
    let service =
        Service::start(|_| json_reply(201, json!({"id": 31, "userName": "ann", "active": "True"}))).await;
    assert_eq!(
        outcome(&service.target(), create("ann")).await,
        Outcome::Done { id: id("31"), shown: Some(json!({"id": "31", "userName": "ann", "active": true})) }
    );
    let asked = service.asked().remove(0);
    assert_eq!(asked.line, "POST /scim/v2/Users");
    assert_eq!(asked.content_type, "application/scim+json");
    assert_eq!(
        asked.body,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "ann", "externalId": "x-ann", "active": true,
            "emails": [{"type": "work", "value": "ann@x.example", "primary": true}],
        })
    );
}

#[tokio::test]
async fn a_create_without_a_body_is_read_at_its_location() {
    for location in ["/scim/v2/Users/5", "http://HOST/scim/v2/Users/5"] {
        let service = Service::start(move |asked| match asked.line.as_str() {
            "POST /scim/v2/Users" => {
                let host = location.replace("HOST", &asked.token["Bearer ".len()..]);
                Some((201, vec![("location", host)], String::new()))
            }
            "GET /scim/v2/Users/5" => json_reply(200, json!({"id": "5"})),
            _ => json_reply(404, json!({})),
        })
        .await;
        // The token carries the service's own address, so that its answer can name it.
        let tokens = vec![Secret::new(service.url.authority().to_owned())];
        let target = RemoteTarget::new(RemoteSettings { tokens, ..service.settings() }).unwrap();
        assert_eq!(
            outcome(&target, create("ann")).await,
            Outcome::Done { id: id("5"), shown: Some(json!({"id": "5"})) }
        );
    }
}

#[tokio::test]
async fn a_create_without_an_id_is_looked_up_and_else_unknown() {
    let service = Service::start(|asked| match asked.line.as_str() {
        "POST /scim/v2/Users" => {
            Some((201, vec![("location", "https://evil.example/Users/1".to_owned())], String::new()))
        }
        line if line.contains("userName eq \"ann\"") => list(json!([{"id": "8", "userName": "ann"}])),
        _ => list(json!([])),
    })
    .await;
    assert!(
        matches!(outcome(&service.target(), create("ann")).await, Outcome::Done { id: found, .. } if found == id("8"))
    );
    assert!(matches!(outcome(&service.target(), create("bob")).await, Outcome::Unknown { .. }));
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_unknown_and_not_sent_again() {
    for reply in [None, json_reply(500, json!({})), json_reply(504, json!({}))] {
        let service = Service::start(move |_| reply.clone()).await;
        assert!(matches!(outcome(&service.target(), create("ann")).await, Outcome::Unknown { .. }));
        assert_eq!(service.lines().len(), 1);
    }
}

#[tokio::test]
async fn a_create_of_what_is_there_is_a_conflict() {
    for reply in [error(409, "uniqueness"), error(400, "uniqueness"), Some((409, vec![], "no".to_owned()))] {
        let service = Service::start(move |_| reply.clone()).await;
        assert_eq!(
            outcome(&service.target(), create("ann")).await,
            Outcome::Conflict { detail: "no".to_owned() }
        );
    }
}

#[tokio::test]
async fn what_a_service_does_not_keep_is_not_sent() {
    let service = Service::start(|_| json_reply(201, json!({"id": "1"}))).await;
    let target = service.target_with(profile("configcat"));
    outcome(&target, create("ann")).await;
    outcome(&target, patch("1", &[("title", json!("x")), ("active", json!(false))])).await;
    outcome(&target, patch("1", &[("title", json!("x"))])).await;
    let asked = service.asked();
    assert_eq!(asked[0].body["emails"], Value::Null);
    assert_eq!(asked[1].body["Operations"], json!([{"op": "replace", "path": "active", "value": false}]));
    // Nothing is left to send, so the resource is only read.
    assert_eq!(asked[2].line, "GET /scim/v2/Users/1");
}

// Changing (O6).

#[tokio::test]
async fn a_patch_sends_what_is_asked_and_nothing_else() {
    let service = Service::start(|_| Some((204, vec![], String::new()))).await;
    let operation =
        patch("1", &[("name.familyName", json!("Koch")), ("title", Value::Null), ("active", json!(true))]);
    assert_eq!(outcome(&service.target(), operation).await, Outcome::Done { id: id("1"), shown: None });
    let asked = service.asked().remove(0);
    assert_eq!(asked.line, "PATCH /scim/v2/Users/1");
    assert_eq!(
        asked.body,
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [
                {"op": "replace", "path": "name.familyName", "value": "Koch"},
                {"op": "remove", "path": "title"},
                {"op": "replace", "path": "active", "value": true},
            ],
        })
    );
}

/// Sets the title, and adds a tag.
fn growing() -> Operation {
    let tags = "urn:example:2.0:User:tags".to_owned();
    let set = vec![("title".to_owned(), json!("Boss"))];
    Operation::Patch { kind: Kind::User, id: id("1"), set, add: vec![(tags, json!(["b"]))] }
}

#[tokio::test]
async fn what_is_added_is_named_alone() {
    let service = Service::start(|_| Some((204, vec![], String::new()))).await;
    assert_eq!(outcome(&service.target(), growing()).await, Outcome::Done { id: id("1"), shown: None });
    let asked: Vec<_> = service.asked().into_iter().filter(|asked| asked.line.starts_with("PATCH")).collect();
    let title = json!([{"op": "replace", "path": "title", "value": "Boss"}]);
    let tags = json!([{"op": "add", "path": "urn:example:2.0:User:tags", "value": ["b"]}]);
    assert_eq!((&asked[0].body["Operations"], &asked[1].body["Operations"]), (&title, &tags));
    assert_eq!(asked.len(), 2);
}

/// Where there is no PATCH, what the service shows and what is new go together.
#[tokio::test]
async fn what_is_added_by_a_put_takes_nothing_away() {
    let shown = json!({"id": "1", "userName": "ann", "urn:example:2.0:User": {"tags": ["theirs", "b"]}});
    let service = Service::start(move |asked| match asked.line.split(' ').next().unwrap() {
        "GET" => json_reply(200, shown.clone()),
        "PUT" => json_reply(200, asked.body.clone()),
        _ => error(405, ""),
    })
    .await;
    let add = vec![("urn:example:2.0:User:tags".to_owned(), json!(["b", "c"]))];
    let operation = Operation::Patch { kind: Kind::User, id: id("1"), set: Vec::new(), add };
    assert!(matches!(outcome(&service.target(), operation).await, Outcome::Done { .. }));
    let put = service.asked().into_iter().find(|asked| asked.line.starts_with("PUT")).unwrap();
    assert_eq!(put.body["urn:example:2.0:User"]["tags"], json!(["theirs", "b", "c"]));
}

#[tokio::test]
async fn what_a_patch_shows_is_kept_if_it_is_of_the_same_resource() {
    for (shown, kept) in [
        (json!({"id": 1, "active": "true"}), Some(json!({"id": "1", "active": true}))),
        (json!({"id": "2"}), None),
        (json!({"ok": true}), None),
    ] {
        let service = Service::start(move |_| json_reply(200, shown.clone())).await;
        let operation = patch("1", &[("active", json!(true))]);
        assert_eq!(outcome(&service.target(), operation).await, Outcome::Done { id: id("1"), shown: kept });
    }
}

#[tokio::test]
async fn an_element_that_is_not_there_is_added_whole() {
    let service =
        Service::start(|asked| match (asked.line.as_str(), asked.body["Operations"][0]["op"].as_str()) {
            ("GET /scim/v2/Users/1", _) => {
                json_reply(200, json!({"id": "1", "phoneNumbers": [{"type": "work", "value": "1"}]}))
            }
            (_, Some("replace")) if asked.body["Operations"].as_array().unwrap().len() == 3 => {
                error(400, "noTarget")
            }
            _ => json_reply(200, json!({"id": "1"})),
        })
        .await;
    let operation = patch(
        "1",
        &[
            ("emails[type eq \"work\"].value", json!("a@x.example")),
            ("phoneNumbers[type eq \"work\"].value", json!("2")),
            ("addresses[type eq \"work\"].country", Value::Null),
        ],
    );
    assert!(matches!(outcome(&service.target(), operation).await, Outcome::Done { .. }));
    assert_eq!(
        service.asked()[2].body["Operations"],
        json!([
            {"op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "2"},
            {"op": "add", "path": "emails", "value": [{"type": "work", "value": "a@x.example"}]},
        ])
    );
}

#[tokio::test]
async fn every_refusal_of_a_patch_is_an_outcome_of_its_own() {
    for (reply, expected) in [
        (error(400, "invalidPath"), refused(400)),
        (error(403, ""), refused(403)),
        (error(405, ""), refused(405)),
        (error(413, ""), refused(413)),
        (error(501, ""), refused(501)),
        (json_reply(403, json!({"errors": [{"message": "no"}]})), refused(403)),
        (Some((400, vec![], "<html><body>no</body></html>".to_owned())), refused(400)),
        (error(404, ""), Outcome::Missing),
        (error(409, ""), Outcome::Conflict { detail: "no".to_owned() }),
        (error(412, ""), Outcome::Later { status: Some(412), detail: "no".to_owned() }),
    ] {
        let service = Service::start(move |_| reply.clone()).await;
        let operation = patch("1", &[("active", json!(false))]);
        assert_eq!(outcome(&service.target(), operation).await, expected);
        let patches = service.lines().into_iter().filter(|line| line.starts_with("PATCH")).count();
        assert_eq!(patches, 1, "{expected:?} is not repeated");
        assert_eq!(service.target().lessons(), [], "{expected:?}: nothing else went, so nothing was learned");
    }
}

#[tokio::test]
async fn a_refusal_says_why_without_values() {
    let text = format!("Koch of ann@x.example has no permission. {}", "x".repeat(600));
    let service = Service::start(move |_| json_reply(403, json!({"detail": text}))).await;
    let done = outcome(&service.target(), patch("1", &[("name.familyName", json!("Koch"))])).await;
    let Outcome::Refused { status: 403, detail } = done else { panic!("{done:?}") };
    assert!(detail.starts_with("••• of ••• has no permission. xxx"), "{detail}");
    assert_eq!(detail.chars().count(), 500);
}

// Repeats and stops (O11).

#[tokio::test]
async fn a_throttled_or_broken_service_is_asked_again_and_then_left_for_later() {
    for status in [429, 500, 502, 503, 504] {
        let service = Service::start(move |_| json_reply(status, json!({}))).await;
        let done = outcome(&service.target(), patch("1", &[("active", json!(false))])).await;
        assert!(matches!(done, Outcome::Later { .. }), "{status}: {done:?}");
        assert_eq!(service.lines().len(), 2);
    }
}

#[tokio::test]
async fn a_service_that_is_down_is_not_asked_for_the_rest_of_the_batch() {
    let service = Service::start(|_| json_reply(503, json!({}))).await;
    let target = RemoteTarget::new(RemoteSettings { concurrency: 1, ..service.settings() }).unwrap();
    let operations: Vec<Operation> =
        (0..20).map(|n| patch(&n.to_string(), &[("active", json!(false))])).collect();
    let outcomes = target.apply(&operations).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Later { .. })));
    assert_eq!(service.lines().len(), 5 * 2);
}

#[tokio::test]
async fn a_refused_token_stops_at_once_and_names_the_cure() {
    let service = Service::start(|_| json_reply(401, json!({}))).await;
    let target = RemoteTarget::new(RemoteSettings { concurrency: 1, ..service.settings() }).unwrap();
    let operations: Vec<Operation> =
        (0..20).map(|n| patch(&n.to_string(), &[("active", json!(false))])).collect();
    let error = target.apply(&operations).await.unwrap_err();
    assert!(
        matches!(&error, TargetError::Refused { cure, .. } if cure.contains("new SCIM token")),
        "{error}"
    );
    assert_eq!(service.lines().len(), 1);
    assert!(matches!(found(&target, "userName", "x").await, Err(TargetError::Refused { .. })));
}

#[tokio::test]
async fn the_next_token_is_tried_when_one_is_refused() {
    let service = Service::start(|asked| match asked.token.as_str() {
        "Bearer new" => list(json!([])),
        _ => json_reply(401, json!({})),
    })
    .await;
    let tokens = vec![Secret::new("old"), Secret::new("new")];
    let target = RemoteTarget::new(RemoteSettings { tokens, ..service.settings() }).unwrap();
    assert_eq!(found(&target, "userName", "x").await.unwrap(), [""; 0]);
}

// Deleting (O7).

#[tokio::test]
async fn what_is_gone_already_counts_as_deleted() {
    for status in [204, 200, 404, 410] {
        let service = Service::start(move |_| Some((status, vec![], String::new()))).await;
        let operation = Operation::Delete { kind: Kind::User, id: id("1") };
        assert_eq!(outcome(&service.target(), operation).await, Outcome::Done { id: id("1"), shown: None });
        assert_eq!(service.lines(), ["DELETE /scim/v2/Users/1"]);
    }
}

// Members (O8).

#[tokio::test]
async fn members_are_added_before_they_are_removed_and_in_chunks() {
    let service = Service::start(|_| Some((204, vec![], String::new()))).await;
    let profile = Profile {
        members: Members { max_per_patch: 2, ..Profile::standard().members },
        ..Profile::standard()
    };
    let operation = members(&["1", "2", "3"], &["4", "5", "6"]);
    assert_eq!(
        outcome(&service.target_with(profile), operation).await,
        Outcome::Done { id: id("t"), shown: None }
    );
    let sent: Vec<Value> =
        service.asked().into_iter().map(|asked| asked.body["Operations"].clone()).collect();
    assert_eq!(
        sent,
        [
            json!([{"op": "add", "path": "members", "value": [{"value": "1"}, {"value": "2"}]}]),
            json!([{"op": "add", "path": "members", "value": [{"value": "3"}]}]),
            json!([
                {"op": "remove", "path": "members[value eq \"4\"]"},
                {"op": "remove", "path": "members[value eq \"5\"]"},
            ]),
            json!([{"op": "remove", "path": "members[value eq \"6\"]"}]),
        ]
    );
    assert!(service.lines().iter().all(|line| line == "PATCH /scim/v2/Groups/t"));
}

#[tokio::test]
async fn members_are_removed_as_a_list_only_where_a_profile_says_so() {
    let service = Service::start(|_| Some((204, vec![], String::new()))).await;
    let can = Members { value_path_remove: false, ..Profile::standard().members };
    outcome(&service.target_with(Profile { members: can, ..Profile::standard() }), members(&[], &["4"]))
        .await;
    assert_eq!(
        service.asked()[0].body["Operations"],
        json!([{"op": "remove", "path": "members", "value": [{"value": "4"}]}])
    );
}

#[tokio::test]
async fn a_member_that_left_already_does_not_keep_the_others() {
    let service = Service::start(|asked| match asked.line.as_str() {
        "GET /scim/v2/Groups/t" => {
            json_reply(200, json!({"id": "t", "members": [{"value": "5"}, {"value": "9"}]}))
        }
        _ if asked.body["Operations"].as_array().unwrap().len() > 1 => error(400, "noTarget"),
        _ => Some((204, vec![], String::new())),
    })
    .await;
    assert!(matches!(outcome(&service.target(), members(&[], &["4", "5"])).await, Outcome::Done { .. }));
    assert_eq!(
        service.asked()[2].body["Operations"],
        json!([{"op": "remove", "path": "members[value eq \"5\"]"}])
    );
}

#[tokio::test]
async fn a_404_on_members_tells_the_team_from_a_member() {
    let service = Service::start(|_| json_reply(404, json!({}))).await;
    assert_eq!(outcome(&service.target(), members(&["1"], &[])).await, Outcome::Missing);
    let service = Service::start(|asked| match asked.line.starts_with("GET") {
        true => json_reply(200, json!({"id": "t"})),
        false => json_reply(404, json!({})),
    })
    .await;
    assert!(matches!(
        outcome(&service.target(), members(&["1"], &[])).await,
        Outcome::Refused { status: 404, .. }
    ));
}

// Many at once (O12).

#[tokio::test]
async fn one_that_cannot_be_read_does_not_stop_the_others() {
    let service = Service::start(|asked| match asked.line.as_str() {
        "GET /scim/v2/Users/1" => Some((200, vec![], "<html>".to_owned())),
        _ => Some((204, vec![], String::new())),
    })
    .await;
    // The title is not kept, so the first is only read.
    let operations = [patch("1", &[("title", json!("x"))]), patch("2", &[("active", json!(true))])];
    let outcomes = service.target_with(profile("configcat")).apply(&operations).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Later { .. }));
    assert!(matches!(outcomes[1], Outcome::Done { .. }));
}

#[tokio::test]
async fn outcomes_come_in_the_order_of_the_operations() {
    let service = Service::start(|asked| match asked.body["userName"].as_str() {
        Some(name) => json_reply(201, json!({"id": format!("id-{name}")})),
        None => error(400, ""),
    })
    .await;
    let mut operations: Vec<Operation> = (0..50).map(|n| create(&format!("u{n}"))).collect();
    operations.insert(7, patch("x", &[("active", json!(true))]));
    let outcomes = service.target().apply(&operations).await.unwrap();
    assert_eq!(outcomes.len(), 51);
    assert_eq!(outcomes[7], refused(400));
    assert!(matches!(&outcomes[0], Outcome::Done { id: found, .. } if *found == id("id-u0")));
    assert!(matches!(&outcomes[50], Outcome::Done { id: found, .. } if *found == id("id-u49")));
}

#[tokio::test]
async fn renames_are_sent_in_their_order_and_before_what_follows() {
    let service = Service::start(|asked| json_reply(200, json!({"id": asked.line.rsplit('/').next()}))).await;
    let rename = |of: &str, to: &str| patch(of, &[("userName", json!(to))]);
    let mut operations: Vec<Operation> = (0..20).map(|n| rename(&n.to_string(), "tmp")).collect();
    operations.extend((0..20).map(|n| rename(&n.to_string(), "new")));
    operations.push(Operation::Delete { kind: Kind::User, id: id("z") });
    service.target().apply(&operations).await.unwrap();
    let expected = (0..20).chain(0..20).map(|n| format!("PATCH /scim/v2/Users/{n}"));
    // What the service does not show after a change is read.
    let writes: Vec<String> = service.lines().into_iter().filter(|line| !line.starts_with("GET")).collect();
    assert_eq!(writes, expected.chain(["DELETE /scim/v2/Users/z".to_owned()]).collect::<Vec<_>>());
}
