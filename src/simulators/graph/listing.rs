//! One page of a listing: rows, a count where it was asked for, and the link to the next page (graph.md section 4).

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::Reply;
use super::filter::Expression;
use super::filter_match::Case;
use super::filter_match::matches;
use super::options::Options;
use super::options::Order;
use super::search::Search;

/// What kind of listing a page belongs to.
pub(super) struct Listing<'a> {
    pub(super) options: &'a Options<'a>,
    /// Keeps tokens of one listing from being used for another.
    pub(super) name: &'static str,
    /// What follows `$metadata#`.
    pub(super) context: String,
    pub(super) top: usize,
}

impl Listing<'_> {
    /// `rows` begin where the page before ended; `at` says of a row how a page that ends with it is gone on from.
    pub(super) fn page<T, C: Serialize>(
        &self,
        rows: impl Iterator<Item = T>,
        count: Option<usize>,
        at: impl Fn(&T) -> C,
        json_of: impl Fn(&T) -> Value,
    ) -> Reply {
        let view = self.options.view;
        let mut body = json!({ "@odata.context": view.context(&self.context) });
        if let Some(link) = self.options.rest(self.name)? {
            body["@odata.nextLink"] = json!(link);
            body["value"] = json!([]);
            return Ok(Answer::json(200, body));
        }
        if let Some(count) = count {
            body["@odata.count"] = json!(count);
        }
        let (page, more) = take_page(rows, self.top);
        if let (true, Some(last)) = (more, page.last()) {
            body["@odata.nextLink"] = json!(self.options.next_link(self.name, at(last)));
        }
        body["value"] = page.iter().map(json_of).collect();
        Ok(Answer::json(200, body))
    }
}

/// As many as `top`, and whether there are more.
pub(super) fn take_page<T>(rows: impl Iterator<Item = T>, top: usize) -> (Vec<T>, bool) {
    let mut page: Vec<T> = rows.take(top + 1).collect();
    let more = page.len() > top;
    page.truncate(top);
    (page, more)
}

/// A page of a collection: the order of the whole is settled when it begins.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct At {
    /// Place of the next row in the order.
    pub(super) next: u32,
    /// Objects there were when it began.
    pub(super) all: u32,
}

/// What a collection of users or groups is asked for.
pub(super) struct Question {
    pub(super) filter: Option<Expression>,
    pub(super) search: Option<Search>,
    pub(super) order: Option<Order>,
    pub(super) case: Case,
}

impl Question {
    pub(super) fn admits(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> bool {
        self.filter.as_ref().is_none_or(|filter| matches(filter, self.case, value_of))
            && self.search.as_ref().is_none_or(|search| search.admits(value_of))
    }
}

/// Places and indexes of a collection from `at` on. Ordered ones are sorted anew for each page, the others walk
/// through the indexes, which never change.
pub(super) fn walk<'a>(
    at: At,
    order: Option<&Order>,
    shuffled: bool,
    admitted: impl Fn(u32) -> bool + 'a,
    value_of: impl Fn(u32, &str) -> Option<Value> + 'a,
) -> Box<dyn Iterator<Item = (u32, u32)> + 'a> {
    let Some(order) = order else {
        let walk = (at.next..at.all)
            .map(move |place| (place, if shuffled { shuffle(place, at.all) } else { place }));
        return Box::new(walk.filter(move |&(_, index)| admitted(index)));
    };
    let key = |index: u32| match value_of(index, &order.property) {
        Some(Value::String(text)) => text.to_lowercase(),
        _ => String::new(),
    };
    let mut rows: Vec<(String, u32)> =
        (0..at.all).filter(|&index| admitted(index)).map(|index| (key(index), index)).collect();
    rows.sort();
    if order.descending {
        rows.reverse();
    }
    let indexes = rows.into_iter().map(|(_, index)| index).enumerate();
    Box::new(indexes.map(|(place, index)| (place as u32, index)).skip(at.next as usize))
}

/// Another place for each of `all` places, always the same.
pub(super) fn shuffle(place: u32, all: u32) -> u32 {
    // Steps that have no factor in common with `all` reach every place; one of three large primes always does for
    // any number below their product.
    const STEPS: [u64; 3] = [7919, 104_729, 15_485_863];
    let all = u64::from(all).max(1);
    let step = STEPS.into_iter().find(|step| !all.is_multiple_of(*step)).unwrap_or(1);
    ((u64::from(place) * step + all / 3) % all) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_reaches_every_place_once() {
        for all in [1, 2, 10, 7919, 10_000] {
            let mut places: Vec<u32> = (0..all).map(|place| shuffle(place, all)).collect();
            places.sort_unstable();
            assert!(places.into_iter().eq(0..all), "{all}");
        }
    }
}
