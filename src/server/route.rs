//! Which thing a URL below `/scim/v2` names, and which methods it has (RFC 7644 section 3.2).

use axum::http::Method;

use crate::scim::ResourceId;
use crate::scim::ResourceType;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// All resource types at once.
    Root,
    Collection(ResourceType),
    One(ResourceType, ResourceId),
    /// Of one resource type, or of all.
    Search(Option<ResourceType>),
    Bulk,
    /// Known to the RFC, not to us: a token is no person.
    Me,
    ServiceProviderConfig,
    /// All, or the one of this id.
    ResourceTypes(Option<String>),
    Schemas(Option<String>),
    OpenApi,
}

impl Route {
    /// The route of a decoded path; `None` where nothing is there.
    pub fn of(path: &str) -> Option<Route> {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let route = match segments.as_slice() {
            [] => Route::Root,
            [".search"] => Route::Search(None),
            ["Bulk"] => Route::Bulk,
            ["Me", ..] => Route::Me,
            ["ServiceProviderConfig"] => Route::ServiceProviderConfig,
            ["ResourceTypes"] => Route::ResourceTypes(None),
            ["ResourceTypes", id] => Route::ResourceTypes(Some((*id).to_owned())),
            ["Schemas"] => Route::Schemas(None),
            ["Schemas", urn] => Route::Schemas(Some((*urn).to_owned())),
            ["openapi.json"] => Route::OpenApi,
            [endpoint] => Route::Collection(resource_type(endpoint)?),
            [endpoint, ".search"] => Route::Search(Some(resource_type(endpoint)?)),
            [endpoint, id] => Route::One(resource_type(endpoint)?, ResourceId((*id).to_owned())),
            _ => return None,
        };
        Some(route)
    }

    /// The methods it has, as the `Allow` header lists them.
    pub fn methods(&self) -> &'static [Method] {
        match self {
            Route::Collection(_) => &[Method::GET, Method::POST],
            Route::One(..) => &[Method::GET, Method::PUT, Method::PATCH, Method::DELETE],
            Route::Search(_) | Route::Bulk => &[Method::POST],
            Route::Me => &[Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE],
            Route::Root
            | Route::ServiceProviderConfig
            | Route::ResourceTypes(_)
            | Route::Schemas(_)
            | Route::OpenApi => &[Method::GET],
        }
    }

    pub fn is_discovery(&self) -> bool {
        matches!(
            self,
            Route::ServiceProviderConfig | Route::ResourceTypes(_) | Route::Schemas(_) | Route::OpenApi
        )
    }

    /// For logs: the kind of thing, without ids or values.
    pub fn word(&self) -> &'static str {
        match self {
            Route::Collection(kind) | Route::Search(Some(kind)) => match kind {
                ResourceType::User => "users",
                ResourceType::Group => "groups",
                ResourceType::Grant => "grants",
            },
            Route::One(kind, _) => kind.word(),
            Route::Root | Route::Search(None) => "everything",
            Route::Bulk => "bulk",
            Route::Me => "me",
            Route::ServiceProviderConfig | Route::ResourceTypes(_) | Route::Schemas(_) | Route::OpenApi => {
                "discovery"
            }
        }
    }
}

fn resource_type(endpoint: &str) -> Option<ResourceType> {
    ResourceType::ALL.into_iter().find(|kind| kind.endpoint().strip_prefix('/') == Some(endpoint))
}
