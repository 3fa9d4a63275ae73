//! Many operations in one request: never more than the service takes, and each judged by its own status.

use serde_json::Value;
use serde_json::json;

use rosterd::model::Lesson;
use rosterd::scim::Kind;
use rosterd::scim::profiles::Bulk;
use rosterd::scim::profiles::Profile;
use rosterd::scim::profiles::Support;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;

use super::service::Asked;
use super::service::Reply;
use super::service::Service;
use super::service::create;
use super::service::error;
use super::service::id;
use super::service::json_reply;
use super::service::members;
use super::service::patch;

fn bulk(max_operations: usize, max_payload_size: usize) -> Profile {
    let bulk = Bulk { supported: Support::Yes, max_operations, max_payload_size };
    Profile { bulk, ..Profile::standard() }
}

/// A service that does everything it is asked in bulk, by the RFC: addresses and no resources.
fn obliging(asked: &Asked) -> Reply {
    let Some(operations) = asked.body["Operations"].as_array().filter(|_| asked.line.ends_with("/Bulk"))
    else {
        return match asked.line.rsplit('/').next() {
            Some(id) if asked.line.starts_with("GET") => json_reply(200, json!({"id": id, "seen": true})),
            _ => json_reply(200, json!({})),
        };
    };
    let one = |operation: &Value| {
        let made = operation["data"]["userName"].as_str().map(|name| format!("/Users/id-{name}"));
        let path = made.unwrap_or_else(|| operation["path"].as_str().unwrap().to_owned());
        let status = match operation["method"].as_str().unwrap() {
            "POST" => "201",
            "DELETE" => "204",
            _ => "200",
        };
        json!({
            "method": operation["method"], "bulkId": operation["bulkId"],
            "location": format!("https://x.example/scim/v2{path}"), "status": status,
        })
    };
    json_reply(200, json!({"Operations": operations.iter().map(one).collect::<Vec<_>>()}))
}

fn sizes(service: &Service) -> Vec<usize> {
    let asked = service.asked();
    let bulk = asked.iter().filter(|asked| asked.line == "POST /scim/v2/Bulk");
    bulk.map(|asked| asked.body["Operations"].as_array().unwrap().len()).collect()
}

fn creates(count: usize) -> Vec<Operation> {
    (0..count).map(|n| create(&format!("u{n}"))).collect()
}

#[tokio::test]
async fn a_bulk_request_has_no_more_operations_than_the_service_takes() {
    let service = Service::start(obliging).await;
    let outcomes = service.target_with(bulk(4, 1_000_000)).apply(&creates(10)).await.unwrap();
    assert_eq!(sizes(&service), [4, 4, 2]);
    for (n, outcome) in outcomes.iter().enumerate() {
        let expected = json!({"id": format!("id-u{n}"), "seen": true});
        assert_eq!(*outcome, Outcome::Done { id: id(&format!("id-u{n}")), shown: Some(expected) });
    }
    let first = &service.asked()[0];
    assert_eq!(first.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]));
    assert_eq!(first.body["Operations"][0]["path"], "/Users");
    assert_eq!(first.body["Operations"][0]["data"]["userName"], "u0");
    assert_eq!(first.token, "Bearer token-1");
}

#[tokio::test]
async fn a_bulk_request_has_no_more_bytes_than_the_service_takes() {
    let service = Service::start(obliging).await;
    service.target_with(bulk(100, 1_200)).apply(&creates(10)).await.unwrap();
    let largest = service
        .asked()
        .iter()
        .filter(|asked| asked.line.ends_with("/Bulk"))
        .map(|asked| asked.body.to_string().len())
        .max();
    assert!(largest.is_some_and(|bytes| bytes <= 1_200 && bytes > 600), "{largest:?}");
}

#[tokio::test]
async fn creates_patches_and_deletions_go_together_and_members_by_themselves() {
    let service = Service::start(obliging).await;
    let operations = [
        create("ann"),
        patch("7", &[("title", json!("x"))]),
        members(&["1"], &[]),
        Operation::Delete { kind: Kind::User, id: id("8/9") },
        Operation::Delete { kind: Kind::User, id: id("gone") },
    ];
    let outcomes = service.target_with(bulk(100, 1_000_000)).apply(&operations).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done { .. })), "{outcomes:?}");
    let asked = service.asked();
    let paths: Vec<(String, String)> = asked
        .iter()
        .filter(|asked| asked.line.ends_with("/Bulk"))
        .flat_map(|asked| asked.body["Operations"].as_array().unwrap().clone())
        .map(|one| (one["method"].as_str().unwrap().to_owned(), one["path"].as_str().unwrap().to_owned()))
        .collect();
    let expected =
        [("POST", "/Users"), ("PATCH", "/Users/7"), ("DELETE", "/Users/8%2F9"), ("DELETE", "/Users/gone")];
    assert_eq!(paths, expected.map(|(method, path)| (method.to_owned(), path.to_owned())));
    assert!(service.lines().contains(&"PATCH /scim/v2/Groups/t".to_owned()));
}

