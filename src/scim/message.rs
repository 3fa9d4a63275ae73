//! What a service says around resources: their `meta`, and lists of them.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::ResourceId;
use super::ResourceType;
use super::resource::schemas_of;
use super::schema;

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

/// One page of a list that is paged by cursor (RFC 9865 section 2). Without a next cursor it is the last; the first
/// has no previous one.
pub fn cursor_response(
    total: Option<u64>,
    previous: Option<&str>,
    next: Option<&str>,
    resources: Vec<Value>,
) -> Value {
    let mut message = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    if let Some(total) = total {
        message["totalResults"] = total.into();
    }
    for (name, cursor) in [("previousCursor", previous), ("nextCursor", next)] {
        if let Some(cursor) = cursor {
            message[name] = cursor.into();
        }
    }
    message
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
}
