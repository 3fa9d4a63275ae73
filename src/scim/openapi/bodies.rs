//! The bodies of requests and answers as JSON schemas.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::scim::ResourceType;
use crate::scim::schema;
use crate::scim::schema::Definition;
use crate::scim::schema::Form;
use crate::scim::schema::Mutability;
use crate::scim::schema::Returned;
use crate::scim::type_name;

const MESSAGES: &str = "urn:ietf:params:scim:api:messages:2.0:";

pub(super) fn schemas(shown: &[ResourceType]) -> Value {
    let mut all = Map::new();
    for kind in shown {
        all.insert(type_name(*kind).to_owned(), resource(*kind));
    }
    for (name, schema) in [
        ("Error", error()),
        ("ListResponse", list_response(shown)),
        ("SearchRequest", search_request()),
        ("PatchOp", patch_op()),
        ("BulkRequest", bulk_request()),
        ("BulkResponse", bulk_response()),
        ("Discovery", json!({ "type": "object", "description": "RFC 7643 sections 5, 6 and 7" })),
    ] {
        all.insert(name.to_owned(), schema);
    }
    Value::Object(all)
}

/// A resource with its extensions (RFC 7643 section 3).
fn resource(kind: ResourceType) -> Value {
    let core = schema::core(kind);
    let mut properties = properties(schema::COMMON);
    properties.extend(self::properties(core.attributes));
    for extension in schema::extensions(kind) {
        let mut described = object(extension.attributes);
        described["description"] = extension.description.into();
        properties.insert(extension.urn.to_owned(), described);
    }
    let mut required = vec!["schemas"];
    required.extend(required_names(core.attributes));
    json!({
        "type": "object", "description": core.description, "properties": properties, "required": required,
        "examples": [example(kind)],
    })
}

fn example(kind: ResourceType) -> Value {
    let schemas = [schema::core(kind).urn];
    match kind {
        ResourceType::User => json!({
            "schemas": schemas, "userName": "ann.lee@acme.example", "externalId": "00u1", "active": true,
            "name": { "givenName": "Ann", "familyName": "Lee" },
            "emails": [{ "type": "work", "value": "ann.lee@acme.example", "primary": true }],
        }),
        ResourceType::Group => {
            json!({ "schemas": schemas, "displayName": "Sales", "members": [{ "value": "2819c223" }] })
        }
        ResourceType::Grant => {
            json!({ "schemas": schemas, "user": { "value": "2819c223" }, "account": "crm-admin", "privileged": true })
        }
    }
}

fn properties(definitions: &[Definition]) -> Map<String, Value> {
    definitions.iter().map(|definition| (definition.name.to_owned(), attribute(definition))).collect()
}

fn required_names(definitions: &[Definition]) -> Vec<&'static str> {
    definitions.iter().filter(|definition| definition.required).map(|definition| definition.name).collect()
}

fn object(definitions: &[Definition]) -> Value {
    let mut described = json!({ "type": "object", "properties": properties(definitions) });
    let required = required_names(definitions);
    if !required.is_empty() {
        described["required"] = required.into();
    }
    described
}

fn attribute(definition: &Definition) -> Value {
    let mut described = match definition.form {
        Form::Text => json!({ "type": "string" }),
        Form::Boolean => json!({ "type": "boolean" }),
        Form::Integer => json!({ "type": "integer", "format": "int64" }),
        Form::Decimal => json!({ "type": "number" }),
        Form::DateTime => json!({ "type": "string", "format": "date-time" }),
        Form::Binary => json!({ "type": "string", "contentEncoding": "base64" }),
        Form::Reference => json!({ "type": "string", "format": "uri-reference" }),
        Form::Complex => object(definition.sub),
    };
    // Suggestions: other values are taken as well.
    if !definition.canonical.is_empty() {
        described["examples"] = definition.canonical.into();
    }
    if definition.multi_valued {
        described = json!({ "type": "array", "items": described });
    }
    if !definition.description.is_empty() {
        described["description"] = definition.description.into();
    }
    if definition.mutability == Mutability::ReadOnly {
        described["readOnly"] = true.into();
    }
    if definition.mutability == Mutability::WriteOnly || definition.returned == Returned::Never {
        described["writeOnly"] = true.into();
    }
    described
}

