//! From a request to an answer: what was charged, which trouble strikes, and the headers that every answer has.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use super::Reply;
use super::View;
use super::access;
use super::apps;
use super::assignments;
use super::batch;
use super::bearer;
use super::call::Call;
use super::deleted;
use super::errors;
use super::groups;
use super::groups_delta;
use super::identity;
use super::members;
use super::options;
use super::questions;
use super::spoil;
use super::token;
use super::units;
use super::users;
use super::users_delta;

use super::super::directory::Directory;
use super::super::exchange::Answer;
use super::super::exchange::Content;
use super::super::exchange::Request;
use super::super::faults::Trouble;
use super::super::routes::Route;
use super::super::world::State;

const FORM: &str = "application/json;odata.metadata=minimal;odata.streaming=true;\
                    IEEE754Compatible=false;charset=utf-8";
const DIAGNOSTIC: &str = "{\"ServerInfo\":{\"DataCenter\":\"Simulated\",\"Slice\":\"E\",\"Ring\":\"1\"}}";

pub(in crate::simulators) fn respond(state: &mut State, request: &Request) -> Answer {
    let call = Call::of(request);
    if call == Some(Call::Batch) {
        return respond_batch(state, request);
    }
    let route = call.as_ref().map_or(Route::Unknown, Call::route);
    *state.counters.requests.entry(route).or_default() += 1;
    let trouble = state.faults.strike(route);
    match &call {
        Some(call) if call.is_sign_in() => sign_in(state, request, call, trouble.as_ref()),
        call => charged(state, request, call.as_ref(), trouble.as_ref()),
    }
}

/// The token endpoint and the agents have bodies of their own and charge nothing.
fn sign_in(state: &mut State, request: &Request, call: &Call, trouble: Option<&Trouble>) -> Answer {
    state.answered += 1;
    let now = state.now();
    if let Some(answer) = trouble.and_then(|trouble| spoil::instead_of_token(trouble, request, call, now)) {
        return answer.with("Content-Type", "application/json; charset=utf-8");
    }
    let knobs = &state.knobs.graph;
    let view = View { directory: &state.directory, knobs, now, request, granted: Default::default() };
    let memory = &mut state.graph;
    let reply = match call {
        Call::Token(tenant) => token::issue(&view, tenant, &mut memory.assertions),
        Call::Arc => identity::arc(&view, memory),
        _ => identity::imds(&view),
    };
    let answer = reply.unwrap_or_else(|error| error);
    let answer = match trouble {
        Some(trouble) => spoil::afterwards(trouble, request, answer),
        None => answer,
    };
    answer.with("Content-Type", "application/json; charset=utf-8").with("Cache-Control", "no-store, no-cache")
}

/// One request of the API, on its own or within a batch: charged, answered, finished.
fn charged(state: &mut State, request: &Request, call: Option<&Call>, trouble: Option<&Trouble>) -> Answer {
    let route = call.map_or(Route::Unknown, Call::route);
    let now = state.now();
    let charge = state.graph.window.charge(units::cost(call, request), &state.knobs.graph, now);
    *state.counters.units.entry(route).or_default() += u64::from(charge.units);
    let answer = match charge.is_throttled() {
        true => charge.refusal(&state.knobs.graph, now),
        false => single(state, request, call, trouble),
    };
    finish(state, request, charge.headers(answer))
}

fn single(state: &State, request: &Request, call: Option<&Call>, trouble: Option<&Trouble>) -> Answer {
    let now = state.now();
    if let Some(answer) = trouble.and_then(|trouble| spoil::instead(trouble, request, now)) {
        return answer;
    }
    let reply = match call {
        Some(call) => answer(state, request, call),
        None => Err(errors::not_a_resource(request)),
    };
    let answer = reply.unwrap_or_else(|error| error);
    match trouble {
        Some(trouble) => spoil::afterwards(trouble, request, answer),
        None => answer,
    }
}

/// The directory as the route shows it: some lag behind, and so does the index of advanced queries.
fn shown<'a>(state: &'a State, request: &Request, route: Route) -> &'a Directory {
    let knobs = &state.knobs.graph;
    let route_lag = knobs.lag.get(&route).copied().unwrap_or(0);
    let index_lag = if options::is_eventual(request) { knobs.index_lag_seconds } else { 0 };
    state.replicas.behind(route_lag.max(index_lag)).unwrap_or(&state.directory)
}

