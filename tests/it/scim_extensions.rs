//! An extension of an operator's own: read from JSON, registered, and from then on part of everything, with each
//! characteristic of RFC 7643 section 2.2.

use rosterd::scim::Dialect;
use rosterd::scim::Filter;
use rosterd::scim::Patch;
use rosterd::scim::Path;
use rosterd::scim::Projection;
use rosterd::scim::ResourceType;
use rosterd::scim::ScimType;
use rosterd::scim::Sort;
use rosterd::scim::incoming;
use rosterd::scim::named_paths;
use rosterd::scim::resource_types;
use rosterd::scim::schema;
use rosterd::scim::schema_descriptions;
use rosterd::scim::sort_key;
use serde_json::Value;
use serde_json::json;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ACME: &str = "urn:ietf:params:scim:schemas:extension:acme:2.0:User";

fn acme() -> String {
    json!({
        "id": ACME, "name": "Acme", "description": "What Acme knows of people", "attributes": [
            {"name": "badge", "type": "string", "caseExact": true, "uniqueness": "server", "description": "On the card"},
            {"name": "floor", "type": "integer"},
            {"name": "weight", "type": "decimal"},
            {"name": "hired", "type": "dateTime", "mutability": "immutable"},
            {"name": "seal", "type": "binary"},
            {"name": "home", "type": "reference", "referenceTypes": ["external"]},
            {"name": "tags", "type": "string", "multiValued": true},
            {"name": "notes", "type": "string", "returned": "request"},
            {"name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never"},
            {"name": "rank", "type": "integer", "mutability": "readOnly", "returned": "always"},
            {"name": "desks", "type": "complex", "multiValued": true, "subAttributes": [
                {"name": "value", "type": "string", "required": true, "mutability": "immutable"},
                {"name": "primary", "type": "boolean"}, {"name": "side", "type": "string", "returned": "request"}]},
        ],
    })
    .to_string()
}

/// Registers the extension; every test may, and the first one does.
fn registered() {
    let schema = schema::read(&acme()).expect("a schema");
    schema::register(ResourceType::User, schema).expect("no other schema has the URN");
}

fn read(dialect: Dialect, extension: Value) -> Result<Value, (Option<ScimType>, String)> {
    registered();
    let sent = json!({"schemas": [CORE, ACME], "userName": "ann", ACME: extension});
    let read = incoming(ResourceType::User, dialect, &sent).map_err(|error| (error.kind, error.detail))?;
    Ok(read.body.get(ACME).cloned().unwrap_or(Value::Null))
}

/// What becomes of the extension of `before` by one operation.
fn patched(before: Value, operation: Value) -> Result<Value, Option<ScimType>> {
    registered();
    let mut body = json!({"userName": "ann", ACME: before});
    let sent =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
    let patch = Patch::read(ResourceType::User, Dialect::Strict, &sent).map_err(|error| error.kind)?;
    patch.apply(&mut body).map_err(|error| error.kind)?;
    Ok(body.get(ACME).cloned().unwrap_or(Value::Null))
}

fn at(name: &str) -> String {
    format!("{ACME}:{name}")
}

#[test]
fn to_register_a_schema_again_changes_nothing_and_another_one_is_refused() {
    registered();
    registered();
    let known = schema::extensions(ResourceType::User).iter().filter(|known| known.urn == ACME).count();
    assert_eq!(known, 1);
    let other = json!({"id": ACME, "name": "Acme", "attributes": [{"name": "hat", "type": "string"}]});
    let other = schema::read(&other.to_string()).expect("a schema");
    let refused = schema::register(ResourceType::Group, other).map_err(|conflict| conflict.to_string());
    assert_eq!(
        refused.err().as_deref(),
        Some(
            "another schema has the URN urn:ietf:params:scim:schemas:extension:acme:2.0:User already: give this \
             one an id of its own, or take the other out"
        )
    );
    let unique: Vec<_> = schema::unique(ResourceType::User).map(|(urn, one)| (urn, one.name)).collect();
    assert_eq!(unique, [(None, "userName"), (Some(ACME), "badge")]);
}

