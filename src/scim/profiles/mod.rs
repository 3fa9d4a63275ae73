//! Shelf of capability profiles: what a SCIM service can do, as values. A profile is a file of `config/profiles` and
//! says only how a service departs from the standard; nobody asks for a service by name or by host.
//!
//! | file | holds |
//! |---|---|
//! | `shelf` | the files, embedded, and how one is laid over the standard |
//! | `parts` | the parts of a profile and the words of its keys |
//! | `names` | some attributes, by path |

mod names;
mod parts;
mod shelf;

pub use names::Names;
pub use parts::ActiveSemantics;
pub use parts::Attrs;
pub use parts::BoolStyle;
pub use parts::Bulk;
pub use parts::ByKind;
pub use parts::DeleteSemantics;
pub use parts::Demands;
pub use parts::ElementStyle;
pub use parts::ExternalId;
pub use parts::FilterCan;
pub use parts::FilterOp;
pub use parts::MediaType;
pub use parts::Members;
pub use parts::Paging;
pub use parts::PatchValueStyle;
pub use parts::Rate;
pub use parts::Support;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::Kind;

/// What a service can do, as far as a client has to know it (SCIM reference, section 13.1). The keys are those of
/// the reference; `config/profiles/standard.toml` explains each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The word in the settings.
    #[serde(skip)]
    pub name: String,
    pub patch: ByKind<Support>,
    pub put: ByKind<Support>,
    pub filter: FilterCan,
    pub paging: Paging,
    /// Resources asked for on one page.
    pub page_size: usize,
    /// The largest page that the service gives; a larger `page_size` is cut to it.
    pub max_page: Option<usize>,
    /// `false`: `totalResults` says nothing about whether a list was read to its end.
    pub total_results_reliable: bool,
    /// `false`: a list without a filter is not to be believed.
    pub listing_trusted: bool,
    /// The parameter `attributes` is understood.
    pub attributes_param: bool,
    /// The parameter `excludedAttributes` is understood.
    pub excluded_attributes: bool,
    /// Searches may be sent by POST to `.search`.
    pub search_post: bool,
    pub bulk: Bulk,
    pub members: Members,
    pub attrs: Attrs,
    /// How many values of a list are kept, by the list's name.
    pub multi_value_max: BTreeMap<String, usize>,
    /// `false`: no path of a patch may select an element, such as `emails[type eq "work"].value`.
    pub value_path_patch: bool,
    /// Versions are shown, and `If-Match` is a condition.
    pub etag: bool,
    pub external_id: ExternalId,
    pub active_semantics: ActiveSemantics,
    pub delete_semantics: DeleteSemantics,
    pub rate: Rate,
    /// What the service wants to be called by; `None`: by our own name and version.
    pub user_agent: Option<String>,
    /// Sent with every request.
    pub extra_headers: BTreeMap<String, String>,
    pub patch_value_style: PatchValueStyle,
    pub bool_style: BoolStyle,
    /// The media type of request bodies.
    pub media_type: MediaType,
    /// What it asks of people and teams; `Profile::demands` adds what follows from the rest.
    #[serde(rename = "demands")]
    pub asks: Demands,
}

impl Profile {
    /// RFC 7643 and 7644 as written. Every other profile says how it departs from this one.
    pub fn standard() -> Profile {
        Profile::named(shelf::STANDARD).expect("the standard is on the shelf, and a test reads it")
    }

    /// The attributes that `eq` filters may name.
    pub fn filterable(&self, kind: Kind) -> &Names {
        match kind {
            Kind::User => &self.filter.user_attrs,
            Kind::Group => &self.filter.group_attrs,
        }
    }

    /// The attributes that are kept; others are not sent at all.
    pub fn stored(&self, kind: Kind) -> &Names {
        match kind {
            Kind::User => &self.attrs.user,
            Kind::Group => &self.attrs.group,
        }
    }

    /// Whether the service can be asked for resources whose attribute equals a value.
    pub fn finds(&self, kind: Kind, path: &str) -> bool {
        let by_external_id = !path.eq_ignore_ascii_case("externalId")
            || (self.external_id.filterable && self.external_id.stored);
        by_external_id && self.filter.ops.contains(&FilterOp::Eq) && self.filterable(kind).cover(path)
    }

    /// Whether a value is kept at all.
    pub fn keeps(&self, kind: Kind, path: &str) -> bool {
        let external_id = path.eq_ignore_ascii_case("externalId");
        self.stored(kind).cover(path) && (self.external_id.stored || !external_id)
    }

    /// Resources asked for on one page, no more than the service gives.
    pub fn page(&self) -> usize {
        self.page_size.min(self.max_page.unwrap_or(usize::MAX)).max(1)
    }

    /// What is to be said of people and teams before the service says it.
    pub fn demands(&self) -> Demands {
        Demands {
            single: self
                .multi_value_max
                .iter()
                .filter(|(_, most)| **most == 1)
                .map(|(list, _)| list.clone())
                .collect(),
            active_semantics: self.active_semantics,
            delete_semantics: self.delete_semantics,
            members_hidden: !self.members.returned,
            ..self.asks.clone()
        }
    }
}

impl<T: Copy> ByKind<T> {
    pub fn of(&self, kind: Kind) -> T {
        match kind {
            Kind::User => self.users,
            Kind::Group => self.groups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str) -> Profile {
        Profile::named(name).unwrap()
    }

    #[test]
    fn every_profile_is_found_by_its_name() {
        for name in Profile::NAMES {
            assert_eq!(profile(name).name, name);
        }
        assert_eq!(Profile::named("acme"), None);
    }

    #[test]
    fn cerby_cannot_be_asked_for_an_external_id() {
        let cerby = profile("cerby");
        assert!(cerby.finds(Kind::User, "userName"));
        assert!(cerby.finds(Kind::User, "emails[type eq \"work\"].value"));
        assert!(!cerby.finds(Kind::User, "externalId"));
        assert!(!cerby.finds(Kind::Group, "externalId"));
    }

    #[test]
    fn configcat_keeps_four_attributes_of_a_user() {
        let configcat = profile("configcat");
        for path in ["externalId", "userName", "displayName", "active"] {
            assert!(configcat.keeps(Kind::User, path), "{path}");
        }
        assert!(!configcat.keeps(Kind::User, "name.givenName"));
        assert!(!configcat.keeps(Kind::User, "emails[type eq \"work\"].value"));
    }

    #[test]
    fn what_follows_from_a_profile_is_among_its_demands() {
        let aws = profile("aws-identity-center").demands();
        assert_eq!(aws.single, ["addresses", "emails", "phoneNumbers"]);
        assert!(aws.members_hidden);
        assert_eq!(profile("github-org").demands().active_semantics, ActiveSemantics::DeleteIdentity);
        assert_eq!(profile("github").demands().delete_semantics, DeleteSemantics::Irreversible);
        assert!(Profile::standard().demands().single.is_empty());
    }

    #[test]
    fn a_page_is_never_larger_than_the_service_gives() {
        let small = Profile { max_page: Some(20), ..Profile::standard() };
        assert_eq!(small.page(), 20);
        assert_eq!(Profile { page_size: 0, ..small }.page(), 1);
        assert_eq!(Profile::standard().page(), 100);
    }
}
