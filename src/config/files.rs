//! The settings files: which are read, and at which line and column a key stands.

use std::path::Path;
use std::path::PathBuf;

use super::problem::Key;
use super::problem::Place;
use super::problem::Problem;
use super::problem::Problems;
use super::problem::Severity;

/// Where settings are looked for when no `-c FILE` says so.
pub const USUAL: [&str; 2] = ["/etc/rosterd/rosterd.toml", "config/rosterd.toml"];
/// A settings file is written by hand; something larger is not one.
const BYTES_MAX: u64 = 1 << 20;

pub(super) struct SettingsFile {
    pub path: PathBuf,
    text: String,
    document: toml_edit::ImDocument<String>,
}

/// The main file, then `conf.d/*.toml` beside it, by name. Without a main file only variables can be
/// settings; without those either, it is an error that says where a file was looked for.
pub(super) fn read(named: Option<&Path>, has_variables: bool) -> Result<Vec<SettingsFile>, Problems> {
    let Some(main) = main_file(named) else {
        return if has_variables { Ok(Vec::new()) } else { Err(nowhere()) };
    };
    let mut files = Vec::new();
    let mut problems = Vec::new();
    let (fragments, unlisted) = fragments(&main);
    problems.extend(unlisted.map(|problem| *problem));
    for path in std::iter::once(main).chain(fragments) {
        match open(path) {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(Problems(problems)) }
}

fn main_file(named: Option<&Path>) -> Option<PathBuf> {
    match named {
        Some(path) => Some(path.to_owned()),
        None => USUAL.into_iter().map(PathBuf::from).find(|path| path.exists()),
    }
}

fn nowhere() -> Problems {
    Problems(vec![Problem {
        severity: Severity::Error,
        message: "no settings file".to_owned(),
        key: Key::default(),
        place: Place::File { path: PathBuf::from(USUAL.join(", ")), at: None },
        cure: "write one (config/rosterd.example.toml shows how), or name it with -c FILE".to_owned(),
    }])
}

/// `conf.d/*.toml`, sorted, so that a later name wins.
fn fragments(main: &Path) -> (Vec<PathBuf>, Option<Box<Problem>>) {
    let folder = main.parent().unwrap_or(Path::new("")).join("conf.d");
    if !folder.exists() {
        return (Vec::new(), None);
    }
    let listed: std::io::Result<Vec<PathBuf>> =
        std::fs::read_dir(&folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    match listed {
        Ok(mut paths) => {
            paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
            paths.sort();
            (paths, None)
        }
        Err(error) => (Vec::new(), Some(unreadable(folder, &error))),
    }
}

fn open(path: PathBuf) -> Result<SettingsFile, Box<Problem>> {
    let size = std::fs::metadata(&path).map_err(|error| unreadable(path.clone(), &error))?.len();
    if size > BYTES_MAX {
        let message = format!("{size} bytes is too large for a settings file (at most {BYTES_MAX})");
        return Err(of_file(path, message, "name the right file with -c FILE"));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(path.clone(), &error))?;
    match toml_edit::ImDocument::parse(text.clone()) {
        Ok(document) => Ok(SettingsFile { path, text, document }),
        Err(error) => Err(not_toml(path, &text, &error)),
    }
}

fn unreadable(path: PathBuf, error: &std::io::Error) -> Box<Problem> {
    let cure = match error.kind() {
        std::io::ErrorKind::NotFound => "write it, or name another one with -c FILE",
        std::io::ErrorKind::PermissionDenied => "give the user that runs rosterd the right to read it",
        _ => "",
    };
    of_file(path, format!("cannot be read ({error})"), cure)
}

fn of_file(path: PathBuf, message: String, cure: &str) -> Box<Problem> {
    Box::new(Problem {
        severity: Severity::Error,
        message,
        key: Key::default(),
        place: Place::File { path, at: None },
        cure: cure.to_owned(),
    })
}

fn not_toml(path: PathBuf, text: &str, error: &toml_edit::TomlError) -> Box<Problem> {
    Box::new(Problem {
        severity: Severity::Error,
        message: format!("not TOML ({})", error.message().trim().replace('\n', ", ")),
        key: Key::default(),
        place: Place::File { path, at: error.span().map(|span| position(text, span.start)) },
        cure: "mend the line; https://toml.io shows the form".to_owned(),
    })
}

impl SettingsFile {
    /// Line and column of the deepest part of a key that this file has; `None` where it has not the first.
    pub fn locate(&self, key: &[String]) -> Option<(usize, usize)> {
        let mut here = Here::Item(self.document.as_item());
        let mut span = None;
        for part in key {
            let Some((below, place)) = here.below(part) else { break };
            span = place.or(span);
            here = below;
        }
        span.map(|span| position(&self.text, span.start))
    }

    /// Whether this very key stands in this file.
    pub fn has(&self, key: &[String]) -> bool {
        let start = Here::Item(self.document.as_item());
        key.iter().try_fold(start, |here, part| here.below(part).map(|(below, _)| below)).is_some()
    }
}

/// A place in the document: tables are items, what stands in a list is a value.
#[derive(Clone, Copy)]
enum Here<'a> {
    Item(&'a toml_edit::Item),
    Value(&'a toml_edit::Value),
}

impl<'a> Here<'a> {
    /// The key or the place in a list below this one, and where it stands.
    fn below(self, part: &str) -> Option<(Here<'a>, Option<std::ops::Range<usize>>)> {
        let (table, list) = match self {
            Here::Item(item) => (item.as_table_like(), item.as_array()),
            Here::Value(value) => {
                (value.as_inline_table().map(|table| table as &dyn toml_edit::TableLike), value.as_array())
            }
        };
        if let Some((name, value)) = table.and_then(|table| table.get_key_value(part)) {
            return Some((Here::Item(value), name.span().or_else(|| value.span())));
        }
        let value = list?.get(part.parse().ok()?)?;
        Some((Here::Value(value), value.span()))
    }
}

/// Line and column, from 1; the column counts characters.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
