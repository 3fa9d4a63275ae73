//! The checked settings: only what can be.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::graph::GraphConfig;
use super::problem::Problem;
use crate::client::Secret;
use crate::client::SecretError;
use crate::daemon::ReceiverSettings;
use crate::daemon::Schedule;
use crate::model::SourceId;
use crate::plan::DriftRules;
use crate::plan::Keep;
use crate::plan::Limits;
use crate::plan::Mode;
use crate::plan::Rules;
use crate::scim::profiles::Profile;
use crate::server::Settings;
use crate::sources::okta::Share;
use crate::sources::okta::StatusPolicy;
use crate::store::Policy;
use crate::store::Rhythm;

#[derive(Debug)]
pub struct Config {
    pub daemon: DaemonConfig,
    /// The SCIM service.
    pub service: Settings,
    /// How long the provisioning log is kept.
    pub keep: Keep,
    pub jobs: BTreeMap<String, JobConfig>,
    pub targets: BTreeMap<String, TargetConfig>,
    /// Every workspace: of a target, or with a table of its own.
    pub workspaces: BTreeMap<String, WorkspaceConfig>,
    /// The merged settings as lines of TOML, secrets masked: what the log refers to.
    pub shown: String,
    /// What is doubtful, though it can be.
    pub warnings: Vec<Problem>,
}

#[derive(Clone, Debug)]
pub struct DaemonConfig {
    /// The database file.
    pub state: PathBuf,
    pub listen: SocketAddr,
}

#[derive(Clone, Debug)]
pub struct JobConfig {
    pub name: String,
    pub schedule: Schedule,
    /// How often everything is read anew behind the changes; `None` where it is switched off.
    pub verify: Option<Duration>,
    /// The most that the job may do. A job begins in `observe` and leaves it by `rosterd enable`.
    pub mode: Mode,
    /// The name of its target; `Config::targets` has it.
    pub target: String,
    pub source: SourceConfig,
    pub rules: Rules,
    pub limits: Limits,
    /// How long a rejected change stays away.
    pub exemption: Duration,
    /// Everybody may leave at once.
    pub allow_empty: bool,
    /// How often what is held is announced again.
    pub remind: Duration,
    /// What is done about what somebody else did in the target.
    pub drift: DriftRules,
}

#[derive(Clone, Debug)]
pub enum SourceConfig {
    Graph(GraphConfig),
    Okta(OktaConfig),
    File(FileConfig),
}

#[derive(Clone, Debug)]
pub struct OktaConfig {
    pub url: String,
    /// The application through which the org is read.
    pub app: SourceId,
    pub sign_in: OktaSignIn,
    /// How much of what Okta shows of its allowances is used.
    pub rate_share: Share,
    /// Repeats of one cycle; `None`: as many as the source thinks right.
    pub repeats_max: Option<u32>,
    /// Siblings of the org that links may lead to.
    pub also_hosts: Vec<String>,
    pub statuses: StatusPolicy,
    pub system_log: bool,
    /// How far a group's time stamp may lag behind its members; `None`: the usual time.
    pub overlap: Option<Duration>,
    /// Members are read again after this time, whatever their group shows; `None`: the usual time.
    pub member_reread: Option<Duration>,
    pub ca_file: Option<PathBuf>,
}

/// An API token, or a service application with a key.
#[derive(Clone, Debug)]
pub enum OktaSignIn {
    Token(SecretPlace),
    Service {
        client_id: String,
        private_key: SecretPlace,
        key_id: Option<String>,
        /// `None`: those that the source needs.
        scopes: Option<Vec<String>>,
    },
}

#[derive(Clone, Debug)]
pub struct FileConfig {
    pub path: PathBuf,
}

#[derive(Clone, Debug)]
pub struct TargetConfig {
    pub name: String,
    /// userNames and team names that are never written (P6), case-folded.
    pub protect: BTreeSet<String>,
    pub kind: TargetKind,
}

#[derive(Clone, Debug)]
pub enum TargetKind {
    Scim(Box<ScimConfig>),
    Workspace { name: String },
}

#[derive(Clone, Debug, Default)]
pub struct WorkspaceConfig {
    pub policy: Policy,
    pub follow_ups: FollowUpsConfig,
}

/// When follow-ups go out, and where.
#[derive(Clone, Debug)]
pub struct FollowUpsConfig {
    pub rhythm: Rhythm,
    /// What is open so long after it was to go out is told.
    pub overdue: Duration,
    /// Without one they wait for a person.
    pub receiver: Option<ReceiverConfig>,
}

/// Doubling from half a minute to a quarter of a day: a receiver that restarts is not missed, one that is gone for a
/// week is not pestered. A day is what a password may stay as it was, by the usual policies, before somebody is told.
impl Default for FollowUpsConfig {
    fn default() -> FollowUpsConfig {
        let rhythm = Rhythm {
            delay: Duration::ZERO,
            retry: Duration::from_secs(30),
            retry_max: Duration::from_secs(6 * 3600),
        };
        FollowUpsConfig { rhythm, overdue: Duration::from_secs(24 * 3600), receiver: None }
    }
}

#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    pub settings: ReceiverSettings,
    /// Each signs, so that one can be replaced without a gap.
    pub secrets: Vec<SecretPlace>,
}

#[derive(Clone, Debug)]
pub struct ScimConfig {
    pub url: Url,
    /// Tried in order, so that a token can be replaced without a gap.
    pub tokens: Vec<SecretPlace>,
    /// With the capabilities that the operator set laid over it.
    pub profile: Profile,
    /// The keys of it that the operator set, such as `members.max_per_patch`.
    pub settled: BTreeSet<String>,
    /// How long what was learned of the service counts; `None`: the usual time.
    pub learned_for: Option<Duration>,
    /// From so many lookups on one listing is read instead; `None`: the usual number.
    pub lookup_listing_from: Option<usize>,
    /// Resources read of one list at most; `None`: the usual number.
    pub listing_max: Option<usize>,
    pub whole_listing_max: Option<usize>,
    pub ca_file: Option<PathBuf>,
    /// The longest silence within one request; `None`: the usual one.
    pub timeout: Option<Duration>,
}

/// Where a secret lies: `file:PATH`, `env:NAME` or `cred:NAME`. It is read when it is needed, never kept in
/// the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPlace(String);

impl SecretPlace {
    pub(super) const SCHEMES: [&'static str; 3] = ["file:", "env:", "cred:"];

    /// `None` for what names no place: it may be the secret itself, so nobody repeats it.
    pub fn parse(text: &str) -> Option<SecretPlace> {
        let named = Self::SCHEMES
            .iter()
            .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.trim().is_empty()));
        named.then(|| SecretPlace(text.to_owned()))
    }

    pub fn read(&self) -> Result<Secret, SecretError> {
        Secret::read(&self.0)
    }

    /// Where it is a file: which.
    pub fn file(&self) -> Option<PathBuf> {
        Secret::file(&self.0)
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
