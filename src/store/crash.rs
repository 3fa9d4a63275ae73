//! Named places at which a debug build ends itself when told to, so that tests see what a crash there leaves.
//!
//! `ROSTERD_CRASH_AT=after_intent:2` ends the process when it comes to that place for the second time. A release build has
//! neither the places nor the variable: `.ci/run` looks for the name in the program.

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

/// A place where a test may end the process: nothing, in a release.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn crash_point(_: &str) {}
