//! Okta's management API as okta.md describes it: from a request to an answer.
//!
//! Everything is read from the directory and its `Org`; the one thing that clients may change is a group push mapping.

mod apps;
mod call;
mod changes;
mod credentials;
mod dpop;
mod errors;
mod filter;
mod gate;
mod groups;
mod knobs;
mod log;
mod log_read;
mod log_show;
mod meta;
mod oddities;
mod org;
mod org_changes;
mod paging;
mod push;
mod rate;
mod record;
mod rows;
mod spoil;
mod token;
mod user_object;
mod users;
mod view;

pub use changes::AppStatus;
pub use changes::Credentials;
pub use changes::OktaChange;
pub use changes::PushStatus;
pub use credentials::API_TOKEN;
pub use credentials::OKTA_CLIENT_ID;
pub use credentials::OKTA_CLIENT_KEY;
pub use credentials::OKTA_CLIENT_KID;
pub(super) use gate::SignIns;
pub use knobs::AppProfiles;
pub use knobs::OktaKnobs;
pub use knobs::OrgKind;
pub use knobs::PushFeature;
pub use knobs::Role;
pub(super) use org::Org;
pub(super) use record::change;

use jiff::Timestamp;

use call::Call;
use gate::Caller;
use push::Editor;
use view::View;

use super::exchange::Answer;
use super::exchange::Content;
use super::exchange::Request;
use super::faults::Trouble;
use super::routes::Route;
use super::world::State;

/// The application that people are assigned to.
pub const OKTA_APP_ID: &str = "0oa5im0000acme000app";
const APP_NAME: &str = "acme_workspace";
const APP_LABEL: &str = "Acme Workspace";
const ORG_ID: &str = "00oSimulated00000001";
/// Who made the API token, and everything else.
const ADMINISTRATOR: &str = "00u5imulatedAdmin001";
const ADMINISTRATOR_LOGIN: &str = "admin@acme.example";
/// When org, application and administrator were made.
const BIRTH: &str = "2020-01-01T00:00:00.000Z";
/// The longest path and query that are taken (E0000256).
const TARGET_MAX: usize = 8 * 1024;

/// An answer, or the error that stands in its place; both are sent.
type Reply = Result<Answer, Answer>;

pub(super) fn respond(state: &mut State, request: &Request) -> Answer {
    let call = Call::of(request);
    let route = call.route();
    *state.counters.requests.entry(route).or_default() += 1;
    let trouble = state.faults.strike(route);
    let now = state.now();
    let allowance = rate::count(&mut state.buckets, route, &state.knobs.okta, now);
    let at_once = state.knobs.okta.concurrency;
    let answer = if at_once > 0 && state.in_flight > at_once {
        errors::concurrency(now.as_second())
    } else if allowance.exceeded {
        errors::of_status(429)
    } else {
        troubled(state, request, &call, trouble.as_ref(), now)
    };
    finish(state, answer, route, &allowance)
}

fn troubled(
    state: &mut State,
    request: &Request,
    call: &Call,
    trouble: Option<&Trouble>,
    now: Timestamp,
) -> Answer {
    if let Some(answer) = trouble.and_then(|trouble| spoil::instead(trouble, request, call, now)) {
        return answer;
    }
    let answer = answer(state, request, call, trouble, now).unwrap_or_else(|error| error);
    match trouble {
        Some(trouble) => spoil::afterwards(trouble, request, answer),
        None => answer,
    }
}

fn answer(
    state: &mut State,
    request: &Request,
    call: &Call,
    trouble: Option<&Trouble>,
    now: Timestamp,
) -> Reply {
    acceptable(request)?;
    let knobs = &state.knobs.okta;
    if *call == Call::Token {
        return token::issue(&mut state.sign_ins.used, knobs, request, now);
    }
    let caller = gate::admit(&mut state.sign_ins, knobs, request, call, now)?;
    match call {
        Call::Unknown => return Err(errors::by_code("E0000008", "")),
        Call::WrongMethod => return Err(errors::by_code("E0000022", "")),
        Call::PushCreate(_) | Call::PushChange(..) | Call::PushDelete(..) if knobs.role == Role::Lost => {
            return Err(errors::forbidden());
        }
        _ => {}
    }
    let mut editor = Editor { directory: &mut state.directory, knobs, request, now };
    match call {
        Call::PushCreate(app) => return editor.create(app),
        Call::PushChange(app, id) => return editor.change(app, id),
        Call::PushDelete(app, id) => return editor.delete(app, id),
        _ => {}
    }
    let view = View { directory: &state.directory, knobs, request, trouble, caller, now };
    let answer = read(&view, call)?;
    match knobs.role {
        Role::Full => Ok(answer),
        Role::Lost => without_role(answer),
    }
}

