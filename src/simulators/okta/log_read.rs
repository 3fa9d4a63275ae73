//! `GET /logs` (okta.md section 4): polling, in order of persistence, and bounded, in order of time.

use std::ops::Bound;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;

use super::super::exchange::Answer;
use super::super::exchange::open;
use super::super::exchange::seal;
use super::super::faults::Trouble;
use super::Reply;
use super::View;
use super::errors;
use super::filter::Filter;
use super::filter::FilterError;
use super::filter::Grammar;
use super::log::Entry;
use super::log_show;
use super::paging::link;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;
/// Days that entries are kept, that a request may look back, and that it does without `since`.
const RETENTION: i64 = 90;
const LOOK_BACK_MAX: i64 = 180;
const LOOK_BACK: i64 = 7;
const TERMS_MAX: usize = 10;
const TERM_MAX: usize = 40;
/// Entries that one request looks at: the time limit of a query, in another unit.
const SCAN_MAX: usize = 200_000;

const GRAMMAR: Grammar = Grammar { admits, is_date: |_| false, exact: true, with_not: true };

/// Not on `published`; `co` not on addresses; nothing on the sides of a change.
fn admits(property: &str, operator: &str) -> bool {
    let address = matches!(property, "debugContext.debugData.url" | "debugContext.debugData.requestUri");
    let side = property.contains("changeDetails.from") || property.contains("changeDetails.to");
    property != "published" && !side && !(address && operator == "co")
}

/// What is asked for.
struct Query {
    since: Timestamp,
    /// Bounded where there is one.
    until: Option<Timestamp>,
    descending: bool,
    limit: usize,
    filter: Option<Filter>,
    terms: Vec<String>,
    after: Option<Cursor>,
}

/// The last entry that was looked at (by persistence, or by time in bounded mode), and where it all began.
type Cursor = (Option<(Timestamp, u64)>, Timestamp);

pub(super) fn read(view: &View) -> Reply {
    let query = Query::of(view)?;
    match query.until {
        None => Ok(poll(view, &query)),
        Some(until) => Ok(bounded(view, &query, until)),
    }
}

impl Query {
    fn of(view: &View) -> Result<Query, Answer> {
        let request = view.request;
        let allowed = ["since", "until", "after", "filter", "q", "limit", "sortOrder"];
        if let Some((name, _)) = request.query.iter().find(|(name, _)| !allowed.contains(&name.as_str())) {
            return Err(not_valid(name));
        }
        let after = request.query("after").map(|text| cursor(view, text)).transpose()?;
        if after.is_some() && request.query("since").is_some() {
            return Err(invalid("The since and after parameters are mutually exclusive."));
        }
        let (since, until) = span(view, after.as_ref())?;
        let descending = match request.query("sortOrder").map(str::to_uppercase).as_deref() {
            None | Some("ASCENDING") => false,
            Some("DESCENDING") => true,
            Some(_) => return Err(not_valid("sortOrder")),
        };
        Ok(Query {
            since,
            // Backwards there is nothing to wait for.
            until: until.or(descending.then_some(view.now)),
            descending,
            limit: limit(view)?,
            filter: request.query("filter").map(filter).transpose()?,
            terms: terms(request.query("q").unwrap_or_default())?,
            after,
        })
    }

    fn wants(&self, view: &View, entry: &Entry) -> bool {
        let kept = view.now.duration_since(entry.at) <= SignedDuration::from_hours(24 * RETENTION);
        if !kept || entry.at < self.since {
            return false;
        }
        if self.filter.is_none() && self.terms.is_empty() {
            return true;
        }
        let shown = log_show::event(view, entry);
        let fits = |filter: &Filter| filter.admits(&|path| log_show::values(&shown, path));
        let text = shown.to_string().to_lowercase();
        self.filter.as_ref().is_none_or(fits) && self.terms.iter().all(|term| text.contains(term))
    }
}

fn invalid(what: &str) -> Answer {
    errors::of_log(400, "E0000053", &format!("Invalid parameter: {what}"))
}

fn not_valid(field: &str) -> Answer {
    errors::of_log(400, "E0000053", &format!("field is not valid: {field}"))
}

fn cursor(view: &View, text: &str) -> Result<Cursor, Answer> {
    let known = open("logs", text).filter(|_| view.trouble != Some(&Trouble::ExpireCursor));
    known.ok_or_else(|| invalid("The after parameter is not a cursor of this log."))
}

fn span(view: &View, after: Option<&Cursor>) -> Result<(Timestamp, Option<Timestamp>), Answer> {
    let date = |name: &str| view.request.query(name).map(|text| date(name, text)).transpose();
    let until = date("until")?;
    let since = match (after, date("since")?) {
        (Some((_, since)), _) => *since,
        (None, Some(since)) => since,
        (None, None) => back(until.unwrap_or(view.now), LOOK_BACK),
    };
    if after.is_none() && since < back(view.now, LOOK_BACK_MAX) {
        return Err(invalid("The since parameter is over 180 days prior to the current day."));
    }
    match until {
        Some(until) if until < since => Err(invalid("The until parameter is before the since parameter.")),
        _ => Ok((since, until)),
    }
}

