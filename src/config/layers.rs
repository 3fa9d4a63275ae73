//! The layers of the settings and where each value comes from: defaults, file, `conf.d`, variables, flags.

use std::path::Path;
use std::path::PathBuf;

use figment::Figment;
use figment::Metadata;
use figment::Profile;
use figment::Provider;
use figment::providers::Format as _;
use figment::providers::Toml;
use figment::value::Dict;
use figment::value::Map;
use figment::value::Tag;
use figment::value::Value;

use super::files;
use super::files::SettingsFile;
use super::problem::Key;
use super::problem::Place;
use super::problem::Problem;
use super::problem::Problems;
use super::problem::Severity;

/// A variable of ours is a setting when it has this beginning and `__` between the parts of its key; others
/// (`ROSTERD_CONFIG`, `ROSTERD_LOG`) belong to the command line.
pub const PREFIX: &str = "ROSTERD_";
const BETWEEN: &str = "__";
const OFTEN_MEANT: [&str; 7] = ["DAEMON", "SCIM", "JOBS", "TARGETS", "WORKSPACES", "STATE", "LISTEN"];

const DAEMON_DEFAULTS: &str = r#"
[daemon]
state = "/var/lib/rosterd/rosterd.db"
listen = "127.0.0.1:8480"
[log]
keep = "24 months"
"#;

/// What a job has that does not say otherwise. Tests hold it equal to the defaults of the rules.
const JOB_DEFAULTS: &str = r#"
schedule = "every 40m"
verify   = "24h"
mode = "write"
exemption = "7d"
remind = "24h"
allow_empty = false
adopt = "external_id_or_name"
rehire = "propose"
team_names = "hold"
actions = { create = true, update = true, deactivate = true, delete = false, teams = true }
[leavers]
unassigned = "deactivate"
out_of_scope = "deactivate"
disabled = "deactivate"
suspended = "deactivate"
soft_deleted = "deactivate"
purged = "deactivate"
teams = "empty"
[limits]
rename = { count = 100, percent = 10 }
remove_members = { count = 500, percent = 15 }
remove_members_team = { count = 50, percent = 100 }
upgrade = { count = 100, percent = 10 }
deactivate = { count = 50, percent = 10 }
delete = { count = 10, percent = 2 }
delete_teams = { count = 0, percent = 0 }
floor = 5
witness_budget = 200
lost_anchors = 5
clock_jump = "8d"
escrow = { steps = ["6h", "12h", "24h"], every = "24h", until = "28d" }
quarantine = { percent = 40, failures = 10, failed_cycles = 5, slowest = "24h" }
"#;

const BUILT_IN: &str = "built-in default";
const VARIABLES: &str = "variables";
const FLAGS: &str = "command line";

/// What the layers are made from; the caller reads the environment and the arguments.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// `-c FILE`; `None`: the usual places.
    pub file: Option<PathBuf>,
    pub variables: Vec<(String, String)>,
    pub flags: Flags,
}

/// Settings that have a command-line option.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub state: Option<String>,
    pub listen: Option<String>,
}

/// All layers in one tree, each value with its origin.
pub struct Merged {
    pub(super) tree: Dict,
    origins: Figment,
    files: Vec<SettingsFile>,
    /// Variables that look like settings and are none.
    pub(super) slips: Vec<String>,
}

impl Merged {
    /// Reads and merges the layers. Problems here are files that cannot be read or are not TOML; what the
    /// settings mean is looked at by [`Merged::check`].
    pub fn read(layers: &Layers) -> Result<Merged, Problems> {
        let files = files::read(layers.file.as_deref(), has_settings(&layers.variables))?;
        let mut figment = Figment::new().merge(Tree { name: BUILT_IN, dict: parsed(DAEMON_DEFAULTS)? });
        for file in &files {
            figment = figment.merge(Toml::file_exact(&file.path));
        }
        figment = figment
            .merge(Tree { name: VARIABLES, dict: variables(&layers.variables) })
            .merge(Tree { name: FLAGS, dict: flags(&layers.flags) });
        let jobs = job_names(&tree_of(&figment)?);
        for name in jobs {
            figment = figment.join(Tree { name: BUILT_IN, dict: job_defaults(&name)? });
        }
        let slips = slips(&layers.variables);
        Ok(Merged { tree: tree_of(&figment)?, origins: figment, files, slips })
    }

    /// Where the value of a key comes from; for a key that is missing, the nearest table above it.
    pub fn place(&self, key: &Key) -> Place {
        (0..=key.0.len())
            .rev()
            .find_map(|depth| {
                let value = find(&self.tree, &key.0[..depth])?;
                Some(self.origin(value, &key.0[..depth]))
            })
            .unwrap_or(Place::Nowhere)
    }

    /// The files that were read, in the order of their weight.
    pub fn file_paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    fn origin(&self, value: &Value, key: &[String]) -> Place {
        // A table carries the mark of one of the layers that made it; a file that has it says more.
        if matches!(value, Value::Dict(..))
            && let Some(place) = self.in_files(key)
        {
            return place;
        }
        let Some(metadata) = self.origins.get_metadata(value.tag()) else { return Place::Nowhere };
        if let Some(path) = metadata.source.as_ref().and_then(|source| source.file_path()) {
            let file = self.files.iter().find(|file| file.path == path);
            return Place::File { path: path.to_owned(), at: file.and_then(|file| file.locate(key)) };
        }
        match metadata.name.as_ref() {
            VARIABLES => Place::Variable(variable_name(key)),
            FLAGS => Place::Flag,
            _ => Place::BuiltIn,
        }
    }

