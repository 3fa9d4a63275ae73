//! Which delta streams follow the groups that a scope names (graph.md 6.6 R3).
//!
//! A stream is `groups/delta` of at most fifty ids. Which ids a stream has is in its watermark, and never changes:
//! a group that is named for the first time goes into a new stream, so that no other one starts over. A full read
//! divides all ids anew, under a new number of the layout; watermarks of an older layout are dead. Where ten streams
//! would not do, the feed of all groups is read instead.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::place::Watermark;
use crate::model::Watermarks;

/// What the read of all groups is called; a stream has its number behind it.
pub(super) const GROUPS: &str = "groups";
const STREAM: &str = "groups:";

/// Graph's own limit for ids in a delta filter.
pub(super) const IDS_MAX: usize = 50;

/// Beyond so many streams one unfiltered feed is cheaper, and kinder.
const STREAMS_MAX: usize = 10;

/// A read of groups that is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) name: String,
    pub(super) ids: Vec<String>,
    pub(super) layout: u32,
    /// `None` reads everything.
    pub(super) from: Option<Watermark>,
}

#[derive(Debug, Default)]
pub(super) struct Streams {
    layout: u32,
    next: u32,
    live: BTreeMap<u32, Watermark>,
    /// The watermark of the feed of all groups.
    whole: Option<Watermark>,
    /// Ids that some stream follows, in lower case.
    followed: BTreeSet<String>,
    /// Members of members count: what is followed stays followed.
    nested: bool,
    unfiltered: bool,
}

/// Whether the name is one of a stream.
pub(super) fn is_stream(name: &str) -> bool {
    name.starts_with(STREAM)
}

impl Streams {
    /// What the watermarks know. `usable` says whether a watermark is for what is read now.
    pub(super) fn new(
        watermarks: &Watermarks,
        full: bool,
        nested: bool,
        usable: impl Fn(&Watermark) -> bool,
    ) -> Streams {
        let mut known: BTreeMap<u32, Watermark> = BTreeMap::new();
        for (name, text) in watermarks {
            let number = name.strip_prefix(STREAM).and_then(|number| number.parse().ok());
            if let (Some(number), Some(watermark)) = (number, Watermark::decode(text)) {
                known.insert(number, watermark);
            }
        }
        let layout = known.values().map(|watermark| watermark.layout).max().unwrap_or(0);
        known.retain(|_, watermark| watermark.layout == layout && usable(watermark));
        let mut streams = Streams { layout: layout.max(1), nested, ..Streams::default() };
        if full {
            streams.layout = layout + 1;
            let before = known.values().filter(|_| nested).flat_map(|watermark| watermark.ids.iter());
            streams.followed = before.map(|id| id.to_lowercase()).collect();
        } else {
            let whole = watermarks.get(GROUPS).and_then(|text| Watermark::decode(text));
            streams.whole = whole.filter(|watermark| usable(watermark));
            streams.live = known;
        }
        streams.next = streams.live.keys().max().map_or(1, |number| number + 1);
        streams
    }

    /// The reads that follow these groups. Everything that names groups has been read.
    pub(super) fn plan(&mut self, named: &BTreeSet<String>) -> Vec<Opening> {
        let named: BTreeSet<String> = named.iter().map(|id| id.to_lowercase()).collect();
        let needed =
            |watermark: &Watermark| watermark.ids.iter().any(|id| named.contains(&id.to_lowercase()));
        let nested = self.nested;
        self.live.retain(|_, watermark| nested || needed(watermark));
        let before = std::mem::take(&mut self.followed);
        for watermark in self.live.values() {
            self.followed.extend(watermark.ids.iter().map(|id| id.to_lowercase()));
        }
        let new: BTreeSet<String> =
            named.union(&before).filter(|id| !self.followed.contains(*id)).cloned().collect();
        if self.live.len() + new.len().div_ceil(IDS_MAX) > STREAMS_MAX {
            return vec![self.everything()];
        }
        let mut openings: Vec<Opening> =
            self.live.iter().map(|(number, from)| opening(*number, from)).collect();
        openings.extend(self.follow(new));
        openings
    }

    /// The feed of all groups.
    pub(super) fn everything(&mut self) -> Opening {
        self.unfiltered = true;
        Opening { name: GROUPS.to_owned(), ids: Vec::new(), layout: 0, from: self.whole.take() }
    }

    /// Streams for groups that were found in other groups and are not followed yet.
    pub(super) fn more(&mut self, found: &BTreeSet<String>) -> Vec<Opening> {
        if self.unfiltered || !self.nested {
            return Vec::new();
        }
        let found = found.iter().map(|id| id.to_lowercase());
        let new: BTreeSet<String> = found.filter(|id| !self.followed.contains(id)).collect();
        self.follow(new)
    }

    fn follow(&mut self, new: BTreeSet<String>) -> Vec<Opening> {
        self.followed.extend(new.iter().cloned());
        let new: Vec<String> = new.into_iter().collect();
        let mut openings = Vec::new();
        for ids in new.chunks(IDS_MAX) {
            let name = format!("{STREAM}{}", self.next);
            openings.push(Opening { name, ids: ids.to_vec(), layout: self.layout, from: None });
            self.next += 1;
        }
        openings
    }
}

