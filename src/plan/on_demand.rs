//! One person or group brought up to date on demand, step by step: the form that Entra's provision on demand has (Entra
//! provisioning reference, section 11).
//!
//! It carries people's values, so it has no `Debug` (P11): whoever asks for it is the administrator.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::Class;
use super::Edit;
use super::REDACTED;
use crate::scim::Attributes;

/// The whole result.
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnDemand {
    /// `create`, `update`, `disable`, `delete`, or `other` where nothing was to be done.
    pub action: String,
    /// The entry of the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    pub cycle_id: String,
    pub job_id: String,
    /// Nothing was written, because only a look was asked for.
    pub dry_run: bool,
    /// RFC 3339.
    pub start_time: String,
    pub end_time: String,
    pub modified_properties: Vec<ModifiedProperty>,
    pub provisioning_steps: Vec<OnDemandStep>,
    pub status_info: StatusInfo,
    pub source_identity: Party,
    pub source_system: System,
    pub target_identity: Party,
    pub target_system: System,
}

/// One value that was, or would be, written.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModifiedProperty {
    pub display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_value: Option<String>,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusInfo {
    pub status: StepStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommended_action: Option<String>,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    pub id: String,
    pub display_name: String,
    /// `user` or `group`.
    pub identity_type: String,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct System {
    pub display_name: String,
}

/// One step.
#[derive(Clone, Serialize)]
pub struct OnDemandStep {
    pub name: &'static str,
    #[serde(rename = "type")]
    pub kind: StepKind,
    pub status: StepStatus,
    pub description: String,
    /// RFC 3339.
    pub timestamp: String,
    pub details: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum StepKind {
    /// Only where something could not be reached.
    Connection,
    Import,
    Scoping,
    Matching,
    Export,
}

impl StepKind {
    /// Our own word for it.
    pub fn word(self) -> &'static str {
        match self {
            StepKind::Connection => "connection",
            StepKind::Import => "import",
            StepKind::Scoping => "scope",
            StepKind::Matching => "match",
            StepKind::Export => "action",
        }
    }
}

/// The last is the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum StepStatus {
    #[default]
    Success,
    Skipped,
    Warning,
    Failure,
}

impl StepStatus {
    pub fn word(self) -> &'static str {
        match self {
            StepStatus::Success => "success",
            StepStatus::Skipped => "skipped",
            StepStatus::Warning => "warning",
            StepStatus::Failure => "failure",
        }
    }
}

/// The names that Entra gives them.
pub const ENTRY_IMPORT: &str = "EntryImport";
pub const ENTRY_SCOPING: &str = "EntrySynchronizationScoping";
pub const ENTRY_SKIP: &str = "EntrySynchronizationSkip";
/// Ours: Entra shows the step without telling its name.
pub const TEST_CONNECTION: &str = "TestConnection";

/// What was written is called by what it does to the resource.
pub fn export_name(class: Class) -> &'static str {
    match class {
        Class::Create => "EntryExportAdd",
        Class::Delete | Class::DeleteTeams => "EntryExportDelete",
        _ => "EntryExportUpdate",
    }
}

/// The action of a whole result.
pub fn action(class: Option<Class>) -> &'static str {
    match class {
        None => "other",
        Some(Class::Create) => "create",
        Some(Class::Deactivate) => "disable",
        Some(Class::Delete | Class::DeleteTeams) => "delete",
        Some(_) => "update",
    }
}

/// A value as one text: what is text already stays as it is.
pub fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Attributes as texts, but for those that nobody is to see.
pub fn told_all<'a>(
    attributes: impl IntoIterator<Item = (&'a String, &'a Value)>,
    hidden: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let text = |name: &str, value: &Value| if hidden(name) { REDACTED.to_owned() } else { told(value) };
    attributes.into_iter().map(|(name, value)| (name.clone(), text(name, value))).collect()
}

/// What is sent, as texts.
pub fn told_attributes(attributes: &Attributes, hidden: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    told_all(attributes.iter(), hidden)
}

impl From<&Edit> for ModifiedProperty {
    fn from(edit: &Edit) -> ModifiedProperty {
        ModifiedProperty {
            display_name: edit.path.clone(),
            old_value: edit.old.as_ref().map(told),
            new_value: edit.new.as_ref().map(told),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Entra provisioning reference, section 11.
    #[test]
    fn a_result_has_the_keys_of_entra() {
        let step = OnDemandStep {
            name: ENTRY_IMPORT,
            kind: StepKind::Import,
            status: StepStatus::Success,
            description: String::new(),
            timestamp: String::new(),
            details: BTreeMap::new(),
        };
        let edit = Edit { path: "title".to_owned(), old: None, new: Some(json!(["a"])) };
        let result = OnDemand {
            change_id: Some("1".to_owned()),
            modified_properties: vec![(&edit).into()],
            provisioning_steps: vec![step],
            status_info: StatusInfo {
                error_code: Some("RedundantExport".to_owned()),
                ..StatusInfo::default()
            },
            ..OnDemand::default()
        };
        let shown = json!(result);
        for key in [
            "action",
            "changeId",
            "startTime",
            "endTime",
            "modifiedProperties",
            "provisioningSteps",
            "statusInfo",
            "sourceIdentity",
            "sourceSystem",
            "targetIdentity",
            "targetSystem",
        ] {
            assert!(shown.get(key).is_some(), "{key}");
        }
        assert_eq!(shown["modifiedProperties"], json!([{"displayName": "title", "newValue": "[\"a\"]"}]));
        assert_eq!(shown["statusInfo"], json!({"status": "Success", "errorCode": "RedundantExport"}));
        assert_eq!(shown["provisioningSteps"][0]["type"], "Import");
        assert_eq!(shown["provisioningSteps"][0]["status"], "Success");
    }

    #[test]
    fn an_export_is_called_by_what_becomes_of_the_resource() {
        let of = |class| (export_name(class), action(Some(class)));
        assert_eq!(of(Class::Create), ("EntryExportAdd", "create"));
        assert_eq!(of(Class::Deactivate), ("EntryExportUpdate", "disable"));
        assert_eq!(of(Class::Rename), ("EntryExportUpdate", "update"));
        assert_eq!(of(Class::Delete), ("EntryExportDelete", "delete"));
    }
}
