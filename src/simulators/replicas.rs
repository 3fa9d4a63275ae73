//! Copies of the directory that lag behind it: what a replica or an index shows for a while after a change.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use jiff::SignedDuration;
use jiff::Timestamp;

use super::changes::Change;
use super::directory::Directory;

/// By how many seconds each copy lags. A copy is made of the same changes in the same order as the original, each
/// at its own time, so ids and the change log agree with it: the log of a copy is a beginning of the original's.
#[derive(Default)]
pub(super) struct Replicas(BTreeMap<i64, Replica>);

struct Replica {
    directory: Directory,
    /// Changes that the copy does not show yet, with the time of each.
    waiting: VecDeque<(Timestamp, Change)>,
}

impl Replicas {
    /// Keeps a copy for each of these lags, and no other. A new copy begins with the directory as it is.
    pub(super) fn keep(&mut self, lags: impl Iterator<Item = i64>, directory: &Directory) {
        let mut kept = BTreeMap::new();
        for lag in lags.filter(|&lag| lag > 0) {
            let copy = || Replica { directory: directory.copy(), waiting: VecDeque::new() };
            let replica = self.0.remove(&lag);
            kept.entry(lag).or_insert_with(|| replica.unwrap_or_else(copy));
        }
        for replica in kept.values_mut() {
            replica.directory.keeps_deleted_days = directory.keeps_deleted_days;
        }
        self.0 = kept;
    }

    /// A change was made, or was refused: a copy comes to the same end in its own time.
    pub(super) fn note(&mut self, change: &Change, now: Timestamp) {
        for replica in self.0.values_mut() {
            replica.waiting.push_back((now, change.clone()));
        }
    }

    /// Makes the changes that are due by now.
    pub(super) fn advance(&mut self, now: Timestamp) {
        for (&lag, replica) in &mut self.0 {
            let Ok(seen) = now.checked_sub(SignedDuration::from_secs(lag)) else { continue };
            while let Some((at, change)) = replica.waiting.pop_front_if(|(at, _)| *at <= seen) {
                // What the original refused is refused here as well.
                let _ = replica.directory.change(change, at);
            }
            replica.directory.purge_due(seen);
        }
    }

    /// The copy that lags by so much; `None` where nothing lags.
    pub(super) fn behind(&self, seconds: i64) -> Option<&Directory> {
        self.0.get(&seconds).map(|replica| &replica.directory)
    }
}