#[test]
fn discovery_shows_a_registered_extension_with_every_characteristic() {
    registered();
    let types = resource_types(&[ResourceType::User], "");
    let extensions = types[0]["schemaExtensions"].as_array().expect("extensions");
    assert!(extensions.contains(&json!({"schema": ACME, "required": false})), "{extensions:?}");
    let schemas = schema_descriptions(&[ResourceType::User], "https://x.example/v2");
    let acme = schemas.iter().find(|schema| schema["id"] == ACME).expect("it is described");
    assert_eq!(acme["meta"]["location"], format!("https://x.example/v2/Schemas/{ACME}"));
    let expected = json!({
        "name": "badge", "description": "On the card", "type": "string", "multiValued": false, "required": false,
        "caseExact": true, "mutability": "readWrite", "returned": "default", "uniqueness": "server",
    });
    assert_eq!(acme["attributes"][0], expected);
    assert_eq!(acme["attributes"][7]["returned"], "request");
    assert_eq!(acme["attributes"][10]["subAttributes"][0]["mutability"], "immutable");
}

#[test]
fn values_have_the_types_of_the_schema() {
    let sound = json!({
        "badge": "A-1", "floor": -3, "weight": 1.5, "hired": "2024-05-01T10:00:00+02:00", "seal": "AQID",
        "home": "https://x.example", "tags": ["a", "b"], "desks": [{"value": "d1", "primary": true}],
    });
    assert_eq!(read(Dialect::Strict, sound.clone()), Ok(sound));
    let refused = |extension: Value, expected: &str| {
        let expected = Err((Some(ScimType::InvalidValue), expected.to_owned()));
        assert_eq!(read(Dialect::Strict, extension.clone()), expected, "{extension}");
        assert_eq!(read(Dialect::Tolerant, extension.clone()), expected, "{extension}");
    };
    refused(json!({"floor": 1.5}), "floor is a whole number of 64 bits");
    refused(json!({"floor": 1e3}), "floor is a whole number of 64 bits");
    refused(json!({"floor": "1"}), "floor is a whole number of 64 bits");
    refused(json!({"weight": "1"}), "weight is a number");
    refused(json!({"hired": "yesterday"}), "hired is a date and time, as 2008-01-23T04:56:22Z");
    refused(json!({"seal": "A"}), "seal is base64");
    refused(json!({"badge": 5}), "badge is a text");
    refused(json!({"tags": [5]}), "tags is a text");
    refused(json!({"desks": [{"primary": true}]}), &at("desks.value is required"));
    assert_eq!(
        read(Dialect::Strict, json!({"hat": 1})),
        Err((Some(ScimType::InvalidValue), "hat is no attribute of this resource type".to_owned()))
    );
    assert_eq!(
        read(Dialect::Strict, json!({"tags": ["a", "A", "b"], "rank": 5})),
        Ok(json!({"tags": ["a", "b"]}))
    );
}

#[test]
fn filters_follow_the_type_and_the_case_rule() {
    registered();
    let ann = json!({"userName": "ann", ACME: {
        "badge": "A-1", "floor": 12, "weight": 1.5, "hired": "2024-05-01T10:00:00+02:00", "seal": "AQID",
        "tags": ["Red", "blue"],
    }});
    let holds = |term: &str| {
        let filter = Filter::parse(&format!("{ACME}:{term}")).expect(term);
        filter
            .check(ResourceType::User, Dialect::Strict)
            .map(|()| filter.matches(&ann))
            .map_err(|error| error.kind)
    };
    for (term, expected) in [
        ("badge eq \"A-1\"", true),
        ("badge eq \"a-1\"", false),
        ("floor gt 9", true),
        ("floor le 11.5", false),
        ("weight eq 1.50", true),
        ("weight lt 2", true),
        ("hired eq \"2024-05-01T08:00:00Z\"", true),
        ("hired gt \"2024-05-01T09:00:00Z\"", false),
        ("seal eq \"AQID\"", true),
        ("tags eq \"red\"", true),
        ("tags.value sw \"bl\"", true),
        ("tags[value eq \"RED\"]", true),
        ("floor pr", true),
    ] {
        assert_eq!(holds(term), Ok(expected), "{term}");
    }
    for term in [
        "floor co 1",
        "floor eq \"12\"",
        "weight sw 1",
        "hired co \"2024-05-01T08:00:00Z\"",
        "hired eq \"today\"",
        "seal gt \"AQID\"",
        "seal co \"A\"",
        "pin eq \"1\"",
        "pin pr",
        "hat eq 1",
        "floor[value eq 1]",
    ] {
        assert_eq!(holds(term), Err(Some(ScimType::InvalidFilter)), "{term}");
    }
}