/// A message with exactly its URN in `schemas`.
fn message(name: &str, properties: Value, required: &[&str]) -> Value {
    let mut all = json!({ "schemas": {
        "type": "array", "items": { "const": format!("{MESSAGES}{name}") }, "minItems": 1, "maxItems": 1,
    } });
    for (name, property) in properties.as_object().into_iter().flatten() {
        all[name] = property.clone();
    }
    let required: Vec<&str> = ["schemas"].iter().chain(required).copied().collect();
    json!({ "type": "object", "properties": all, "required": required })
}

fn error() -> Value {
    let words = [
        "invalidFilter",
        "tooMany",
        "uniqueness",
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
        "invalidValue",
        "invalidVers",
        "sensitive",
        "invalidCursor",
        "expiredCursor",
        "invalidCount",
    ];
    let properties = json!({
        "status": { "type": "string", "pattern": "^[45][0-9][0-9]$" },
        "scimType": { "type": "string", "enum": words },
        "detail": { "type": "string" },
    });
    let mut described = message("Error", properties, &["status", "detail"]);
    described["examples"] = json!([{
        "schemas": [format!("{MESSAGES}Error")], "status": "409", "scimType": "uniqueness",
        "detail": "another resource has this userName",
    }]);
    described
}

fn list_response(shown: &[ResourceType]) -> Value {
    let kinds: Vec<Value> = shown.iter().map(|kind| reference(type_name(*kind))).collect();
    let kinds: Vec<Value> = kinds.into_iter().chain([reference("Discovery")]).collect();
    let number = json!({ "type": "integer", "minimum": 0 });
    let properties = json!({
        "totalResults": number, "startIndex": number, "itemsPerPage": number,
        "previousCursor": { "type": "string" }, "nextCursor": { "type": "string" },
        "Resources": { "type": "array", "items": { "anyOf": kinds } },
    });
    message("ListResponse", properties, &["Resources"])
}

fn search_request() -> Value {
    let names = json!({ "type": "array", "items": { "type": "string" } });
    let text = json!({ "type": "string" });
    let properties = json!({
        "attributes": names, "excludedAttributes": names, "filter": text, "sortBy": text,
        "sortOrder": { "type": "string", "enum": ["ascending", "descending"] },
        "startIndex": { "type": "integer" }, "count": { "type": "integer" }, "cursor": text,
    });
    let mut described = message("SearchRequest", properties, &[]);
    described["examples"] = json!([{
        "schemas": [format!("{MESSAGES}SearchRequest")], "filter": "userName sw \"ann\"",
        "attributes": ["userName"], "startIndex": 1, "count": 10,
    }]);
    described
}

fn patch_op() -> Value {
    let operation = json!({
        "type": "object", "required": ["op"],
        "properties": {
            "op": { "type": "string", "description": "add, replace or remove, in any case" },
            "path": { "type": "string" },
            "value": {},
        },
    });
    let operations = json!({ "Operations": { "type": "array", "items": operation, "minItems": 1 } });
    let mut described = message("PatchOp", operations, &["Operations"]);
    described["examples"] = json!([{
        "schemas": [format!("{MESSAGES}PatchOp")],
        "Operations": [
            { "op": "replace", "path": "active", "value": false },
            { "op": "remove", "path": "members[value eq \"2819c223\"]" },
        ],
    }]);
    described
}

fn bulk_request() -> Value {
    let operation = json!({
        "type": "object", "required": ["method", "path"],
        "properties": {
            "method": { "type": "string", "enum": ["POST", "PUT", "PATCH", "DELETE"] },
            "bulkId": { "type": "string", "description": "needed by POST; `bulkId:x` stands for the id that it makes" },
            "path": { "type": "string", "examples": ["/Users", "/Groups/bulkId:x"] },
            "version": { "type": "string" },
            "data": { "type": "object" },
        },
    });
    let properties = json!({
        "failOnErrors": { "type": "integer", "minimum": 1 },
        "Operations": { "type": "array", "items": operation },
    });
    message("BulkRequest", properties, &["Operations"])
}

fn bulk_response() -> Value {
    let operation = json!({
        "type": "object", "required": ["method", "status"],
        "properties": {
            "method": { "type": "string" }, "bulkId": { "type": "string" }, "version": { "type": "string" },
            "location": { "type": "string", "format": "uri" }, "status": { "type": "string" },
            "response": reference("Error"),
        },
    });
    let operations = json!({ "Operations": { "type": "array", "items": operation } });
    message("BulkResponse", operations, &["Operations"])
}

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
