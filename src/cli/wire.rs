//! From checked settings to jobs that can run: secrets are read here, sources and targets made.

use std::sync::Arc;
use std::sync::LazyLock;

use anyhow::Context;
use jiff::Timestamp;
use url::Url;

use crate::client::IdentityHost;
use crate::client::Secret;
use crate::config::Config;
use crate::config::FollowUpsConfig;
use crate::config::GraphConfig;
use crate::config::JobConfig;
use crate::config::OktaConfig;
use crate::config::OktaSignIn;
use crate::config::ReceiverConfig;
use crate::config::ScimConfig;
use crate::config::SecretPlace;
use crate::config::SignInError;
use crate::config::SourceConfig;
use crate::config::TargetKind;
use crate::config::WorkspaceConfig;
use crate::cycle::Job;
use crate::daemon::FollowUps;
use crate::daemon::MakeError;
use crate::daemon::MakeReceiver;
use crate::daemon::Receiver;
use crate::daemon::WebhookSecret;
use crate::expr::nearest;
use crate::model::List;
use crate::sources::Source;
use crate::sources::file::FileSource;
use crate::sources::graph::GraphSettings;
use crate::sources::graph::GraphSource;
use crate::sources::graph::SignIn;
use crate::sources::okta;
use crate::sources::okta::OktaSettings;
use crate::sources::okta::OktaSource;
use crate::store::Store;
use crate::targets::ServiceProvider;
use crate::targets::remote::RemoteSettings;
use crate::targets::remote::RemoteTarget;
use crate::targets::workspace::WorkspaceTarget;

/// Where the Azure Arc agent listens.
const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";

/// The state of the settings, made where it is missing.
pub fn open(config: &Config) -> Result<Store, anyhow::Error> {
    let path = &config.daemon.state;
    let store = Store::open(path)
        .with_context(|| format!("the state {} cannot be opened (setting daemon.state)", path.display()))?;
    let policies = config.workspaces.iter().map(|(name, workspace)| (name.clone(), workspace.policy.clone()));
    Ok(store.with_policies(policies.collect()).under_settings(&config.shown)?)
}

/// The state to look at: where there is none yet, an empty one that leaves nothing behind (P3).
pub fn open_to_look(config: &Config) -> Result<Store, anyhow::Error> {
    if config.daemon.state.exists() {
        return open(config);
    }
    Store::in_memory().context("no empty state could be made")
}

/// The jobs of these names; all of them where no name is given.
pub fn chosen<'a>(config: &'a Config, names: &[String]) -> Result<Vec<&'a JobConfig>, anyhow::Error> {
    if names.is_empty() {
        anyhow::ensure!(!config.jobs.is_empty(), "the settings have no job; add [jobs.NAME]");
        return Ok(config.jobs.values().collect());
    }
    names.iter().map(|name| one(config, name)).collect()
}

/// As [`chosen`], for what looks at workspaces as well: these do not need a job.
pub fn looked_at<'a>(config: &'a Config, names: &[String]) -> Result<Vec<&'a JobConfig>, anyhow::Error> {
    if names.is_empty() && config.jobs.is_empty() && !config.workspaces.is_empty() {
        return Ok(Vec::new());
    }
    chosen(config, names)
}

pub fn one<'a>(config: &'a Config, name: &str) -> Result<&'a JobConfig, anyhow::Error> {
    config.jobs.get(name).ok_or_else(|| {
        let known = config.jobs.keys().map(String::as_str);
        let cure = match nearest(name, known.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the settings have {}", known.collect::<Vec<_>>().join(", ")),
        };
        anyhow::anyhow!("there is no job `{name}`; {cure}")
    })
}

/// The workspace of this name, or the only one of the settings. A name that they do not have is refused: a slip would
/// otherwise be an empty workspace.
pub fn workspace_name(config: &Config, named: Option<&str>) -> Result<String, anyhow::Error> {
    let known = &config.workspaces;
    let all = || known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    match (named, known.len()) {
        (_, 0) => {
            anyhow::bail!("the settings have no workspace; add [targets.NAME.workspace] or [workspaces.NAME]")
        }
        (Some(name), _) if known.contains_key(name) => Ok(name.to_owned()),
        (Some(name), _) => anyhow::bail!("the settings have no workspace `{name}`; they have {}", all()),
        (None, 1) => Ok(all()),
        (None, _) => {
            anyhow::bail!("the settings have several workspaces; name one of {} with --workspace", all())
        }
    }
}

