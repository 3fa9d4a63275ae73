//! What is shown of values that nobody is to see: that there is one.

use serde_json::Value;

use super::Act;
use super::Edit;
use super::Mapping;

/// What stands for the value in reports and in the journal (Entra provisioning reference, section 7.2, `Redact`).
pub const REDACTED: &str = "[Redact]";

/// An act as it may be shown.
pub fn shown(mapping: &Mapping, act: Act) -> Act {
    match act {
        Act::Create { mut attributes } => {
            for (path, value) in &mut attributes.0 {
                if mapping.redacts(path) {
                    *value = Value::String(REDACTED.to_owned());
                }
            }
            Act::Create { attributes }
        }
        Act::Link { resource, by, edits } => Act::Link { resource, by, edits: shown_edits(mapping, edits) },
        Act::Update { edits } => Act::Update { edits: shown_edits(mapping, edits) },
        Act::Reactivate { edits } => Act::Reactivate { edits: shown_edits(mapping, edits) },
        other => other,
    }
}

/// Edits as they may be shown and kept.
pub fn shown_edits(mapping: &Mapping, edits: Vec<Edit>) -> Vec<Edit> {
    let hide = |value: Option<Value>| value.map(|_| Value::String(REDACTED.to_owned()));
    let edit = |edit: Edit| {
        if mapping.redacts(&edit.path) {
            Edit { path: edit.path, old: hide(edit.old), new: hide(edit.new) }
        } else {
            edit
        }
    };
    edits.into_iter().map(edit).collect()
}