fn answer(state: &State, request: &Request, call: &Call) -> Reply {
    let (knobs, now) = (&state.knobs.graph, state.now());
    let granted = bearer::granted(knobs, now, request)?;
    let directory = shown(state, request, call.route());
    let view = &View { directory, knobs, now, request, granted };
    access::check(view, call)?;
    match call {
        Call::Organization => apps::organization(view),
        Call::Users => users::list(view),
        Call::UsersDelta => users_delta::page(view),
        Call::User(key) => users::one(view, key),
        Call::Manager(key) => users::manager(view, key),
        Call::UserAssignments(key) => assignments::of_user(view, key),
        Call::CheckMemberGroups(key) => questions::check_member_groups(view, key),
        Call::MemberOf(related) => members::member_of(view, related),
        Call::Groups => groups::list(view),
        Call::GroupsDelta => groups_delta::page(view),
        Call::Group(id) => groups::one(view, id),
        Call::Members(related) => members::members(view, related),
        Call::GroupAssignments(id) => assignments::of_group(view, id),
        Call::Apps => apps::service_principals(view),
        Call::App(key) => apps::service_principal(view, key),
        Call::AssignedTo(key) => assignments::of_app(view, key),
        Call::Applications => apps::applications(view),
        Call::Application(key) => apps::application(view, key),
        Call::DeletedItem(id) => deleted::one(view, id),
        Call::DeletedItems(kind) => deleted::list(view, kind.as_deref()),
        Call::ByIds => questions::by_ids(view),
        Call::Extensions => questions::extensions(view),
        Call::Count(inner) => match &**inner {
            Call::Users => users::count(view),
            Call::Groups => groups::count(view),
            Call::Members(related) => members::count(view, related, false),
            Call::MemberOf(related) => members::count(view, related, true),
            _ => Err(errors::not_a_resource(request)),
        },
        Call::Batch => Err(errors::bad_request("A batch request cannot contain another batch.")),
        Call::Token(_) | Call::Imds | Call::Arc => Err(errors::not_a_resource(request)),
    }
}

fn respond_batch(state: &mut State, request: &Request) -> Answer {
    *state.counters.requests.entry(Route::Batch).or_default() += 1;
    let trouble = state.faults.strike(Route::Batch);
    let now = state.now();
    if let Some(answer) = trouble.as_ref().and_then(|trouble| spoil::instead(trouble, request, now)) {
        return finish(state, request, answer);
    }
    let answer = answer_parts(state, request).unwrap_or_else(|error| error);
    let answer = match trouble {
        Some(trouble) => spoil::afterwards(&trouble, request, answer),
        None => answer,
    };
    finish(state, request, answer)
}

fn answer_parts(state: &mut State, request: &Request) -> Reply {
    bearer::granted(&state.knobs.graph, state.now(), request)?;
    let mut statuses: BTreeMap<String, u16> = BTreeMap::new();
    let mut responses: Vec<Value> = Vec::new();
    for part in batch::parts(request)? {
        let call = Call::of(&part.request);
        let route = call.as_ref().map_or(Route::Unknown, Call::route);
        *state.counters.batched.entry(route).or_default() += 1;
        let trouble = state.faults.strike(route);
        let holds = part.depends_on.iter().all(|id| statuses.get(id).is_some_and(|status| *status < 400));
        let answer = match holds {
            true => charged(state, &part.request, call.as_ref(), trouble.as_ref()),
            false => finish(state, &part.request, batch::failed_dependency()),
        };
        statuses.insert(part.id.clone(), answer.status);
        responses.push(batch::response(&part.id, answer));
    }
    // Answers come in any order (graph.md section 5.10).
    responses.reverse();
    let throttled = statuses.values().any(|status| *status == 429);
    let status = if throttled { state.knobs.graph.throttled_batch_status } else { 200 };
    Ok(Answer::json(status, json!({ "responses": responses })))
}

/// Headers that every answer has, and the ids within an error body.
fn finish(state: &mut State, request: &Request, mut answer: Answer) -> Answer {
    state.answered += 1;
    let request_id = format!("00000000-0000-4000-8000-{:012x}", state.answered);
    let echoed = request.header("client-request-id").filter(|_| state.knobs.graph.echo_client_request_id);
    let client_id = echoed.unwrap_or(&request_id).to_owned();
    match &mut answer.content {
        Content::Json(body) => {
            let shown = state.knobs.graph.echo_client_request_id.then_some(client_id.as_str());
            errors::add_ids(body, state.knobs.graph.inner_error, state.now(), &request_id, shown);
            let form = if answer.status < 400 { FORM } else { "application/json" };
            answer.headers.push(("Content-Type", form.to_owned()));
            answer.headers.push(("OData-Version", "4.0".to_owned()));
        }
        Content::Text(_) => answer.headers.push(("OData-Version", "4.0".to_owned())),
        Content::Html(_) | Content::Empty => {}
    }
    answer
        .with("request-id", request_id)
        .with("client-request-id", client_id)
        .with("x-ms-ags-diagnostic", DIAGNOSTIC)
        .with("Cache-Control", "no-cache")
}
