//! What the two delta feeds share: options, tokens, links, pages (graph.md sections 6.1 and 6.5).

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::super::exchange::open;
use super::super::exchange::seal;
use super::View;
use super::errors;
use super::filter;
use super::filter_rules::delta_ids;
use super::listing::shuffle;
use super::options::Options;

/// Objects on a page, and as many as `odata.maxpagesize` can ask for (section 6.1).
const PAGE_MAX: usize = 200;
/// Links on a page.
const LINKS_MAX: usize = 500;
/// A smaller page has fewer links.
const LINKS_PER_OBJECT: usize = 5;

/// What a token remembers of the first request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wish {
    pub(super) select: Option<Vec<String>>,
    /// Ids of `$filter`, in lower case.
    pub(super) ids: Option<Vec<String>>,
}

impl Wish {
    pub(super) fn wants_id(&self, id: &str) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.iter().any(|wanted| wanted == id))
    }

    /// Whether a change of that property is of interest: without `$select` any is.
    pub(super) fn wants(&self, property: &str) -> bool {
        self.select.as_ref().is_none_or(|names| names.iter().any(|name| name == property))
    }
}

/// `$deltatoken`: everything up to `seen` entries of the log is known to the client.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Known {
    wish: Wish,
    seen: usize,
    /// What was known before the last round; `None` where that was the first.
    before: Option<usize>,
    issued: Timestamp,
    generation: u32,
}

/// One round, and `$skiptoken`: where in the round the next page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Round {
    pub(super) wish: Wish,
    /// Entries that the client knew before; `None` in a first round.
    pub(super) since: Option<usize>,
    /// The round covers the log up to here; what comes later belongs to the next one.
    pub(super) upto: usize,
    /// Objects there were when it began.
    pub(super) all: u32,
    /// The object that the page begins with, by its place in the round.
    pub(super) at: u32,
    /// The last link of that object that was shown.
    pub(super) after: Option<Principal>,
    /// Pages before this one.
    page: u32,
    given: Timestamp,
    /// The page before was left empty on purpose.
    rested: bool,
    generation: u32,
}

impl Round {
    /// The index at a place of a first round.
    pub(super) fn index(&self, view: &View, place: u32) -> u32 {
        if view.knobs.shuffled_order { shuffle(place, self.all) } else { place }
    }

    pub(super) fn is_first_page(&self) -> bool {
        self.page == 0
    }
}

/// How a request goes on.
pub(super) enum Start {
    Page(Round),
    /// All there is to say: `$deltatoken=latest`, or a page that a knob leaves empty.
    Done(Answer),
}

/// One of the feeds.
pub(super) struct Feed {
    /// `users` or `groups`
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    /// Properties that may be selected.
    pub(super) tables: &'static [&'static [&'static str]],
}

/// Reads the request of one feed; `all` is how many objects there are.
pub(super) fn start(view: &View, feed: &Feed, all: u32) -> Result<Start, Answer> {
    let request = view.request;
    if view.knobs.b2c {
        let message = "Change enumeration is not supported in requested client.";
        return Err(errors::error(400, "Request_UnsupportedQuery", message));
    }
    let options = Options::of(view, &["$select", "$filter", "$deltatoken", "$skiptoken"])?;
    let token = options.value("$deltatoken").filter(|token| !token.is_empty());
    let skip = options.value("$skiptoken");
    let later = token.is_some_and(|token| token != "latest") || skip.is_some();
    if later && request.query.len() > 1 && !view.knobs.ignore_options {
        return Err(errors::bad_request("Query options cannot be used together with a delta token."));
    }
    if let Some(token) = skip {
        return next_page(view, feed, token);
    }
    if let Some(token) = token.filter(|_| later) {
        let known: Known = open(&format!("{} delta", feed.name), token)
            .ok_or_else(|| errors::bad_request("Badly formed token."))?;
        check_generation(view, known.generation)?;
        if view.now.duration_since(known.issued).as_hours() >= 24 * view.knobs.delta_token_days {
            return Err(errors::expired_delta(request, 400, "syncStateNotFound"));
        }
        let since = match (view.knobs.replay_last_round, known.before) {
            (true, Some(before)) => before,
            _ => known.seen,
        };
        // A copy that lags more than before has a shorter log.
        let since = since.min(view.directory.log.len());
        return Ok(Start::Page(round(view, known.wish, Some(since), all)));
    }
    let select = options.select(feed.kind, feed.tables)?;
    let ids = options.value("$filter").map(filter::parse).transpose()?.map(delta_ids).transpose()?;
    let first = round(view, Wish { select, ids }, None, all);
    Ok(match token {
        Some(_) => Start::Done(end(view, feed, &first, Vec::new())),
        None => Start::Page(first),
    })
}

fn next_page(view: &View, feed: &Feed, token: &str) -> Result<Start, Answer> {
    let message = "The specified page token value is not valid.";
    let mut round: Round =
        open(&format!("{} round", feed.name), token).ok_or_else(|| errors::bad_request(message))?;
    check_generation(view, round.generation)?;
    if view.now.duration_since(round.given).as_secs() >= view.knobs.page_token_seconds {
        return Err(errors::expired_page());
    }
    if view.knobs.empty_pages && !round.rested {
        round.rested = true;
        let answer = with_next(view, feed, &round, Vec::new());
        return Ok(Start::Done(answer));
    }
    Ok(Start::Page(round))
}

/// After a reset of the service no older token is good any more (section 6.5).
fn check_generation(view: &View, generation: u32) -> Result<(), Answer> {
    match generation == view.knobs.delta_generation {
        true => Ok(()),
        false => Err(errors::expired_delta(view.request, 410, &view.knobs.reset_code)),
    }
}

fn round(view: &View, wish: Wish, since: Option<usize>, all: u32) -> Round {
    Round {
        wish,
        since,
        upto: view.directory.log.len(),
        all,
        at: 0,
        after: None,
        page: 0,
        given: view.now,
        rested: false,
        generation: view.knobs.delta_generation,
    }
}

/// What a page still has room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) objects: usize,
    pub(super) links: usize,
}

