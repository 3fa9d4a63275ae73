//! What real clients send, request by request, in both dialects: the tolerant one makes of it what the client meant,
//! the strict one keeps to the RFCs. And what holds in both.

use rosterd::scim::Dialect;
use rosterd::scim::Filter;
use rosterd::scim::MembersEdit;
use rosterd::scim::Patch;
use rosterd::scim::Quotes;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use serde_json::Value;
use serde_json::json;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn ann() -> Value {
    json!({
        "userName": "ann", "active": true, "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [{"type": "home", "value": "ann@home.example", "primary": true}],
        ENTERPRISE: {"department": "Sales", "manager": {"value": "m1"}},
    })
}

type Outcome = Result<Value, (&'static str, String)>;

fn word(error: rosterd::scim::Error) -> (&'static str, String) {
    (error.kind.map_or("", |kind| kind.word()), error.detail)
}

fn patched(dialect: Dialect, body: &Value) -> Outcome {
    let mut changed = ann();
    let patch = Patch::read(ResourceType::User, dialect, body).map_err(word)?;
    patch.apply(&mut changed).map_err(word)?;
    Ok(changed)
}

fn request(operations: Value) -> Value {
    json!({ "schemas": [PATCH_OP], "Operations": operations })
}

/// What the operations make of `ann` in the tolerant dialect, at one place; and the word of the strict refusal, or
/// `same` where it does the same.
fn check(operations: Value, place: &str, expected: Value, strict: &str) {
    let request = request(operations);
    let tolerant = patched(Dialect::Tolerant, &request).expect("the tolerant dialect takes it");
    assert_eq!(tolerant.pointer(place).cloned().unwrap_or(Value::Null), expected, "{request}");
    match patched(Dialect::Strict, &request) {
        Ok(changed) if strict == "same" => assert_eq!(changed, tolerant, "{request}"),
        Ok(changed) => panic!("the strict dialect took it: {changed}"),
        Err((word, detail)) => assert_eq!(word, strict, "{request}: {detail}"),
    }
}

fn body(dialect: Dialect, sent: Value) -> Outcome {
    incoming(ResourceType::User, dialect, &sent).map(|read| read.body).map_err(word)
}

fn edits(operations: Value) -> Result<Vec<MembersEdit>, &'static str> {
    let patch = Patch::read(ResourceType::Group, Dialect::Tolerant, &request(operations));
    patch.and_then(|patch| patch.apply(&mut json!({"displayName": "G"}))).map_err(|error| word(error).0)
}

fn ids(ids: &[&str]) -> Vec<ResourceId> {
    ids.iter().map(|id| ResourceId((*id).to_owned())).collect()
}

#[test]
fn t1_verbs_are_taken_in_any_case() {
    for (op, place, expected) in [("Add", "/title", json!("T")), ("REPLACE", "/title", json!("T"))] {
        check(json!([{"op": op, "path": "title", "value": "T"}]), place, expected, "same");
    }
    check(json!([{"op": "Remove", "path": "emails"}]), "/emails", Value::Null, "same");
}

#[test]
fn t2_booleans_may_be_texts() {
    check(
        json!([{"op": "Replace", "path": "active", "value": "False"}]),
        "/active",
        json!(false),
        "invalidValue",
    );
    check(json!([{"op": "replace", "value": {"active": "FALSE"}}]), "/active", json!(false), "invalidValue");
    let email = json!([{"op": "add", "path": "emails", "value": [{"value": "w", "primary": "True"}]}]);
    check(email, "/emails/1/primary", json!(true), "invalidValue");
}

#[test]
fn t3_a_replace_without_a_path_may_have_dotted_names() {
    let department = format!("{ENTERPRISE}:department");
    check(
        json!([{"op": "replace", "value": {"name.givenName": "Anna", &department: "HR"}}]),
        "/name/givenName",
        json!("Anna"),
        "invalidPath",
    );
    // The whole name of an extension's attribute is of the RFC (section 3.10).
    check(
        json!([{"op": "replace", "value": {&department: "HR"}}]),
        &format!("/{ENTERPRISE}/department"),
        json!("HR"),
        "same",
    );
}

