//! Answers of Microsoft Graph as they come over the wire (graph.md sections 5, 6 and 8).

use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;

use crate::model::SourceAttributes;
use crate::model::SourceId;
use crate::model::SourceObject;
use crate::model::Standing;
use crate::scim::Kind;

/// One page of a list or of a delta round. A page without `value` is not a page.
#[derive(Debug, Deserialize)]
pub(super) struct Listing<T> {
    pub(super) value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    pub(super) delta: Option<String>,
}

/// A user or a group with whatever was selected.
pub(super) type Row = Map<String, Value>;

/// `@removed` (graph.md 6.2).
#[derive(Debug, Deserialize)]
pub(super) struct Removed {
    #[serde(default)]
    pub(super) reason: String,
}

impl Removed {
    /// Only `deleted` means gone for good; everything else can come back.
    pub(super) fn standing(&self) -> Standing {
        if self.reason.eq_ignore_ascii_case("deleted") { Standing::Gone } else { Standing::SoftDeleted }
    }
}

/// One item of users/delta: who changed. Its attributes are not used.
#[derive(Debug, Deserialize)]
pub(super) struct ChangedUser {
    pub(super) id: Option<String>,
    #[serde(rename = "@removed")]
    pub(super) removed: Option<Removed>,
}

/// One item of groups/delta: a group, or a slice of it.
#[derive(Debug, Deserialize)]
pub(super) struct ChangedGroup {
    pub(super) id: Option<String>,
    #[serde(rename = "@removed")]
    pub(super) removed: Option<Removed>,
    #[serde(rename = "members@delta", default)]
    pub(super) members: Vec<ChangedMember>,
    #[serde(flatten)]
    pub(super) rest: Row,
}

#[derive(Debug, Deserialize)]
pub(super) struct ChangedMember {
    pub(super) id: Option<String>,
    #[serde(rename = "@odata.type")]
    pub(super) kind: Option<String>,
    #[serde(rename = "@removed")]
    pub(super) removed: Option<Value>,
}

impl ChangedMember {
    pub(super) fn kind(&self) -> Option<Kind> {
        match self.kind.as_deref()?.trim_start_matches('#') {
            "microsoft.graph.user" => Some(Kind::User),
            "microsoft.graph.group" => Some(Kind::Group),
            _ => None,
        }
    }
}

/// One row of `appRoleAssignedTo` or `appRoleAssignments` (graph.md 5.8).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Assignment {
    pub(super) app_role_id: Option<String>,
    pub(super) principal_id: Option<String>,
    pub(super) principal_type: Option<String>,
    pub(super) resource_id: Option<String>,
}

/// The roles that an application has (graph.md 5.7).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Roles {
    pub(super) app_roles: Vec<AppRole>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppRole {
    pub(super) id: String,
    pub(super) value: Option<String>,
    pub(super) display_name: Option<String>,
}

/// Access without a role (graph.md 5.7).
const DEFAULT_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

impl Assignment {
    pub(super) fn kind(&self) -> Option<Kind> {
        match self.principal_type.as_deref()? {
            "User" => Some(Kind::User),
            "Group" => Some(Kind::Group),
            _ => None,
        }
    }

    /// The role, where it is more than the default access.
    pub(super) fn role(&self) -> Option<&str> {
        self.app_role_id.as_deref().filter(|role| *role != DEFAULT_ACCESS)
    }
}

/// Letters of an error that are shown.
const TEXT_MAX: usize = 300;

/// The error envelope (graph.md section 8). Any part of it may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Failure {
    pub(super) error: FailureBody,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FailureBody {
    pub(super) code: Option<String>,
    message: Option<String>,
    #[serde(rename = "innerError", alias = "innererror")]
    pub(super) inner: Option<Box<FailureBody>>,
    #[serde(rename = "request-id")]
    pub(super) request_id: Option<String>,
}

impl Failure {
    pub(super) fn read(body: &[u8]) -> Failure {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Of a body that is JSON already, as the parts of a batch are.
    pub(super) fn of(body: &Value) -> Failure {
        Failure::deserialize(body).unwrap_or_default()
    }

    /// Every code, the outer one first.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(&self.error), |body| body.inner.as_deref())
            .filter_map(|body| body.code.as_deref())
            .filter(|code| !code.is_empty())
    }

    pub(super) fn says(&self, code: &str) -> bool {
        self.codes().any(|said| said.eq_ignore_ascii_case(code))
    }

