//! Sources: which directory a job reads, and with what credential.

use std::path::PathBuf;
use std::time::Duration;

use super::Checker;
use crate::client::Secret;
use crate::config::checked::FileConfig;
use crate::config::checked::JobConfig;
use crate::config::checked::OktaConfig;
use crate::config::checked::SecretPlace;
use crate::config::checked::SourceConfig;
use crate::config::problem::Key;
use crate::config::raw::RawFile;
use crate::config::raw::RawOkta;
use crate::config::raw::RawScope;
use crate::config::raw::RawSource;
use crate::daemon::parse_duration;
use crate::model::SourceId;
use crate::sources::okta::OktaSettings;
use crate::sources::okta::OktaSettingsError;
use crate::sources::okta::StatusPolicy;

impl Checker<'_> {
    pub(super) fn source(&mut self, table: &Key, raw: &RawSource, scope: &RawScope) -> Option<SourceConfig> {
        match (&raw.graph, &raw.okta, &raw.file) {
            (Some(graph), None, None) => self.graph(&table.join("graph"), graph).map(SourceConfig::Graph),
            (None, Some(okta), None) => self.okta(&table.join("okta"), okta, scope).map(SourceConfig::Okta),
            (None, None, Some(file)) => self.file(&table.join("file"), file).map(SourceConfig::File),
            (None, None, None) => {
                let cure = "add one table: source.graph, source.okta or source.file";
                self.error(table, "the job reads nothing".to_owned(), cure)
            }
            _ => {
                let cure = "keep one of graph, okta and file; give each other a job of its own";
                self.error(table, "the job reads two sources".to_owned(), cure)
            }
        }
    }

    /// An org is read through one application: its users and groups are who can be in scope.
    fn okta(&mut self, table: &Key, raw: &RawOkta, scope: &RawScope) -> Option<OktaConfig> {
        let key = table.join("url");
        let url = self.text(&key, raw.url.as_deref(), "the org, like https://acme.okta.com");
        let token = self.secret(&table.join("token"), raw.token.as_deref(), "the API token");
        let app = self.okta_app(table, scope);
        let overlap = self.span(&table.join("overlap"), raw.overlap.as_deref());
        let member_reread = self.span(&table.join("member_reread"), raw.member_reread.as_deref());
        self.okta_is_not_read_whole(table, scope);
        let (url, app) = (url?, app?);
        // The token is read when it is needed; what the source's room says of the rest does not depend on it.
        match OktaSettings::new(&url, Secret::new(String::new()), &app) {
            Ok(_) => {
                let ca_file = raw.ca_file.as_ref().map(PathBuf::from);
                Some(OktaConfig {
                    url,
                    app: SourceId(app),
                    token: token?,
                    statuses: statuses(raw),
                    system_log: raw.system_log.unwrap_or(true),
                    overlap: overlap?,
                    member_reread: member_reread?,
                    ca_file,
                })
            }
            Err(error @ OktaSettingsError::Host { .. }) => self.error_with_cure(&key, &error.to_string()),
            Err(error) => self.error_with_cure(&self.app_key(table), &error.to_string()),
        }
    }

    /// Outside: whether it can be read; inside: whether there is one.
    fn span(&mut self, key: &Key, raw: Option<&str>) -> Option<Option<Duration>> {
        match raw.map(parse_duration).transpose() {
            Ok(span) => Some(span),
            Err(error) => self.error_with_cure(key, &error.to_string()),
        }
    }

    fn okta_app(&mut self, table: &Key, scope: &RawScope) -> Option<String> {
        let key = self.app_key(table);
        match (&scope.users.assigned_to, &scope.teams.assigned_to) {
            (Some(users), Some(teams)) if users != teams => {
                let cure = "give both the same application; another one is a job of its own";
                self.error(&key, "people and teams come from two applications".to_owned(), cure)
            }
            (Some(app), _) | (None, Some(app)) => Some(app.clone()),
            (None, None) => {
                let cure = "set scope.users.assigned_to to the application's id (0oa…)";
                self.error(
                    &key,
                    "an Okta org is read through one application, and none is named".to_owned(),
                    cure,
                )
            }
        }
    }

    fn okta_is_not_read_whole(&mut self, source: &Key, scope: &RawScope) {
        let job = source.0.get(1).map_or("", String::as_str);
        for (side, all) in [("users", scope.users.all), ("teams", scope.teams.all)] {
            if all == Some(true) {
                let message = "an Okta org is read through one application, never whole".to_owned();
                let cure = "take it out; assigned_to is everybody who is assigned, groups adds more";
                self.error::<()>(&Key::of(["jobs", job, "scope", side, "all"]), message, cure);
            }
        }
    }

    fn app_key(&self, source: &Key) -> Key {
        let job = source.0.get(1).map_or("", String::as_str);
        Key::of(["jobs", job, "scope", "users", "assigned_to"])
    }

    fn file(&mut self, table: &Key, raw: &RawFile) -> Option<FileConfig> {
        let path = self.text(&table.join("path"), raw.path.as_deref(), "the path of the directory file")?;
        Some(FileConfig { path: PathBuf::from(path) })
    }
}

fn statuses(raw: &RawOkta) -> StatusPolicy {
    let usual = StatusPolicy::default();
    StatusPolicy {
        suspended: raw.suspended.unwrap_or(usual.suspended),
        staged: raw.staged.unwrap_or(usual.staged),
        implicit: raw.implicit.unwrap_or(usual.implicit),
    }
}

pub(super) fn secret(job: &JobConfig) -> Option<(Key, SecretPlace)> {
    let key = |kind, name| Key::of(["jobs", &job.name, "source", kind, name]);
    match &job.source {
        // What Graph takes is more than a secret; `sign_in_error` tells what is wrong with it.
        SourceConfig::Graph(_) => None,
        SourceConfig::Okta(okta) => Some((key("okta", "token"), okta.token.clone())),
        SourceConfig::File(_) => None,
    }
}