#[tokio::test]
async fn each_operation_of_a_bulk_request_has_its_own_outcome() {
    let service = Service::start(|asked| match asked.line.as_str() {
        "POST /scim/v2/Bulk" => json_reply(
            200,
            json!({"Operations": [
                {"bulkId": "0", "method": "POST", "status": {"code": "201"}, "response": {"id": 5, "userName": "u0"}},
                {"bulkId": "2", "method": "POST", "status": 500},
                {"bulkId": "1", "method": "POST", "status": "409", "response": {"detail": "u1 is taken: u1@x.example"}},
                {"bulkId": "4", "method": "DELETE", "status": "404"},
            ]}),
        ),
        _ => json_reply(404, json!({})),
    })
    .await;
    let mut operations = creates(4);
    operations[3] = patch("7", &[("active", json!(true))]);
    operations.insert(4, Operation::Delete { kind: Kind::User, id: id("8") });
    let target = service.target_with(bulk(100, 1_000_000));
    // The deletion is a phase of its own, and one is no bulk.
    let outcomes = target.apply(&operations).await.unwrap();
    assert_eq!(outcomes[0], Outcome::Done { id: id("5"), shown: Some(json!({"id": "5", "userName": "u0"})) });
    assert_eq!(outcomes[1], Outcome::Conflict { detail: "u1 is taken: •••".to_owned() });
    assert!(matches!(outcomes[2], Outcome::Unknown { .. }), "a create that may have been done");
    assert!(matches!(outcomes[3], Outcome::Later { .. }), "a patch that nobody spoke of");
    assert_eq!(outcomes[4], Outcome::Done { id: id("8"), shown: None });
}

#[tokio::test]
async fn a_create_in_a_bulk_request_whose_answer_is_lost_is_unknown_and_not_sent_again() {
    let service = Service::start(|_| None).await;
    let outcomes = service.target_with(bulk(100, 1_000_000)).apply(&creates(3)).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Unknown { .. })), "{outcomes:?}");
    assert_eq!(service.lines(), ["POST /scim/v2/Bulk"]);
}

#[tokio::test]
async fn a_bulk_request_that_is_too_large_is_halved_and_its_size_is_kept() {
    let service = Service::start(|asked| {
        match asked.body["Operations"].as_array().map(Vec::len).filter(|_| asked.line.ends_with("/Bulk")) {
            Some(count) if count > 3 => json_reply(413, json!({"detail": "three at most"})),
            _ => obliging(asked),
        }
    })
    .await;
    let target = service.target_with(bulk(10, 1_000_000));
    let outcomes = target.apply(&creates(10)).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done { .. })));
    assert_eq!(sizes(&service), [10, 5, 3, 3, 3, 1]);
    let learned = target.lessons();
    assert_eq!(learned.len(), 1);
    assert_eq!(
        learned[0],
        Lesson {
            capability: "bulk.max_operations".to_owned(),
            value: "3".to_owned(),
            evidence: "POST /Bulk with 5 operations: status 413: three at most".to_owned(),
        }
    );
}

#[tokio::test]
async fn a_service_that_has_no_bulk_after_all_gets_its_operations_one_by_one() {
    for status in [400, 404, 405, 501] {
        let service = Service::start(move |asked| match asked.line.ends_with("/Bulk") {
            true => error(status, ""),
            false => json_reply(201, json!({"id": asked.body["userName"]})),
        })
        .await;
        let target = service.target_with(bulk(100, 1_000_000));
        let outcomes = target.apply(&creates(3)).await.unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done { .. })), "{outcomes:?}");
        target.apply(&creates(3)).await.unwrap();
        assert_eq!(sizes(&service), [3], "{status} was answered once");
        assert_eq!(target.lessons()[0].value, "no");
    }
}

#[tokio::test]
async fn bulk_that_was_only_claimed_is_tried_when_a_check_saw_the_claim() {
    let service = Service::start(obliging).await;
    let target = service.target();
    target.apply(&creates(3)).await.unwrap();
    assert_eq!(sizes(&service), [0; 0], "nobody has said that there is bulk");
    let claim = |capability: &str, value: &str| Lesson {
        capability: capability.to_owned(),
        value: value.to_owned(),
        evidence: "ServiceProviderConfig says so".to_owned(),
    };
    target.recall(&[claim("bulk.supported", "yes"), claim("bulk.max_operations", "2")]);
    target.apply(&creates(3)).await.unwrap();
    assert_eq!(sizes(&service), [2, 1]);
}

#[tokio::test]
async fn renames_keep_their_order_and_are_not_sent_in_bulk() {
    let service = Service::start(obliging).await;
    let renames: Vec<Operation> =
        (0..4).map(|n| patch(&n.to_string(), &[("userName", json!("new"))])).collect();
    service.target_with(bulk(100, 1_000_000)).apply(&renames).await.unwrap();
    assert_eq!(sizes(&service), [0; 0]);
}

#[tokio::test]
async fn an_element_that_is_not_there_is_added_also_after_a_bulk_request() {
    let service = Service::start(|asked| match asked.line.as_str() {
        "POST /scim/v2/Bulk" => {
            let operations = asked.body["Operations"].as_array().unwrap();
            let refuse = |one: &Value| {
                json!({"bulkId": one["bulkId"], "status": "400",
                       "response": {"scimType": "noTarget", "detail": "no"}})
            };
            json_reply(200, json!({"Operations": operations.iter().map(refuse).collect::<Vec<_>>()}))
        }
        line if line.starts_with("GET") => json_reply(200, json!({"id": line.rsplit('/').next()})),
        _ if asked.body["Operations"][0]["op"] == "add" => json_reply(200, json!({})),
        _ => error(400, "noTarget"),
    })
    .await;
    let set = [("phoneNumbers[type eq \"work\"].value", json!("1"))];
    let operations = [patch("1", &set), patch("2", &set)];
    let outcomes = service.target_with(bulk(100, 1_000_000)).apply(&operations).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done { .. })), "{outcomes:?}");
}
