//! Discovery: what the service can do, its resource types and schemas (RFC 7643 sections 5-7), from the tables that
//! requests are read with.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::PageLimits;
use super::ResourceType;
use super::schema;
use super::schema::Definition;
use super::schema::Form;
use super::schema::Schema;
use super::type_name;

/// What a service supports, beside what this core always does: PATCH, filters, sorting, entity tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSupport {
    pub page: PageLimits,
    /// `None`: no bulk requests.
    pub bulk: Option<BulkSupport>,
    /// For how many seconds a cursor is good; `None`: no paging by cursor (RFC 9865).
    pub cursor_seconds: Option<u64>,
    /// Where people read about the service.
    pub documentation: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkSupport {
    pub operations_max: u64,
    pub bytes_max: u64,
}

/// The ServiceProviderConfig (RFC 7643 section 5; RFC 9865 section 4). `base` is the address of the service.
pub fn service_provider_config(base: &str, support: &ServiceSupport) -> Value {
    let yes = json!({ "supported": true });
    let bulk = support.bulk.unwrap_or(BulkSupport { operations_max: 0, bytes_max: 0 });
    let mut pagination = json!({
        "cursor": support.cursor_seconds.is_some(), "index": true, "defaultPaginationMethod": "index",
        "defaultPageSize": support.page.default, "maxPageSize": support.page.max,
    });
    if let Some(seconds) = support.cursor_seconds {
        pagination["cursorTimeout"] = seconds.into();
    }
    let mut config = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": yes,
        "bulk": {
            "supported": support.bulk.is_some(),
            "maxOperations": bulk.operations_max, "maxPayloadSize": bulk.bytes_max,
        },
        "filter": { "supported": true, "maxResults": support.page.max },
        "changePassword": { "supported": false },
        "sort": yes,
        "etag": yes,
        "pagination": pagination,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of one workspace, in the Authorization header",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    });
    if let Some(documentation) = &support.documentation {
        config["documentationUri"] = documentation.as_str().into();
    }
    config
}

/// The resource types that a client is shown (RFC 7643 section 6).
pub fn resource_types(shown: &[ResourceType], base: &str) -> Vec<Value> {
    shown.iter().map(|kind| resource_type(*kind, base)).collect()
}

fn resource_type(kind: ResourceType, base: &str) -> Value {
    let name = type_name(kind);
    let extension = |schema: &&Schema| json!({ "schema": schema.urn, "required": false });
    let mut described = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": name,
        "name": name,
        "endpoint": kind.endpoint(),
        "description": schema::core(kind).description,
        "schema": schema::core(kind).urn,
        "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
    });
    let extensions: Vec<Value> = schema::extensions(kind).iter().map(extension).collect();
    if !extensions.is_empty() {
        described["schemaExtensions"] = extensions.into();
    }
    described
}

/// The schemas of these resource types (RFC 7643 section 7), from the same table that bodies are read with.
pub fn schema_descriptions(shown: &[ResourceType], base: &str) -> Vec<Value> {
    let of = |kind: &ResourceType| {
        std::iter::once(schema::core(*kind)).chain(schema::extensions(*kind).iter().copied())
    };
    let mut known: Vec<&'static str> = Vec::new();
    let mut is_new = |schema: &&'static Schema| {
        let new = !known.contains(&schema.urn);
        known.push(schema.urn);
        new
    };
    shown
        .iter()
        .flat_map(of)
        .filter(|schema| is_new(schema))
        .map(|schema| schema_description(schema, base))
        .collect()
}

fn schema_description(schema: &Schema, base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": schema.urn,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes.iter().map(attribute_description).collect::<Vec<_>>(),
        "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{}", schema.urn) },
    })
}

fn attribute_description(definition: &Definition) -> Value {
    let mut described = Map::new();
    let mut say = |name: &str, value: Value| described.insert(name.to_owned(), value);
    say("name", definition.name.into());
    if !definition.description.is_empty() {
        say("description", definition.description.into());
    }
    say("type", definition.form.word().into());
    say("multiValued", definition.multi_valued.into());
    say("required", definition.required.into());
    say("mutability", definition.mutability.word().into());
    say("returned", definition.returned.word().into());
    if definition.form != Form::Complex {
        say("caseExact", definition.case_exact.into());
        say("uniqueness", if definition.unique { "server" } else { "none" }.into());
    }
    if !definition.canonical.is_empty() {
        say("canonicalValues", definition.canonical.into());
    }
    if !definition.refers_to.is_empty() {
        say("referenceTypes", definition.refers_to.into());
    }
    if !definition.sub.is_empty() {
        say("subAttributes", definition.sub.iter().map(attribute_description).collect());
    }
    Value::Object(described)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_describe_every_attribute_once() {
        let schemas = schema_descriptions(&ResourceType::ALL, "");
        let user = &schemas[0];
        assert_eq!(user["id"], "urn:ietf:params:scim:schemas:core:2.0:User");
        let username = &user["attributes"][0];
        let expected = json!({
            "name": "userName", "type": "string", "multiValued": false, "required": true, "caseExact": false,
            "mutability": "readWrite", "returned": "default", "uniqueness": "server",
        });
        assert_eq!(*username, expected);
        let urns: Vec<&Value> = schemas.iter().map(|schema| &schema["id"]).collect();
        for urn in schema::schemas().map(|schema| schema.urn) {
            assert_eq!(urns.iter().filter(|known| **known == urn).count(), 1, "{urn}");
        }
    }

    #[test]
    fn what_the_service_does_is_said_in_the_words_of_the_rfcs() {
        let support = ServiceSupport {
            page: PageLimits { default: 100, max: 500 },
            bulk: Some(BulkSupport { operations_max: 1000, bytes_max: 1_048_576 }),
            cursor_seconds: Some(3600),
            documentation: None,
        };
        let config = service_provider_config("https://x.example/v2", &support);
        let expected = json!({
            "cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 100,
            "maxPageSize": 500, "cursorTimeout": 3600,
        });
        assert_eq!(config["pagination"], expected);
        assert_eq!(
            config["bulk"],
            json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576})
        );
        for name in ["patch", "sort", "etag"] {
            assert_eq!(config[name], json!({"supported": true}), "{name}");
        }
        assert_eq!(config["filter"], json!({"supported": true, "maxResults": 500}));
        assert_eq!(config["meta"]["location"], "https://x.example/v2/ServiceProviderConfig");
        let bare = ServiceSupport { bulk: None, cursor_seconds: None, ..support };
        let config = service_provider_config("", &bare);
        assert_eq!(config["bulk"]["supported"], false);
        assert_eq!(
            (&config["pagination"]["cursor"], config["pagination"].get("cursorTimeout")),
            (&json!(false), None)
        );
    }
}