fn opening(number: u32, from: &Watermark) -> Opening {
    Opening {
        name: format!("{STREAM}{number}"),
        ids: from.ids.clone(),
        layout: from.layout,
        from: Some(from.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: std::ops::Range<usize>) -> BTreeSet<String> {
        numbers.map(|number| format!("g{number:04}")).collect()
    }

    /// What the streams leave behind when all of them end well.
    fn ended(openings: &[Opening]) -> Watermarks {
        let watermark = |opening: &Opening| Watermark {
            link: "l".to_owned(),
            ids: opening.ids.clone(),
            layout: opening.layout,
            ..Watermark::default()
        };
        openings.iter().map(|opening| (opening.name.clone(), watermark(opening).encode())).collect()
    }

    fn shown(openings: &[Opening]) -> Vec<String> {
        let how = |opening: &Opening| if opening.from.is_some() { "goes on" } else { "begins" };
        openings.iter().map(|it| format!("{} of {} {}", it.name, it.ids.len(), how(it))).collect()
    }

    fn plan(watermarks: &Watermarks, full: bool, named: &BTreeSet<String>) -> Vec<Opening> {
        Streams::new(watermarks, full, false, |_| true).plan(named)
    }

    #[test]
    fn fifty_groups_are_a_stream_and_a_new_group_leaves_the_others_alone() {
        let first = plan(&Watermarks::new(), false, &ids(0..120));
        assert_eq!(
            shown(&first),
            ["groups:1 of 50 begins", "groups:2 of 50 begins", "groups:3 of 20 begins"]
        );
        let watermarks = ended(&first);
        let quiet = plan(&watermarks, false, &ids(0..120));
        assert_eq!(
            shown(&quiet),
            ["groups:1 of 50 goes on", "groups:2 of 50 goes on", "groups:3 of 20 goes on"]
        );
        let one_more = plan(&watermarks, false, &ids(0..121));
        assert_eq!(shown(&one_more)[2..], ["groups:3 of 20 goes on", "groups:4 of 1 begins"]);
        let fewer = plan(&watermarks, false, &ids(0..40));
        assert_eq!(shown(&fewer), ["groups:1 of 50 goes on"]);
        assert!(plan(&watermarks, false, &BTreeSet::new()).is_empty());
    }

    #[test]
    fn a_full_read_divides_anew_and_buries_the_older_division() {
        let mut watermarks = ended(&plan(&Watermarks::new(), false, &ids(0..120)));
        let again = plan(&watermarks, true, &ids(0..30));
        assert_eq!(shown(&again), ["groups:1 of 30 begins"]);
        watermarks.extend(ended(&again));
        assert_eq!(watermarks.len(), 3, "nothing takes a watermark away");
        let later = plan(&watermarks, false, &ids(0..40));
        assert_eq!(shown(&later), ["groups:1 of 30 goes on", "groups:2 of 10 begins"]);
    }

    #[test]
    fn beyond_ten_streams_all_groups_are_read() {
        assert_eq!(plan(&Watermarks::new(), false, &ids(0..500)).len(), 10);
        let all = plan(&Watermarks::new(), false, &ids(0..501));
        assert_eq!(shown(&all), ["groups of 0 begins"]);
        let later = plan(&ended(&all), false, &ids(0..501));
        assert_eq!(shown(&later), ["groups of 0 goes on"]);
    }

    #[test]
    fn groups_found_in_groups_are_followed_from_then_on() {
        let mut streams = Streams::new(&Watermarks::new(), false, true, |_| true);
        let mut openings = streams.plan(&ids(0..2));
        openings.extend(streams.more(&ids(1..4)));
        assert_eq!(shown(&openings), ["groups:1 of 2 begins", "groups:2 of 2 begins"]);
        assert!(streams.more(&ids(0..4)).is_empty(), "a circle of groups ends");
        let watermarks = ended(&openings);
        let mut later = Streams::new(&watermarks, false, true, |_| true);
        assert_eq!(shown(&later.plan(&ids(0..2))), ["groups:1 of 2 goes on", "groups:2 of 2 goes on"]);
        let mut full = Streams::new(&watermarks, true, true, |_| true);
        assert_eq!(shown(&full.plan(&ids(0..2))), ["groups:1 of 4 begins"], "no level is asked for again");
    }

    #[test]
    fn ids_are_compared_without_case_and_other_feeds_do_not_count() {
        let named: BTreeSet<String> = ["ABC".to_owned(), "abc".to_owned()].into();
        let openings = plan(&Watermarks::new(), false, &named);
        assert_eq!(openings[0].ids, ["abc"]);
        let mut other = Streams::new(&ended(&openings), false, false, |_| false);
        assert_eq!(shown(&other.plan(&named)), ["groups:1 of 1 begins"]);
    }
}
