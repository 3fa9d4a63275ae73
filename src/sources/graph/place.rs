//! Where a read is: the cursor, the watermark, and what a running read remembers between its pages.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;

use serde::Deserialize;
use serde::Serialize;

use crate::model::Cursor;
use crate::sources::SourceError;

/// Reads that may be under way at once: a few cycles of a few reads. The oldest are forgotten.
const ROUNDS_MAX: usize = 32;

/// The cursor, decoded. It holds no counts, so that two equal ones always mean a circle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Names what is remembered of this read.
    pub(super) round: u64,
    /// Times that the read began again because its page token had run out.
    pub(super) again: u8,
    /// The stored delta link from which the round goes; `None` reads everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// The delta link that was taken before a list: the watermark that the list will leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    /// The next page; `None` at the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
}

impl Place {
    pub(super) fn cursor(&self) -> Cursor {
        Cursor(serde_json::to_string(self).expect("texts and numbers are always JSON"))
    }

    pub(super) fn decode(cursor: &Cursor) -> Result<Place, SourceError> {
        serde_json::from_str(&cursor.0).map_err(|_| SourceError::Malformed {
            place: "graph cursor".to_owned(),
            what: "not written by this source".to_owned(),
        })
    }

    /// The same read, one page on.
    pub(super) fn at(&self, link: String) -> Place {
        Place { link: Some(link), ..self.clone() }
    }

    fn is_beginning(&self) -> bool {
        self.link.is_none() && self.until.is_none()
    }
}

/// A delta link, and the attributes that it was made for: with other attributes it means another feed
/// (graph.md 6.4 rule 11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    pub(super) link: String,
    pub(super) select: String,
}

impl Watermark {
    pub(super) fn encode(&self) -> String {
        serde_json::to_string(self).expect("texts are always JSON")
    }

    /// `None` for one that an older or a newer version wrote: the read starts over.
    pub(super) fn decode(text: &str) -> Option<Watermark> {
        serde_json::from_str(text).ok()
    }
}

/// What a read remembers between its pages.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Roles of principals that hold other than default access, met so far.
    pub(super) roles: BTreeMap<String, BTreeSet<String>>,
    /// Rows that could not be taken: without an id, or without the names that a permission would show.
    pub(super) left_out: u64,
    /// Members and assignments that are neither people nor groups.
    pub(super) other_kinds: u64,
    /// Changed objects that were gone when they were read.
    pub(super) vanished: u64,
    /// Changed objects that Graph could not give; the watermark stays, so that they come again.
    pub(super) missed: u64,
    /// Changed users whose groups could not be read.
    pub(super) unplaced: u64,
    /// Groups with hidden membership that showed no member.
    pub(super) hidden: BTreeSet<String>,
}

/// The reads under way.
#[derive(Default)]
pub(super) struct Rounds(Mutex<BTreeMap<u64, Round>>);

impl Rounds {
    /// What is known of the read; at its beginning nothing is.
    pub(super) fn take(&self, place: &Place) -> Result<Round, SourceError> {
        let mut rounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = rounds.remove(&place.round);
        if place.is_beginning() {
            return Ok(Round::default());
        }
        known.ok_or_else(|| SourceError::Unavailable {
            what: "this read was begun by another run; it has to begin again".to_owned(),
        })
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
    fn a_cursor_comes_back_as_it_went() {
        let place = Place { round: 3, from: Some("d".to_owned()), ..Place::default() }.at("n".to_owned());
        assert_eq!(place.cursor().0, r#"{"round":3,"again":0,"from":"d","link":"n"}"#);
        assert_eq!(Place::decode(&place.cursor()).unwrap(), place);
        assert!(Place::decode(&Cursor("page 2".to_owned())).is_err());
    }

    #[test]
    fn the_same_page_has_the_same_cursor() {
        let place = Place { round: 1, ..Place::default() };
        assert_eq!(place.at("n".to_owned()).cursor(), place.at("n".to_owned()).cursor());
        assert_ne!(place.cursor(), place.at("n".to_owned()).cursor());
    }

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
    fn a_watermark_of_another_form_is_none() {
        assert_eq!(Watermark::decode("https://graph/users/delta?$deltatoken=x"), None);
    }
}