#[test]
fn t4_a_value_takes_the_shape_of_the_schema() {
    let manager = format!("{ENTERPRISE}:manager");
    let place = format!("/{ENTERPRISE}/manager");
    let set = |value: Value| json!([{"op": "Add", "path": manager, "value": value}]);
    check(set(json!("m2")), &place, json!({"value": "m2"}), "invalidValue");
    check(set(json!([{"value": "m2"}])), &place, json!({"value": "m2"}), "invalidValue");
    check(set(json!({"value": "m2"})), &place, json!({"value": "m2"}), "same");
    for nothing in [json!(""), json!({"value": ""})] {
        let tolerant = patched(Dialect::Tolerant, &request(set(nothing))).expect("it is done");
        assert_eq!(tolerant.pointer(&place), None);
    }
    check(
        json!([{"op": "add", "path": "title", "value": ["Boss"]}]),
        "/title",
        json!("Boss"),
        "invalidValue",
    );
    check(
        json!([{"op": "add", "path": "roles", "value": ["admin"]}]),
        "/roles",
        json!([{"value": "admin"}]),
        "invalidValue",
    );
    assert_eq!(
        edits(json!([{"op": "add", "path": "members", "value": ["u1"]}])),
        Ok(vec![MembersEdit::Add(ids(&["u1"]))])
    );
}

#[test]
fn t5_a_removal_with_a_list_removes_the_list_and_never_all() {
    let remove = |value: Value| json!([{"op": "Remove", "path": "members", "value": value}]);
    assert_eq!(edits(remove(json!([{"value": "u1"}]))), Ok(vec![MembersEdit::Remove(ids(&["u1"]))]));
    assert_eq!(edits(remove(json!([]))), Ok(vec![MembersEdit::Remove(vec![])]));
    assert_eq!(edits(remove(json!([{"display": "x"}]))), Ok(vec![MembersEdit::Remove(vec![])]));
    check(
        json!([{"op": "remove", "path": "emails", "value": [{"value": "other@x"}]}]),
        "/emails/0/value",
        json!("ann@home.example"),
        "invalidValue",
    );
    check(
        json!([{"op": "remove", "path": "emails", "value": [{"value": "ANN@home.example"}]}]),
        "/emails",
        Value::Null,
        "invalidValue",
    );
}

#[test]
fn t6_null_inside_an_element_is_nothing() {
    let member =
        json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u1", "display": null}]}]);
    assert_eq!(edits(member), Ok(vec![MembersEdit::Add(ids(&["u1"]))]));
    let email = json!([{"op": "add", "path": "emails", "value": [{"value": "w", "display": null}]}]);
    check(email, "/emails/1", json!({"value": "w"}), "same");
}

#[test]
fn t7_what_is_read_only_is_passed_over_without_a_path() {
    let operation = json!([{"op": "replace", "value": {
        "id": "u1", "displayName": "Ann", "meta": {"version": "1"}, "groups": [{"value": "g1"}]}}]);
    check(operation, "/displayName", json!("Ann"), "mutability");
    // `schemas` follows from what is assigned, in both.
    check(
        json!([{"op": "replace", "value": {"schemas": [CORE], "title": "T"}}]),
        "/title",
        json!("T"),
        "same",
    );
    check(json!([{"op": "add", "path": "schemas", "value": ["urn:x"]}]), "/schemas", Value::Null, "same");
}

