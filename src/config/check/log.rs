//! How long the provisioning log is kept.

use super::Checker;
use crate::config::problem::Key;
use crate::config::raw::RawLog;
use crate::plan::KEEP_MIN_DAYS;
use crate::plan::Keep;

impl Checker<'_> {
    pub(super) fn keep(&mut self, raw: &RawLog) -> Option<Keep> {
        let Some(text) = raw.keep.as_deref() else { return Some(Keep::default()) };
        Keep::read(text).or_else(|| {
            let cure = format!(
                "write \"24 months\", a number of days from {KEEP_MIN_DAYS} on (\"400 days\"), or \"forever\""
            );
            self.error(
                &Key::of(["log", "keep"]),
                format!("`{text}` is not how long a log can be kept"),
                &cure,
            )
        })
    }
}
