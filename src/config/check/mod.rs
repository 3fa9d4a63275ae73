//! From raw settings to checked ones. Every check goes on after a problem, so that all are told at once.

mod drift;
mod failing;
mod graph;
mod job;
mod leavers;
mod log;
mod mapping;
mod people;
mod rules;
mod service;
mod source;
mod target;
mod workspace;

use std::path::PathBuf;

use url::Host;
use url::Url;

use super::checked::Config;
use super::checked::DaemonConfig;
use super::checked::SecretPlace;
use super::checked::SourceConfig;
use super::layers::Merged;
use super::problem::Key;
use super::problem::Place;
use super::problem::Problem;
use super::problem::Problems;
use super::problem::Severity;
use super::raw::RawDaemon;
use super::raw::RawSettings;
use super::shape;

impl Merged {
    /// The checked settings, or everything that is wrong with them. Secrets are not read.
    pub fn check(&self) -> Result<Config, Problems> {
        let (raw, misfits) = shape::raw(self);
        let mut checker = Checker { merged: self, errors: misfits, warnings: Vec::new() };
        let config = checker.config(&raw);
        match config {
            Some(config) if checker.errors.is_empty() => Ok(Config { warnings: checker.warnings, ..config }),
            _ => Err(Problems(told_once(checker.errors))),
        }
    }

    /// Secrets that cannot be read now, from this user's place.
    pub fn check_secrets(&self, config: &Config) -> Vec<Problem> {
        let mut checker = Checker { merged: self, errors: Vec::new(), warnings: Vec::new() };
        for (key, place) in secrets(config) {
            if let Err(error) = place.read() {
                checker.secret_error(&key, &error);
            }
        }
        checker.webhook_secrets(config);
        for job in config.jobs.values() {
            if let SourceConfig::Graph(graph) = &job.source
                && let Err(error) = graph.sign_in.read()
            {
                checker.sign_in_error(&Key::of(["jobs", &job.name, "source", "graph"]), &error);
            }
        }
        checker.errors
    }
}

/// A value that did not fit was taken out; that it is now missing is no second problem. In the order of the file.
fn told_once(errors: Vec<Problem>) -> Vec<Problem> {
    let mut told: Vec<Problem> = Vec::new();
    for error in errors {
        if !told.iter().any(|earlier| earlier.key == error.key) {
            told.push(error);
        }
    }
    told.sort_by(|a, b| (&a.place, &a.key).cmp(&(&b.place, &b.key)));
    told
}

fn secrets(config: &Config) -> Vec<(Key, SecretPlace)> {
    let jobs = config.jobs.values().filter_map(source::secret);
    let targets = config.targets.values().flat_map(target::secrets);
    jobs.chain(targets).collect()
}

