//! The addresses of the service: what each takes and answers.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::bodies::reference;
use crate::scim::ResourceType;
use crate::scim::ServiceSupport;
use crate::scim::type_name;

const MEDIA_TYPE: &str = "application/scim+json";

/// What may go wrong anywhere.
const EVERYWHERE: [u16; 3] = [401, 429, 500];
const ON_READ: [u16; 2] = [400, 403];
const ON_BODY: [u16; 5] = [400, 403, 408, 413, 415];

const ON_LIST: [&str; 8] =
    ["filter", "attributes", "excludedAttributes", "sortBy", "sortOrder", "startIndex", "count", "cursor"];
const ON_ONE: [&str; 2] = ["attributes", "excludedAttributes"];

pub(super) fn paths(shown: &[ResourceType], support: &ServiceSupport) -> Value {
    let mut paths = Map::new();
    for kind in shown {
        of_type(*kind, &mut paths);
    }
    let mut add = |path: &str, operations: Value| paths.insert(path.to_owned(), operations);
    add(
        "/",
        json!({ "get": listed("list", "Everything of all resource types").parameters(&ON_LIST).done(&ON_READ) }),
    );
    add(
        "/.search",
        json!({ "post": listed("search", "As a list, asked in a body").body("SearchRequest").done(&ON_BODY) }),
    );
    if support.bulk.is_some() {
        let bulk = Operation::new("bulk", "Several writes, each by itself").body("BulkRequest");
        add("/Bulk", json!({ "post": bulk.answers(200, "BulkResponse").done(&ON_BODY) }));
    }
    let me = Operation::new("me", "Not supported: a token stands for a client, not for a person");
    add("/Me", json!({ "get": me.done(&[501]) }));
    for (path, id, what) in [
        ("/ServiceProviderConfig", "serviceProviderConfig", "What the service can do"),
        ("/ResourceTypes/{id}", "resourceType", "One resource type, by its name"),
        ("/Schemas/{id}", "schema", "One schema, by its URN"),
    ] {
        let read = Operation::new(id, what).answers(200, "Discovery");
        let read = if path.ends_with("{id}") {
            read.parameters(&["id"]).done(&[403, 404])
        } else {
            read.done(&[403])
        };
        add(path, json!({ "get": read }));
    }
    for (path, id, what) in
        [("/ResourceTypes", "resourceTypes", "All resource types"), ("/Schemas", "schemas", "All schemas")]
    {
        add(path, json!({ "get": listed(id, what).done(&[403]) }));
    }
    let this = Operation::new("openapi", "This description");
    add("/openapi.json", json!({ "get": this.answers(200, "Discovery").done(&[]) }));
    Value::Object(paths)
}

fn of_type(kind: ResourceType, paths: &mut Map<String, Value>) {
    let name = type_name(kind);
    let named = |verb: &str| format!("{verb}{name}");
    let collection = json!({
        "get": listed(&named("list"), &format!("A list of {name} resources")).parameters(&ON_LIST).done(&ON_READ),
        "post": Operation::new(&named("create"), &format!("Creates a {name}"))
            .parameters(&ON_ONE).body(name).answers(201, name).header(201, "ETag").header(201, "Location")
            .done(&[&ON_BODY[..], &[409]].concat()),
    });
    let search =
        listed(&named("search"), "As the list, asked in a body").body("SearchRequest").done(&ON_BODY);
    let guarded = [&ON_BODY[..], &[404, 409, 412, 428]].concat();
    let patch = Operation::new(&named("patch"), &format!("Changes a {name}; all operations or none"))
        .parameters(&["id", "If-Match"])
        .parameters(&ON_ONE)
        .body("PatchOp")
        .answers(200, name)
        .header(200, "ETag");
    let patch = if kind == ResourceType::Group { patch.empty(204, "Changed, and not shown") } else { patch };
    let one = json!({
        "get": Operation::new(&named("get"), &format!("A {name}")).parameters(&["id", "If-None-Match"])
            .parameters(&ON_ONE).answers(200, name).header(200, "ETag").empty(304, "Not changed")
            .done(&[&ON_READ[..], &[404]].concat()),
        "put": Operation::new(&named("replace"), &format!("Replaces a {name}; what is not sent is unassigned"))
            .parameters(&["id", "If-Match"]).parameters(&ON_ONE).body(name).answers(200, name)
            .header(200, "ETag").done(&guarded),
        "patch": patch.done(&guarded),
        "delete": Operation::new(&named("delete"), &format!("Deletes a {name} for good"))
            .parameters(&["id", "If-Match"]).empty(204, "Deleted").done(&[403, 404, 412, 428]),
    });
    let endpoint = kind.endpoint();
    paths.insert(endpoint.to_owned(), collection);
    paths.insert(format!("{endpoint}/.search"), json!({ "post": search }));
    paths.insert(format!("{endpoint}/{{id}}"), one);
}

