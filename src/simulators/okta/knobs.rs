//! Okta's knobs, each with the section of okta.md that it stands for.

use serde::Deserialize;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OktaKnobs {
    /// Requests a minute for each bucket; more are answered 429.
    pub rate_limit: u32,
    /// `limit` above the maximum is refused instead of cut (UNCONFIRMED, okta.md section 15).
    pub refuse_high_limit: bool,
}

impl Default for OktaKnobs {
    fn default() -> Self {
        OktaKnobs {
            // Far above what a client does in a minute: throttling is asked for, never met by accident.
            rate_limit: 100_000,
            refuse_high_limit: false,
        }
    }
}