fn back(from: Timestamp, days: i64) -> Timestamp {
    from.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN)
}

fn date(name: &str, text: &str) -> Result<Timestamp, Answer> {
    text.parse().map_err(|_| {
        let cause = format!("{name}: The date format in your query is not recognized.");
        errors::caused(400, "E0000001", &format!("Api validation failed: {name}"), &[&cause])
    })
}

fn limit(view: &View) -> Result<usize, Answer> {
    match view.request.query("limit").map(str::parse::<usize>) {
        None => Ok(LIMIT_DEFAULT),
        Some(Ok(limit)) if limit <= LIMIT_MAX => Ok(limit),
        Some(Ok(_)) if !view.knobs.refuse_high_limit => Ok(LIMIT_MAX),
        Some(_) => Err(invalid("The limit parameter is not between 0 and 1000.")),
    }
}

fn filter(text: &str) -> Result<Filter, Answer> {
    Filter::parse(text, &GRAMMAR).map_err(|error| match error {
        FilterError::Unsupported if text.contains("published") => not_valid("published"),
        FilterError::Unsupported => errors::of_log(400, "E0000031", "Invalid search criteria."),
        _ => errors::of_log(400, "E0000053", &format!("Invalid filter '{text}'.")),
    })
}

fn terms(text: &str) -> Result<Vec<String>, Answer> {
    let terms: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let too_long = terms.len() > TERMS_MAX || terms.iter().any(|term| term.chars().count() > TERM_MAX);
    if too_long {
        Err(invalid("The q parameter has more than 10 terms, or one of more than 40 characters."))
    } else {
        Ok(terms)
    }
}

/// Everything that was persisted since; the next link is always there, and stays good.
fn poll(view: &View, query: &Query) -> Answer {
    let (last, since) = query.after.unwrap_or((None, query.since));
    let from = last.map_or(Bound::Unbounded, Bound::Excluded);
    let persisted = Bound::Included((view.now, u64::MAX));
    let (mut page, mut reached) = (Vec::new(), last);
    let room = if view.trouble == Some(&Trouble::EmptyPage) { 0 } else { query.limit };
    // A clock that was set back has seen the later ones already.
    let range = if last.is_some_and(|(at, _)| at > view.now) { None } else { Some((from, persisted)) };
    for (key, entry) in
        range.into_iter().flat_map(|range| view.directory.org.log.entries.range(range)).take(SCAN_MAX)
    {
        if page.len() == room {
            break;
        }
        reached = Some(*key);
        if query.wants(view, entry) {
            page.push(log_show::event(view, entry));
        }
    }
    answer(view, page, Some(seal("logs", &(reached, since))))
}

/// Sorted by `published`, finite; what is persisted later can be missed for good.
fn bounded(view: &View, query: &Query, until: Timestamp) -> Answer {
    let persisted = view.directory.org.log.entries.range(..=(view.now, u64::MAX));
    let mut entries: Vec<&Entry> = persisted
        .map(|(_, entry)| entry)
        .filter(|entry| entry.at <= until && query.wants(view, entry))
        .collect();
    entries.sort_by_key(|entry| (entry.at, entry.number));
    if query.descending {
        entries.reverse();
    }
    let last = query.after.and_then(|(last, _)| last);
    let from = last.and_then(|last| entries.iter().position(|entry| (entry.at, entry.number) == last));
    let rest = &entries[from.map_or(0, |place| place + 1)..];
    let page: Vec<&&Entry> = rest.iter().take(query.limit).collect();
    let more = rest.len() > page.len();
    let next = page
        .last()
        .filter(|_| more)
        .map(|entry| seal("logs", &(Some((entry.at, entry.number)), query.since)));
    answer(view, page.iter().map(|entry| log_show::event(view, entry)).collect(), next)
}

fn answer(view: &View, page: Vec<Value>, next: Option<String>) -> Answer {
    let own = |after: Option<&str>| {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        let kept = view
            .request
            .query
            .iter()
            .filter(|(name, _)| after.is_none() || !matches!(name.as_str(), "since" | "after"));
        kept.for_each(|(name, value)| _ = text.append_pair(name, value));
        if let Some(after) = after {
            text.append_pair("after", after);
        }
        text.finish()
    };
    let answer = Answer::json(200, Value::from(page)).with("link", link(view.request, "self", &own(None)));
    match next {
        Some(cursor) => answer.with("link", link(view.request, "next", &own(Some(&cursor)))),
        None => answer,
    }
}