    fn in_files(&self, key: &[String]) -> Option<Place> {
        let file = self.files.iter().rev().find(|file| file.has(key))?;
        Some(Place::File { path: file.path.clone(), at: file.locate(key) })
    }
}

/// A tree under one name: variables, flags, defaults.
pub(super) struct Tree {
    pub name: &'static str,
    pub dict: Dict,
}

impl Provider for Tree {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.dict.clone())]))
    }
}

fn tree_of(figment: &Figment) -> Result<Dict, Problems> {
    let mut profiles = figment.data().map_err(|error| unreadable(&error))?;
    Ok(profiles.remove(&Profile::Default).unwrap_or_default())
}

/// The files were parsed before, so this is what figment alone objects to (a date as a value).
fn unreadable(error: &figment::Error) -> Problems {
    let path = error.metadata.as_ref().and_then(|m| m.source.as_ref()?.file_path().map(Path::to_owned));
    Problems(vec![Problem {
        severity: Severity::Error,
        message: error.kind.to_string(),
        key: Key(error.path.clone()),
        place: path.map_or(Place::Nowhere, |path| Place::File { path, at: None }),
        cure: String::new(),
    }])
}

pub(super) fn find<'a>(tree: &'a Dict, key: &[String]) -> Option<&'a Value> {
    let (first, rest) = key.split_first()?;
    let mut value = tree.get(first)?;
    for part in rest {
        value = match value {
            Value::Dict(_, dict) => dict.get(part)?,
            Value::Array(_, items) => items.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

fn job_names(tree: &Dict) -> Vec<String> {
    match tree.get("jobs") {
        Some(Value::Dict(_, jobs)) => jobs
            .iter()
            .filter(|(_, job)| matches!(job, Value::Dict(..)))
            .map(|(name, _)| name.clone())
            .collect(),
        _ => Vec::new(),
    }
}

fn job_defaults(name: &str) -> Result<Dict, Problems> {
    let jobs = Dict::from([(name.to_owned(), Value::from(parsed(JOB_DEFAULTS)?))]);
    Ok(Dict::from([("jobs".to_owned(), Value::from(jobs))]))
}

fn parsed(text: &str) -> Result<Dict, Problems> {
    let profiles = Toml::string(text).data().map_err(|error| unreadable(&error))?;
    Ok(profiles.into_values().next().unwrap_or_default())
}

fn has_settings(variables: &[(String, String)]) -> bool {
    variables.iter().any(|(name, _)| setting_of(name).is_some())
}

/// `ROSTERD_JOBS__ACME__SCHEDULE` is `jobs.acme.schedule`.
fn setting_of(variable: &str) -> Option<Vec<String>> {
    let key = variable.strip_prefix(PREFIX).filter(|key| key.contains(BETWEEN))?;
    Some(key.to_ascii_lowercase().split(BETWEEN).map(str::to_owned).collect())
}

/// Variables with one underscore where two belong (`ROSTERD_DAEMON_STATE`), or without the table (`ROSTERD_STATE`):
/// they would be passed over in silence.
fn slips(variables: &[(String, String)]) -> Vec<String> {
    let is_slip = |name: &str| {
        let first = name.strip_prefix(PREFIX).and_then(|key| key.split('_').next());
        setting_of(name).is_none() && first.is_some_and(|word| OFTEN_MEANT.contains(&word))
    };
    variables.iter().map(|(name, _)| name).filter(|name| is_slip(name)).cloned().collect()
}

fn variable_name(key: &[String]) -> String {
    format!("{PREFIX}{}", key.join(BETWEEN).to_ascii_uppercase())
}

/// Values stay text (a secret `0123` is no number); the types of the settings convert them. A text that is a
/// TOML list or table is read as one, so that every setting can be reached.
fn variables(all: &[(String, String)]) -> Dict {
    let mut tree = Dict::new();
    for (name, text) in all {
        if let Some(key) = setting_of(name) {
            insert(&mut tree, &key, variable_value(text));
        }
    }
    tree
}

fn variable_value(text: &str) -> Value {
    let as_text = || Value::String(Tag::Default, text.to_owned());
    if !text.starts_with(['[', '{']) {
        return as_text();
    }
    let parsed = Toml::string(&format!("value = {text}")).data().ok();
    let value = parsed.and_then(|profiles| profiles.into_values().next()?.remove("value"));
    value.unwrap_or_else(as_text)
}

fn flags(flags: &Flags) -> Dict {
    let mut tree = Dict::new();
    let known = [("state", &flags.state), ("listen", &flags.listen)];
    for (name, value) in known {
        if let Some(value) = value {
            let key = ["daemon".to_owned(), name.to_owned()];
            insert(&mut tree, &key, Value::String(Tag::Default, value.clone()));
        }
    }
    tree
}

fn insert(tree: &mut Dict, key: &[String], value: Value) {
    let Some((first, rest)) = key.split_first() else { return };
    if rest.is_empty() {
        tree.insert(first.clone(), value);
        return;
    }
    let below = tree.entry(first.clone()).or_insert_with(|| Value::from(Dict::new()));
    if !matches!(below, Value::Dict(..)) {
        *below = Value::from(Dict::new());
    }
    if let Value::Dict(_, below) = below {
        insert(below, rest, value);
    }
}
