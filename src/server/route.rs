//! Which thing a URL below `/scim/v2` names, and which methods it has (RFC 7644 section 3.2).

use axum::http::Method;

use crate::scim::ResourceId;
use crate::scim::ResourceType;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Collection(ResourceType),
    One(ResourceType, ResourceId),
    Search(ResourceType),
    ServiceProviderConfig,
    /// All, or the one of this id.
    ResourceTypes(Option<String>),
    Schemas(Option<String>),
    /// Known to the RFC, not to us: bulk, `/Me`, queries over all resource types.
    Unsupported,
}

impl Route {
    /// The route of a decoded path; `None` where nothing is there.
    pub fn of(path: &str) -> Option<Route> {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let route = match segments.as_slice() {
            ["Users"] => Route::Collection(ResourceType::User),
            ["Groups"] => Route::Collection(ResourceType::Group),
            ["Grants"] => Route::Collection(ResourceType::Grant),
            ["Grants", ".search"] => Route::Search(ResourceType::Grant),
            ["Grants", id] => Route::One(ResourceType::Grant, ResourceId((*id).to_owned())),
            ["Users", ".search"] => Route::Search(ResourceType::User),
            ["Groups", ".search"] => Route::Search(ResourceType::Group),
            ["Users", id] => Route::One(ResourceType::User, ResourceId((*id).to_owned())),
            ["Groups", id] => Route::One(ResourceType::Group, ResourceId((*id).to_owned())),
            ["ServiceProviderConfig"] => Route::ServiceProviderConfig,
            ["ResourceTypes"] => Route::ResourceTypes(None),
            ["ResourceTypes", id] => Route::ResourceTypes(Some((*id).to_owned())),
            ["Schemas"] => Route::Schemas(None),
            ["Schemas", urn] => Route::Schemas(Some((*urn).to_owned())),
            [] | ["Bulk" | "Me" | ".search"] => Route::Unsupported,
            _ => return None,
        };
        Some(route)
    }

    /// The methods it has, as the `Allow` header lists them.
    pub fn methods(&self) -> &'static [Method] {
        match self {
            Route::Collection(_) => &[Method::GET, Method::POST],
            Route::One(..) => &[Method::GET, Method::PUT, Method::PATCH, Method::DELETE],
            Route::Search(_) => &[Method::POST],
            Route::ServiceProviderConfig | Route::ResourceTypes(_) | Route::Schemas(_) => &[Method::GET],
            Route::Unsupported => &[Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE],
        }
    }

    /// For logs: the kind of thing, without ids or values.
    pub fn word(&self) -> &'static str {
        match self {
            Route::Collection(ResourceType::User) | Route::Search(ResourceType::User) => "users",
            Route::Collection(ResourceType::Group) | Route::Search(ResourceType::Group) => "groups",
            Route::Collection(ResourceType::Grant) | Route::Search(ResourceType::Grant) => "grants",
            Route::One(kind, _) => kind.word(),
            Route::ServiceProviderConfig | Route::ResourceTypes(_) | Route::Schemas(_) => "discovery",
            Route::Unsupported => "unsupported",
        }
    }
}
