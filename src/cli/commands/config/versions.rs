//! The versions of the settings that the state keeps: which, what one says, and what changed between two.

use std::collections::BTreeSet;

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::args::ConfigDiff;
use crate::cli::args::ConfigShow;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::when;
use crate::cli::wire;
use crate::config::Config;
use crate::store::SettingsVersion;
use crate::store::Store;

/// What `diff` and `versions` call the settings of today.
const TODAY: &str = "today";

pub async fn list(config: &Config) -> Result<Exit, anyhow::Error> {
    let store = wire::open_to_look(config)?;
    let today = SettingsVersion::digest_of(&config.shown);
    let versions = store.settings_versions().await?;
    let mut before: Option<&str> = None;
    for version in &versions {
        let changed = before.map_or(String::new(), |before| {
            let count = changes(before, &version.text).count();
            format!("  {count} {}", if count == 1 { "line differs" } else { "lines differ" })
        });
        let mark = if version.digest == today { "  (today's)" } else { "" };
        out::print(&format!(
            "{}  from {} to {}{changed}{mark}\n",
            version.digest,
            moment(version.first_second),
            moment(version.last_second)
        ));
        before = Some(&version.text);
    }
    if !versions.iter().any(|version| version.digest == today) {
        out::print(&format!("{today}  today's; nothing was done under it yet\n"));
    }
    Ok(Exit::Done)
}

pub async fn show(config: &Config, asked: &ConfigShow) -> Result<Exit, anyhow::Error> {
    let store = wire::open_to_look(config)?;
    let digest = match (&asked.digest, &asked.at) {
        (Some(digest), _) => digest.clone(),
        (None, Some(at)) => in_force(&store, at).await?,
        (None, None) => SettingsVersion::digest_of(&config.shown),
    };
    let version = find(config, &store, &digest).await?;
    out::print(&format!(
        "# settings {}, from {} to {}\n{}",
        version.digest,
        moment(version.first_second),
        moment(version.last_second),
        version.text
    ));
    Ok(Exit::Done)
}

pub async fn diff(config: &Config, asked: &ConfigDiff) -> Result<Exit, anyhow::Error> {
    let store = wire::open_to_look(config)?;
    let from = find(config, &store, &asked.from).await?;
    let to = find(config, &store, asked.to.as_deref().unwrap_or(TODAY)).await?;
    let changes: Vec<String> = changes(&from.text, &to.text).collect();
    if changes.is_empty() {
        out::print(&format!("{} and {} say the same\n", from.digest, to.digest));
        return Ok(Exit::Done);
    }
    out::print(&format!("--- {}\n+++ {}\n", from.digest, to.digest));
    changes.iter().for_each(|line| out::print(&format!("{line}\n")));
    Ok(Exit::Done)
}

async fn in_force(store: &Store, text: &str) -> Result<String, anyhow::Error> {
    let at = when::standing(text)
        .with_context(|| format!("`{text}` is no time; write 2026-03-02T10:00:00Z or 2026-03-02"))?;
    store.settings_at(at.as_second()).await?.with_context(|| {
        format!("no settings are known of {at}: nothing was recorded by then, or retention removed it")
    })
}

/// The version of this digest, or of its first digits.
async fn find(config: &Config, store: &Store, digest: &str) -> Result<SettingsVersion, anyhow::Error> {
    let today = SettingsVersion::digest_of(&config.shown);
    let wanted = if digest == TODAY { &today } else { digest };
    let versions = store.settings_versions().await?;
    let mut fitting: Vec<SettingsVersion> =
        versions.into_iter().filter(|version| version.digest.starts_with(wanted)).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(version), true) => Ok(version),
        (Some(_), false) => anyhow::bail!("several versions begin with `{digest}`; write more of it"),
        (None, _) if today.starts_with(wanted) => {
            let now_second = Timestamp::now().as_second();
            let (first_second, last_second) = (now_second, now_second);
            Ok(SettingsVersion { digest: today, text: config.shown.clone(), first_second, last_second })
        }
        (None, _) => anyhow::bail!(
            "no version of the settings is called `{digest}`: `rosterd config versions` shows them, and those that \
             nothing refers to any more go with log.keep"
        ),
    }
}

/// Lines that are in one of the two alone. Settings come in the order of their keys, each once: so by key.
fn changes<'a>(from: &'a str, to: &'a str) -> impl Iterator<Item = String> + 'a {
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (from.lines().collect(), to.lines().collect());
    let lines: BTreeSet<(&str, bool, &str)> = old
        .symmetric_difference(&new)
        .map(|line| (line.split(" = ").next().unwrap_or(line), new.contains(line), *line))
        .collect();
    lines.into_iter().map(|(_, is_new, line)| format!("{}{line}", if is_new { '+' } else { '-' }))
}

fn moment(second: i64) -> String {
    Timestamp::from_second(second).map(|at| at.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_stands_by_its_key_the_old_line_first() {
        let (from, to) = ("a = 1\nb = 2\nc = 3\n", "a = 1\nb = 5\nd = 4\n");
        let changes: Vec<String> = changes(from, to).collect();
        assert_eq!(changes, ["-b = 2", "+b = 5", "-c = 3", "+d = 4"]);
    }
}
