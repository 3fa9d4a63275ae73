//! Okta's management API with an API token, as far as okta.md describes it: from a request to an answer.

mod apps;
mod call;
mod credentials;
mod errors;
mod groups;
mod knobs;
mod paging;
mod rate;
mod spoil;
mod users;

use jiff::Timestamp;

pub use credentials::API_TOKEN;
pub use credentials::OKTA_CLIENT_ID;
pub use credentials::OKTA_CLIENT_KEY;
pub use credentials::OKTA_CLIENT_KID;
pub use knobs::AppProfiles;
pub use knobs::OktaKnobs;
pub use knobs::OrgKind;
pub use knobs::PushFeature;
pub use knobs::Role;

use call::Call;

use super::directory::Directory;
use super::exchange::Answer;
use super::exchange::Content;
use super::exchange::Request;
use super::faults::Trouble;
use super::routes::Route;
use super::world::State;

/// The application that people are assigned to.
pub const OKTA_APP_ID: &str = "0oa5im0000acme000app";
/// Its label.
pub(super) const APP_LABEL: &str = "Acme Workspace";

/// An answer, or the error that stands in its place; both are sent.
type Reply = Result<Answer, Answer>;

/// What a route sees.
struct View<'a> {
    directory: &'a Directory,
    knobs: &'a OktaKnobs,
    request: &'a Request,
}

pub(super) fn respond(state: &mut State, request: &Request) -> Answer {
    let call = Call::of(request);
    let route = call.as_ref().map_or(Route::Unknown, Call::route);
    *state.counters.requests.entry(route).or_default() += 1;
    let trouble = state.faults.strike(route);
    let now = state.now();
    let allowance = rate::count(&mut state.buckets, route, state.knobs.okta.rate_limit, now);
    let answer = if allowance.exceeded {
        errors::of_status(429)
    } else {
        troubled(state, request, call.as_ref(), trouble.as_ref(), now)
    };
    finish(state, answer, &allowance)
}

fn troubled(
    state: &State,
    request: &Request,
    call: Option<&Call>,
    trouble: Option<&Trouble>,
    now: Timestamp,
) -> Answer {
    if let Some(answer) = trouble.and_then(|trouble| spoil::instead(trouble, now)) {
        return answer;
    }
    let view = View { directory: &state.directory, knobs: &state.knobs.okta, request };
    let answer = answer(&view, call).unwrap_or_else(|error| error);
    match trouble {
        Some(trouble) => spoil::afterwards(trouble, request, answer),
        None => answer,
    }
}

fn answer(view: &View, call: Option<&Call>) -> Reply {
    match view.request.header("authorization") {
        None => return Err(errors::error(403, "E0000005", "Invalid session")),
        Some(text) if text.strip_prefix("SSWS ") != Some(API_TOKEN) => return Err(errors::of_status(401)),
        Some(_) => {}
    }
    let Some(call) = call else {
        return Err(errors::error(404, "E0000008", "The requested path was not found"));
    };
    match call {
        Call::Org => apps::org(),
        Call::App(app) => apps::app(view, app),
        Call::AppUsers(app) => apps::users(view, app),
        Call::AppUser(app, user) => apps::user(view, app, user),
        Call::AppGroups(app) => apps::groups(view, app),
        Call::AppGroup(app, group) => apps::group(view, app, group),
        Call::Groups => groups::list(view),
        Call::Group(id) => groups::one(view, id),
        Call::Members(id) => groups::members(view, id),
        Call::Users => users::list(view),
        Call::User(key) => users::one(view, key),
    }
}

/// Headers that every answer has (okta.md section 1).
fn finish(state: &mut State, mut answer: Answer, allowance: &rate::Allowance) -> Answer {
    state.answered += 1;
    if let Content::Json(_) = answer.content {
        answer.headers.push(("Content-Type", "application/json".to_owned()));
    }
    // A fault's 429 has brought its own.
    if !answer.headers.iter().any(|(name, _)| *name == "x-rate-limit-reset") {
        answer =
            allowance.headers().into_iter().fold(answer, |answer, (name, value)| answer.with(name, value));
    }
    answer
        .with("x-okta-request-id", format!("simulated{:023x}", state.answered))
        .with("cache-control", "no-cache, no-store")
        .with("pragma", "no-cache")
        .with("expires", "0")
}

/// Second resolution, milliseconds always `.000` (okta.md section 1).
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
