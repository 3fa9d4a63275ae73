//! Seams of tests, in debug builds alone: places at which the process ends, and a state that may not grow.
//!
//! `ROSTERD_CRASH_AT=after_intent:2` ends the process when it comes to that place for the second time.
//! `ROSTERD_PAGES_MAX=200` lets the state have so many pages and no more, as a full disk would. A release build has neither:
//! `.ci/run` looks for the names in the program.

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering;

    /// The place, and how often it is passed before.
    static AT: LazyLock<Option<(String, AtomicU64)>> = LazyLock::new(|| {
        let told = std::env::var("ROSTERD_CRASH_AT").ok()?;
        let (place, nth) = told.split_once(':')?;
        Some((place.to_owned(), AtomicU64::new(nth.parse().ok()?)))
    });

    pub fn pages_max() -> Option<u32> {
        std::env::var("ROSTERD_PAGES_MAX").ok()?.parse().ok()
    }

    pub fn pass(place: &str) {
        let Some((meant, left)) = AT.as_ref() else { return };
        if meant == place && left.fetch_sub(1, Ordering::Relaxed) == 1 {
            // As with kill -9: no destructor runs, nothing is written out.
            std::process::abort();
        }
    }
}

/// A place where a test may end the process.
#[cfg(debug_assertions)]
pub fn crash_point(place: &str) {
    armed::pass(place);
}

/// How many pages the state may have, where a test says so.
#[cfg(debug_assertions)]
pub(super) fn pages_max() -> Option<u32> {
    armed::pages_max()
}

/// How many pages the state may have: as many as the disk has, in a release.
#[cfg(not(debug_assertions))]
pub(super) fn pages_max() -> Option<u32> {
    None
}

/// A place where a test may end the process: nothing, in a release.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn crash_point(_: &str) {}
