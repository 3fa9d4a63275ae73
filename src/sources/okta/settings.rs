//! What an Okta source needs to know: the org, how to sign in, the application, and how much to ask for.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::StatusPolicy;
use super::bucket::Share;
use super::host;
use super::pace::Allowances;
use super::sign_in::SignIn;
use crate::model::GroupPick;
use crate::model::SourceId;

/// One org and one application. Host, application and page sizes are checked; the rest is free.
#[derive(Clone, Debug)]
pub struct OktaSettings {
    host: Url,
    app: SourceId,
    page_sizes: PageSizes,
    people_of: Vec<GroupPick>,
    groups: Vec<GroupPick>,
    also_hosts: Vec<String>,
    sign_in: SignIn,
    /// Whether groups that are assigned to the application become teams. Where they do not, they are not read.
    pub assigned_teams: bool,
    /// Whether groups that the application pushes (Group Push) become teams.
    pub push_mappings: bool,
    /// What the statuses of people and assignments mean, where that is a matter of policy.
    pub statuses: StatusPolicy,
    /// Whether the System Log is read, where the credential may.
    pub system_log: bool,
    /// How much of what Okta shows of its allowances is used.
    pub rate_share: Share,
    /// How often requests of one cycle are repeated at most, all together: a tenth of the requests of a large first
    /// cycle; an org that needs more is not well.
    pub repeats_max: u32,
    /// What is known of Okta's allowances. Jobs that share it, share them.
    pub allowances: Allowances,
    /// Certificates (PEM) that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// How far `lastMembershipUpdated` may lag behind the members: recorded lags are seconds, clocks differ by minutes.
    pub overlap: Duration,
    /// Members of a group are read again after this time, whatever its time stamps say.
    pub member_reread: Duration,
    /// The first wait where Okta names none; it doubles.
    pub backoff: Duration,
    /// The longest silence within one request: 500 users with their profiles can take over 30 s.
    pub timeout: Duration,
}

/// Rows asked for at once. Larger pages mean fewer requests of a small allowance (okta.md section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSizes {
    /// 1 to 500.
    pub app_users: u16,
    /// 20 to 200.
    pub app_groups: u16,
    /// 1 to 1000; Okta recommends 200.
    pub members: u16,
}

impl Default for PageSizes {
    fn default() -> PageSizes {
        PageSizes { app_users: 500, app_groups: 200, members: 200 }
    }
}

impl PageSizes {
    const APP_USERS: RangeInclusive<u16> = 1..=500;
    const APP_GROUPS: RangeInclusive<u16> = 20..=200;
    const MEMBERS: RangeInclusive<u16> = 1..=1000;

    fn check(self) -> Result<PageSizes, OktaSettingsError> {
        let sizes = [
            ("app users", self.app_users, PageSizes::APP_USERS),
            ("app groups", self.app_groups, PageSizes::APP_GROUPS),
            ("group members", self.members, PageSizes::MEMBERS),
        ];
        for (what, size, allowed) in sizes {
            if !allowed.contains(&size) {
                let (least, most) = (*allowed.start(), *allowed.end());
                return Err(OktaSettingsError::PageSize { what, size, least, most });
            }
        }
        Ok(self)
    }
}

/// What cannot be a setting. Each text says what to write instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OktaSettingsError {
    #[error("`{host}` cannot be the host of an Okta org: {why}")]
    Host { host: String, why: String },
    #[error("`{host}` is no host that links may lead to; write it without scheme and path: acme.okta.com")]
    AlsoHost { host: String },
    #[error("the id of a service application is missing; write its client id (0oa…)")]
    ClientId,
    #[error("no scope is named; leave `scopes` out, or name those that the application was granted")]
    Scopes,
    #[error("`{scope}` is no scope; scopes look like okta.users.read")]
    Scope { scope: String },
    #[error(
        "`{app}` is not the id of an Okta application; write the id (0oa…) from the address of the application's page in the admin console"
    )]
    App { app: String },
    #[error("pages of {what} hold {least} to {most} rows, not {size}")]
    PageSize { what: &'static str, size: u16, least: u16, most: u16 },
    #[error("a group is picked by an id, a name or the beginning of a name; an empty one picks nothing")]
    GroupPick,
}

