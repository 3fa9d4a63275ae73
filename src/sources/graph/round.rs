//! What a running read remembers between its pages.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;

use serde_json::Value;

use super::place::Place;
use crate::model::Record;
use crate::model::Standing;
use crate::sources::SourceError;

/// Reads that may be under way at once: a few cycles of some streams. The oldest are forgotten.
const ROUNDS_MAX: usize = 256;

/// Pages of one read: 10 million users at the 200 of a delta page. A feed that goes on longer does not end.
const PAGES_MAX: u32 = 50_000;

/// Replays and repeated items may bring a page again (graph.md 6.4 rule 1); more often, the round goes in a circle.
const SAME_PAGE_MAX: u8 = 5;

/// Ids in the recycle bin that a watermark remembers; who is beyond is found by a verify cycle when restored.
const GONE_MAX: usize = 5_000;

/// Letters of an id that are remembered: of a GUID they are as good as random, and a mistake costs one request.
const BEGINNING: usize = 8;

/// What the feed said of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Something changed; what, is asked.
    Changed,
    Removed(Standing),
}

#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) pages: u32,
    /// How often a page with these records came.
    met: BTreeMap<u64, u8>,
    /// What is read of groups; a watermark holds for it alone.
    pub(super) group_select: String,
    /// Users whom the feed named, each with the last that it said (graph.md 6.4 rule 1).
    pub(super) heard: BTreeMap<String, Heard>,
    /// Groups that have to be asked for one by one.
    pub(super) asked: BTreeSet<String>,
    /// Groups of the stream that the feed showed, in lower case.
    pub(super) shown: BTreeSet<String>,
    /// Groups that somebody named: they are assigned, on a list, or members of a group.
    pub(super) named: BTreeSet<String>,
    /// Groups whose members have to be listed, one read each.
    pub(super) unlisted: BTreeSet<String>,
    /// Next links of a list that is read in several parts.
    pub(super) links: Vec<String>,
    /// Roles of principals that hold other than default access, met so far.
    pub(super) roles: BTreeMap<String, BTreeSet<String>>,
    /// What the roles of the application are called, by their ids; `None` where nobody asks.
    pub(super) role_names: Option<BTreeMap<String, Value>>,
    /// Rows that could not be taken: without an id, or without the names that a permission would show.
    pub(super) left_out: u64,
    /// Members and assignments that are neither people nor groups.
    pub(super) other_kinds: u64,
    /// Changed objects that were gone when they were asked for, and are not in the recycle bin.
    pub(super) vanished: u64,
    /// Objects that Graph could not give; the watermark stays, so that they come again.
    pub(super) missed: u64,
    /// Returned users whose groups could not be read.
    pub(super) unplaced: u64,
    /// Users that the list showed.
    pub(super) listed: u64,
    /// Members were shown.
    pub(super) peopled: bool,
    /// Groups with hidden membership that showed no member.
    pub(super) hidden: BTreeSet<String>,
    /// Groups of the stream of which nothing is known.
    pub(super) unknown: BTreeSet<String>,
    gone_before: BTreeSet<String>,
    gone: BTreeSet<String>,
}

impl Round {
    pub(super) fn new(gone: BTreeSet<String>) -> Round {
        Round { gone_before: gone.clone(), gone, ..Round::default() }
    }

    /// The same round from its beginning. What was learnt about the scope stays learnt.
    pub(super) fn anew(&mut self) -> Round {
        Round { named: std::mem::take(&mut self.named), ..Round::new(self.gone_before.clone()) }
    }

    /// Who is in the recycle bin now, for the watermark.
    pub(super) fn gone(&self) -> BTreeSet<String> {
        self.gone.iter().take(GONE_MAX).cloned().collect()
    }

    pub(super) fn went(&mut self, id: &str, standing: Standing) {
        match standing {
            Standing::SoftDeleted => self.gone.insert(beginning(id)),
            _ => self.gone.remove(&beginning(id)),
        };
    }

    /// Whether the object may have been in the recycle bin before.
    pub(super) fn is_back(&self, id: &str) -> bool {
        self.gone_before.contains(&beginning(id))
    }

    pub(super) fn came_back(&mut self, id: &str) {
        self.gone.remove(&beginning(id));
    }