#[test]
fn t8_an_element_is_made_from_the_filter_that_looked_for_it() {
    let add = |filter: &str, sub: &str, value: &str| json!({"op": "Add", "path": format!("emails[{filter}]{sub}"), "value": value});
    let work = json!({"type": "work", "value": "w@x"});
    check(json!([add("type eq \"work\"", ".value", "w@x")]), "/emails/1", work, "noTarget");
    check(
        json!([add("type eq \"work\" and display eq \"W\"", ".value", "w@x")]),
        "/emails/1",
        json!({"type": "work", "display": "W", "value": "w@x"}),
        "noTarget",
    );
    check(
        json!([add("type eq \"work\"", ".value", "w@x"), add("type eq \"work\"", ".display", "W")]),
        "/emails/1",
        json!({"type": "work", "display": "W", "value": "w@x"}),
        "noTarget",
    );
    for filter in [
        "type ne \"home\" and type co \"w\"",
        "type eq \"a\" or type eq \"b\"",
        "not (type pr)",
        "colour eq \"red\"",
    ] {
        let refused = patched(Dialect::Tolerant, &request(json!([add(filter, ".value", "w@x")])));
        assert_eq!(refused.map_err(|(word, _)| word), Err("noTarget"), "{filter}");
    }
}

#[test]
fn t9_and_t10_the_filters_of_entra_are_understood() {
    let user = json!({"id": "u1", "emails": [{"type": "work", "value": "w@x"}, {"type": "home", "value": "h@x"}],
        ENTERPRISE: {"manager": {"value": "m1"}}});
    let group = json!({"id": "g1", "members": [{"value": "u1"}]});
    let holds = |kind, text: &str, dialect, resource: &Value| {
        let filter = Filter::parse(text).expect(text);
        filter.check(kind, dialect).map(|()| filter.matches(resource)).map_err(|error| word(error).0)
    };
    let work = "emails[type eq \"work\"].value eq \"W@x\"";
    assert_eq!(holds(ResourceType::User, work, Dialect::Tolerant, &user), Ok(true));
    assert_eq!(holds(ResourceType::User, work, Dialect::Strict, &user), Err("invalidFilter"));
    let home = "emails[type eq \"work\"].value eq \"h@x\"";
    assert_eq!(holds(ResourceType::User, home, Dialect::Tolerant, &user), Ok(false));
    for dialect in [Dialect::Strict, Dialect::Tolerant] {
        let manager = format!("id eq \"u1\" and {ENTERPRISE}:manager eq \"m1\"");
        assert_eq!(holds(ResourceType::User, &manager, dialect, &user), Ok(true));
        assert_eq!(
            holds(ResourceType::Group, "id eq \"g1\" and members eq \"u1\"", dialect, &group),
            Ok(true)
        );
        assert_eq!(
            holds(ResourceType::Group, "id eq \"g1\" and members eq \"u2\"", dialect, &group),
            Ok(false)
        );
    }
    let plain = "id eq \"u1\" and manager eq \"m1\"";
    assert_eq!(
        holds(ResourceType::User, plain, Dialect::Tolerant, &user),
        Ok(false),
        "no such attribute in the core"
    );
}

#[test]
fn what_may_be_logged_of_a_filter_is_its_shape() {
    for (text, expected) in [
        ("userName EQ \"ann@x.example\" and active eq true", "userName eq ? and active eq ?"),
        ("not (title pr) or externalId ne null", "not (title pr) or externalId ne ?"),
        ("emails[type eq \"work\" and value co \"ann\"]", "emails[type eq ? and value co ?]"),
        ("emails[type eq \"work\"].value eq \"ann\"", "emails[type eq ?].value eq ?"),
    ] {
        assert_eq!(Filter::parse(text).map(|filter| filter.shape()).as_deref(), Ok(expected));
    }
    let hidden = Filter::parse("emails[type eq \"ann\"].hat eq 1").expect("a filter");
    let refused = hidden.check(ResourceType::User, Dialect::Strict).map_err(|error| error.detail);
    assert_eq!(refused, Err("the filter names emails.hat, which is no attribute".to_owned()));
}

