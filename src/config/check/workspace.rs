//! What holds in each workspace.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::Checker;
use crate::config::checked::Config;
use crate::config::checked::FollowUpsConfig;
use crate::config::checked::ReceiverConfig;
use crate::config::checked::SecretPlace;
use crate::config::checked::TargetConfig;
use crate::config::checked::TargetKind;
use crate::config::checked::WorkspaceConfig;
use crate::config::problem::Key;
use crate::config::raw::RawFollowUps;
use crate::config::raw::RawWorkspaceRules;
use crate::daemon::ReceiverSettings;
use crate::daemon::WebhookSecret;
use crate::daemon::parse_duration;
use crate::expr::nearest;
use crate::store::Policy;
use crate::store::Rhythm;

/// How long a receiver may be silent: it only has to take the webhook.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Checker<'_> {
    /// A workspace that only tokens reach needs no target; one without a table has the usual rules.
    pub(super) fn workspaces(
        &mut self,
        raw: &BTreeMap<String, RawWorkspaceRules>,
        targets: &BTreeMap<String, TargetConfig>,
    ) -> BTreeMap<String, WorkspaceConfig> {
        let of_targets = || targets.values().filter_map(|target| workspace_of(&target.kind));
        let mut all: BTreeMap<String, WorkspaceConfig> =
            of_targets().map(|name| (name.to_owned(), WorkspaceConfig::default())).collect();
        for (name, rules) in raw {
            let table = Key::of(["workspaces", name]);
            if let Some(follow_ups) = self.follow_ups(&table.join("follow_ups"), rules.follow_ups.as_ref()) {
                all.insert(name.clone(), WorkspaceConfig { policy: policy(rules), follow_ups });
            }
        }
        self.warn_of_slips_in_names(raw, &of_targets().collect());
        all
    }

    /// A workspace that no target writes to may be a slip of another's name. Where there are several, somebody has
    /// workspaces for tokens, and meant them all.
    fn warn_of_slips_in_names(
        &mut self,
        raw: &BTreeMap<String, RawWorkspaceRules>,
        of_targets: &BTreeSet<&str>,
    ) {
        let mut alone = raw.keys().filter(|name| !of_targets.contains(name.as_str()));
        let (Some(name), None) = (alone.next(), alone.next()) else { return };
        // A neighbour of a numbered row (w1 beside w0) is no slip.
        let number = |name: &str| name.ends_with(|last: char| last.is_ascii_digit());
        let known = of_targets.iter().copied().filter(|known| !number(known) || !number(name));
        if let Some(meant) = nearest(name, known) {
            let cure = format!("did you mean `{meant}`? If it is meant for tokens, nothing has to be done");
            self.warn(&Key::of(["workspaces", name]), "no target writes to this workspace", &cure);
        }
    }

    /// Outside: whether it can be read.
    fn follow_ups(&mut self, table: &Key, raw: Option<&RawFollowUps>) -> Option<FollowUpsConfig> {
        let usual = FollowUpsConfig::default();
        let Some(raw) = raw else { return Some(usual) };
        let delay = self.time(&table.join("delay"), raw.delay.as_deref(), usual.rhythm.delay);
        let retry = self.wait(&table.join("retry"), raw.retry.as_deref(), usual.rhythm.retry);
        let retry_max = self.wait(&table.join("retry_max"), raw.retry_max.as_deref(), usual.rhythm.retry_max);
        let overdue = self.wait(&table.join("overdue"), raw.overdue.as_deref(), usual.overdue);
        let receiver = self.receiver(table, raw);
        let rhythm = Rhythm { delay: delay?, retry: retry?, retry_max: retry_max? };
        if rhythm.retry_max < rhythm.retry {
            let message = "the longest wait is shorter than the first".to_owned();
            return self.error(&table.join("retry_max"), message, "make it at least as long as retry");
        }
        Some(FollowUpsConfig { rhythm, overdue: overdue?, receiver: Some(receiver?) })
    }

    fn receiver(&mut self, table: &Key, raw: &RawFollowUps) -> Option<ReceiverConfig> {
        let url = self.text(&table.join("url"), raw.url.as_deref(), "the address that takes the webhooks");
        let url = url.and_then(|text| self.url(&table.join("url"), &text));
        let key = table.join("secret");
        let places = raw.secret.as_ref().map_or(&[][..], |many| &many.0);
        let places: Vec<Option<&str>> = match places {
            [] => vec![None],
            places => places.iter().map(|place| Some(place.as_str())).collect(),
        };
        let secrets: Vec<Option<SecretPlace>> =
            places.into_iter().map(|place| self.secret(&key, place, "the webhook secret")).collect();
        let secrets: Option<Vec<SecretPlace>> = secrets.into_iter().collect();
        let timeout = self.wait(&table.join("timeout"), raw.timeout.as_deref(), TIMEOUT);
        let ca_file = raw.ca_file.as_ref().map(PathBuf::from);
        let settings = ReceiverSettings { url: url?, timeout: timeout?, ca_file };
        Some(ReceiverConfig { settings, secrets: secrets? })
    }

    fn time(&mut self, key: &Key, raw: Option<&str>, usual: Duration) -> Option<Duration> {
        match raw.map(parse_duration) {
            None => Some(usual),
            Some(Ok(time)) => Some(time),
            Some(Err(error)) => self.error_with_cure(key, &error.to_string()),
        }
    }

    fn wait(&mut self, key: &Key, raw: Option<&str>, usual: Duration) -> Option<Duration> {
        let wait = self.time(key, raw, usual)?;
        if wait < Duration::from_secs(1) {
            return self.error(key, "shorter than a second".to_owned(), "write 1s or more");
        }
        Some(wait)
    }

    /// What lies there must be a secret by which webhooks can be signed.
    pub(super) fn webhook_secrets(&mut self, config: &Config) {
        for (key, place) in config.workspaces.iter().flat_map(secrets) {
            match place.read() {
                Err(error) => self.secret_error(&key, &error),
                Ok(secret) => {
                    if let Err(error) = WebhookSecret::new(&secret) {
                        self.error_with_cure::<()>(&key, &error.to_string());
                    }
                }
            }
        }
    }
}

fn secrets((name, workspace): (&String, &WorkspaceConfig)) -> Vec<(Key, SecretPlace)> {
    let key = Key::of(["workspaces", name, "follow_ups", "secret"]);
    let places = workspace.follow_ups.receiver.iter().flat_map(|receiver| &receiver.secrets);
    places.map(|place| (key.clone(), place.clone())).collect()
}

fn workspace_of(kind: &TargetKind) -> Option<&str> {
    match kind {
        TargetKind::Workspace { name } => Some(name),
        TargetKind::Scim(_) => None,
    }
}

fn policy(raw: &RawWorkspaceRules) -> Policy {
    Policy {
        other_owners: raw.other_owners.unwrap_or_default(),
        restore_grants: raw.restore_grants.unwrap_or_default(),
        unique: raw.unique.iter().flatten().copied().collect(),
    }
}
