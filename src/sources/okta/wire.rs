//! The answers of Okta as values: only what we read, everything optional but the ids (okta.md section 3).

use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;

/// `GET /apps/{id}`.
#[derive(Deserialize)]
pub(super) struct App {
    #[serde(default)]
    pub label: String,
    #[serde(default)]
    pub status: String,
    /// What Okta's own provisioning does for it.
    #[serde(default)]
    pub features: Vec<String>,
    pub settings: Option<AppSettings>,
}

#[derive(Deserialize)]
pub(super) struct AppSettings {
    #[serde(rename = "implicitAssignment")]
    pub implicit_assignment: Option<bool>,
}

/// A row of `GET /apps/{id}/users?expand=user`. Its id is the user's id.
#[derive(Deserialize)]
pub(super) struct AppUser {
    pub id: String,
    pub status: Option<String>,
    pub credentials: Option<Credentials>,
    pub profile: Option<Map<String, Value>>,
    #[serde(rename = "_embedded")]
    pub embedded: Option<EmbeddedUser>,
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(rename = "userName")]
    pub user_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct EmbeddedUser {
    pub user: Option<User>,
}

/// `GET /users/{id}`.
#[derive(Deserialize)]
pub(super) struct User {
    pub status: Option<String>,
    /// Only while Okta changes the status in the background.
    #[serde(rename = "transitioningToStatus")]
    pub becoming: Option<String>,
    pub profile: Option<Map<String, Value>>,
}

/// A row of `GET /apps/{id}/groups?expand=group`. Its `profile` is the assignment's, not the group's.
#[derive(Deserialize)]
pub(super) struct AppGroup {
    pub id: String,
    #[serde(rename = "_embedded")]
    pub embedded: Option<EmbeddedGroup>,
}

/// With `expand=metadata` there is something else in it.
#[derive(Deserialize)]
pub(super) struct EmbeddedGroup {
    pub group: Option<Group>,
}

/// `GET /groups/{id}`.
#[derive(Deserialize)]
pub(super) struct Group {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(rename = "lastMembershipUpdated")]
    pub last_membership_updated: Option<String>,
    pub profile: Option<GroupProfile>,
}

#[derive(Deserialize)]
pub(super) struct GroupProfile {
    pub name: Option<String>,
    pub description: Option<String>,
}

impl Group {
    pub fn name(&self) -> &str {
        self.profile.as_ref().and_then(|profile| profile.name.as_deref()).unwrap_or_default()
    }

    pub fn description(&self) -> &str {
        self.profile.as_ref().and_then(|profile| profile.description.as_deref()).unwrap_or_default()
    }
}

/// A row of `GET /groups/{id}/users`: a whole user, of which only the id is a fact about the group.
#[derive(Deserialize)]
pub(super) struct Member {
    pub id: String,
}

/// The same row, where the group's members are people of the scope.
#[derive(Deserialize)]
pub(super) struct Person {
    pub id: String,
    #[serde(flatten)]
    pub user: User,
}

/// A row of `GET /apps/{id}/group-push/mappings`.
#[derive(Deserialize)]
pub(super) struct PushMapping {
    pub id: String,
    #[serde(rename = "sourceGroupId")]
    pub source_group_id: String,
    #[serde(rename = "targetGroupId")]
    pub target_group_id: Option<String>,
    pub status: Option<String>,
    #[serde(rename = "errorSummary")]
    pub error_summary: Option<String>,
}

/// The error envelope (okta.md section 8). Only the code is stable. Where a token or its proof is refused, it may be
/// OAuth's (okta.md section 2.3).
#[derive(Default, Deserialize)]
pub(super) struct ErrorBody {
    pub error: Option<String>,
    #[serde(default, rename = "error_description")]
    pub description: String,
    #[serde(rename = "errorCode")]
    pub code: Option<String>,
    #[serde(default, rename = "errorSummary")]
    pub summary: String,
    #[serde(default, rename = "errorCauses")]
    pub causes: Vec<ErrorCause>,
}

#[derive(Deserialize)]
pub(super) struct ErrorCause {
    #[serde(default, rename = "errorSummary")]
    pub summary: String,
}