#[test]
fn t11_schemas_of_others_are_passed_over() {
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "e1", "displayName": "G",
    });
    let read = |dialect| incoming(ResourceType::Group, dialect, &group).map(|read| read.body).map_err(word);
    assert_eq!(read(Dialect::Tolerant), Ok(json!({"externalId": "e1", "displayName": "G"})));
    assert_eq!(read(Dialect::Strict).map_err(|(word, _)| word), Err("invalidValue"));
    let old = json!({"schemas": ["urn:scim:schemas:core:1.0"], "userName": "ann"});
    assert_eq!(body(Dialect::Tolerant, old), Ok(json!({"userName": "ann"})));
}

#[test]
fn t12_sub_attributes_are_taken_in_any_case() {
    check(
        json!([{"op": "replace", "path": "name.GivenName", "value": "A"}]),
        "/name/givenName",
        json!("A"),
        "same",
    );
    check(
        json!([{"op": "replace", "path": "Emails[Type eq \"home\"].Value", "value": "h"}]),
        "/emails/0/value",
        json!("h"),
        "same",
    );
    check(
        json!([{"op": "add", "path": "emails", "value": [{"Value": "w", "Type": "work"}]}]),
        "/emails/1",
        json!({"type": "work", "value": "w"}),
        "same",
    );
}

#[test]
fn t13_null_empties_a_group_and_clears_a_part_of_an_element() {
    let empty = json!([{"op": "replace", "path": "members", "value": null}]);
    assert_eq!(edits(empty), Ok(vec![MembersEdit::Replace(vec![])]));
    check(
        json!([{"op": "replace", "path": "emails[type eq \"home\"].value", "value": null}]),
        "/emails",
        json!([{"type": "home", "primary": true}]),
        "same",
    );
}

#[test]
fn t14_texts_without_quotes_are_an_option() {
    let loose = |text: &str| Filter::parse_with(text, Quotes::Optional).map(|filter| filter.to_string());
    for (text, expected) in [
        ("externalId eq jyoung", "externalId eq \"jyoung\""),
        ("externalId eq 'j young'", "externalId eq \"j young\""),
        ("(userName eq a@x.example) and active eq true", "userName eq \"a@x.example\" and active eq true"),
        ("externalId eq 701984", "externalId eq \"701984\""),
        ("emails[type eq work]", "emails[type eq \"work\"]"),
        ("userName eq \"x\"", "userName eq \"x\""),
        ("title eq null", "title eq null"),
    ] {
        assert_eq!(loose(text).as_deref(), Ok(expected), "{text}");
    }
    assert!(Filter::parse("externalId eq jyoung").is_err() && Filter::parse("userName eq 'x'").is_err());
    assert!(loose("externalId eq 'open").is_err());
    assert!(loose("externalId eq ").is_err());
    assert!(loose("active eq maybe").is_err());
}

#[test]
fn t15_what_okta_adds_is_taken_and_dropped() {
    let sent = json!({
        "schemas": [CORE], "userName": "ann", "password": "Secret1!", "groups": [], "roles": [], "title": null,
        "nickName": null, "emails": [{"value": "a@x", "primary": true, "type": "work", "display": null}],
    });
    let kept = json!({"userName": "ann", "emails": [{"value": "a@x", "primary": true, "type": "work"}]});
    for dialect in [Dialect::Strict, Dialect::Tolerant] {
        assert_eq!(body(dialect, sent.clone()), Ok(kept.clone()));
    }
    let entra = json!({"schemas": [CORE], "userName": "ann", "department": null, "manager": null});
    assert_eq!(body(Dialect::Tolerant, entra.clone()), Ok(json!({"userName": "ann"})));
    assert_eq!(body(Dialect::Strict, entra).map_err(|(word, _)| word), Err("invalidValue"));
    let password = request(json!([{"op": "replace", "path": "password", "value": "Secret1!"}]));
    assert_eq!(patched(Dialect::Strict, &password), Ok(ann()));
}

#[test]
fn t16_a_role_that_is_json_is_a_text_and_comes_back_as_it_was() {
    let role = "{\"id\":\"1\",\"value\":\"Admin\",\"displayName\":\"Admin\"}";
    check(
        json!([{"op": "add", "path": "roles", "value": [{"value": role}]}]),
        "/roles",
        json!([{ "value": role }]),
        "same",
    );
}