struct Checker<'a> {
    merged: &'a Merged,
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Checker<'_> {
    fn config(&mut self, raw: &RawSettings) -> Option<Config> {
        let daemon = self.daemon(&raw.daemon);
        let service = self.service(&raw.scim);
        let keep = self.keep(&raw.log);
        let targets = self.targets(&raw.targets);
        let workspaces = self.workspaces(&raw.workspaces, &targets);
        let jobs = self.jobs(&raw.jobs, &raw.targets);
        self.warn_of_slips();
        if raw.jobs.is_empty() && raw.targets.is_empty() && raw.workspaces.is_empty() {
            let cure = "add [jobs.NAME] and [targets.NAME]; config/rosterd.example.toml shows how";
            self.warn(&Key::of(["jobs"]), "no job and no target", cure);
        }
        let (keep, shown) = (keep?, self.merged.lines());
        Some(Config {
            daemon: daemon?,
            service,
            keep,
            jobs,
            targets,
            workspaces,
            shown,
            warnings: Vec::new(),
        })
    }

    fn warn_of_slips(&mut self) {
        let cure = "join the parts of a key with two underscores, as in ROSTERD_DAEMON__STATE";
        let slips = self.merged.slips.iter().map(|name| Problem {
            severity: Severity::Warning,
            message: "this variable is no setting, and is not read".to_owned(),
            key: Key::default(),
            place: Place::Variable(name.clone()),
            cure: cure.to_owned(),
        });
        self.warnings.extend(slips);
    }

    fn daemon(&mut self, raw: &RawDaemon) -> Option<DaemonConfig> {
        let table = Key::of(["daemon"]);
        let state = self.text(&table.join("state"), raw.state.as_deref(), "the path of the database file");
        let listen = self.text(&table.join("listen"), raw.listen.as_deref(), "an address and a port");
        let listen = listen
            .and_then(|text| self.address(&table.join("listen"), &text, raw.plain_http.unwrap_or(false)));
        Some(DaemonConfig { state: PathBuf::from(state?), listen: listen? })
    }

    /// Names become parts of variables and commands, so they are kept plain.
    fn name(&mut self, key: &Key) {
        let name = key.last();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            let cure = "use lower-case letters, digits and _ only, so that a variable can name it";
            self.error::<()>(key, "this name cannot be used".to_owned(), cure);
        }
    }

    /// A text that must be there and say something.
    fn text(&mut self, key: &Key, value: Option<&str>, what: &str) -> Option<String> {
        match value.map(str::trim) {
            None => self.error(key, "missing".to_owned(), &format!("set it to {what}")),
            Some("") => self.error(key, "empty".to_owned(), &format!("set it to {what}")),
            Some(text) => Some(text.to_owned()),
        }
    }

    /// An http(s) URL. Credentials travel over it, so plain http is for loopback addresses alone.
    fn url(&mut self, key: &Key, text: &str) -> Option<Url> {
        let Ok(url) = Url::parse(text) else {
            return self.error(
                key,
                format!("`{text}` is not a URL"),
                "write it whole, like https://host/path",
            );
        };
        let extra = url.query().is_some() || url.fragment().is_some() || !url.username().is_empty();
        match url.scheme() {
            "https" | "http" if extra || url.password().is_some() => {
                let cure = "leave out user names, `?` and `#`; credentials have settings of their own";
                self.error(key, "the URL says more than where the service is".to_owned(), cure)
            }
            "https" => Some(url),
            "http" if is_loopback(&url) => Some(url),
            "http" => {
                self.error(key, "plain http would send credentials in the clear".to_owned(), "use https://")
            }
            other => self.error(key, format!("`{other}` cannot be spoken"), "use https://"),
        }
    }

    fn optional_url(&mut self, key: &Key, text: Option<&str>) -> Option<Option<Url>> {
        match text {
            None => Some(None),
            Some(text) => self.url(key, text).map(Some),
        }
    }

    fn secret(&mut self, key: &Key, text: Option<&str>, what: &str) -> Option<SecretPlace> {
        let wanted = format!("the place of {what}: file:PATH, env:NAME or cred:NAME");
        let text = self.text(key, text, &wanted)?;
        SecretPlace::parse(&text).or_else(|| {
            let message = "a secret is never written into the settings".to_owned();
            self.error(key, message, "say where it lies: file:PATH, env:NAME or cred:NAME")
        })
    }

    fn secret_error(&mut self, key: &Key, error: &crate::client::SecretError) {
        let source =
            std::error::Error::source(error).map(|source| format!(" ({source})")).unwrap_or_default();
        let text = format!("{error}{source}");
        let (message, cure) =
            text.split_once("; ").unwrap_or((&text, "put the secret there, readable by rosterd"));
        self.error::<()>(key, message.to_owned(), cure);
    }

    fn error<T>(&mut self, key: &Key, message: String, cure: &str) -> Option<T> {
        let problem = self.problem(Severity::Error, key, &message, cure);
        self.errors.push(problem);
        None
    }

    fn warn(&mut self, key: &Key, message: &str, cure: &str) {
        let problem = self.problem(Severity::Warning, key, message, cure);
        self.warnings.push(problem);
    }

    fn problem(&self, severity: Severity, key: &Key, message: &str, cure: &str) -> Problem {
        Problem {
            severity,
            message: message.to_owned(),
            key: key.clone(),
            place: self.merged.place(key),
            cure: cure.to_owned(),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
