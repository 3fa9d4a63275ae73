//! Which thing a URL below `/scim/v2` names, and which methods it has (RFC 7644 section 3.2).

use axum::http::Method;

use crate::scim::Kind;
use crate::scim::ResourceId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Collection(Kind),
    One(Kind, ResourceId),
    Search(Kind),
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
            ["Users"] => Route::Collection(Kind::User),
            ["Groups"] => Route::Collection(Kind::Group),
            ["Users", ".search"] => Route::Search(Kind::User),
            ["Groups", ".search"] => Route::Search(Kind::Group),
            ["Users", id] => Route::One(Kind::User, ResourceId((*id).to_owned())),
            ["Groups", id] => Route::One(Kind::Group, ResourceId((*id).to_owned())),
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
            Route::Collection(Kind::User) | Route::Search(Kind::User) => "users",
            Route::Collection(Kind::Group) | Route::Search(Kind::Group) => "groups",
            Route::One(kind, _) => kind.word(),
            Route::ServiceProviderConfig | Route::ResourceTypes(_) | Route::Schemas(_) => "discovery",
            Route::Unsupported => "unsupported",
        }
    }
}