fn listed(id: &str, what: &str) -> Operation {
    Operation::new(id, what).answers(200, "ListResponse")
}

/// One method of one path, as it is put together.
struct Operation(Value);

impl Operation {
    fn new(id: &str, what: &str) -> Operation {
        Operation(json!({ "operationId": id, "summary": what, "parameters": [], "responses": {} }))
    }

    fn parameters(mut self, names: &[&str]) -> Operation {
        let references =
            names.iter().map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }));
        if let Some(parameters) = self.0["parameters"].as_array_mut() {
            parameters.extend(references);
        }
        self
    }

    fn body(mut self, schema: &str) -> Operation {
        let content = json!({ "schema": reference(schema) });
        self.0["requestBody"] =
            json!({ "required": true, "content": { MEDIA_TYPE: content, "application/json": content } });
        self
    }

    fn answers(mut self, status: u16, schema: &str) -> Operation {
        self.0["responses"][status.to_string()] = json!({
            "description": if status == 201 { "Created" } else { "Done" },
            "content": { MEDIA_TYPE: { "schema": reference(schema) } },
        });
        self
    }

    fn empty(mut self, status: u16, what: &str) -> Operation {
        self.0["responses"][status.to_string()] = json!({ "description": what });
        self
    }

    fn header(mut self, status: u16, name: &str) -> Operation {
        self.0["responses"][status.to_string()]["headers"][name] =
            json!({ "$ref": format!("#/components/headers/{name}") });
        self
    }

    /// With what may go wrong here and everywhere.
    fn done(mut self, statuses: &[u16]) -> Value {
        for status in EVERYWHERE.iter().chain(statuses) {
            self.0["responses"][status.to_string()] =
                json!({ "$ref": format!("#/components/responses/{status}") });
        }
        self.0
    }
}

pub(super) fn parameters(support: &ServiceSupport) -> Value {
    let query = |name: &str, what: &str, schema: Value| json!({ "name": name, "in": "query", "description": what, "schema": schema });
    let text = || json!({ "type": "string" });
    let header = |name: &str, what: &str| json!({ "name": name, "in": "header", "description": what, "schema": text() });
    let count = json!({ "type": "integer", "default": support.page.default });
    json!({
        "id": { "name": "id", "in": "path", "required": true, "schema": text() },
        "filter": query("filter", "RFC 7644 section 3.4.2.2, as `userName eq \"ann\"`", text()),
        "attributes": query("attributes", "what to show alone, separated by commas", text()),
        "excludedAttributes": query("excludedAttributes", "what not to show, separated by commas", text()),
        "sortBy": query("sortBy", "the attribute to sort by", text()),
        "sortOrder": query("sortOrder", "which way", json!({ "type": "string", "enum": ["ascending", "descending"] })),
        "startIndex": query("startIndex", "the first of the page, from 1", json!({ "type": "integer", "default": 1 })),
        "count": query("count", &format!("how many; above {} the page is cut", support.page.max), count),
        "cursor": query("cursor", "RFC 9865: empty for the first page, then `nextCursor`", text()),
        "If-Match": header("If-Match", "versions that the resource may have, or `*`"),
        "If-None-Match": header("If-None-Match", "the version that is known already"),
    })
}

pub(super) fn headers() -> Value {
    json!({
        "ETag": { "description": "the version, as in `meta.version`", "schema": { "type": "string" } },
        "Location": { "description": "where the resource is", "schema": { "type": "string", "format": "uri" } },
        "Retry-After": { "description": "seconds to wait", "schema": { "type": "integer" } },
        "WWW-Authenticate": { "description": "how to say who one is", "schema": { "type": "string" } },
    })
}

/// The answers that are Error messages, by their status.
pub(super) fn errors() -> Value {
    let mut all = Map::new();
    for (status, what) in [
        (400, "The request is not understood, or its values do not fit"),
        (401, "No valid token"),
        (403, "The token may not do this, or another owner has the resource"),
        (404, "No such resource"),
        (408, "The body did not come in time"),
        (409, "A unique value is taken"),
        (412, "The resource has another version"),
        (413, "The request is too large"),
        (415, "The body is of another media type"),
        (428, "This service wants If-Match with each write"),
        (429, "Too many requests"),
        (500, "The service failed"),
        (501, "Not supported"),
    ] {
        let mut answer =
            json!({ "description": what, "content": { MEDIA_TYPE: { "schema": reference("Error") } } });
        let header = match status {
            401 => Some("WWW-Authenticate"),
            429 => Some("Retry-After"),
            _ => None,
        };
        if let Some(name) = header {
            answer["headers"] = json!({ name: { "$ref": format!("#/components/headers/{name}") } });
        }
        all.insert(status.to_string(), answer);
    }
    Value::Object(all)
}
