//! What the two delta feeds share: options, tokens, links (graph.md sections 6.1 and 6.5).

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
use super::options::Options;

/// Objects on a page where the client asks for nothing (graph.md section 6.1).
const PAGE_DEFAULT: usize = 200;
/// Links on a page where the client asks for nothing.
const LINKS_DEFAULT: usize = 500;
/// The largest page that `odata.maxpagesize` can ask for, and what it does to links.
const PAGE_MAX: usize = 999;
const LINKS_PER_OBJECT: usize = 5;
const LINKS_MAX: usize = 5000;

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
    issued: Timestamp,
}

/// One round, and `$skiptoken`: where in the round the next page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Round {
    pub(super) wish: Wish,
    /// Entries that the client knew before; `None` in a first round.
    pub(super) since: Option<usize>,
    /// The round covers the log up to here; what comes later belongs to the next one.
    pub(super) upto: usize,
    /// The object that the page begins with, by its place in the round.
    pub(super) at: u32,
    /// The last link of that object that was shown.
    pub(super) after: Option<Principal>,
}

/// How a request goes on.
pub(super) enum Start {
    Page(Round),
    /// `$deltatoken=latest`: no items, only a link for later.
    Latest(Wish),
}

/// Reads the request of one feed (`users` or `groups`); `tables` hold the properties that may be selected.
pub(super) fn start(view: &View, kind: &str, feed: &str, tables: &[&[&str]]) -> Result<Start, Answer> {
    let request = view.request;
    let options = Options::of(request, &["$select", "$filter", "$deltatoken", "$skiptoken"])?;
    let token = request.query("$deltatoken").filter(|token| !token.is_empty());
    let later = token.is_some_and(|token| token != "latest") || request.query("$skiptoken").is_some();
    if later && request.query.len() > 1 {
        return Err(errors::bad_request("Query options cannot be used together with a delta token."));
    }
    if let Some(round) = options.cursor::<Round>(&format!("{feed} round"))? {
        return Ok(Start::Page(round));
    }
    if let Some(token) = token.filter(|_| later) {
        let known: Known = open(&format!("{feed} delta"), token)
            .ok_or_else(|| errors::bad_request("Badly formed token."))?;
        let age = view.now.duration_since(known.issued);
        if age.as_hours() >= 24 * view.knobs.delta_token_days {
            return Err(errors::expired_delta(request, 400));
        }
        return Ok(Start::Page(round(view, known.wish, Some(known.seen))));
    }
    let select = options.select(kind, tables)?;
    let ids = request.query("$filter").map(filter::delta_ids).transpose()?;
    let wish = Wish { select, ids };
    Ok(match token {
        Some(_) => Start::Latest(wish),
        None => Start::Page(round(view, wish, None)),
    })
}

fn round(view: &View, wish: Wish, since: Option<usize>) -> Round {
    Round { wish, since, upto: view.directory.log.len(), at: 0, after: None }
}

/// Objects and links that a page may hold.
pub(super) fn page_size(request: &Request) -> (usize, usize) {
    let wanted = preferences(request)
        .find_map(|preference| preference.strip_prefix("odata.maxpagesize=").map(str::to_owned))
        .and_then(|number| number.parse::<usize>().ok());
    match wanted {
        None => (PAGE_DEFAULT, LINKS_DEFAULT),
        Some(wanted) => {
            let objects = wanted.clamp(1, PAGE_MAX);
            let links = match objects > PAGE_DEFAULT {
                true => (LINKS_PER_OBJECT * objects).min(LINKS_MAX),
                false => LINKS_DEFAULT.min(LINKS_PER_OBJECT * objects),
            };
            (objects, links)
        }
    }
}

/// `Prefer: return=minimal` shows changed properties only.
pub(super) fn is_minimal(request: &Request) -> bool {
    preferences(request).any(|preference| preference == "return=minimal")
}

fn preferences(request: &Request) -> impl Iterator<Item = String> {
    let headers = request.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    headers
        .flat_map(|text| text.split(',').map(|part| part.trim().to_lowercase()))
        .collect::<Vec<_>>()
        .into_iter()
}

/// The body of a page that is followed by another one.
pub(super) fn body_with_next(view: &View, feed: &str, round: &Round, items: Vec<Value>) -> Value {
    let token = seal(&format!("{feed} round"), round);
    let link = format!("{}/v1.0/{feed}/delta?$skiptoken={token}", view.request.base);
    json!({ "@odata.context": view.context(feed), "@odata.nextLink": link, "value": items })
}

/// The body of the last page, with the link for the next round.
pub(super) fn body_with_delta(view: &View, feed: &str, wish: &Wish, seen: usize, items: Vec<Value>) -> Value {
    let known = Known { wish: wish.clone(), seen, issued: view.now };
    let token = seal(&format!("{feed} delta"), &known);
    let link = format!("{}/v1.0/{feed}/delta?$deltatoken={token}", view.request.base);
    json!({ "@odata.context": view.context(feed), "@odata.deltaLink": link, "value": items })
}
