//! What can happen in a simulated directory. A `Change` is also the JSON of the control interface.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::directory::Status;
use super::okta::OktaChange;

/// One thing that an administrator, a manager or a personnel system does.
///
/// `who` is an id or a login. `group` is an id or a name that only one group has. `member` and `principal` are
/// any of these. In JSON the word stands in `change`: `{"change": "rename", "who": "…", "surname": "Holm"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    Hire(Hire),
    /// The person who held `login` is purged where necessary, and comes back as a new object with the same
    /// login, names and address.
    Rehire {
        login: String,
        #[serde(default)]
        id: Option<String>,
    },
    /// What is not named stays.
    Rename {
        who: String,
        #[serde(default)]
        login: Option<String>,
        #[serde(default)]
        mail: Option<String>,
        #[serde(default)]
        given_name: Option<String>,
        #[serde(default)]
        surname: Option<String>,
        #[serde(default)]
        display_name: Option<String>,
    },
    /// Two people exchange logins and addresses within one round.
    SwapLogins {
        one: String,
        other: String,
    },
    /// Any other property by Graph's name, or one of `mail`, `givenName`, `surname`; null clears it.
    Set {
        who: String,
        property: String,
        value: Value,
    },
    SetManager {
        who: String,
        manager: Option<String>,
    },
    /// Graph: `accountEnabled` false. Okta: suspended.
    Disable {
        who: String,
    },
    Enable {
        who: String,
    },
    /// Okta only: any status but DEPROVISIONED, which is `soft_delete`.
    SetStatus {
        who: String,
        status: Status,
    },
    /// Graph: into the recycle bin. Okta: deactivated, which takes the direct assignment away.
    SoftDelete {
        who: String,
    },
    Restore {
        who: String,
    },
    /// Gone for good, from whatever state.
    Purge {
        who: String,
    },
    Assign {
        principal: String,
        /// Value of an app role of Graph; absent is the default access.
        #[serde(default)]
        role: Option<String>,
    },
    /// Takes every role away.
    Unassign {
        principal: String,
    },
    CreateGroup {
        name: String,
        #[serde(default)]
        id: Option<String>,
        #[serde(default)]
        assigned: bool,
    },
    RenameGroup {
        group: String,
        name: String,
    },
    DescribeGroup {
        group: String,
        description: Option<String>,
    },
    /// Graph only: any other property by its name (`visibility`, `groupTypes`, `mailEnabled`, …); null clears it.
    SetGroup {
        group: String,
        property: String,
        value: Value,
    },
    /// Graph: soft. Okta: for good.
    DeleteGroup {
        group: String,
    },
    RestoreGroup {
        group: String,
    },
    PurgeGroup {
        group: String,
    },
    /// `member` may be a group (Graph only).
    Join {
        group: String,
        member: String,
    },
    Leave {
        group: String,
        member: String,
    },
    Move {
        who: String,
        from: String,
        to: String,
    },
    /// Graph: the service principal's `accountEnabled`. Okta: ACTIVE or INACTIVE.
    SetApp {
        enabled: bool,
    },
    /// What happens in Okta alone: `{"change": "okta", "what": {"push_group": {"group": "Sales"}}}`.
    Okta {
        what: OktaChange,
    },
}

/// A new person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hire {
    pub login: String,
    /// A GUID (Graph) or `00u` and 17 letters or digits (Okta); made up where absent.
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub given_name: Option<String>,
    #[serde(default)]
    pub surname: Option<String>,
    /// Given name and surname where absent.
    #[serde(default)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub mail: Option<String>,
    #[serde(default)]
    pub guest: bool,
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    /// Groups to join, by id or name.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Assigned to the application directly.
    #[serde(default)]
    pub assigned: bool,
}

impl Hire {
    /// A new person with the login as mail address, assigned directly.
    pub fn assigned(login: &str, given_name: &str, surname: &str) -> Hire {
        Hire {
            login: login.to_owned(),
            given_name: Some(given_name.to_owned()),
            surname: Some(surname.to_owned()),
            mail: Some(login.to_owned()),
            assigned: true,
            ..Hire::default()
        }
    }
}

/// Why a change cannot happen. Names no person: the caller knows what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("no {what} of that id or name, or more than one")]
    NotFound { what: &'static str },
    #[error("the login is held by somebody else; purge or rename them first")]
    LoginTaken,
    #[error("the id is taken or does not have the form of this service")]
    BadId,
    #[error("{what} is not possible in this state")]
    WrongState { what: &'static str },
    #[error("{what} does not exist in this service")]
    Unsupported { what: &'static str },
    #[error("`{property}` cannot be set; {cure}")]
    BadProperty { property: String, cure: &'static str },
}