#[test]
fn t17_an_empty_text_unassigns_and_the_strict_dialect_keeps_it() {
    let place = format!("/{ENTERPRISE}/department");
    for operation in [
        json!({"op": "Replace", "path": format!("{ENTERPRISE}:department"), "value": ""}),
        json!({"op": "Replace", "value": {ENTERPRISE: {"department": ""}}}),
    ] {
        let request = request(json!([operation]));
        assert_eq!(patched(Dialect::Tolerant, &request).expect("it is done").pointer(&place), None);
        assert_eq!(patched(Dialect::Strict, &request).expect("it is done").pointer(&place), Some(&json!("")));
    }
    let email = json!([{"op": "Replace", "path": "emails[type eq \"home\"].value", "value": ""}]);
    let tolerant = patched(Dialect::Tolerant, &request(email)).expect("it is done");
    assert_eq!(tolerant["emails"], json!([{"type": "home", "primary": true}]));
    let name = request(json!([{"op": "Replace", "path": "userName", "value": ""}]));
    for dialect in [Dialect::Strict, Dialect::Tolerant] {
        assert_eq!(patched(dialect, &name).map_err(|(word, _)| word), Err("invalidValue"));
    }
}

#[test]
fn t18_a_message_may_lack_its_schemas_and_what_nobody_knows_is_counted() {
    let operations = json!({"Operations": [
        {"op": "add", "value": {ENTERPRISE: {"hat": "red", "department": "HR"}, "shoeSize": 9}}]});
    let patch = Patch::read(ResourceType::User, Dialect::Tolerant, &operations).expect("it is read");
    assert_eq!(patch.ignored(), 2);
    let mut changed = ann();
    patch.apply(&mut changed).expect("it is done");
    assert_eq!(changed[ENTERPRISE]["department"], "HR");
    let strict = Patch::read(ResourceType::User, Dialect::Strict, &operations).map_err(|error| word(error).0);
    assert_eq!(strict.err(), Some("invalidSyntax"));
    let sent =
        json!({"userName": "ann", "shoeSize": 9, "hat": null, ENTERPRISE: {"cap": 1, "department": "HR"}});
    let read = incoming(ResourceType::User, Dialect::Tolerant, &sent).expect("it is read");
    assert_eq!((read.ignored, &read.body[ENTERPRISE]), (3, &json!({"department": "HR"})));
}

#[test]
fn two_spellings_of_one_name_contradict_each_other_wherever_they_are() {
    for dialect in [Dialect::Strict, Dialect::Tolerant] {
        for sent in [
            json!({"schemas": [CORE], "userName": "ann", "USERNAME": "bob"}),
            json!({"schemas": [CORE], "userName": "ann", "title": null, "Title": "x"}),
            json!({"schemas": [CORE], "userName": "ann", "emails": [{"value": "a", "Value": "b"}]}),
            json!({"schemas": [CORE], "userName": "ann", ENTERPRISE: {"department": "a", "DEPARTMENT": "b"}}),
        ] {
            assert_eq!(body(dialect, sent.clone()).map_err(|(word, _)| word), Err("invalidSyntax"), "{sent}");
        }
        for operation in [
            json!({"op": "add", "OP": "remove", "path": "title", "value": "x"}),
            json!({"op": "add", "value": {"title": "x", "TITLE": "y"}}),
            json!({"op": "add", "value": {ENTERPRISE: {"department": "x", "Department": "y"}}}),
        ] {
            let refused = patched(dialect, &request(json!([operation])));
            assert_eq!(refused.map_err(|(word, _)| word), Err("invalidSyntax"), "{operation}");
        }
    }
}