impl Room {
    pub(super) fn of(view: &View) -> Room {
        let wanted = preferences(view.request)
            .find_map(|preference| preference.strip_prefix("odata.maxpagesize=").map(str::to_owned))
            .and_then(|number| number.parse::<usize>().ok());
        let asked = wanted.unwrap_or(PAGE_MAX).min(view.knobs.page_size.unwrap_or(PAGE_MAX));
        let objects = asked.clamp(1, PAGE_MAX);
        let links = view.knobs.links_per_page.unwrap_or(LINKS_PER_OBJECT * objects).clamp(1, LINKS_MAX);
        Room { objects, links }
    }
}

/// `Prefer: return=minimal` shows changed properties only.
pub(super) fn is_minimal(view: &View) -> bool {
    view.knobs.always_minimal || preferences(view.request).any(|preference| preference == "return=minimal")
}

fn preferences(request: &Request) -> impl Iterator<Item = String> {
    let headers = request.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    headers
        .flat_map(|text| text.split([',', ';']).map(|part| part.trim().to_lowercase()))
        .collect::<Vec<_>>()
        .into_iter()
}

/// The place that the next page begins at, and the last link of the object there that was shown.
pub(super) type Place = Option<(u32, Option<Principal>)>;

/// A page with its items; the last one of a round has the link for the next round.
pub(super) fn body(view: &View, feed: &Feed, round: Round, items: Vec<Value>, next: Place) -> Answer {
    let items = spoiled(view, &round, items);
    match next {
        Some((at, after)) => {
            let next = Round { at, after, page: round.page + 1, given: view.now, rested: false, ..round };
            with_next(view, feed, &next, items)
        }
        None => end(view, feed, &round, items),
    }
}

/// What knobs make of the items of a page.
fn spoiled(view: &View, round: &Round, mut items: Vec<Value>) -> Vec<Value> {
    let knobs = view.knobs;
    for properties in items.iter_mut().filter_map(Value::as_object_mut) {
        if knobs.omit_nulls {
            properties.retain(|_, value| !value.is_null());
        }
        if !round.is_first_page() {
            let forgotten = |name: &str| {
                let name = name.strip_suffix("@delta").unwrap_or(name);
                knobs.forgotten_on_later_pages.contains(name)
            };
            properties.retain(|name, _| !forgotten(name));
        }
    }
    if let (true, true, Some(first)) = (knobs.duplicate_items, round.is_first_page(), items.first().cloned())
    {
        items.push(first);
    }
    items
}

fn with_next(view: &View, feed: &Feed, round: &Round, items: Vec<Value>) -> Answer {
    let token = seal(&format!("{} round", feed.name), round);
    let link = format!("{}/v1.0/{}/delta?$skiptoken={token}", view.request.base, feed.name);
    tracked(json!({ "@odata.context": view.context(feed.name), "@odata.nextLink": link, "value": items }))
}

fn end(view: &View, feed: &Feed, round: &Round, items: Vec<Value>) -> Answer {
    let known = Known {
        wish: round.wish.clone(),
        seen: round.upto,
        before: round.since,
        issued: view.now,
        generation: view.knobs.delta_generation,
    };
    let token = seal(&format!("{} delta", feed.name), &known);
    let link = format!("{}/v1.0/{}/delta?$deltatoken={token}", view.request.base, feed.name);
    tracked(json!({ "@odata.context": view.context(feed.name), "@odata.deltaLink": link, "value": items }))
}

fn tracked(body: Value) -> Answer {
    Answer::json(200, body).with("Preference-Applied", "odata.track-changes")
}