/// The follow-ups of every workspace, for the daemon.
pub fn follow_ups(config: &Config) -> Vec<FollowUps> {
    let one = |(name, workspace): (&String, &WorkspaceConfig)| {
        let FollowUpsConfig { rhythm, overdue, receiver } = workspace.follow_ups.clone();
        let key = format!("workspaces.{name}.follow_ups.secret");
        let make = |receiver: ReceiverConfig| -> MakeReceiver {
            Arc::new(move || self::receiver(&receiver, &key).map_err(MakeError::from))
        };
        FollowUps { workspace: name.clone(), rhythm, overdue, receiver: receiver.map(make) }
    };
    config.workspaces.iter().map(one).collect()
}

fn receiver(receiver: &ReceiverConfig, key: &str) -> Result<Receiver, anyhow::Error> {
    let one = |place| {
        WebhookSecret::new(&secret(place, key)?)
            .with_context(|| format!("what lies at `{key}` cannot be used"))
    };
    let secrets: Vec<WebhookSecret> = receiver.secrets.iter().map(one).collect::<Result<_, _>>()?;
    Ok(Receiver::new(&receiver.settings, secrets)?)
}

/// A job, ready to run. Nothing is sent.
pub fn job(config: &Config, job: &JobConfig, store: &Store) -> Result<Job, anyhow::Error> {
    let source = source(job).with_context(|| format!("job {}: its source cannot be used", job.name))?;
    let target = target(config, job, store)
        .with_context(|| format!("job {}: its target {} cannot be used", job.name, job.target))?;
    Ok(Job {
        name: job.name.clone(),
        source,
        target,
        rules: job.rules.clone(),
        limits: job.limits.clone(),
        remind: job.remind,
        allow_empty: job.allow_empty,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        verify: job.verify,
        drift: job.drift.clone(),
        ceiling: job.mode,
    })
}

pub fn source(job: &JobConfig) -> Result<Arc<dyn Source>, anyhow::Error> {
    Ok(match &job.source {
        SourceConfig::Graph(graph) => Arc::new(GraphSource::new(graph_settings(job, graph)?)?),
        SourceConfig::Okta(okta) => Arc::new(OktaSource::new(okta_settings(job, okta)?)?),
        SourceConfig::File(file) => Arc::new(FileSource::new(&file.path)),
    })
}

fn graph_settings(job: &JobConfig, graph: &GraphConfig) -> Result<GraphSettings, anyhow::Error> {
    let at = |key: &str| format!("`jobs.{}.source.graph.{key}`", job.name);
    let sign_in = match graph.sign_in.read() {
        Ok(sign_in) => sign_in,
        Err(SignInError::Secret { key, source }) => {
            return Err(source).with_context(|| format!("the secret at {} cannot be had", at(key)));
        }
        Err(SignInError::Key { key, source }) => {
            return Err(source).with_context(|| format!("what lies at {} cannot be used", at(key)));
        }
    };
    let sign_in = match sign_in {
        SignIn::Identity(host) => SignIn::Identity(arc_at(host, std::env::var(IDENTITY_ENDPOINT).ok())?),
        other => other,
    };
    Ok(graph.settings(&job.rules, sign_in))
}

/// The Arc agent says in a variable where it listens (graph.md 2.4); what the settings say goes before.
fn arc_at(host: IdentityHost, variable: Option<String>) -> Result<IdentityHost, anyhow::Error> {
    let (IdentityHost::Arc { endpoint, .. }, IdentityHost::Arc { endpoint: usual, .. }) =
        (&host, &IdentityHost::arc())
    else {
        return Ok(host);
    };
    match variable {
        Some(text) if endpoint == usual => {
            let cure = format!(
                "the variable {IDENTITY_ENDPOINT} holds no address; unset it, or set azure_arc.endpoint"
            );
            Ok(host.at(Url::parse(&text).context(cure)?))
        }
        _ => Ok(host),
    }
}

/// Groups that the scope chooses are read although they may not be assigned; where it chooses people by them, so are
/// their members.
fn okta_settings(job: &JobConfig, okta: &OktaConfig) -> Result<OktaSettings, anyhow::Error> {
    let scope = &job.rules.scope;
    let mut settings = OktaSettings::new(&okta.url, okta_sign_in(job, okta)?, &okta.app.0)?
        .with_also_hosts(okta.also_hosts.clone())?
        .with_people_of(scope.users.groups.clone())?
        .with_groups(scope.teams.groups.iter().chain(scope.groups_looked_at()).cloned().collect())?;
    settings.assigned_teams = scope.teams.assigned_to.is_some();
    settings.push_mappings = scope.teams.lists.contains(&List::PushMappings(okta.app.clone()).id());
    settings.statuses = okta.statuses;
    settings.system_log = okta.system_log;
    settings.overlap = okta.overlap.unwrap_or(settings.overlap);
    settings.member_reread = okta.member_reread.unwrap_or(settings.member_reread);
    settings.ca_file = okta.ca_file.clone();
    settings.rate_share = okta.rate_share;
    settings.repeats_max = okta.repeats_max.unwrap_or(settings.repeats_max);
    settings.allowances = ALLOWANCES.clone();
    Ok(settings)
}

