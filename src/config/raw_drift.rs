//! `[jobs.NAME.drift]` as it stands in the files.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::plan::OnDrift;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDrift {
    pub users: Option<OnDrift>,
    pub teams: Option<OnDrift>,
    pub members: Option<OnDrift>,
    pub strangers: Option<OnDrift>,
    pub foreign: Option<OnDrift>,
    /// By SCIM path.
    pub attributes: BTreeMap<String, OnDrift>,
    pub lookups: Option<u64>,
    pub discovered: Option<u64>,
}
