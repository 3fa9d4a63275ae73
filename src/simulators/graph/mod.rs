//! Microsoft Graph v1.0 and its token endpoint, as far as graph.md describes them: from a request to an answer.

mod assignments;
mod batch;
mod call;
mod delta;
mod errors;
mod filter;
mod groups;
mod groups_delta;
mod knobs;
mod members;
mod options;
mod rest;
mod spoil;
mod token;
mod users;
mod users_delta;

pub use knobs::GraphKnobs;

use call::Call;

use super::exchange::Answer;
use super::exchange::Content;
use super::exchange::Request;
use super::faults::Trouble;
use super::routes::Route;
use super::world::State;
use jiff::Timestamp;

use super::directory::Directory;

/// The simulated tenant.
pub const TENANT: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
/// The app registration that reads.
pub const CLIENT_ID: &str = "22222222-aaaa-4bbb-8ccc-000000000002";
/// Its secret. Public, since nothing but a simulator takes it.
pub const CLIENT_SECRET: &str = "simulated-secret~not.a.secret";
/// The application that people are assigned to (its `appId`).
pub const GRAPH_APP_ID: &str = "33333333-aaaa-4bbb-8ccc-000000000003";
/// The object id of its service principal.
pub const GRAPH_APP_OBJECT_ID: &str = "44444444-aaaa-4bbb-8ccc-000000000004";
/// Its name.
pub(super) const APP_NAME: &str = "Acme Workspace";

/// An answer, or the error that stands in its place; both are sent.
type Reply = Result<Answer, Answer>;

/// What a route sees.
struct View<'a> {
    directory: &'a Directory,
    knobs: &'a GraphKnobs,
    now: Timestamp,
    request: &'a Request,
}

impl View<'_> {
    /// `{root}/v1.0/$metadata#…`
    fn context(&self, of: &str) -> String {
        format!("{}/v1.0/$metadata#{of}", self.request.base)
    }
}

pub(super) fn respond(state: &mut State, request: &Request) -> Answer {
    let call = Call::of(request);
    if call == Some(Call::Batch) {
        return respond_batch(state, request);
    }
    let route = call.as_ref().map_or(Route::Unknown, Call::route);
    *state.counters.requests.entry(route).or_default() += 1;
    let trouble = state.faults.strike(route);
    let answer = single(state, request, call.as_ref(), trouble.as_ref());
    finish(state, request, answer)
}

/// One request with its trouble, on its own or within a batch.
fn single(state: &State, request: &Request, call: Option<&Call>, trouble: Option<&Trouble>) -> Answer {
    if let Some(answer) = trouble.and_then(|trouble| spoil::instead(trouble, request)) {
        return answer;
    }
    let view = View { directory: &state.directory, knobs: &state.knobs.graph, now: state.now(), request };
    let answer = match call {
        Some(call) => answer(&view, call).unwrap_or_else(|error| error),
        None => errors::not_a_resource(request),
    };
    match trouble {
        Some(trouble) => spoil::afterwards(trouble, request, answer),
        None => answer,
    }
}

fn answer(view: &View, call: &Call) -> Reply {
    if !matches!(call, Call::Token(_)) {
        token::check(view)?;
    }
    match call {
        Call::Token(tenant) => token::issue(view, tenant),
        Call::Organization => rest::organization(view),
        Call::Users => users::list(view),
        Call::UsersDelta => users_delta::page(view),
        Call::User(key) => users::one(view, key),
        Call::Manager(key) => users::manager(view, key),
        Call::UserAssignments(key) => assignments::of_user(view, key),
        Call::CheckMemberGroups(key) => members::check_member_groups(view, key),
        Call::MemberOf(key) => members::of(view, key),
        Call::Groups => groups::list(view),
        Call::GroupsDelta => groups_delta::page(view),
        Call::Group(id) => groups::one(view, id),
        Call::Members(id) => members::direct(view, id),
        Call::TransitiveMembers(id) => members::transitive(view, id),
        Call::GroupAssignments(id) => assignments::of_group(view, id),
        Call::Apps => rest::service_principals(view),
        Call::App(key) => rest::service_principal(view, key),
        Call::AssignedTo(key) => assignments::of_app(view, key),
        Call::DeletedItem(id) => rest::deleted_item(view, id),
        Call::DeletedUsers => rest::deleted_users(view),
        Call::DeletedGroups => rest::deleted_groups(view),
        Call::Batch => Err(errors::bad_request("A batch request cannot contain another batch.")),
    }
}

fn respond_batch(state: &mut State, request: &Request) -> Answer {
    *state.counters.requests.entry(Route::Batch).or_default() += 1;
    let trouble = state.faults.strike(Route::Batch);
    if let Some(answer) = trouble.as_ref().and_then(|trouble| spoil::instead(trouble, request)) {
        return finish(state, request, answer);
    }
    let answer = parts(state, request).unwrap_or_else(|error| error);
    let answer = match trouble {
        Some(trouble) => spoil::afterwards(&trouble, request, answer),
        None => answer,
    };
    finish(state, request, answer)
}

fn parts(state: &mut State, request: &Request) -> Reply {
    let view = View { directory: &state.directory, knobs: &state.knobs.graph, now: state.now(), request };
    token::check(&view)?;
    let mut responses = Vec::new();
    for (id, part) in batch::requests(request)? {
        let call = Call::of(&part);
        let route = call.as_ref().map_or(Route::Unknown, Call::route);
        *state.counters.batched.entry(route).or_default() += 1;
        let trouble = state.faults.strike(route);
        let answer = single(state, &part, call.as_ref(), trouble.as_ref());
        let answer = finish(state, &part, answer);
        responses.push(batch::response(&id, answer));
    }
    // Answers come in any order (graph.md section 5.10).
    responses.reverse();
    Ok(Answer::json(200, serde_json::json!({ "responses": responses })))
}

/// Headers that every answer has, and the ids within an error body.
fn finish(state: &mut State, request: &Request, mut answer: Answer) -> Answer {
    state.answered += 1;
    let request_id = format!("00000000-0000-4000-8000-{:012x}", state.answered);
    let client_id = request.header("client-request-id").unwrap_or(&request_id).to_owned();
    if let Content::Json(body) = &mut answer.content {
        errors::add_ids(body, state.now(), &request_id, &client_id);
        let form = "application/json;odata.metadata=minimal;odata.streaming=true;\
                    IEEE754Compatible=false;charset=utf-8";
        answer.headers.push(("Content-Type", form.to_owned()));
        answer.headers.push(("OData-Version", "4.0".to_owned()));
    }
    answer
        .with("request-id", request_id)
        .with("client-request-id", client_id)
        .with("Cache-Control", "no-cache")
}