/// A service that speaks JSON only, and takes no endless addresses (okta.md section 8).
fn acceptable(request: &Request) -> Result<(), Answer> {
    let accepts = |kind: &str| matches!(kind, "*/*" | "application/*" | "application/json");
    let kinds =
        |text: &str| text.split(',').any(|kind| accepts(kind.split(';').next().unwrap_or_default().trim()));
    if request.target.len() > TARGET_MAX {
        return Err(errors::by_code("E0000256", ""));
    }
    match request.header("accept") {
        Some(text) if !kinds(text) => Err(errors::by_code("E0000122", "")),
        _ => Ok(()),
    }
}

/// Lists are empty, single objects are forbidden (okta.md section 2.2).
fn without_role(answer: Answer) -> Reply {
    match &answer.content {
        Content::Json(body) if body.is_array() => Ok(spoil::emptied(answer)),
        _ => Err(errors::forbidden()),
    }
}

fn read(view: &View, call: &Call) -> Reply {
    match call {
        Call::Org => meta::org(view),
        Call::Apps => apps::list(view),
        Call::App(app) => apps::one(view, app),
        Call::AppUsers(app) => rows::users(view, app),
        Call::AppUser(app, user) => rows::user(view, app, user),
        Call::AppGroups(app) => rows::groups(view, app),
        Call::AppGroup(app, group) => rows::group(view, app, group),
        Call::PushMappings(app) => push::list(view, app),
        Call::PushMapping(app, id) => push::one(view, app, id),
        Call::Groups => groups::list(view),
        Call::Group(id) => groups::one(view, id),
        Call::Members(id) => groups::members(view, id),
        Call::GroupApps(id) => groups::apps(view, id),
        Call::GroupRules => groups::rules(view),
        Call::GroupRule(id) => groups::rule(view, id),
        Call::Users => users::list(view),
        Call::User(key) => users::one(view, key),
        Call::UserGroups(id) => users::groups_of(view, id),
        Call::AppLinks(id) => users::app_links(view, id),
        Call::Schema(app, kind) => meta::schema(view, app.as_deref(), kind),
        Call::Mappings => meta::mappings(view),
        Call::Mapping(id) => meta::mapping(view, id),
        Call::ApiToken(id) => meta::api_token(view, id),
        Call::Logs => log_read::read(view),
        Call::Token
        | Call::PushCreate(_)
        | Call::PushChange(..)
        | Call::PushDelete(..)
        | Call::WrongMethod
        | Call::Unknown => Err(errors::by_code("E0000008", "")),
    }
}

/// Headers that every answer has (okta.md section 1).
fn finish(state: &mut State, mut answer: Answer, route: Route, allowance: &rate::Allowance) -> Answer {
    state.answered += 1;
    if let Content::Json(_) = answer.content {
        answer.headers.push(("Content-Type", "application/json".to_owned()));
    }
    // A fault's 429 has brought its own.
    if !answer.headers.iter().any(|(name, _)| *name == "x-rate-limit-reset") {
        answer =
            allowance.headers().into_iter().fold(answer, |answer, (name, value)| answer.with(name, value));
    }
    // To be ignored by clients.
    let cookie =
        if route == Route::Token { "JSESSIONID=simulated; Path=/" } else { "sid=\"\"; Path=/; Max-Age=0" };
    answer
        .with("set-cookie", cookie)
        .with("x-okta-request-id", format!("simulated{:023x}", state.answered))
        .with("cache-control", "no-cache, no-store")
        .with("pragma", "no-cache")
        .with("expires", "0")
        .with("x-content-type-options", "nosniff")
        .with("strict-transport-security", "max-age=315360000; includeSubDomains")
}

/// Second resolution, milliseconds always `.000` (okta.md section 1).
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
