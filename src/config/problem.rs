//! What is wrong with the settings: message, key, place and cure, all of them at once.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong, or only doubtful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// A fragment without values of secrets.
    pub message: String,
    pub key: Key,
    pub place: Place,
    /// What to do; empty where the message says it.
    pub cure: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// The path of a setting: `jobs.acme.mapping.users."name.givenName"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub Vec<String>);

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Line and column count from 1; `None` where the file as a whole is meant.
    File {
        path: PathBuf,
        at: Option<(usize, usize)>,
    },
    Variable(String),
    /// A command-line option.
    Flag,
    BuiltIn,
    /// The setting is nowhere, nor is anything above it.
    Nowhere,
}

impl Key {
    pub fn of<const N: usize>(parts: [&str; N]) -> Key {
        Key(parts.map(str::to_owned).to_vec())
    }

    pub fn join(&self, part: &str) -> Key {
        let mut parts = self.0.clone();
        parts.push(part.to_owned());
        Key(parts)
    }

    pub fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            let bare =
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            match bare {
                true => write!(f, "{dot}{part}")?,
                false => write!(f, "{dot}'{part}'")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, at: Some((line, column)) } => write!(f, "{}:{line}:{column}", path.display()),
            Place::File { path, at: None } => write!(f, "{}", path.display()),
            Place::Variable(name) => write!(f, "variable {name}"),
            Place::Flag => f.write_str("command line"),
            Place::BuiltIn => f.write_str("built-in default"),
            Place::Nowhere => f.write_str("nowhere in the settings"),
        }
    }
}

/// ```text
/// error: unknown key for `jobs.acme.source.graph.tennant`
///   --> /etc/rosterd/rosterd.toml:6:1
///   cure: did you mean `tenant`?
/// ```
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        // An expression's message shows the place in further lines.
        let (message, further) = self.message.split_once('\n').unwrap_or((&self.message, ""));
        write!(f, "{word}: {message}")?;
        if !self.key.0.is_empty() {
            write!(f, " for `{}`", self.key)?;
        }
        further.lines().try_for_each(|line| write!(f, "\n      {line}"))?;
        write!(f, "\n  --> {}", self.place)?;
        if !self.cure.is_empty() {
            write!(f, "\n  cure: {}", self.cure)?;
        }
        Ok(())
    }
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        match self.0.len() {
            1 => write!(f, "1 problem in the settings"),
            count => write!(f, "{count} problems in the settings"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_it_stands_in_the_file() {
        let key = Key::of(["jobs", "acme", "mapping", "users", "emails[type eq \"work\"].value"]);
        assert_eq!(key.to_string(), "jobs.acme.mapping.users.'emails[type eq \"work\"].value'");
    }
}
