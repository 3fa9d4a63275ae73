//! The OpenAPI description of the service (OpenAPI 3.1): made from the tables that requests are read with, so that it
//! says what the service does.

mod bodies;
mod paths;

use serde_json::Value;
use serde_json::json;

use super::ResourceType;
use super::ServiceSupport;

/// The description of a service at the address `base`, for who is shown these resource types.
pub fn document(base: &str, shown: &[ResourceType], support: &ServiceSupport) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rosterd SCIM 2.0 service",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Users, groups and access grants of a workspace: RFC 7643, RFC 7644, RFC 9865. \
                The bearer token names the workspace; without one every address answers 401.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": base }],
        "security": [{ "token": [] }],
        "paths": paths::paths(shown, support),
        "components": {
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "A token as `rosterd token create` prints it",
            } },
            "schemas": bodies::schemas(shown),
            "parameters": paths::parameters(support),
            "headers": paths::headers(),
            "responses": paths::errors(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::BulkSupport;
    use crate::scim::PageLimits;

    fn described(shown: &[ResourceType]) -> Value {
        let support = ServiceSupport {
            page: PageLimits { default: 100, max: 500 },
            bulk: Some(BulkSupport { operations_max: 1000, bytes_max: 1_048_576 }),
            cursor_seconds: Some(3600),
            documentation: None,
        };
        document("https://x.example/scim/v2", shown, &support)
    }

    /// Calls `visit` with every object.
    fn walk(value: &Value, visit: &mut dyn FnMut(&serde_json::Map<String, Value>)) {
        match value {
            Value::Object(members) => {
                visit(members);
                members.values().for_each(|value| walk(value, visit));
            }
            Value::Array(elements) => elements.iter().for_each(|element| walk(element, visit)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = described(&ResourceType::ALL);
        let mut found = 0;
        walk(&document, &mut |members| {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').expect("a reference within the document");
                assert!(document.pointer(pointer).is_some(), "{reference}");
                found += 1;
            }
        });
        assert!(found > 100, "{found} references");
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_may_go_wrong() {
        let document = described(&ResourceType::ALL);
        let mut names = Vec::new();
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                if method == "parameters" {
                    continue;
                }
                names.push(operation["operationId"].as_str().expect("a name").to_owned());
                let answers = operation["responses"].as_object().expect("answers");
                for status in ["401", "429"] {
                    assert!(answers.contains_key(status), "{method} {path} {status}");
                }
            }
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        for path in
            ["/Users", "/Users/{id}", "/Grants/.search", "/", "/.search", "/Bulk", "/Me", "/Schemas/{id}"]
        {
            assert!(document["paths"].get(path).is_some(), "{path}");
        }
    }

    #[test]
    fn who_is_not_shown_grants_reads_nothing_of_them() {
        let text = described(&[ResourceType::User, ResourceType::Group]).to_string();
        assert!(!text.contains("Grant"), "grants are mentioned");
    }

    #[test]
    fn a_body_is_described_as_the_schema_has_it() {
        let document = described(&ResourceType::ALL);
        let user = &document["components"]["schemas"]["User"];
        assert_eq!(user["required"], json!(["schemas", "userName"]));
        assert_eq!(user["properties"]["id"]["readOnly"], true);
        assert_eq!(user["properties"]["password"]["writeOnly"], true);
        assert_eq!(user["properties"]["active"]["type"], "boolean");
        assert_eq!(user["properties"]["emails"]["items"]["properties"]["value"]["type"], "string");
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        assert_eq!(user["properties"][urn]["properties"]["manager"]["type"], "object");
        assert_eq!(user["properties"]["meta"]["properties"]["created"]["format"], "date-time");
    }
}
