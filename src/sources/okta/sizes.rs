//! Page sizes that Okta can bear: a page that is too heavy is asked for in smaller ones, for the rest of the run.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use url::Url;

/// What a heavy page falls back to (500 users with their profiles have met 500 and 504; okta.md sections 3.3, 3.6).
const LIGHTER: [u16; 2] = [200, 100];

/// What each kind of listing was lowered to in this run.
#[derive(Default)]
pub(super) struct Sizes(Mutex<BTreeMap<String, u16>>);

impl Sizes {
    pub fn begin(&self) {
        self.known().clear();
    }

    /// The address with no more rows than its kind of listing could bear before.
    pub fn bearable(&self, url: Url) -> Url {
        match (self.known().get(&kind(&url)), limit(&url)) {
            (Some(known), Some(limit)) if *known < limit => with_limit(&url, *known),
            _ => url,
        }
    }

    /// The address with the next smaller size, which is remembered; none where there is no smaller one.
    pub fn lower(&self, url: &Url) -> Option<Url> {
        let limit = limit(url)?;
        let size = LIGHTER.into_iter().find(|size| *size < limit)?;
        tracing::debug!(path = url.path(), size, "the page is too heavy, asking for a smaller one");
        self.known().insert(kind(url), size);
        Some(with_limit(url, size))
    }

    /// A poisoned lock only means that somebody panicked elsewhere; numbers are whole.
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, u16>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `apps/*/users`, `groups/*/users`, `groups`: what is too heavy for one group of a size is so for the next.
fn kind(url: &Url) -> String {
    let mut parts: Vec<&str> = url.path().trim_start_matches("/api/v1/").split('/').collect();
    if let Some(id) = parts.get_mut(1) {
        *id = "*";
    }
    parts.join("/")
}

fn limit(url: &Url) -> Option<u16> {
    let (_, limit) = url.query_pairs().find(|(name, _)| name == "limit")?;
    limit.parse().ok()
}

fn with_limit(url: &Url, limit: u16) -> Url {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut url = url.clone();
    let smaller = pairs.into_iter().map(|(name, value)| {
        let value = if name == "limit" { limit.to_string() } else { value };
        (name, value)
    });
    url.query_pairs_mut().clear().extend_pairs(smaller);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse("https://acme.okta.com/api/v1/").unwrap().join(text).unwrap()
    }

    #[track_caller]
    fn check(first: &str, expected: &[&str]) {
        let sizes = Sizes::default();
        let mut at = url(first);
        for step in expected {
            at = sizes.lower(&at).expect("a smaller size");
            assert_eq!(at, url(step));
        }
        assert_eq!(sizes.lower(&at), None);
    }

    #[test]
    fn a_heavy_page_shrinks_step_by_step() {
        check(
            "apps/x/users?limit=500&expand=user&after=b%3D",
            &[
                "apps/x/users?limit=200&expand=user&after=b%3D",
                "apps/x/users?limit=100&expand=user&after=b%3D",
            ],
        );
        check("groups/g/users?limit=1000", &["groups/g/users?limit=200", "groups/g/users?limit=100"]);
        check("apps/x/groups?limit=200", &["apps/x/groups?limit=100"]);
        check("apps/x", &[]);
    }

    #[test]
    fn a_size_is_remembered_for_its_kind_of_listing_until_the_next_run() {
        let sizes = Sizes::default();
        sizes.lower(&url("groups/g/users?limit=1000"));
        assert_eq!(sizes.bearable(url("groups/h/users?limit=1000")), url("groups/h/users?limit=200"));
        assert_eq!(sizes.bearable(url("groups/h/users?limit=50")), url("groups/h/users?limit=50"));
        assert_eq!(sizes.bearable(url("apps/x/users?limit=500")), url("apps/x/users?limit=500"));
        sizes.begin();
        assert_eq!(sizes.bearable(url("groups/h/users?limit=1000")), url("groups/h/users?limit=1000"));
    }
}