#[test]
fn lists_of_simple_values_are_patched_by_their_value() {
    let tags = || json!({"tags": ["Red", "blue"]});
    let check = |operation: Value, expected: Value| {
        let got = patched(tags(), operation.clone()).expect("it is done");
        assert_eq!(got.get("tags").cloned().unwrap_or(Value::Null), expected, "{operation}");
    };
    let path = at("tags");
    check(json!({"op": "add", "path": path, "value": ["green", "RED"]}), json!(["Red", "blue", "green"]));
    check(json!({"op": "replace", "path": path, "value": ["x"]}), json!(["x"]));
    check(json!({"op": "remove", "path": format!("{path}[value eq \"red\"]")}), json!(["blue"]));
    check(
        json!({"op": "replace", "path": format!("{path}[value eq \"red\"]"), "value": "pink"}),
        json!(["pink", "blue"]),
    );
    check(
        json!({"op": "replace", "path": format!("{path}[value eq \"red\"].value"), "value": "blue"}),
        json!(["blue"]),
    );
    check(json!({"op": "remove", "path": path}), Value::Null);
    let none = json!({"op": "replace", "path": format!("{path}[value eq \"x\"]"), "value": "y"});
    assert_eq!(patched(tags(), none), Err(Some(ScimType::NoTarget)));
}

#[test]
fn what_is_immutable_is_set_once() {
    let hired = |time: &str| json!({"hired": time});
    let (old, new) = ("2024-05-01T10:00:00Z", "2025-01-01T00:00:00Z");
    let op = |op: &str, value: &str| json!({"op": op, "path": at("hired"), "value": value});
    assert_eq!(patched(json!({}), op("add", old)), Ok(hired(old)));
    assert_eq!(patched(hired(old), op("replace", old)), Ok(hired(old)));
    assert_eq!(patched(hired(old), op("replace", new)), Err(Some(ScimType::Mutability)));
    let remove = json!({"op": "remove", "path": at("hired")});
    assert_eq!(patched(hired(old), remove), Err(Some(ScimType::Mutability)));

    let replaced = |sent: Value, kept: Value| {
        let sent = json!({"schemas": [CORE], "userName": "ann", ACME: sent});
        let read = incoming(ResourceType::User, Dialect::Strict, &sent).expect("a body");
        let body = read.replacing(ResourceType::User, &json!({"userName": "ann", ACME: kept}));
        body.map(|body| body[ACME].clone()).map_err(|error| error.kind)
    };
    assert_eq!(replaced(hired(old), json!({"floor": 1})), Ok(hired(old)));
    assert_eq!(replaced(hired(old), hired(old)), Ok(hired(old)));
    assert_eq!(replaced(hired(new), hired(old)), Err(Some(ScimType::Mutability)));
    assert_eq!(replaced(json!({"floor": 2}), hired(old)), Ok(json!({"floor": 2, "hired": old})));
    // Nobody can send back what is never shown.
    assert_eq!(replaced(json!({"floor": 2}), json!({"pin": "1"})), Ok(json!({"floor": 2, "pin": "1"})));
    assert_eq!(replaced(json!({"pin": "2"}), json!({"pin": "1", "floor": 1})), Ok(json!({"pin": "2"})));

    let desk = |value: &str| json!({"desks": [{"value": value, "side": "left"}]});
    let by = |value: &str, sub: &str| {
        let path = format!("{}[side eq \"left\"].{sub}", at("desks"));
        patched(desk("d1"), json!({"op": "replace", "path": path, "value": value}))
    };
    assert_eq!(by("D1", "value"), Ok(desk("d1")));
    assert_eq!(by("d2", "value"), Err(Some(ScimType::Mutability)));
    assert_eq!(by("right", "side"), Ok(json!({"desks": [{"value": "d1", "side": "right"}]})));
}

#[test]
fn what_is_read_only_is_ignored_in_a_body_and_refused_in_a_path() {
    assert_eq!(read(Dialect::Strict, json!({"rank": 1, "floor": 2})), Ok(json!({"floor": 2})));
    let path = json!({"op": "replace", "path": at("rank"), "value": 1});
    assert_eq!(patched(json!({}), path), Err(Some(ScimType::Mutability)));
    let pathless = json!({"op": "replace", "value": {ACME: {"rank": 1}}});
    assert_eq!(patched(json!({}), pathless), Err(Some(ScimType::Mutability)));
}

