//! Targets: a remote SCIM service or an embedded workspace.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use figment::value::Dict;
use figment::value::Value;

use super::Checker;
use crate::config::checked::ScimConfig;
use crate::config::checked::SecretPlace;
use crate::config::checked::TargetConfig;
use crate::config::checked::TargetKind;
use crate::config::problem::Key;
use crate::config::raw::OneOrMany;
use crate::config::raw::RawScim;
use crate::config::raw::RawTarget;
use crate::config::raw::RawWorkspace;
use crate::config::shape;
use crate::expr::nearest;
use crate::scim::fold;
use crate::scim::profiles::Profile;

impl Checker<'_> {
    pub(super) fn targets(&mut self, raw: &BTreeMap<String, RawTarget>) -> BTreeMap<String, TargetConfig> {
        let checked =
            raw.iter().filter_map(|(name, target)| Some((name.clone(), self.target(name, target)?)));
        checked.collect()
    }

    fn target(&mut self, name: &str, raw: &RawTarget) -> Option<TargetConfig> {
        let table = Key::of(["targets", name]);
        self.name(&table);
        let (kind, protect) = match (&raw.scim, &raw.workspace) {
            (Some(scim), None) => (
                self.scim(&table.join("scim"), scim).map(|scim| TargetKind::Scim(Box::new(scim))),
                &scim.protect,
            ),
            (None, Some(workspace)) => {
                (self.workspace(&table.join("workspace"), workspace), &workspace.protect)
            }
            (None, None) => {
                return self.error(
                    &table,
                    "the target is neither a service nor a workspace".to_owned(),
                    "add [targets.NAME.scim] with url and token, or [targets.NAME.workspace] with name",
                );
            }
            (Some(_), Some(_)) => {
                let cure = "keep one of `scim` and `workspace`; give the other a target of its own";
                return self.error(&table, "the target is two things at once".to_owned(), cure);
            }
        };
        Some(TargetConfig { name: name.to_owned(), protect: folded(protect.as_ref()), kind: kind? })
    }

    fn scim(&mut self, table: &Key, raw: &RawScim) -> Option<ScimConfig> {
        let url = self.text(&table.join("url"), raw.url.as_deref(), "the base URL of the service");
        let url = url.and_then(|text| self.url(&table.join("url"), &text));
        let tokens = self.tokens(&table.join("token"), raw.token.as_ref());
        let profile = self.profile(&table.join("profile"), raw.profile.as_deref());
        let profile = profile.and_then(|profile| {
            let mut profile = self.overridden(&table.join("capabilities"), profile, &raw.capabilities)?;
            profile.asks.seats = raw.seats;
            Some(profile)
        });
        let ca_file = raw.ca_file.as_ref().map(PathBuf::from);
        let timeout = self.timeout(&table.join("timeout"), raw.timeout.as_deref())?;
        let learned_for = self.span(&table.join("learned_for"), raw.learned_for.as_deref());
        Some(ScimConfig {
            url: url?,
            tokens: tokens?,
            profile: profile?,
            settled: keys_below("", &raw.capabilities),
            learned_for: learned_for?,
            lookup_listing_from: raw.lookup_listing_from,
            listing_max: raw.listing_max,
            whole_listing_max: raw.whole_listing_max,
            ca_file,
            timeout,
        })
    }

    fn timeout(&mut self, key: &Key, raw: Option<&str>) -> Option<Option<Duration>> {
        let timeout = self.span(key, raw)?;
        if timeout.is_some_and(|timeout| timeout < Duration::from_secs(1)) {
            return self.error(key, "shorter than a second".to_owned(), "write 1s or more");
        }
        Some(timeout)
    }

    fn tokens(&mut self, key: &Key, raw: Option<&OneOrMany>) -> Option<Vec<SecretPlace>> {
        let places = raw.map_or(&[][..], |many| &many.0);
        if places.is_empty() {
            return self.secret(key, None, "the bearer token").map(|place| vec![place]);
        }
        let read: Vec<Option<SecretPlace>> =
            places.iter().map(|place| self.secret(key, Some(place), "the bearer token")).collect();
        read.into_iter().collect()
    }

    fn profile(&mut self, key: &Key, raw: Option<&str>) -> Option<Profile> {
        let name = raw.unwrap_or("standard");
        if let Some(profile) = Profile::named(name) {
            return Some(profile);
        }
        let cure = match nearest(name, Profile::NAMES) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                format!("use one of {}; `standard` fits what follows RFC 7644", Profile::NAMES.join(", "))
            }
        };
        self.error(key, format!("there is no profile `{name}`"), &cure)
    }

    /// The profile with what the operator knows better. Every key that does not fit is told.
    fn overridden(&mut self, table: &Key, profile: Profile, by: &Dict) -> Option<Profile> {
        match shape::laid_over(self.merged, table, &profile, by) {
            Ok(laid) => Some(Profile { name: profile.name, ..laid }),
            Err(problems) => {
                self.errors.extend(problems);
                None
            }
        }
    }

    fn workspace(&mut self, table: &Key, raw: &RawWorkspace) -> Option<TargetKind> {
        let key = table.join("name");
        let name = self.text(&key, raw.name.as_deref(), "the name of the workspace")?;
        Some(TargetKind::Workspace { name })
    }
}

/// The keys of a table and of the tables in it: `members.max_per_patch`.
fn keys_below(above: &str, table: &Dict) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (name, value) in table {
        let key = format!("{above}{name}");
        match value {
            Value::Dict(_, below) => keys.extend(keys_below(&format!("{key}."), below)),
            _ => drop(keys.insert(key)),
        }
    }
    keys
}

pub(super) fn secrets(target: &TargetConfig) -> Vec<(Key, SecretPlace)> {
    let TargetKind::Scim(scim) = &target.kind else { return Vec::new() };
    let key = Key::of(["targets", &target.name, "scim", "token"]);
    scim.tokens.iter().map(|place| (key.clone(), place.clone())).collect()
}

pub(super) fn folded(protect: Option<&OneOrMany>) -> BTreeSet<String> {
    protect.map(|many| many.0.iter().map(|name| fold(name)).collect()).unwrap_or_default()
}