/// What Okta said of its allowances is known to all jobs of this process, and outlives a job that is made anew.
static ALLOWANCES: LazyLock<okta::Allowances> = LazyLock::new(okta::Allowances::default);

fn okta_sign_in(job: &JobConfig, okta: &OktaConfig) -> Result<okta::SignIn, anyhow::Error> {
    let key = |name| format!("jobs.{}.source.okta.{name}", job.name);
    match &okta.sign_in {
        OktaSignIn::Token(place) => Ok(secret(place, &key("token"))?.into()),
        OktaSignIn::Service { client_id, private_key, key_id, scopes } => {
            let mut app = okta::ServiceApp::new(client_id, secret(private_key, &key("private_key"))?);
            app.key_id = key_id.clone();
            match scopes {
                Some(scopes) => app.scopes = scopes.clone(),
                None if !okta.system_log => app.scopes.retain(|scope| scope != "okta.logs.read"),
                None => {}
            }
            Ok(app.into())
        }
    }
}

pub fn target(
    config: &Config,
    job: &JobConfig,
    store: &Store,
) -> Result<Arc<dyn ServiceProvider>, anyhow::Error> {
    let target = config.targets.get(&job.target).context("the settings have no such target")?;
    Ok(match &target.kind {
        TargetKind::Scim(scim) => Arc::new(RemoteTarget::new(remote_settings(&target.name, scim)?)?),
        TargetKind::Workspace { name } => Arc::new(workspace(store, name, &job.name)),
    })
}

pub fn workspace(store: &Store, name: &str, job: &str) -> WorkspaceTarget {
    WorkspaceTarget::new(store.clone(), name, Arc::new(new_id), Arc::new(Timestamp::now)).owned_by(job)
}

fn remote_settings(target: &str, scim: &ScimConfig) -> Result<RemoteSettings, anyhow::Error> {
    let key = format!("targets.{target}.scim.token");
    let tokens: Result<Vec<Secret>, _> = scim.tokens.iter().map(|place| secret(place, &key)).collect();
    let mut settings = RemoteSettings::new(scim.url.clone(), tokens?);
    settings.profile = scim.profile.clone();
    settings.settled = scim.settled.clone();
    settings.learned_for = scim.learned_for.unwrap_or(settings.learned_for);
    settings.lookup_listing_from = scim.lookup_listing_from.unwrap_or(settings.lookup_listing_from);
    settings.listing_max = scim.listing_max.unwrap_or(settings.listing_max);
    settings.whole_listing_max = scim.whole_listing_max.unwrap_or(settings.whole_listing_max);
    settings.ca_file = scim.ca_file.clone();
    settings.timeout = scim.timeout.unwrap_or(settings.timeout);
    Ok(settings)
}

fn secret(place: &SecretPlace, key: &str) -> Result<Secret, anyhow::Error> {
    place.read().with_context(|| format!("the secret at `{key}` cannot be had"))
}

/// A random UUID (RFC 9562, version 4).
pub fn new_id() -> String {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .expect("the random generator of the library is seeded at start and does not fail");
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::WhichIdentity;

    #[test]
    fn the_arc_agents_variable_counts_where_the_settings_say_nothing() {
        let variable = || Some("http://localhost:1/token".to_owned());
        let at = |host: &IdentityHost| match host {
            IdentityHost::Arc { endpoint, .. } | IdentityHost::Machine { endpoint, .. } => {
                endpoint.to_string()
            }
        };
        assert_eq!(at(&arc_at(IdentityHost::arc(), variable()).unwrap()), "http://localhost:1/token");
        assert_eq!(arc_at(IdentityHost::arc(), None).unwrap(), IdentityHost::arc());
        let set = IdentityHost::arc().at(Url::parse("http://127.0.0.1:2/token").unwrap());
        assert_eq!(arc_at(set.clone(), variable()).unwrap(), set);
        let machine = IdentityHost::machine(WhichIdentity::System);
        assert_eq!(arc_at(machine.clone(), variable()).unwrap(), machine);
        assert_eq!(
            arc_at(IdentityHost::arc(), Some("nowhere".to_owned())).unwrap_err().to_string(),
            "the variable IDENTITY_ENDPOINT holds no address; unset it, or set azure_arc.endpoint"
        );
    }
}
