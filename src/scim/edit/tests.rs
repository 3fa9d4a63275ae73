//! PATCH, row by row of the table, and what Entra and Okta make of it.

use serde_json::Value;
use serde_json::json;

use crate::scim::Dialect;
use crate::scim::MembersEdit;
use crate::scim::Patch;
use crate::scim::ResourceId;
use crate::scim::ResourceType;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn ann() -> Value {
    json!({
        "userName": "ann", "active": true, "title": "Boss",
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [
            {"type": "work", "value": "ann@x.example", "primary": true},
            {"type": "home", "value": "ann@home.example"},
        ],
    })
}

fn patched(dialect: Dialect, operations: Value) -> Result<Value, String> {
    let request = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
    });
    let mut body = ann();
    let patch = Patch::read(ResourceType::User, dialect, &request).and_then(|patch| patch.apply(&mut body));
    let word = |error: crate::scim::Error| error.kind.map_or(error.detail, |kind| kind.word().to_owned());
    patch.map(|_| body).map_err(word)
}

/// What becomes of `ann` at one attribute, in the tolerant dialect.
fn check(operation: Value, attribute: &str, expected: Value) {
    let body =
        patched(Dialect::Tolerant, json!([operation])).unwrap_or_else(|word| panic!("{operation}: {word}"));
    let got = body.get(attribute).cloned().unwrap_or(Value::Null);
    assert_eq!(got, expected, "{operation}");
}

fn refused(dialect: Dialect, operation: Value, expected: &str) {
    assert_eq!(patched(dialect, json!([operation])), Err(expected.to_owned()), "{operation}");
}

#[test]
fn single_values_are_set_and_unassigned() {
    check(json!({"op": "replace", "path": "title", "value": "Chief"}), "title", json!("Chief"));
    check(json!({"op": "add", "path": "nickName", "value": "A"}), "nickName", json!("A"));
    check(json!({"op": "remove", "path": "title"}), "title", json!(null));
    check(json!({"op": "replace", "path": "title", "value": null}), "title", json!(null));
    check(json!({"op": "replace", "path": "TITLE", "value": ""}), "title", json!(null));
}

#[test]
fn complex_values_are_merged() {
    let name = json!({"givenName": "Anna", "familyName": "Lee"});
    check(json!({"op": "replace", "path": "name", "value": {"givenName": "Anna"}}), "name", name.clone());
    check(json!({"op": "replace", "path": "name.GivenName", "value": "Anna"}), "name", name.clone());
    check(json!({"op": "replace", "value": {"name.givenName": "Anna"}}), "name", name);
    check(json!({"op": "remove", "path": "name.givenName"}), "name", json!({"familyName": "Lee"}));
    check(json!({"op": "remove", "path": "name"}), "name", json!(null));
}

#[test]
fn lists_are_appended_to_and_replaced() {
    let home = json!({"type": "home", "value": "ann@home.example"});
    let work = json!({"type": "work", "value": "ann@x.example", "primary": true});
    let new = json!({"type": "other", "value": "o@x"});
    check(json!({"op": "add", "path": "emails", "value": [new]}), "emails", json!([work, home, new]));
    check(json!({"op": "add", "path": "emails", "value": home}), "emails", json!([work, home]));
    check(json!({"op": "replace", "path": "emails", "value": [new]}), "emails", json!([new]));
    check(json!({"op": "replace", "path": "emails", "value": []}), "emails", json!(null));
    check(json!({"op": "remove", "path": "emails"}), "emails", json!(null));
    check(json!({"op": "remove", "path": "emails[type eq \"home\"]"}), "emails", json!([work]));
    check(json!({"op": "remove", "path": "emails[type eq \"fax\"]"}), "emails", json!([work, home]));
}

#[test]
fn elements_are_changed_where_they_stand() {
    let check = |operation, expected| check(operation, "emails", expected);
    let home = json!({"type": "home", "value": "ann@home.example"});
    check(
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@x"}),
        json!([{"type": "work", "value": "b@x", "primary": true}, home]),
    );
    check(
        json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "b@x"}}),
        json!([{"type": "work", "value": "b@x"}, home]),
    );
    check(
        json!({"op": "remove", "path": "emails[type eq \"work\"].value"}),
        json!([{"type": "work", "primary": true}, home]),
    );
}

#[test]
fn a_new_primary_element_takes_the_place_of_the_old_one() {
    check(
        json!({"op": "add", "path": "emails[type eq \"home\"].primary", "value": "True"}),
        "emails",
        json!([
            {"type": "work", "value": "ann@x.example", "primary": false},
            {"type": "home", "value": "ann@home.example", "primary": true},
        ]),
    );
    check(
        json!({"op": "add", "path": "emails", "value": [{"value": "n@x", "primary": true}]}),
        "emails",
        json!([
            {"type": "work", "value": "ann@x.example", "primary": false},
            {"type": "home", "value": "ann@home.example"},
            {"value": "n@x", "primary": true},
        ]),
    );
}