    /// Whether a message has this text, in whatever case: for what has no code of its own.
    pub(super) fn tells(&self, text: &str) -> bool {
        let message = self.error.message.as_deref().unwrap_or_default();
        message.to_lowercase().contains(&text.to_lowercase())
    }

    /// Code and message on one line, for who wrote the query that they are about.
    pub(super) fn text(&self) -> String {
        let code = self.codes().next().unwrap_or("no code");
        let message = self.error.message.as_deref().unwrap_or_default();
        let words: Vec<&str> = message.split_whitespace().collect();
        let text = if words.is_empty() { code.to_owned() } else { format!("{code}: {}", words.join(" ")) };
        text.chars().filter(|letter| !letter.is_control()).take(TEXT_MAX).collect()
    }

    pub(super) fn request_id(&self) -> Option<&str> {
        std::iter::successors(Some(&self.error), |body| body.inner.as_deref())
            .find_map(|body| body.request_id.as_deref())
    }
}

/// The object as a row shows it. `None` without an id.
///
/// A disabled account is one that says so: an unknown value never takes access away (P1). An expanded manager is
/// known by the id alone.
pub(super) fn object(kind: Kind, mut row: Row) -> Option<SourceObject> {
    let Some(Value::String(id)) = row.remove("id") else { return None };
    if let Some(manager) = row.remove("manager").as_ref().and_then(|manager| manager.get("id")) {
        row.insert("manager".to_owned(), manager.clone());
    }
    let disabled = row.get("accountEnabled") == Some(&Value::Bool(false));
    let standing = if disabled { Standing::Disabled } else { Standing::Enabled };
    Some(SourceObject { id: SourceId(id), kind, standing, attributes: attributes(row) })
}

/// Values only: `null`, empty collections and the protocol's own annotations are no values.
fn attributes(row: Row) -> SourceAttributes {
    let plain = row.into_iter().filter(|(name, _)| !name.contains('@'));
    plain.filter_map(|(name, value)| Some((name, pruned(value)?))).collect()
}

fn pruned(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(pruned).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(fields) => {
            let fields = fields.into_iter().filter_map(|(name, value)| Some((name, pruned(value)?)));
            let fields: Map<String, Value> = fields.collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn user(row: Value) -> SourceObject {
        object(Kind::User, row.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_row_keeps_its_values_and_loses_its_annotations() {
        let ann = user(json!({
            "@odata.context": "x", "id": "u1", "accountEnabled": true, "mail": null, "businessPhones": [],
            "manager@delta": [{"id": "u2"}], "surname": "Łęcka",
            "onPremisesExtensionAttributes": {"extensionAttribute1": "a", "extensionAttribute2": null}
        }));
        assert_eq!(ann.standing, Standing::Enabled);
        let expected = json!({
            "accountEnabled": true, "surname": "Łęcka",
            "onPremisesExtensionAttributes": {"extensionAttribute1": "a"}
        });
        assert_eq!(json!(ann.attributes), expected);
    }

    #[test]
    fn a_manager_is_an_id() {
        let manager = json!({"@odata.type": "#microsoft.graph.user", "id": "m1", "displayName": "Boss"});
        assert_eq!(user(json!({"id": "u", "manager": manager})).attributes["manager"], json!("m1"));
        assert!(user(json!({"id": "u", "manager": null})).attributes.is_empty());
    }

    #[test]
    fn only_a_plain_no_disables_an_account() {
        assert_eq!(user(json!({"id": "u", "accountEnabled": false})).standing, Standing::Disabled);
        assert_eq!(user(json!({"id": "u", "accountEnabled": null})).standing, Standing::Enabled);
        assert_eq!(user(json!({"id": "u"})).standing, Standing::Enabled);
    }

    #[test]
    fn codes_are_found_at_every_depth_and_in_both_spellings() {
        let body = json!({"error": {"code": "", "innererror": {"code": "a",
            "innerError": {"code": "resyncRequired", "request-id": "r1"}}}});
        let failure = Failure::read(body.to_string().as_bytes());
        assert_eq!(failure.codes().collect::<Vec<_>>(), ["a", "resyncRequired"]);
        assert!(failure.says("ResyncRequired"));
        assert_eq!(failure.request_id(), Some("r1"));
        assert_eq!(Failure::read(b"<html>").codes().count(), 0);
    }
}
