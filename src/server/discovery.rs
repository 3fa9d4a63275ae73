//! Discovery (RFC 7644 section 4): what the service can do and which schemas it has, and its OpenAPI description.

use axum::http::header;
use serde_json::Value;

use super::answer::Answer;
use super::route::Route;
use super::settings::Limits;
use crate::scim::BulkSupport;
use crate::scim::Error;
use crate::scim::ResourceType;
use crate::scim::ServiceSupport;
use crate::scim::list_response;
use crate::scim::openapi;
use crate::scim::resource_types;
use crate::scim::schema_descriptions;
use crate::scim::service_provider_config;

/// One of its documents; `shown` are the resource types that the client knows of.
pub fn answer(route: &Route, base: &str, limits: &Limits, shown: &[ResourceType]) -> Result<Answer, Error> {
    let (all, wanted) = match route {
        Route::ResourceTypes(wanted) => (resource_types(shown, base), wanted),
        Route::Schemas(wanted) => (schema_descriptions(shown, base), wanted),
        Route::OpenApi => {
            let document = Answer::new(200, openapi::document(base, shown, &support(limits)));
            return Ok(document.with(header::CONTENT_TYPE, "application/json".to_owned()));
        }
        _ => return Ok(Answer::new(200, service_provider_config(base, &support(limits)))),
    };
    let Some(wanted) = wanted else {
        return Ok(Answer::new(200, list_response(all.len() as u64, 1, all)));
    };
    let named = |one: &Value| one["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(wanted));
    all.into_iter().find(named).map(|one| Answer::new(200, one)).ok_or_else(Error::not_found)
}

fn support(limits: &Limits) -> ServiceSupport {
    ServiceSupport {
        page: limits.pages(),
        bulk: Some(BulkSupport {
            operations_max: limits.bulk_operations as u64,
            bytes_max: limits.bulk_bytes as u64,
        }),
        cursor_seconds: Some(limits.cursor_wait.as_secs()),
        documentation: None,
    }
}
