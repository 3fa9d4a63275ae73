//! What can happen in a simulated org and nowhere else. In JSON: `{"change": "okta", "what": {"set_app": {…}}}`.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

/// One thing that an administrator of the org, or Okta itself, does. `who` and `group` are as in [`super::super::Change`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OktaChange {
    /// The application; what is not named stays. With `PUSH_NEW_USERS` among the features its provisioning is on:
    /// who is assigned from then on is provisioned, who was assigned before is not (okta.md section 10).
    SetApp {
        #[serde(default)]
        status: Option<AppStatus>,
        #[serde(default)]
        features: Option<Vec<String>>,
        #[serde(default)]
        implicit_assignment: Option<bool>,
        #[serde(default)]
        label: Option<String>,
    },
    /// What the row of somebody shows, instead of what follows from the directory; what is not named stays.
    SetAppUser {
        who: String,
        /// Any text: one of okta.md section 6.2, or one that nobody knows.
        #[serde(default)]
        status: Option<String>,
        #[serde(default)]
        sync_state: Option<String>,
        #[serde(default)]
        external_id: Option<String>,
        #[serde(default)]
        credentials: Option<Credentials>,
        #[serde(default)]
        profile: Option<Value>,
    },
    /// The row shows again what follows from the directory.
    ResetAppUser {
        who: String,
    },
    /// An `APP_GROUP`, imported from a directory that Okta reads.
    ImportGroup {
        name: String,
        #[serde(default)]
        id: Option<String>,
        /// The id of the application that it comes from; a domain of Active Directory where absent.
        #[serde(default)]
        source: Option<String>,
    },
    /// The profile of a group's assignment to the application (okta.md section 3.4).
    SetAppGroup {
        group: String,
        profile: Value,
    },
    AddRule {
        name: String,
        expression: String,
        group: String,
    },
    /// Pushes a group: links it to the imported group `target`, or creates one with the group's name.
    PushGroup {
        group: String,
        #[serde(default)]
        target: Option<String>,
        #[serde(default)]
        status: Option<PushStatus>,
    },
    SetPush {
        group: String,
        status: PushStatus,
        #[serde(default)]
        error: Option<String>,
    },
    /// Okta's "Push Now".
    PushNow {
        group: String,
    },
    Unpush {
        group: String,
        #[serde(default)]
        delete_target: bool,
    },
    /// One of everything that okta.md sections 6, 11 and 13 name: people in all statuses, rows in all statuses, groups
    /// of the same name, names that are hard to quote.
    AddOddities,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AppStatus {
    #[default]
    Active,
    Inactive,
    Deleted,
    /// 404.
    Missing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PushStatus {
    #[default]
    Active,
    Inactive,
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credentials {
    /// No such property.
    Missing,
    /// `{}`.
    Empty,
    UserName(String),
}
