//! The settings of the SCIM service as they stand in the files.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::raw::OneOrMany;
use crate::server::GroupPatch;
use crate::server::IfMatch;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawService {
    pub prefix: Option<String>,
    pub url: Option<String>,
    pub discovery_without_token: Option<bool>,
    pub connections: Option<u64>,
    pub head_wait: Option<String>,
    pub body_wait: Option<String>,
    pub url_bytes: Option<u64>,
    pub body_bytes: Option<u64>,
    pub group_body_bytes: Option<u64>,
    pub bulk_bytes: Option<u64>,
    pub bulk_operations: Option<u64>,
    pub json_depth: Option<u64>,
    pub list_values: Option<u64>,
    pub patch_operations: Option<u64>,
    pub filter_bytes: Option<u64>,
    pub filter_depth: Option<u64>,
    pub filter_comparisons: Option<u64>,
    pub head_lines: Option<u64>,
    pub page_max: Option<u64>,
    pub cursor_wait: Option<String>,
    pub page_default: Option<u64>,
    pub concurrent: Option<u64>,
    pub rate: Option<u64>,
    pub burst: Option<u64>,
    pub extensions: RawExtensions,
    /// By the tenant that tokens are made for.
    pub tenants: BTreeMap<String, RawTenant>,
}

/// Files with schemas, by the resource type that they extend.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawExtensions {
    pub user: Option<OneOrMany>,
    pub group: Option<OneOrMany>,
    pub grant: Option<OneOrMany>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTenant {
    pub group_patch: Option<GroupPatch>,
    pub if_match: Option<IfMatch>,
    pub unquoted_filters: Option<bool>,
}
