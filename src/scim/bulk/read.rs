//! Reading a BulkRequest (RFC 7644 section 3.7).

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use super::Method;
use super::Operation;
use super::Place;
use super::Reference;
use super::Request;
use crate::scim::Error;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::ScimType;
use crate::scim::filter::member;

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
pub(super) const PREFIX: &str = "bulkId:";

impl Request {
    /// Reads the body of a POST to `/Bulk`. More than `operations_max` operations are a 413 (section 3.7.4).
    pub fn read(sent: &Value, operations_max: usize) -> Result<Request, Error> {
        if !sent.is_object() {
            return Err(syntax("the body is not a JSON object"));
        }
        let urns = member(sent, "schemas").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if !urns.iter().filter_map(Value::as_str).any(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST)) {
            return Err(syntax("schemas does not name BulkRequest"));
        }
        let operations = member(sent, "Operations")
            .and_then(Value::as_array)
            .ok_or_else(|| syntax("Operations is missing or no list"))?;
        if operations.len() > operations_max {
            let detail = format!("more than {operations_max} operations in one bulk request");
            return Err(Error::new(413, detail));
        }
        let operations: Vec<Operation> = operations.iter().map(operation).collect::<Result<_, _>>()?;
        distinct(&operations)?;
        Ok(Request { errors_max: errors_max(sent)?, operations })
    }
}

fn errors_max(sent: &Value) -> Result<Option<u64>, Error> {
    match member(sent, "failOnErrors") {
        None | Some(Value::Null) => Ok(None),
        Some(number) => match number.as_u64() {
            Some(number) if number > 0 => Ok(Some(number)),
            _ => Err(Error::bad(ScimType::InvalidValue, "failOnErrors is a whole number above 0")),
        },
    }
}

fn operation(sent: &Value) -> Result<Operation, Error> {
    if !sent.is_object() {
        return Err(syntax("an operation is not an object"));
    }
    let word = text(sent, "method")?.unwrap_or_default();
    let method = Method::ALL
        .into_iter()
        .find(|method| method.word() == word)
        .ok_or_else(|| syntax("method is POST, PUT, PATCH or DELETE"))?;
    let bulk_id = text(sent, "bulkId")?;
    if method == Method::Post && bulk_id.is_none_or(str::is_empty) {
        return Err(syntax("a POST has no bulkId"));
    }
    let path = text(sent, "path")?.ok_or_else(|| syntax("an operation has no path"))?;
    let data = member(sent, "data").cloned().unwrap_or(Value::Null);
    Ok(Operation {
        method,
        bulk_id: bulk_id.map(str::to_owned),
        version: text(sent, "version")?.map(str::to_owned),
        place: place(method, path),
        data: if method == Method::Patch { patch_body(data) } else { data },
    })
}

/// A bare list of operations is taken for the body around it.
fn patch_body(data: Value) -> Value {
    match data {
        Value::Array(operations) => json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
        }),
        body => body,
    }
}

fn text<'a>(sent: &'a Value, name: &str) -> Result<Option<&'a str>, Error> {
    match member(sent, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(syntax(&format!("{name} is a text"))),
    }
}

/// The place that a path names, for this method.
fn place(method: Method, path: &str) -> Result<Place, Error> {
    let (endpoint, id) = match path.strip_prefix('/').unwrap_or(path).split_once('/') {
        Some((endpoint, id)) => (endpoint, Some(id)),
        None => (path.strip_prefix('/').unwrap_or(path), None),
    };
    let known = |kind: &ResourceType| kind.endpoint().strip_prefix('/') == Some(endpoint);
    let Some(kind) = ResourceType::ALL.into_iter().find(known) else {
        return Err(match endpoint {
            "Bulk" | "Me" | ".search" => {
                Error::bad(ScimType::InvalidValue, format!("/{endpoint} has no place in a bulk request"))
            }
            _ => Error::new(404, "the path names no endpoint"),
        });
    };
    let id = match id.filter(|id| !id.is_empty()) {
        None => None,
        Some(id) if id.contains('/') || id == ".search" => {
            return Err(Error::bad(ScimType::InvalidValue, "the path is an endpoint, or one and an id"));
        }
        Some(id) => Some(match id.strip_prefix(PREFIX) {
            Some(bulk_id) => Reference::BulkId(bulk_id.to_owned()),
            None => Reference::Id(ResourceId(id.to_owned())),
        }),
    };
    match (method, &id) {
        (Method::Post, None) | (Method::Put | Method::Patch | Method::Delete, Some(_)) => {
            Ok(Place { kind, id })
        }
        _ => Err(Error::new(405, format!("{} is not for this path", method.word()))),
    }
}

/// A bulkId stands for one resource (section 3.7).
fn distinct(operations: &[Operation]) -> Result<(), Error> {
    let mut known = BTreeSet::new();
    let mut ids = operations.iter().filter_map(|operation| operation.bulk_id.as_deref());
    match ids.all(|id| known.insert(id)) {
        true => Ok(()),
        false => Err(syntax("two operations have the same bulkId")),
    }
}

fn syntax(detail: &str) -> Error {
    Error::bad(ScimType::InvalidSyntax, detail)
}
