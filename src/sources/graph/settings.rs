//! Which tenant, which sign-in and which applications; checked before anything is sent.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;
use url::Url;

use super::groups;
use super::sign_in::Cloud;
use super::sign_in::SignIn;
use super::units::TenantSize;
use crate::client::Secret;
use crate::model::GroupPick;
use crate::model::List;
use crate::model::SourceId;
use crate::sources::SourceError;

/// The user properties that are read (graph.md 5.2): what mappings use, without what needs a licence or lies
/// outside the directory store. `id` and `accountEnabled` are needed whatever is mapped.
const USER_ATTRIBUTES: [&str; 37] = [
    "id",
    "accountEnabled",
    "userPrincipalName",
    "mail",
    "mailNickname",
    "displayName",
    "givenName",
    "surname",
    "jobTitle",
    "department",
    "companyName",
    "employeeId",
    "employeeType",
    "employeeOrgData",
    "officeLocation",
    "businessPhones",
    "mobilePhone",
    "faxNumber",
    "streetAddress",
    "city",
    "state",
    "postalCode",
    "country",
    "usageLocation",
    "preferredLanguage",
    "userType",
    "proxyAddresses",
    "otherMails",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesImmutableId",
    "onPremisesSyncEnabled",
    "onPremisesExtensionAttributes",
    "externalUserState",
    "createdDateTime",
    "creationType",
    "isResourceAccount",
];

/// Properties that a list of users refuses (graph.md 5.2).
const NOT_LISTED: [&str; 11] = [
    "aboutMe",
    "birthday",
    "hireDate",
    "interests",
    "mailboxSettings",
    "mySite",
    "pastProjects",
    "preferredName",
    "responsibilities",
    "schools",
    "skills",
];

/// The largest page that Graph serves (graph.md 5.2).
const PAGE_SIZE_MAX: u16 = 999;

/// Which groups have to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupsNeed {
    /// All of them, because the scope chooses by what they are called.
    All,
    /// These, those that are assigned or on a list, and nothing else. Where there are none, no group is read.
    Ids(BTreeSet<SourceId>),
}

/// A tenant of Microsoft Entra ID.
#[derive(Clone, Debug)]
pub struct GraphSettings {
    /// Where tokens are asked for, without the tenant: `https://login.microsoftonline.com`.
    pub authority: Url,
    /// Microsoft Graph, without the version: `https://graph.microsoft.com`.
    pub root: Url,
    /// The tenant's id, or one of its verified domains.
    pub tenant: String,
    /// The application (client) id that signs in; empty where the machine's own identity does.
    pub client_id: String,
    pub sign_in: SignIn,
    /// The day from which on the secret, or what a federated credential rests on, is worth nothing. A certificate
    /// says it itself.
    pub secret_expires: Option<Date>,
    /// The application whose assigned people count.
    pub app: Option<SourceId>,
    /// The application whose assigned groups become teams, where it is another one.
    pub team_app: Option<SourceId>,
    /// Further lists that the scope names: users or groups by a `$filter`.
    pub lists: Vec<List>,
    pub groups: GroupsNeed,
    /// Groups in groups count too (graph.md section 3, mode E).
    pub nested: bool,
    /// The groups that the scope chooses, for `rosterd check`.
    pub picks: Vec<GroupPick>,
    /// User properties that are read beyond the usual ones.
    pub attributes: Vec<String>,
    /// Group properties that are read beyond the usual ones.
    pub group_attributes: Vec<String>,
    /// What the roles of the application are called is read, and kept with who has them.
    pub roles: bool,
    pub ca_file: Option<PathBuf>,
    /// Rows in a page, 1 to 999.
    pub page_size: u16,
    /// How often one request is sent at most; where it fails otherwise than by 429, five times at most.
    pub attempts: u32,
    /// The longest silence within one request.
    pub timeout: Duration,
    /// Percent of what Graph allows one application in the tenant that are ours, 1 to 100.
    pub budget_percent: u8,
    /// Says how much that is; where it is not set, the users that were listed do, and until then it is the least.
    pub tenant_size: Option<TenantSize>,
    /// The first wait where Graph names none; it doubles.
    pub backoff: Duration,
    /// The longest wait that Graph may ask for.
    pub wait_max: Duration,
    /// How long a sign-in that was set up a moment ago is tried again (AADSTS70021).
    pub patience: Duration,
}

