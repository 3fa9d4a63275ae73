//! What is remembered from cycle to cycle: of each group whose members were read, of the lists, of the log.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::Watermarks;

/// The names of the reads of members begin so.
pub(super) const MEMBERS: &str = "members:";
pub(super) const ASSIGNMENTS: &str = "assignments";
pub(super) const PUSH: &str = "push";
pub(super) const LOG: &str = "log";

/// The watermark of `members:<group>`: what the group showed, and when its members were last read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub updated: Option<String>,
    pub read_at: Timestamp,
    /// For a group whose members are people of the scope: the digest of the application's users of that cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_users: Option<String>,
    /// The digest of the members, to notice what a time stamp kept to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<String>,
    /// One of the members: who shows us this person may show us members at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// No list shows the group any more: how often it was asked for by its id and not found.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_found: u8,
    /// No list shows the group any more, and that is settled: it is not asked for again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub settled: bool,
}

/// The watermark of `assignments` and of `push`: a few of those who were on the lists. Where a list is empty all of a
/// sudden, they are asked for, as a role that was lost gives empty lists, too (okta.md section 2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Roll {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<String>,
}

/// The watermark of `log`: the link that goes on where the last cycle stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogMark {
    pub next: String,
    pub read_at: Timestamp,
}

/// A watermark that cannot be read is none: what it stands for is read anew.
pub(super) fn remembered<T: DeserializeOwned>(watermarks: &Watermarks, name: &str) -> Option<T> {
    serde_json::from_str(watermarks.get(name)?).ok()
}

pub(super) fn text<T: Serialize>(mark: &T) -> String {
    serde_json::to_string(mark).expect("a mark is made of texts and numbers")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(value: &u8) -> bool {
    *value == 0
}