#[test]
fn an_element_that_is_not_there_is_made_for_tolerant_clients_only() {
    let operation = json!({"op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "1"});
    check(operation.clone(), "phoneNumbers", json!([{"type": "mobile", "value": "1"}]));
    refused(Dialect::Strict, operation, "noTarget");
    refused(
        Dialect::Tolerant,
        json!({"op": "replace", "path": "phoneNumbers[type co \"m\"].value", "value": "1"}),
        "noTarget",
    );
    let two = json!([
        {"op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Reno"},
        {"op": "Add", "path": "addresses[type eq \"work\"].country", "value": "US"},
    ]);
    let body = patched(Dialect::Tolerant, two).expect("an address");
    assert_eq!(body["addresses"], json!([{"type": "work", "locality": "Reno", "country": "US"}]));
}

#[test]
fn an_empty_text_clears_and_makes_nothing() {
    let work = json!({"type": "work", "value": "ann@x.example", "primary": true});
    let clear = |kind: &str| json!({"op": "Replace", "path": format!("emails[type eq \"{kind}\"].value"), "value": ""});
    check(clear("home"), "emails", json!([work, {"type": "home"}]));
    check(clear("other"), "emails", json!([work, {"type": "home", "value": "ann@home.example"}]));
    refused(Dialect::Tolerant, json!({"op": "Replace", "path": "userName", "value": ""}), "invalidValue");
    let strict = patched(Dialect::Strict, json!([{"op": "replace", "path": "title", "value": ""}]));
    assert_eq!(strict.map(|body| body["title"].clone()), Ok(json!("")));
}

#[test]
fn entra_writes_capital_verbs_booleans_as_text_and_a_manager_as_text() {
    check(json!({"op": "Replace", "path": "active", "value": "False"}), "active", json!(false));
    let manager = format!("{ENTERPRISE}:manager");
    check(
        json!({"op": "Add", "path": manager, "value": "m1"}),
        ENTERPRISE,
        json!({"manager": {"value": "m1"}}),
    );
    check(
        json!({"op": "Add", "value": {ENTERPRISE: {"department": "Sales", "hat": "red"}}}),
        ENTERPRISE,
        json!({"department": "Sales"}),
    );
    check(
        json!({"op": "Add", "value": {format!("{ENTERPRISE}:department"): "Sales"}}),
        ENTERPRISE,
        json!({"department": "Sales"}),
    );
    check(json!({"op": "Add", "path": manager, "value": ""}), ENTERPRISE, json!(null));
    refused(Dialect::Strict, json!({"op": "replace", "path": "active", "value": "False"}), "invalidValue");
    refused(Dialect::Strict, json!({"op": "add", "path": manager, "value": "m1"}), "invalidValue");
}

#[test]
fn what_cannot_be_done_is_refused_by_its_word() {
    for dialect in [Dialect::Strict, Dialect::Tolerant] {
        refused(dialect, json!({"op": "remove"}), "noTarget");
        refused(dialect, json!({"op": "remove", "path": "userName"}), "mutability");
        refused(dialect, json!({"op": "replace", "path": "id", "value": "x"}), "mutability");
        refused(dialect, json!({"op": "replace", "path": "meta.created", "value": "x"}), "mutability");
        refused(dialect, json!({"op": "replace", "path": "shoeSize", "value": 9}), "invalidPath");
        refused(dialect, json!({"op": "replace", "path": "name[x eq 1]", "value": 9}), "invalidPath");
        refused(dialect, json!({"op": "replace", "path": "emails[type eq]", "value": 9}), "invalidFilter");
        refused(dialect, json!({"op": "replace", "path": "a..b", "value": 9}), "invalidPath");
        refused(dialect, json!({"op": "replace", "path": "title"}), "invalidValue");
        refused(dialect, json!({"op": "replace", "path": "userName", "value": " "}), "invalidValue");
        refused(dialect, json!({"op": "move", "path": "title", "value": "x"}), "invalidSyntax");
        refused(dialect, json!("replace"), "invalidSyntax");
    }
    refused(Dialect::Strict, json!({"op": "replace", "value": {"id": "x"}}), "mutability");
    check(json!({"op": "replace", "value": {"id": "x", "title": "T", "meta": {}}}), "title", json!("T"));
}

fn members(operations: Value) -> Result<Vec<MembersEdit>, crate::scim::Error> {
    let mut body = json!({"displayName": "Sales"});
    let request = json!({"Operations": operations});
    Patch::read(ResourceType::Group, Dialect::Tolerant, &request)?.apply(&mut body)
}

#[test]
fn members_become_edits_of_rows() {
    let ids = |ids: &[&str]| ids.iter().map(|id| ResourceId((*id).to_owned())).collect::<Vec<_>>();
    let operations = json!([
        {"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u1"}, {"value": "u2"}]},
        {"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "u1"}]},
        {"op": "remove", "path": "members[value eq \"u2\"]"},
        {"op": "replace", "path": "members", "value": null},
        {"op": "remove", "path": "members", "value": []},
        {"op": "replace", "value": {"id": "g1", "displayName": "Sales", "members": [{"value": "u3"}]}},
        {"op": "remove", "path": "members"},
        {"op": "add", "path": "members", "value": "u4"},
        {"op": "add", "path": "members", "value": ""},
    ]);
    assert_eq!(
        members(operations),
        Ok(vec![
            MembersEdit::Add(ids(&["u1", "u2"])),
            MembersEdit::Remove(ids(&["u1"])),
            MembersEdit::Remove(ids(&["u2"])),
            MembersEdit::Replace(vec![]),
            MembersEdit::Remove(vec![]),
            MembersEdit::Replace(ids(&["u3"])),
            MembersEdit::Replace(vec![]),
            MembersEdit::Add(ids(&["u4"])),
            MembersEdit::Add(vec![]),
        ])
    );
}

#[test]
fn a_member_is_added_and_removed_never_changed() {
    let operation = json!([{"op": "replace", "path": "members[value eq \"u1\"].value", "value": "u2"}]);
    let error = members(operation).expect_err("immutable");
    assert_eq!(error.kind.map(|kind| kind.word()), Some("mutability"));
}