impl OktaSettings {
    /// `host` is the org's own address, such as `https://acme.okta.com`.
    pub fn new(host: &str, sign_in: impl Into<SignIn>, app: &str) -> Result<OktaSettings, OktaSettingsError> {
        let sign_in = sign_in.into();
        sign_in.check()?;
        let wrong = |why| OktaSettingsError::Host { host: host.to_owned(), why };
        Ok(OktaSettings {
            host: host::checked(host).map_err(wrong)?,
            also_hosts: Vec::new(),
            sign_in,
            rate_share: Share::DEFAULT,
            repeats_max: 200,
            allowances: Allowances::default(),
            app: checked_app(app)?,
            page_sizes: PageSizes::default(),
            people_of: Vec::new(),
            groups: Vec::new(),
            assigned_teams: true,
            push_mappings: false,
            statuses: StatusPolicy::default(),
            system_log: true,
            ca_file: None,
            overlap: Duration::from_secs(15 * 60),
            member_reread: Duration::from_secs(24 * 60 * 60),
            backoff: Duration::from_secs(1),
            timeout: Duration::from_secs(120),
        })
    }

    pub fn with_page_sizes(mut self, sizes: PageSizes) -> Result<OktaSettings, OktaSettingsError> {
        self.page_sizes = sizes.check()?;
        Ok(self)
    }

    /// Groups that are read although they may not be assigned, with who is in them.
    pub fn with_groups(mut self, groups: Vec<GroupPick>) -> Result<OktaSettings, OktaSettingsError> {
        self.groups = checked_picks(groups)?;
        Ok(self)
    }

    /// Groups whose members are people of the scope: those who are no users of the application are read whole.
    pub fn with_people_of(mut self, groups: Vec<GroupPick>) -> Result<OktaSettings, OktaSettingsError> {
        self.people_of = checked_picks(groups)?;
        Ok(self)
    }

    /// Siblings of the host that links may lead to, such as the okta.com name of a custom domain. The token goes there
    /// as well.
    pub fn with_also_hosts(mut self, hosts: Vec<String>) -> Result<OktaSettings, OktaSettingsError> {
        if let Some(host) = hosts.iter().find(|host| !host::is_plain(host)) {
            return Err(OktaSettingsError::AlsoHost { host: host.clone() });
        }
        self.also_hosts = hosts;
        Ok(self)
    }

    pub fn also_hosts(&self) -> &[String] {
        &self.also_hosts
    }

    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// Whose allowances a request counts against, in a form that shows no secret.
    pub(super) fn principal(&self) -> String {
        format!("{} {}", self.host, self.sign_in.principal())
    }

    pub fn host(&self) -> &Url {
        &self.host
    }

    pub fn app(&self) -> &SourceId {
        &self.app
    }

    pub fn page_sizes(&self) -> PageSizes {
        self.page_sizes
    }

    pub fn groups(&self) -> &[GroupPick] {
        &self.groups
    }

    pub fn people_of(&self) -> &[GroupPick] {
        &self.people_of
    }

    /// The n-th pick to look up: those of people first, and none twice.
    pub(super) fn pick(&self, index: usize) -> Option<&GroupPick> {
        let others = self.groups.iter().filter(|pick| !self.people_of.contains(pick));
        self.people_of.iter().chain(others).nth(index)
    }

    /// Whether the members of the n-th pick are people of the scope.
    pub(super) fn picks_people(&self, index: usize) -> bool {
        index < self.people_of.len()
    }
}

fn checked_picks(picks: Vec<GroupPick>) -> Result<Vec<GroupPick>, OktaSettingsError> {
    let empty = |pick: &GroupPick| match pick {
        GroupPick::Id(SourceId(text)) | GroupPick::Name(text) | GroupPick::Prefix(text) => {
            text.trim().is_empty()
        }
        GroupPick::Rule { text, .. } => text.trim().is_empty(),
    };
    if picks.iter().any(empty) {
        return Err(OktaSettingsError::GroupPick);
    }
    Ok(picks)
}

/// The id becomes part of paths, and no id of Okta has other characters.
fn checked_app(app: &str) -> Result<SourceId, OktaSettingsError> {
    let plain = app.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if app.is_empty() || !plain {
        return Err(OktaSettingsError::App { app: app.to_owned() });
    }
    Ok(SourceId(app.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Secret;

    #[test]
    fn an_application_is_named_by_its_id() {
        let of = |app: &str| OktaSettings::new("https://acme.okta.com", Secret::new("t"), app);
        assert!(of("0oasfaqszSry4qz7a4x6").is_ok());
        for app in ["", "Acme SSO", "0oa/../x"] {
            assert_eq!(of(app).err(), Some(OktaSettingsError::App { app: app.to_owned() }));
        }
    }

    #[test]
    fn page_sizes_stay_within_what_okta_documents() {
        let of = |sizes| {
            let settings = OktaSettings::new("https://acme.okta.com", Secret::new("t"), "0oa1");
            settings.and_then(|settings| settings.with_page_sizes(sizes)).err().map(|error| error.to_string())
        };
        assert_eq!(of(PageSizes::default()), None);
        assert_eq!(
            of(PageSizes { app_groups: 10, ..PageSizes::default() }),
            Some("pages of app groups hold 20 to 200 rows, not 10".to_owned())
        );
    }
}
