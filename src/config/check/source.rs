//! Sources: which directory a job reads, and with what credential.

use std::path::PathBuf;
use std::time::Duration;

use super::Checker;
use crate::client::Secret;
use crate::config::checked::FileConfig;
use crate::config::checked::JobConfig;
use crate::config::checked::OktaConfig;
use crate::config::checked::OktaSignIn;
use crate::config::checked::SecretPlace;
use crate::config::checked::SourceConfig;
use crate::config::problem::Key;
use crate::config::raw::RawFile;
use crate::config::raw::RawOkta;
use crate::config::raw::RawScope;
use crate::config::raw::RawSource;
use crate::daemon::parse_duration;
use crate::model::SourceId;
use crate::sources::okta;
use crate::sources::okta::OktaSettings;
use crate::sources::okta::OktaSettingsError;
use crate::sources::okta::ServiceApp;
use crate::sources::okta::Share;
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
        let sign_in = self.okta_sign_in(table, raw);
        let rate_share = self.rate_share(&table.join("rate_share"), raw.rate_share.as_deref());
        let also_hosts = raw.also_hosts.clone().unwrap_or_default().0;
        let app = self.okta_app(table, scope);
        let overlap = self.span(&table.join("overlap"), raw.overlap.as_deref());
        let member_reread = self.span(&table.join("member_reread"), raw.member_reread.as_deref());
        self.okta_is_not_read_whole(table, scope);
        let (url, app, sign_in) = (url?, app?, sign_in?);
        // Secrets are read when they are needed; what the source's room says of the rest does not depend on them.
        let settings = OktaSettings::new(&url, without_secret(&sign_in), &app);
        if let Err(error) = settings.and_then(|settings| settings.with_also_hosts(also_hosts.clone())) {
            let key = match error {
                OktaSettingsError::Host { .. } => key,
                OktaSettingsError::AlsoHost { .. } => table.join("also_hosts"),
                OktaSettingsError::ClientId => table.join("client_id"),
                OktaSettingsError::Scopes | OktaSettingsError::Scope { .. } => table.join("scopes"),
                _ => self.app_key(table),
            };
            return self.error_with_cure(&key, &error.to_string());
        }
        Some(OktaConfig {
            url,
            app: SourceId(app),
            sign_in,
            rate_share: rate_share?,
            repeats_max: raw.repeats_max,
            also_hosts,
            statuses: statuses(raw),
            system_log: raw.system_log.unwrap_or(true),
            overlap: overlap?,
            member_reread: member_reread?,
            ca_file: raw.ca_file.as_ref().map(PathBuf::from),
        })
    }

    /// One way to sign in: a token, or a service application.
    fn okta_sign_in(&mut self, table: &Key, raw: &RawOkta) -> Option<OktaSignIn> {
        let application = [
            ("client_id", raw.client_id.is_some()),
            ("private_key", raw.private_key.is_some()),
            ("key_id", raw.key_id.is_some()),
            ("scopes", raw.scopes.is_some()),
        ];
        match (&raw.token, application.into_iter().find(|(_, set)| *set)) {
            (Some(_), Some((name, _))) => {
                let cure = "keep `token`, or take it out and keep `client_id` and `private_key` of a service application";
                self.error(&table.join(name), "two ways to sign in to the org".to_owned(), cure)
            }
            (token @ Some(_), None) => {
                let token = self.secret(&table.join("token"), token.as_deref(), "the API token");
                token.map(OktaSignIn::Token)
            }
            (None, None) => {
                let cure = "set `client_id` and `private_key` of a service application, or `token`: file:PATH, env:NAME or \
                            cred:NAME";
                self.error(&table.join("token"), "no way to sign in to the org".to_owned(), cure)
            }
            (None, Some(_)) => self.okta_service(table, raw),
        }
    }

    fn okta_service(&mut self, table: &Key, raw: &RawOkta) -> Option<OktaSignIn> {
        let client_id = self.text(
            &table.join("client_id"),
            raw.client_id.as_deref(),
            "the client id of the service application (0oa…)",
        );
        let wanted = "the application's private key, PEM or JWK";
        let private_key = self.secret(&table.join("private_key"), raw.private_key.as_deref(), wanted);
        Some(OktaSignIn::Service {
            client_id: client_id?,
            private_key: private_key?,
            key_id: raw.key_id.clone(),
            scopes: raw.scopes.clone().map(|scopes| scopes.0),
        })
    }

    fn rate_share(&mut self, key: &Key, text: Option<&str>) -> Option<Share> {
        let Some(text) = text else { return Some(Share::DEFAULT) };
        let number = text.trim().strip_suffix('%').and_then(|number| number.trim_end().parse().ok());
        number.and_then(Share::percent).or_else(|| {
            let message = format!("`{text}` is no share of Okta's allowances");
            self.error(key, message, "write a percentage from 1 to 100, such as \"50%\"")
        })
    }

    /// Outside: whether it can be read; inside: whether there is one.
    pub(super) fn span(&mut self, key: &Key, raw: Option<&str>) -> Option<Option<Duration>> {
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

fn without_secret(sign_in: &OktaSignIn) -> okta::SignIn {
    let nothing = Secret::new(String::new());
    match sign_in {
        OktaSignIn::Token(_) => nothing.into(),
        OktaSignIn::Service { client_id, scopes, .. } => {
            let app = ServiceApp::new(client_id, nothing);
            let scopes = scopes.clone().unwrap_or_else(|| app.scopes.clone());
            ServiceApp { scopes, ..app }.into()
        }
    }
}

pub(super) fn secret(job: &JobConfig) -> Option<(Key, SecretPlace)> {
    let key = |kind, name| Key::of(["jobs", &job.name, "source", kind, name]);
    match &job.source {
        // What Graph takes is more than a secret; `sign_in_error` tells what is wrong with it.
        SourceConfig::Graph(_) => None,
        SourceConfig::Okta(okta) => Some(match &okta.sign_in {
            OktaSignIn::Token(place) => (key("okta", "token"), place.clone()),
            OktaSignIn::Service { private_key, .. } => (key("okta", "private_key"), private_key.clone()),
        }),
        SourceConfig::File(_) => None,
    }
}