#[test]
fn nothing_in_any_of_its_forms_is_one_state() {
    let sent = json!({"schemas": [CORE], "userName": "ann", "title": null, "emails": [], "name": {}, "roles": [{}],
        ENTERPRISE: {"department": null}});
    for dialect in [Dialect::Strict, Dialect::Tolerant] {
        assert_eq!(body(dialect, sent.clone()), Ok(json!({"userName": "ann"})));
    }
    check(json!([{"op": "replace", "path": "emails", "value": []}]), "/emails", Value::Null, "same");
    check(json!([{"op": "replace", "path": "name", "value": null}]), "/name", Value::Null, "same");
    let add = request(json!([{"op": "add", "path": "title", "value": null}]));
    assert_eq!(patched(Dialect::Tolerant, &add), Ok(ann()));
    assert_eq!(patched(Dialect::Strict, &add).map_err(|(word, _)| word), Err("invalidValue"));
}

#[test]
fn values_come_back_as_they_were_sent() {
    let sent = json!({
        "schemas": [CORE], "userName": "Ann.Lee@X.example", "phoneNumbers": [{"type": "Desk", "value": " +1 (555) 010-0 "}],
        "name": {"formatted": "  Ann   Lee "}, "locale": "en_us",
    });
    let mut kept = sent.clone();
    kept.as_object_mut().expect("an object").remove("schemas");
    for dialect in [Dialect::Strict, Dialect::Tolerant] {
        assert_eq!(body(dialect, sent.clone()), Ok(kept.clone()));
    }
}

#[test]
fn the_last_removal_takes_an_extension_with_it() {
    let remove = |sub: &str| json!({"op": "remove", "path": format!("{ENTERPRISE}:{sub}")});
    check(json!([remove("department"), remove("manager")]), &format!("/{ENTERPRISE}"), Value::Null, "same");
    check(json!([{"op": "remove", "path": ENTERPRISE}]), &format!("/{ENTERPRISE}"), Value::Null, "same");
}

#[test]
fn a_grant_follows_the_rules_of_its_own_table() {
    let read = |sent: Value| {
        let read = incoming(ResourceType::Grant, Dialect::Tolerant, &sent);
        read.map(|read| read.body).map_err(|error| error.detail)
    };
    let grant = json!({"user": {"value": "u1", "display": "Ann"}, "account": "crm", "privileged": "True"});
    let kept = json!({"user": {"value": "u1"}, "account": "crm", "privileged": true});
    assert_eq!(read(grant), Ok(kept.clone()));
    assert_eq!(read(json!({"account": "crm"})), Err("user is required".to_owned()));
    assert_eq!(read(json!({"user": {"value": ""}, "account": "crm"})), Err("user is required".to_owned()));
    assert_eq!(read(json!({"user": "u1"})), Err("account is required".to_owned()));
    let patched = |operation: Value| {
        let mut body = kept.clone();
        let patch = Patch::read(ResourceType::Grant, Dialect::Strict, &request(json!([operation])));
        patch.and_then(|patch| patch.apply(&mut body)).map(|_| body).map_err(|error| word(error).0)
    };
    let privileged = patched(json!({"op": "replace", "path": "privileged", "value": false}));
    assert_eq!(privileged.map(|body| body["privileged"].clone()), Ok(json!(false)));
    assert_eq!(
        patched(json!({"op": "replace", "path": "account", "value": "CRM"})),
        Ok(kept.clone()),
        "the same account"
    );
    for operation in [
        json!({"op": "replace", "path": "account", "value": "erp"}),
        json!({"op": "replace", "path": "user.value", "value": "u2"}),
        json!({"op": "replace", "path": "user", "value": {"value": "u2"}}),
        json!({"op": "remove", "path": "user"}),
        json!({"op": "replace", "path": "user.display", "value": "x"}),
    ] {
        assert_eq!(patched(operation.clone()), Err("mutability"), "{operation}");
    }
    let filter =
        Filter::parse("user eq \"u1\" and privileged eq true and account sw \"CR\"").expect("a filter");
    assert_eq!(filter.check(ResourceType::Grant, Dialect::Strict), Ok(()));
    assert!(filter.matches(&kept));
}