    /// A round that shows the same page again and again begins anew behind its tokens, and never ends (graph.md
    /// 6.7, contrib 7311).
    pub(super) fn meet(&mut self, read: &str, records: &[Record]) -> Result<(), SourceError> {
        if records.is_empty() {
            return Ok(());
        }
        let times = self.met.entry(fingerprint(records)).or_default();
        *times = times.saturating_add(1);
        if *times <= SAME_PAGE_MAX {
            return Ok(());
        }
        let what = format!("the pages of `{read}` turn in a circle; nothing was taken from it");
        Err(SourceError::Unavailable { what })
    }

    pub(super) fn count_page(&mut self, read: &str) -> Result<(), SourceError> {
        self.pages += 1;
        if self.pages <= PAGES_MAX {
            return Ok(());
        }
        let what = format!("`{read}` does not end after {PAGES_MAX} pages; nothing was taken from it");
        Err(SourceError::Unavailable { what })
    }
}

/// 64 bits of who and what stands on a page; values do not count.
fn fingerprint(records: &[Record]) -> u64 {
    let mut hash = blake3::Hasher::new();
    for record in records {
        // Ids alone (P11).
        let (mark, container, id) = match record {
            Record::Object(object) => ("o", "", &object.id),
            Record::Removed { id, .. } => ("r", "", id),
            Record::Edge { container, principal, .. } => ("e", container.id().0.as_str(), principal),
            Record::EdgeRemoved { container, principal, .. } => ("g", container.id().0.as_str(), principal),
            Record::EdgeUnclear { container, principal, .. } => ("u", container.id().0.as_str(), principal),
            Record::NotFound { id, .. } => ("n", "", id),
        };
        for text in [mark, container, &id.0, "\0"] {
            hash.update(text.as_bytes());
            hash.update(b"\0");
        }
    }
    let bytes = *hash.finalize().as_bytes();
    bytes.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

fn beginning(id: &str) -> String {
    id.chars().take(BEGINNING).collect::<String>().to_lowercase()
}

/// The reads under way.
#[derive(Default)]
pub(super) struct Rounds(Mutex<BTreeMap<u64, Round>>);

impl Rounds {
    /// What is known of the read.
    pub(super) fn take(&self, place: &Place) -> Result<Round, SourceError> {
        let mut rounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match rounds.remove(&place.round) {
            Some(round) => Ok(round),
            None if place.is_beginning() => Ok(Round::default()),
            None => Err(SourceError::Unavailable {
                what: "this read was begun by another run; it has to begin again".to_owned(),
            }),
        }
    }

    pub(super) fn keep(&self, number: u64, round: Round) {
        let mut rounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rounds.insert(number, round);
        while rounds.len() > ROUNDS_MAX {
            rounds.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_began_elsewhere_is_not_continued() {
        let rounds = Rounds::default();
        let begun = Place { round: 1, ..Place::default() };
        assert!(rounds.take(&begun).is_ok());
        assert!(rounds.take(&begun.at("n".to_owned())).is_err());
        rounds.keep(1, Round::default());
        assert!(rounds.take(&begun.at("n".to_owned())).is_ok());
    }

    #[test]
    fn who_went_to_the_recycle_bin_is_remembered_until_they_are_back_or_gone_for_good() {
        let mut round = Round::default();
        round.went("87D349ED-44d7", Standing::SoftDeleted);
        round.went("11111111-44d7", Standing::SoftDeleted);
        round.went("11111111-44d7", Standing::Gone);
        assert!(!round.is_back("87d349ed-44d7"), "not before the next round");
        let mut later = Round::new(round.gone());
        assert!(later.is_back("87d349ed-44d7") && !later.is_back("11111111-44d7"));
        later.came_back("87d349ed-44d7");
        assert!(later.gone().is_empty());
        assert!(later.anew().is_back("87d349ed-44d7"), "a round that begins again knows what it knew");
    }

    #[test]
    fn a_feed_that_does_not_end_is_ended() {
        let mut round = Round { pages: PAGES_MAX - 1, ..Round::default() };
        assert!(round.count_page("groups").is_ok());
        assert_eq!(
            round.count_page("groups").unwrap_err().to_string(),
            "`groups` does not end after 50000 pages; nothing was taken from it"
        );
    }
}