#[test]
fn what_is_returned_follows_the_attribute_and_the_request() {
    registered();
    let kept = json!({"userName": "ann", ACME: {
        "badge": "A-1", "notes": "n", "pin": "1", "rank": 5, "desks": [{"value": "d1", "side": "left"}],
    }});
    let shown = |attributes: Option<&str>, excluded: Option<&str>, written: &[Path]| {
        let mut shown = kept.clone();
        let projection = Projection::read(attributes, excluded).expect("a projection");
        projection.apply_after(ResourceType::User, &mut shown, written);
        shown.get(ACME).cloned().unwrap_or(Value::Null)
    };
    let desk = json!([{"value": "d1"}]);
    assert_eq!(shown(None, None, &[]), json!({"badge": "A-1", "rank": 5, "desks": desk}));
    assert_eq!(shown(Some("userName"), None, &[]), json!({"rank": 5}));
    assert_eq!(shown(Some(&at("notes")), None, &[]), json!({"notes": "n", "rank": 5}));
    assert_eq!(
        shown(Some(ACME), None, &[]),
        json!({"badge": "A-1", "notes": "n", "rank": 5, "desks": desk}),
        "a bare URN names all of the extension"
    );
    assert_eq!(shown(Some(&at("desks.side")), None, &[]), json!({"desks": [{"side": "left"}], "rank": 5}));
    assert_eq!(
        shown(None, Some(ACME), &[]),
        json!({"rank": 5}),
        "what is returned always cannot be excluded"
    );
    assert_eq!(shown(None, Some(&at("desks")), &[]), json!({"badge": "A-1", "rank": 5}));
    let written = named_paths(ResourceType::User, &json!({"userName": "ann", ACME: {"NOTES": "n"}}));
    assert_eq!(shown(None, None, &written), json!({"badge": "A-1", "notes": "n", "rank": 5, "desks": desk}));
}

#[test]
fn lists_are_sorted_by_numbers_and_times() {
    registered();
    let sorted = |by: &str, values: Vec<Value>| {
        let sort = Sort::read(&[ResourceType::User], Dialect::Strict, &at(by), None).expect("a sort");
        let mut all: Vec<Value> = values.into_iter().map(|value| json!({ACME: {by: value}})).collect();
        all.sort_by_key(|one| sort_key(one, &sort.path));
        all.into_iter().map(|one| one[ACME][by].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(sorted("floor", vec![json!(12), json!(-3), json!(9)]), [json!(-3), json!(9), json!(12)]);
    assert_eq!(
        sorted("weight", vec![json!(12), json!(1.5), json!(9.25)]),
        [json!(1.5), json!(9.25), json!(12)]
    );
    let (early, late) = (json!("2024-05-01T10:00:00+02:00"), json!("2024-05-01T09:00:00Z"));
    assert_eq!(sorted("hired", vec![late.clone(), early.clone()]), [early, late]);
}

#[test]
fn an_extension_of_grants_is_one_of_grants_alone() {
    let urn = "urn:example:params:scim:schemas:acme:2.0:Grant";
    let json = json!({"id": urn, "name": "AcmeGrant", "attributes": [{"name": "ticket", "type": "string", "required": true}]});
    let schema = schema::read(&json.to_string()).expect("a schema");
    schema::register(ResourceType::Grant, schema).expect("no other schema has the URN");
    let read = |extension: Value| {
        let sent = json!({"user": {"value": "u1"}, "account": "crm", urn: extension});
        incoming(ResourceType::Grant, Dialect::Tolerant, &sent).map(|read| read.body[urn].clone())
    };
    assert_eq!(read(json!({"ticket": "T-1"})), Ok(json!({"ticket": "T-1"})));
    let missing = read(json!({"ticket": " "})).map_err(|error| error.detail);
    assert_eq!(missing, Err(format!("{urn}:ticket is required")));
    assert!(schema::extension(ResourceType::User, urn).is_none());
    let filter = Filter::parse(&format!("{urn}:ticket sw \"T\"")).expect("a filter");
    assert_eq!(filter.check(ResourceType::Grant, Dialect::Strict), Ok(()));
    assert!(filter.check(ResourceType::User, Dialect::Strict).is_err());
}
