//! Where a read is: its cursor, and the watermark that it goes from or leaves.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::model::Cursor;
use crate::sources::SourceError;

/// Where within a read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    /// The delta feed, or the delta link of now.
    #[default]
    Feed,
    /// The recycle bin.
    Bin,
    /// The list.
    List,
    /// What the feed or the list could not show whole.
    Rest,
}

/// The cursor, decoded. It holds no counts, so that two equal ones always mean a circle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Names what is remembered of this read.
    pub(super) round: u64,
    /// Names what is known of the run that it belongs to.
    pub(super) session: u64,
    /// Times that the read began again because Graph lost its place.
    pub(super) again: u8,
    #[serde(default)]
    pub(super) step: Step,
    /// The stored delta link from which the round goes; `None` reads everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// The delta link that the read will leave as its watermark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    /// The next page; `None` at the beginning of a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
    /// The last id of the step `Rest` that is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
    /// Cycles in a row that the watermark stayed where it is, for something that Graph named and did not give.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) tries: u8,
    /// The groups of a stream; empty for the feed of all groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<String>,
    /// The division into streams that the stream belongs to.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) layout: u32,
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

fn is_none(number: &u32) -> bool {
    *number == 0
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

    /// The beginning of another step.
    pub(super) fn to(&self, step: Step) -> Place {
        Place { step, link: None, after: None, ..self.clone() }
    }

    /// The same read from its beginning. The delta link that was taken before a list stays good: what happened
    /// since is told again.
    pub(super) fn anew(&self) -> Place {
        let listing = self.from.is_none() && matches!(self.step, Step::Bin | Step::List);
        let place = Place { again: self.again + 1, ..self.to(if listing { Step::Bin } else { Step::Feed }) };
        if listing { place } else { Place { until: None, ..place } }
    }

    /// The same read, from nothing.
    pub(super) fn whole(&self) -> Place {
        let nothing = Place { from: None, until: None, tries: 0, ..self.to(Step::Feed) };
        Place { again: self.again + 1, ..nothing }
    }

    pub(super) fn is_beginning(&self) -> bool {
        self.link.is_none() && self.after.is_none() && self.until.is_none() && self.step == Step::Feed
    }

    pub(super) fn is_stream(&self) -> bool {
        !self.ids.is_empty()
    }
}

/// A delta link, and what it was made for: with other attributes or other groups it means another feed
/// (graph.md 6.4 rule 11).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    pub(super) link: String,
    pub(super) select: String,
    /// Who was in the recycle bin, by the beginning of the id: whoever comes back from there appears in no feed of
    /// members (graph.md 6.4 rule 8).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) gone: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) tries: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<String>,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) layout: u32,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let place =
            Place { round: 3, session: 1, from: Some("d".to_owned()), ..Place::default() }.at("n".to_owned());
        let text = r#"{"round":3,"session":1,"again":0,"step":"feed","from":"d","link":"n"}"#;
        assert_eq!(place.cursor().0, text);
        assert_eq!(Place::decode(&place.cursor()).unwrap(), place);
        assert!(Place::decode(&Cursor("page 2".to_owned())).is_err());
    }

    #[test]
    fn the_same_page_has_the_same_cursor() {
        let place = Place { round: 1, ..Place::default() };
        assert_eq!(place.at("n".to_owned()).cursor(), place.at("n".to_owned()).cursor());
        assert_ne!(place.cursor(), place.at("n".to_owned()).cursor());
        assert_ne!(place.cursor(), place.anew().cursor());
    }

    #[test]
    fn a_list_begins_again_with_the_link_that_was_taken_before_it_and_a_round_with_its_own() {
        let until = Some("d".to_owned());
        let list = Place { step: Step::List, until: until.clone(), ..Place::default() }.at("n".to_owned());
        let again = Place { step: Step::Bin, until: until.clone(), again: 1, ..Place::default() };
        assert_eq!(list.anew(), again);
        let round = Place { from: Some("f".to_owned()), step: Step::Rest, until, ..Place::default() };
        assert_eq!(round.anew(), Place { from: Some("f".to_owned()), again: 1, ..Place::default() });
        assert_eq!(round.whole(), Place { again: 1, ..Place::default() });
    }

    #[test]
    fn a_watermark_of_another_form_is_none_and_one_of_an_older_version_counts() {
        assert_eq!(Watermark::decode("https://graph/users/delta?$deltatoken=x"), None);
        let old = Watermark::decode(r#"{"link":"l","select":"id"}"#).unwrap();
        assert_eq!(old.encode(), r#"{"link":"l","select":"id"}"#);
    }
}
