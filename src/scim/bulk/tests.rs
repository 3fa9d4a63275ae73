//! Bulk by its rules: references ahead and in circles, what stops a run, what each answer says.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::Act;
use super::Reply;
use super::Request;
use super::Step;
use crate::scim::Error;
use crate::scim::Meta;
use crate::scim::ResourceId;
use crate::scim::ScimType;

/// A service that makes ids in turn and refuses whoever is called `taken`. What it was told, one line a step.
#[derive(Default)]
struct Service {
    made: u64,
    told: Vec<String>,
}

impl Service {
    fn carry_out(&mut self, step: &Step) -> Reply {
        let (told, id) = match &step.act {
            Act::Create { data } => {
                self.made += 1;
                (format!("create {data}"), ResourceId(format!("{}{}", step.kind.word(), self.made)))
            }
            Act::Replace { id, data } => (format!("replace {id} {data}"), id.clone()),
            Act::Patch { id, data } => (format!("patch {id} {}", data["Operations"]), id.clone()),
            Act::Delete { id } => (format!("delete {id}"), id.clone()),
        };
        let version = step.version.as_ref().map(|version| format!(" if {version}")).unwrap_or_default();
        self.told.push(format!("{told}{version}"));
        if told.contains("taken") {
            return Reply::Refused(Error::taken("userName"));
        }
        if version.contains('9') {
            return Reply::Refused(Error::new(412, "the resource has changed since it was read"));
        }
        if matches!(step.act, Act::Delete { .. }) {
            return Reply::Deleted;
        }
        let time = Timestamp::UNIX_EPOCH;
        Reply::Kept(Meta { kind: step.kind, id, version: 1, created: time, modified: time })
    }
}

fn body(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations })
}

/// The steps of a request, and the status of each answer.
fn carried_out(sent: &Value) -> (Vec<String>, Value) {
    let mut service = Service::default();
    let mut run = Request::read(sent, 100).expect("a request").run();
    while let Some(step) = run.next_step() {
        run.take(service.carry_out(&step));
    }
    (service.told, run.response("https://x.example/v2"))
}

fn check(operations: Value, steps: &[&str], statuses: &[&str]) {
    let (told, response) = carried_out(&body(operations));
    assert_eq!(told, steps);
    let answers = response["Operations"].as_array().expect("answers");
    let got: Vec<&str> = answers.iter().filter_map(|answer| answer["status"].as_str()).collect();
    assert_eq!(got, statuses);
}

fn user(bulk_id: &str, name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": {"userName": name}})
}

fn group(bulk_id: &str, name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": format!("bulkId:{id}")})).collect();
    json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id,
           "data": {"displayName": name, "members": members}})
}

#[test]
fn a_bulk_answer_says_where_and_in_which_version_each_operation_ended() {
    let operations = json!([
        user("a", "ann"),
        {"method": "PUT", "path": "/Users/u7", "version": "W/\"1\"", "data": {"userName": "bob"}},
        {"method": "PATCH", "path": "/Users/u8", "data": [{"op": "remove", "path": "title"}]},
        {"method": "DELETE", "path": "/Users/u9", "bulkId": "gone"},
        user("b", "taken"),
        {"method": "DELETE", "path": "/Users/u5", "version": "W/\"9\""},
    ]);
    let (told, response) = carried_out(&body(operations));
    assert_eq!(
        told,
        [
            r#"create {"userName":"ann"}"#,
            r#"replace u7 {"userName":"bob"} if W/"1""#,
            r#"patch u8 [{"op":"remove","path":"title"}]"#,
            "delete u9",
            r#"create {"userName":"taken"}"#,
            r#"delete u5 if W/"9""#,
        ]
    );
    let at = |path: &str| format!("https://x.example/v2/Users/{path}");
    let error = |status: &str, detail: &str| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": status, "detail": detail});
    let mut taken = error("409", "another resource has this userName");
    taken["scimType"] = "uniqueness".into();
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
        "Operations": [
            {"method": "POST", "bulkId": "a", "location": at("user1"), "version": "W/\"1\"", "status": "201"},
            {"method": "PUT", "location": at("u7"), "version": "W/\"1\"", "status": "200"},
            {"method": "PATCH", "location": at("u8"), "version": "W/\"1\"", "status": "200"},
            {"method": "DELETE", "bulkId": "gone", "location": at("u9"), "status": "204"},
            {"method": "POST", "bulkId": "b", "status": "409", "response": taken},
            {"method": "DELETE", "location": at("u5"), "status": "412",
             "response": error("412", "the resource has changed since it was read")},
        ],
    });
    assert_eq!(response, expected);
}