impl GraphSettings {
    /// The global cloud, every default (graph.md sections 1 and 7: at most 8 attempts).
    pub fn new(tenant: impl Into<String>, client_id: impl Into<String>, secret: Secret) -> Self {
        GraphSettings {
            authority: Cloud::Global.authority(),
            root: Cloud::Global.root(),
            tenant: tenant.into(),
            client_id: client_id.into(),
            sign_in: SignIn::Secrets(vec![secret]),
            secret_expires: None,
            app: None,
            team_app: None,
            lists: Vec::new(),
            groups: GroupsNeed::All,
            nested: false,
            picks: Vec::new(),
            attributes: Vec::new(),
            group_attributes: Vec::new(),
            roles: false,
            ca_file: None,
            page_size: PAGE_SIZE_MAX,
            attempts: 8,
            timeout: Duration::from_secs(120),
            budget_percent: 50,
            tenant_size: None,
            backoff: Duration::from_secs(1),
            wait_max: Duration::from_secs(300),
            patience: Duration::from_secs(300),
        }
    }

    /// The addresses of another cloud.
    pub fn in_cloud(self, cloud: Cloud) -> Self {
        GraphSettings { authority: cloud.authority(), root: cloud.root(), ..self }
    }

    /// The applications, each once, the one of people first.
    pub(super) fn apps(&self) -> Vec<&SourceId> {
        let mut apps: Vec<&SourceId> = self.app.iter().collect();
        apps.extend(self.team_app.iter().filter(|team_app| self.app.as_ref() != Some(team_app)));
        apps
    }

    /// The properties that are read of users.
    pub(super) fn user_attributes(&self) -> Vec<&str> {
        let mut names: Vec<&str> = USER_ATTRIBUTES.to_vec();
        for name in &self.attributes {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The `$select` of groups.
    pub(super) fn group_select(&self) -> String {
        let usual = groups::SELECT;
        let further =
            self.group_attributes.iter().filter(|name| !usual.split(',').any(|known| known == *name));
        further.fold(usual.to_owned(), |select, name| select + "," + name)
    }

    /// The first thing that cannot be.
    pub fn check(&self) -> Result<(), GraphSettingsError> {
        self.problems().into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that cannot be, by key.
    pub fn problems(&self) -> Vec<GraphSettingsError> {
        let mut problems = Vec::new();
        let mut note = |key, what: String, cure: &str| {
            problems.push(GraphSettingsError { key, what, cure: cure.to_owned() });
        };
        let tenant = self.tenant.to_ascii_lowercase();
        if ["common", "organizations", "consumers"].contains(&tenant.as_str()) {
            let cure = "name the tenant's id or one of its domains";
            note("tenant", format!("`{tenant}` is no tenant"), cure);
        } else if !is_name(&self.tenant) {
            note("tenant", "the tenant is no id and no domain".to_owned(), "copy the Directory (tenant) ID");
        }
        if self.sign_in.is_by_application() && !is_name(&self.client_id) {
            note("client_id", "the client id is no id".to_owned(), "copy the Application (client) ID");
        }
        if let Some(app) = self.apps().iter().find(|app| !is_name(&app.0)) {
            let cure = "copy the Application ID of the enterprise application";
            note("assigned_to", format!("`{app}` is no application id"), cure);
        }
        // Ids stand in a filter, fifty together: one that is none would spoil it for the others.
        if let GroupsNeed::Ids(ids) = &self.groups
            && let Some(id) = ids.iter().find(|id| !is_name(&id.0))
        {
            note("groups", format!("`{id}` is no group id"), "copy the Object ID of the group");
        }
        let filter = |list: &&List| matches!(list, List::UserFilter(_) | List::GroupFilter(_));
        if let Some(list) = self.lists.iter().find(|list| !filter(list)) {
            note("lists", format!("Graph has no list like {}", list.name()), "name a filter");
        }
        if !(1..=PAGE_SIZE_MAX).contains(&self.page_size) {
            let what = format!("a page of {} rows cannot be had", self.page_size);
            note("page_size", what, "choose 1 to 999");
        }
        if !(1..=100).contains(&self.budget_percent) {
            let what = format!("{} % of the tenant's allowance cannot be taken", self.budget_percent);
            note("budget", what, "write a share from \"1%\" to \"100%\"");
        }
        for name in self.attributes.iter().chain(&self.group_attributes) {
            if NOT_LISTED.contains(&name.as_str()) {
                let what = format!("Graph does not give `{name}` in a list of users");
                note("attributes", what, "remove it from the attributes");
            } else if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                let what = format!("`{name}` is no user property");
                note("attributes", what, "write the name as Graph does, such as employeeHireDate");
            }
        }
        problems
    }
}

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {cure}")]
pub struct GraphSettingsError {
    /// `tenant`, `client_id`, `assigned_to`, `page_size`, `budget`, or `attributes`, which come from the mapping.
    pub key: &'static str,
    pub what: String,
    pub cure: String,
}

impl From<GraphSettingsError> for SourceError {
    fn from(error: GraphSettingsError) -> SourceError {
        SourceError::Refused { what: error.what, cure: error.cure }
    }
}

/// Ids and domains; nothing that could change an address.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> GraphSettings {
        GraphSettings::new("contoso.com", "11111111-2222-3333-4444-555555555555", Secret::new("s"))
    }

