//! What a service says around resources: their `meta`, lists of them, and what it can do (RFC 7643 sections 5-7).

use jiff::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::ResourceId;
use super::ResourceType;
use super::resource::schemas_of;
use super::schema;
use super::schema::Definition;
use super::schema::Form;
use super::schema::Schema;

/// What the service itself knows of a resource (RFC 7643 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub kind: ResourceType,
    pub id: ResourceId,
    /// Counts real changes.
    pub version: u64,
    pub created: Timestamp,
    pub modified: Timestamp,
}

impl Meta {
    /// The weak entity tag, the same in `ETag` and `meta.version` (RFC 7644 section 3.14).
    pub fn version_tag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    /// `base` is the absolute address of the service, or empty where there is none.
    pub fn location(&self, base: &str) -> String {
        format!("{base}{}/{}", self.kind.endpoint(), self.id)
    }

    /// The whole resource: what is kept of it, `schemas`, `id` and `meta`.
    pub fn dress(&self, body: Value, base: &str) -> Value {
        let mut resource = body;
        let schemas = schemas_of(self.kind, &resource);
        resource["schemas"] = schemas;
        resource["id"] = self.id.0.clone().into();
        resource["meta"] = json!({
            "resourceType": type_name(self.kind),
            "created": instant(self.created),
            "lastModified": instant(self.modified),
            "location": self.location(base),
            "version": self.version_tag(),
        });
        resource
    }
}

/// Somebody at the other end of a membership: a member of a team, or a team that somebody is in.
#[derive(Clone, PartialEq, Eq)]
pub struct Related {
    pub id: ResourceId,
    pub kind: ResourceType,
    pub display: Option<String>,
}

/// Shows the id only (P11).
impl std::fmt::Debug for Related {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.id)
    }
}

/// The attribute that shows memberships from this side (RFC 7643 sections 4.1.2 and 4.2).
pub fn related_name(kind: ResourceType) -> Option<&'static str> {
    match kind {
        ResourceType::User => Some("groups"),
        ResourceType::Group => Some("members"),
        ResourceType::Grant => None,
    }
}

/// The values of that attribute.
pub fn related(kind: ResourceType, others: &[Related], base: &str) -> Value {
    let direct = kind == ResourceType::User;
    let value = |other: &Related| {
        let mut value = json!({
            "value": other.id.0,
            "$ref": format!("{base}{}/{}", other.kind.endpoint(), other.id),
            "type": if direct { "direct" } else { type_name(other.kind) },
        });
        if let Some(display) = &other.display {
            value["display"] = display.clone().into();
        }
        value
    };
    others.iter().map(value).collect()
}

/// The name of a resource type: `User`, `Group` or `Grant`.
pub fn type_name(kind: ResourceType) -> &'static str {
    schema::core(kind).name
}

/// UTC with milliseconds.
fn instant(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// One page of a list. `total` counts all that match, `start` is 1-based (RFC 7644 section 3.4.2).
pub fn list_response(total: u64, start: u64, resources: Vec<Value>) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

/// What the service can do (RFC 7643 section 5). `page_max` is the longest page of a list.
pub fn service_provider_config(base: &str, page_max: u64) -> Value {
    let no = json!({ "supported": false });
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": page_max },
        "changePassword": no,
        "sort": no,
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of one workspace, in the Authorization header",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    })
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
    shown.iter().flat_map(of).map(|schema| schema_description(schema, base)).collect()
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
    fn a_resource_is_dressed_with_what_the_service_knows() {
        let meta = Meta {
            kind: ResourceType::User,
            id: ResourceId("u1".to_owned()),
            version: 3,
            created: "2024-05-01T10:00:00Z".parse().expect("a time"),
            modified: "2024-05-02T10:00:00.25Z".parse().expect("a time"),
        };
        let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let body = json!({"userName": "ann", extension: {"department": "Sales"}});
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", extension],
            "id": "u1", "userName": "ann", extension: {"department": "Sales"},
            "meta": {
                "resourceType": "User", "created": "2024-05-01T10:00:00.000Z",
                "lastModified": "2024-05-02T10:00:00.250Z", "version": "W/\"3\"",
                "location": "https://x.example/scim/v2/Users/u1",
            },
        });
        assert_eq!(meta.dress(body, "https://x.example/scim/v2"), expected);
    }

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
        assert_eq!(schemas.len(), 4);
    }
}