#[test]
fn who_refers_to_what_is_made_later_comes_after_it() {
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    check(
        json!([
            group("g", "Sales", &["a", "b"]),
            {"method": "PATCH", "path": "/Groups/bulkId:g", "data": {"Operations": [
                {"op": "add", "path": "members", "value": [{"value": "bulkId:c"}]},
                {"op": "remove", "path": "members[value eq \"bulkId:a\"]"}]}},
            user("a", "ann"),
            {"method": "POST", "path": "/Users", "bulkId": "b",
             "data": {"userName": "bob", urn: {"manager": {"value": "bulkId:a"}}}},
            user("c", "bulkId:a"),
        ]),
        &[
            r#"create {"userName":"ann"}"#,
            &format!(r#"create {{"{urn}":{{"manager":{{"value":"user1"}}}},"userName":"bob"}}"#),
            r#"create {"displayName":"Sales","members":[{"value":"user1"},{"value":"user2"}]}"#,
            // What is no reference keeps its text.
            r#"create {"userName":"bulkId:a"}"#,
            r#"patch group3 [{"op":"add","path":"members","value":[{"value":"user4"}]},{"op":"remove","path":"members[value eq \"user1\"]"}]"#,
        ],
        &["201", "200", "201", "201", "201"],
    );
}

#[test]
fn a_circle_of_references_is_made_first_and_closed_afterwards() {
    check(
        json!([group("g", "G", &["h"]), group("h", "H", &["g", "h"])]),
        &[
            r#"create {"displayName":"H","members":[]}"#,
            r#"create {"displayName":"G","members":[{"value":"group1"}]}"#,
            r#"patch group1 [{"op":"add","path":"members","value":[{"value":"group2"},{"value":"group1"}]}]"#,
        ],
        &["201", "201"],
    );
}

#[test]
fn a_circle_that_cannot_be_closed_leaves_nothing_behind() {
    check(
        json!([group("g", "taken", &["h"]), group("h", "H", &["g"]), user("a", "ann")]),
        &[
            r#"create {"displayName":"H","members":[]}"#,
            r#"create {"displayName":"taken","members":[{"value":"group1"}]}"#,
            "delete group1",
            r#"create {"userName":"ann"}"#,
        ],
        &["409", "409", "201"],
    );
}

#[test]
fn what_refers_to_nothing_or_to_what_failed_fails_alone() {
    check(
        json!([
            user("a", "taken"),
            {"method": "DELETE", "path": "/Users/bulkId:a"},
            group("g", "G", &["nobody"]),
            {"method": "PUT", "path": "/Groups/g1", "data": {"members": [{"value": "bulkId:a"}]}},
            user("b", "bob"),
        ]),
        &[r#"create {"userName":"taken"}"#, r#"create {"userName":"bob"}"#],
        &["409", "409", "400", "409", "201"],
    );
}

#[test]
fn after_enough_errors_the_rest_is_left_out() {
    let mut sent = body(json!([
        group("g", "G", &["h"]),
        group("h", "H", &["g", "a"]),
        user("a", "taken"),
        user("b", "bob"),
    ]));
    let (_, all) = carried_out(&sent);
    assert_eq!(all["Operations"].as_array().map(Vec::len), Some(4));
    sent["failOnErrors"] = 1.into();
    let (told, response) = carried_out(&sent);
    assert_eq!(told, [r#"create {"userName":"taken"}"#]);
    assert_eq!(response["Operations"][0]["bulkId"], "a");
    assert_eq!(response["Operations"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_was_half_made_when_a_run_stops_is_taken_back() {
    let mut sent = body(json!([group("g", "taken", &["h"]), group("h", "H", &["g"]), user("b", "bob")]));
    sent["failOnErrors"] = 1.into();
    let (told, response) = carried_out(&sent);
    assert_eq!(told.last().map(String::as_str), Some("delete group1"));
    assert_eq!(response["Operations"].as_array().map(Vec::len), Some(1));
    assert_eq!(response["Operations"][0]["bulkId"], "g");
}

#[test]
fn what_has_no_place_in_a_bulk_request_fails_alone() {
    let get = |path: &str| json!({"method": "POST", "path": path, "bulkId": path, "data": {}});
    check(
        json!([
            get("/Bulk"),
            get("/Me"),
            get("/Users/.search"),
            get("/.search"),
            get("/Cars"),
            get("/Users/u1"),
            {"method": "DELETE", "path": "/Users"},
            {"method": "DELETE", "path": "/Users/a/b"},
        ]),
        &[],
        &["400", "400", "400", "400", "404", "405", "405", "400"],
    );
}

#[test]
fn a_message_that_is_no_bulk_request_is_refused_whole() {
    let refused = |sent: &Value, expected: (u16, Option<ScimType>)| {
        let error = Request::read(sent, 2).expect_err("no request");
        assert_eq!((error.status, error.kind), expected, "{sent}");
    };
    let syntax = (400, Some(ScimType::InvalidSyntax));
    refused(&json!([]), syntax);
    refused(&json!({"Operations": []}), syntax);
    refused(&body(Value::Null), syntax);
    refused(&body(json!(["POST"])), syntax);
    refused(&body(json!([{"method": "GET", "path": "/Users"}])), syntax);
    refused(&body(json!([{"method": "POST", "path": "/Users"}])), syntax);
    refused(&body(json!([{"method": "DELETE"}])), syntax);
    refused(&body(json!([user("a", "x"), user("a", "y")])), syntax);
    refused(&body(json!([user("a", "x"), user("b", "x"), user("c", "x")])), (413, None));
    let mut sent = body(json!([]));
    sent["failOnErrors"] = 0.into();
    refused(&sent, (400, Some(ScimType::InvalidValue)));
}