    fn problem(change: impl FnOnce(&mut GraphSettings)) -> String {
        let mut settings = settings();
        change(&mut settings);
        settings.check().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_is_named_with_its_cure() {
        assert!(settings().check().is_ok());
        assert_eq!(
            problem(|s| s.tenant = "common".to_owned()),
            "`common` is no tenant; name the tenant's id or one of its domains"
        );
        assert_eq!(
            problem(|s| s.app = Some(SourceId("x')/y".to_owned()))),
            "`x')/y` is no application id; copy the Application ID of the enterprise application"
        );
        assert_eq!(problem(|s| s.page_size = 1000), "a page of 1000 rows cannot be had; choose 1 to 999");
        assert_eq!(
            problem(|s| s.budget_percent = 0),
            "0 % of the tenant's allowance cannot be taken; write a share from \"1%\" to \"100%\""
        );
        assert_eq!(
            problem(|s| s.attributes = vec!["mailboxSettings".to_owned()]),
            "Graph does not give `mailboxSettings` in a list of users; remove it from the attributes"
        );
        assert_eq!(
            problem(|s| s.groups = GroupsNeed::Ids([SourceId("a' or 'b".to_owned())].into())),
            "`a' or 'b` is no group id; copy the Object ID of the group"
        );
        assert_eq!(
            problem(|s| s.attributes = vec!["a&b".to_owned()]),
            "`a&b` is no user property; write the name as Graph does, such as employeeHireDate"
        );
    }

    #[test]
    fn two_equal_applications_are_one() {
        let mut settings = settings();
        settings.app = Some(SourceId("a".to_owned()));
        settings.team_app = settings.app.clone();
        assert_eq!(settings.apps().len(), 1);
        settings.team_app = Some(SourceId("b".to_owned()));
        assert_eq!(settings.apps().len(), 2);
    }

    /// Entra provisioning reference, section 4: who was hired again is told by these.
    #[test]
    fn what_tells_a_re_hire_is_always_read() {
        for name in ["employeeId", "onPremisesImmutableId", "createdDateTime"] {
            assert!(settings().user_attributes().contains(&name), "{name}");
        }
    }

    #[test]
    fn further_attributes_are_selected_once() {
        let mut settings = settings();
        settings.attributes = vec!["mail".to_owned(), "employeeHireDate".to_owned()];
        let names = settings.user_attributes();
        assert_eq!(names[..4], ["id", "accountEnabled", "userPrincipalName", "mail"]);
        assert_eq!(names[names.len() - 2..], ["isResourceAccount", "employeeHireDate"]);
    }
}
