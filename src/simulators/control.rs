//! The control interface under `/_control` (the table in `mod.rs`).

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::changes::Change;
use super::exchange::Answer;
use super::exchange::Request;
use super::faults::Fault;
use super::knobs::Knobs;
use super::world::World;

#[derive(Serialize)]
struct Clock {
    now: Timestamp,
}

/// What of the clock is set: it stops at a time, or runs on so many times as fast as ours.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum SetClock {
    Now(Timestamp),
    Speed(u32),
}

/// `None` where the request is for the service and not for its control.
pub(super) fn respond(world: &World, request: &Request) -> Option<Answer> {
    let segments = request.segments();
    let ["_control", rest @ ..] = &segments[..] else { return None };
    let answer = match (request.method.as_str(), rest) {
        ("POST", ["changes"]) => changes(world, request),
        ("GET", ["snapshot"]) => Ok(shown(&world.snapshot())),
        ("GET", ["faults"]) => Ok(shown(&world.faults())),
        ("POST", ["faults"]) => faults(world, request),
        ("DELETE", ["faults"]) => {
            world.clear_faults();
            Ok(done(0))
        }
        ("GET", ["knobs"]) => Ok(shown(&world.knobs().shown(world.flavour()))),
        ("PUT", ["knobs"]) => knobs(world, Knobs::default(), request),
        ("PATCH", ["knobs"]) => knobs(world, world.knobs(), request),
        ("GET", ["counters"]) => Ok(shown(&world.counters())),
        ("DELETE", ["counters"]) => {
            world.reset_counters();
            Ok(done(0))
        }
        ("GET", ["clock"]) => Ok(shown(&Clock { now: world.now() })),
        ("PUT", ["clock"]) => body(request).map(|set: SetClock| {
            match set {
                SetClock::Now(now) => world.set_clock(now),
                SetClock::Speed(speed) => world.set_speed(speed),
            }
            done(1)
        }),
        _ => Err(Answer::json(404, json!({ "error": "no such control; see the table of the simulators" }))),
    };
    Some(answer.unwrap_or_else(|error| error))
}

/// Faults as objects, or as the words of the command line; none is set where one of them is wrong.
fn faults(world: &World, request: &Request) -> Result<Answer, Answer> {
    let refused = |reason: String| Answer::json(400, json!({ "error": reason }));
    let read = |value: Value| match value {
        Value::String(text) => text.parse::<Fault>().map_err(|error| refused(error.to_string())),
        value => serde_json::from_value(value).map_err(|error| refused(error.to_string())),
    };
    let values: Vec<Value> = body(request)?;
    let faults = values.into_iter().map(read).collect::<Result<Vec<Fault>, Answer>>()?;
    let count = faults.len();
    faults.into_iter().for_each(|fault| world.fault(fault));
    Ok(done(count))
}

/// Sets the knobs that the body names, on top of the given ones.
fn knobs(world: &World, mut knobs: Knobs, request: &Request) -> Result<Answer, Answer> {
    let values: Map<String, Value> = body(request)?;
    knobs
        .set(world.flavour(), &values)
        .map_err(|error| Answer::json(400, json!({ "error": error.to_string() })))?;
    world.set_knobs(knobs);
    Ok(done(values.len()))
}

/// Stops at the first change that cannot be made; those before it stay made.
fn changes(world: &World, request: &Request) -> Result<Answer, Answer> {
    let changes: Vec<Change> = body(request)?;
    let count = changes.len();
    for (place, change) in changes.into_iter().enumerate() {
        if let Err(error) = world.change(change) {
            let reason = error.to_string();
            return Err(Answer::json(409, json!({ "error": reason, "index": place, "done": place })));
        }
    }
    Ok(done(count))
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Answer> {
    serde_json::from_slice(&request.body)
        .map_err(|error| Answer::json(400, json!({ "error": error.to_string() })))
}

fn shown<T: Serialize>(value: &T) -> Answer {
    let value = serde_json::to_value(value).unwrap_or_else(|error| Value::String(error.to_string()));
    Answer::json(200, value)
}

fn done(count: usize) -> Answer {
    Answer::json(200, json!({ "done": count }))
}
