//! By which ids a service knows the questions of the witness: what proves an answer to the service's own support.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// More requests are not remembered; the oldest go first.
const REQUESTS_MAX: usize = 2_000;
/// Ids of one answer: a list that was read a second time has many pages.
const IDS_MAX: usize = 8;
/// Longer is no id.
const ID_MAX: usize = 128;

/// What was asked, by address, and the id of the answer.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<VecDeque<(String, String)>>);

impl Ledger {
    /// A new cycle.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    pub(super) fn note(&self, address: &str, id: Option<&str>) {
        let Some(id) = id.filter(|id| !id.is_empty() && id.len() <= ID_MAX) else { return };
        let mut noted = self.lock();
        if noted.len() >= REQUESTS_MAX {
            noted.pop_front();
        }
        noted.push_back((address.to_owned(), id.to_owned()));
    }

    /// The ids of the newest requests whose address names this id of the source, in the order of asking.
    pub(super) fn about(&self, name: &str) -> Vec<String> {
        let noted = self.lock();
        let mut ids: Vec<String> = Vec::new();
        for (address, id) in noted.iter().rev() {
            if ids.len() == IDS_MAX {
                break;
            }
            if names(address, name) && !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        ids.reverse();
        ids
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, String)>> {
        // Nothing that can panic runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the id stands in the address as a whole, and not as a part of another one.
fn names(address: &str, id: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !id.is_empty()
        && address.match_indices(id).any(|(at, _)| {
            let (before, after) = (&address[..at], &address[at + id.len()..]);
            !before.ends_with(part) && !after.starts_with(part)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_by_whom_was_asked_about() {
        let ledger = Ledger::default();
        ledger.note("/users/u1?$select=id", Some("r1"));
        ledger.note("/users/u10?$select=id", Some("r2"));
        ledger.note("/users/u1/checkMemberGroups", Some("r3"));
        ledger.note("/users/u1/appRoleAssignments", None);
        ledger.note("/users/u1/appRoleAssignments", Some(""));
        assert_eq!(ledger.about("u1"), ["r1", "r3"]);
        assert_eq!(ledger.about("u10"), ["r2"]);
        assert_eq!(ledger.about("u"), Vec::<String>::new());
        assert_eq!(ledger.about(""), Vec::<String>::new());
        ledger.clear();
        assert_eq!(ledger.about("u1"), Vec::<String>::new());
    }

    #[test]
    fn a_ledger_is_bounded_and_so_is_an_answer() {
        let ledger = Ledger::default();
        (0..REQUESTS_MAX + 10).for_each(|at| ledger.note("/groups/g1/users", Some(&format!("r{at}"))));
        let last = REQUESTS_MAX + 9;
        let ids = ledger.about("g1");
        assert_eq!((ids.len(), ids.last()), (IDS_MAX, Some(&format!("r{last}"))));
        assert_eq!(ledger.lock().len(), REQUESTS_MAX);
    }
}
