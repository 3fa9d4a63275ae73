//! What the settings say of the service: where it is mounted, its limits, and what one tenant wants otherwise.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::scim::FilterBounds;
use crate::scim::PageLimits;

/// The SCIM service as the settings describe it (`[scim]`).
#[derive(Clone, Debug)]
pub struct Settings {
    /// The path below which the service lies, without a slash at its end.
    pub prefix: String,
    /// The address that clients use, without a path, such as `https://sync.acme.example`; where it is not given
    /// the `Host` header says it.
    pub public_url: Option<String>,
    /// Whether `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas` and the OpenAPI document are shown to anybody
    /// (RFC 7643 section 5 would have it so).
    pub discovery_without_token: bool,
    pub limits: Limits,
    /// By the tenant that tokens are made for.
    pub tenants: BTreeMap<String, Tenant>,
}

impl Settings {
    /// The usual ones where nothing is said of the tenant.
    pub fn tenant(&self, name: &str) -> Tenant {
        self.tenants.get(name).copied().unwrap_or_default()
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            prefix: "/scim/v2".to_owned(),
            public_url: None,
            discovery_without_token: false,
            limits: Limits::default(),
            tenants: BTreeMap::new(),
        }
    }
}

/// How one tenant is served where the RFC leaves a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tenant {
    pub group_patch: GroupPatch,
    pub if_match: IfMatch,
    /// Takes `externalId eq jyoung`, as RFC 7644 section 3.4.2.1 prints it once (SCIM reference, T14).
    pub unquoted_filters: bool,
}

/// What a PATCH of a group is answered with where no attributes were asked for (RFC 7644 section 3.5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupPatch {
    /// 204, as Entra wants it.
    #[default]
    Nothing,
    /// 200 and the group.
    Group,
}

/// Whether a write must name the version that it changes (RFC 7644 section 3.14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfMatch {
    #[default]
    Optional,
    /// 428 without (RFC 6585 section 3).
    Required,
}

/// How much the service takes on. Each has a setting of its name below `[scim]`, and errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time; more wait until one ends.
    pub connections: usize,
    /// From the first byte of a request, or the end of the one before it, to the end of its head.
    pub head_wait: Duration,
    /// From the end of the head to the end of the body.
    pub body_wait: Duration,
    pub url_bytes: usize,
    pub body_bytes: usize,
    /// A PUT of a group names every member.
    pub group_body_bytes: usize,
    pub bulk_bytes: usize,
    pub bulk_operations: usize,
    /// How deep arrays and objects of a body may lie in each other.
    pub json_depth: usize,
    /// Elements of all lists of a body together: members, above all.
    pub list_values: usize,
    pub patch_operations: usize,
    pub filter_bytes: usize,
    /// How deep the brackets of a filter may lie in each other.
    pub filter_depth: usize,
    /// Attributes that one filter compares.
    pub filter_comparisons: usize,
    /// Lines of the head of a request.
    pub head_lines: usize,
    /// The longest page of a list: about a megabyte of people.
    pub page_max: u64,
    /// What a client gets that names no count.
    pub page_default: u64,
    /// How long a cursor is good for.
    pub cursor_wait: Duration,
    /// Requests of one token at one time.
    pub concurrent: u32,
    /// Requests of one token a second, in the long run. Entra needs 25.
    pub rate: u32,
    /// Requests of one token at once after a pause.
    pub burst: u32,
}

impl Limits {
    pub(super) fn pages(&self) -> PageLimits {
        PageLimits { default: self.page_default, max: self.page_max }
    }

    pub(super) fn filter(&self) -> FilterBounds {
        FilterBounds { depth: self.filter_depth, comparisons: self.filter_comparisons }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1024,
            head_wait: Duration::from_secs(60),
            body_wait: Duration::from_secs(60),
            url_bytes: 16 * 1024,
            body_bytes: 1024 * 1024,
            group_body_bytes: 8 * 1024 * 1024,
            bulk_bytes: 4 * 1024 * 1024,
            bulk_operations: 1000,
            json_depth: 32,
            list_values: 20_000,
            patch_operations: 1000,
            filter_bytes: 8 * 1024,
            filter_depth: FilterBounds::default().depth,
            filter_comparisons: FilterBounds::default().comparisons,
            head_lines: 100,
            page_max: 500,
            page_default: 100,
            cursor_wait: Duration::from_secs(3600),
            concurrent: 64,
            rate: 100,
            burst: 400,
        }
    }
}
