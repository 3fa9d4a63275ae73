//! What the reads of one run know together: which groups were named, and which streams follow them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::streams;
use super::streams::GROUPS;
use super::streams::Opening;
use super::streams::Streams;

/// Runs that may be under way at once. The oldest are forgotten.
const SESSIONS_MAX: usize = 32;

/// One call of `Source::reads`, and what comes of it.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Nothing was ever read: what is refused is a mistake of the set-up, not a permission that was lost.
    pub(super) first: bool,
    /// Reads that may still name groups.
    pub(super) naming: BTreeSet<String>,
    /// Groups that the scope names by their ids, and those that were found.
    pub(super) named: BTreeSet<String>,
    pub(super) streams: Streams,
}

impl Session {
    /// The reads of groups that can begin once this one has ended.
    fn ended(&mut self, read: &str, named: &BTreeSet<String>) -> Vec<Opening> {
        if self.naming.remove(read) {
            self.named.extend(named.iter().cloned());
            return if self.naming.is_empty() { self.streams.plan(&self.named) } else { Vec::new() };
        }
        let shows_members = streams::is_stream(read) || read.starts_with(super::MEMBERS);
        if shows_members && read != GROUPS { self.streams.more(named) } else { Vec::new() }
    }
}

/// The runs under way.
#[derive(Default)]
pub(super) struct Sessions(Mutex<BTreeMap<u64, Session>>);

impl Sessions {
    pub(super) fn begin(&self, number: u64, session: Session) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(number, session);
        while sessions.len() > SESSIONS_MAX {
            sessions.pop_first();
        }
    }

    pub(super) fn ended(&self, number: u64, read: &str, named: &BTreeSet<String>) -> Vec<Opening> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get_mut(&number).map(|session| session.ended(read, named)).unwrap_or_default()
    }

    /// A run that is forgotten counts as a first one: what is refused ends it.
    pub(super) fn is_first(&self, number: u64) -> bool {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(&number).is_none_or(|session| session.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Watermarks;

    #[test]
    fn groups_are_read_when_everything_that_names_them_has_ended() {
        let streams = Streams::new(&Watermarks::new(), false, true, |_| true);
        let naming = ["assignments:a", "assignments:b"].map(str::to_owned).into();
        let mut session = Session { naming, streams, ..Session::default() };
        let of = |id: &str| BTreeSet::from([id.to_owned()]);
        assert!(session.ended("assignments:a", &of("g1")).is_empty());
        assert!(session.ended("users", &BTreeSet::new()).is_empty());
        let openings = session.ended("assignments:b", &of("g2"));
        assert_eq!(openings.len(), 1);
        assert_eq!(openings[0].ids, ["g1", "g2"]);
        assert_eq!(session.ended("groups:1", &of("g3"))[0].ids, ["g3"]);
        assert!(session.ended("members:g1", &of("g3")).is_empty());
    }
}
