//! The tenant's default domain: what `DefaultDomain` says in a mapping.

use serde::Deserialize;

use super::door::DIRECTORY_READ;
use super::door::Graph;
use super::trouble::Link;
use super::trouble::Trouble;
use crate::sources::SourceError;

/// graph.md section 5.1.
const ADDRESS: &str = "/organization?$select=id,displayName,verifiedDomains";

#[derive(Deserialize)]
struct Organizations {
    value: Vec<Organization>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Organization {
    #[serde(default)]
    verified_domains: Vec<Domain>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Domain {
    name: String,
    #[serde(default)]
    is_default: bool,
}

pub(super) async fn default_domain(graph: &Graph) -> Result<String, SourceError> {
    let url = graph.own(ADDRESS)?;
    let heard: Organizations = graph.get(url, Link::Own, DIRECTORY_READ).await.map_err(unknown)?;
    let domains = heard.value.into_iter().flat_map(|organization| organization.verified_domains);
    let default = domains.into_iter().find(|domain| domain.is_default);
    default.map(|domain| domain.name).ok_or_else(|| refused("the tenant names no default domain".to_owned()))
}

/// Nothing is decided without it: a mapping that needs the domain would hold everybody.
fn unknown(trouble: Trouble) -> SourceError {
    match trouble {
        Trouble::Source(SourceError::Refused { what, cure }) => {
            refused(format!("the default domain cannot be read: {what}; {cure}"))
        }
        Trouble::Source(error) => error,
        _ => refused("the default domain cannot be read".to_owned()),
    }
}

fn refused(what: String) -> SourceError {
    let cure = "or write the domain as a text where the mapping has DefaultDomain()".to_owned();
    SourceError::Refused { what, cure }
}
