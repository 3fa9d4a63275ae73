//! `workspace follow-ups`: what somebody has to do because access was taken, and what was decided about it.
//!
//! As JSON: one object a line, `{"id", "state", "user", "body", "created", "next", "attempts", "failure", "delivered",
//! "ended", "by", "reason"}`. `body` is what the webhook says; `next` is when it is sent next, null where it is not.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::Desk;
use crate::cli::args::FollowUp as Named;
use crate::cli::args::FollowUpWord;
use crate::cli::args::FollowUps as Arguments;
use crate::cli::args::FollowUpsAct;
use crate::cli::args::Global;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::who::who;
use crate::report::printable;
use crate::store::Author;
use crate::store::FollowUp;
use crate::store::FollowUpAct;
use crate::store::FollowUpState;

/// Rows read at once: a list of any length is shown in constant memory.
const CHUNK: usize = 500;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    match &arguments.act {
        None => list(global, arguments).await,
        Some(FollowUpsAct::Ack(named)) => decide(global, named, FollowUpAct::Acknowledge, "is done").await,
        Some(FollowUpsAct::Cancel(named)) => decide(global, named, FollowUpAct::Cancel, "is cancelled").await,
        Some(FollowUpsAct::Resend(named)) => decide(global, named, FollowUpAct::Resend, "goes out now").await,
    }
}

async fn decide(
    global: &Global,
    named: &Named,
    act: FollowUpAct,
    becomes: &str,
) -> Result<Exit, anyhow::Error> {
    let desk = Desk::to_write(global, &named.place)?;
    let author = Author::local(who(), &named.why.reason, Timestamp::now());
    desk.store.decide_follow_up(&desk.workspace, &named.id, act, author).await??;
    out::print(&format!("follow-up {} {becomes}\n", printable(&named.id)));
    if act == FollowUpAct::Resend && desk.receiver_is_missing() {
        out::print(&format!(
            "nothing sends it: the settings have no workspaces.{}.follow_ups.url\n",
            desk.workspace
        ));
    }
    Ok(Exit::Done)
}

async fn list(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let desk = Desk::to_look(global, &arguments.place)?;
    let state = arguments.only.map(state);
    let delay = desk.follow_ups().rhythm.delay;
    let mut after = 0;
    loop {
        let page = desk.store.follow_ups(&desk.workspace, state, after, CHUNK).await?;
        let Some(last) = page.last() else { break };
        after = last.n;
        for follow_up in &page {
            out::print(&match arguments.format {
                Output::Text => text(follow_up, delay),
                Output::Json => format!("{}\n", object(follow_up, delay)),
            });
        }
    }
    if after == 0 && arguments.format == Output::Text {
        out::print("no follow-ups\n");
    }
    Ok(Exit::Done)
}

fn state(word: FollowUpWord) -> FollowUpState {
    match word {
        FollowUpWord::Waiting => FollowUpState::Waiting,
        FollowUpWord::Sent => FollowUpState::Sent,
        FollowUpWord::Acknowledged => FollowUpState::Acknowledged,
        FollowUpWord::Cancelled => FollowUpState::Cancelled,
    }
}

/// When it is sent next.
fn next(follow_up: &FollowUp, delay: Duration) -> Option<Timestamp> {
    let waits = follow_up.state == FollowUpState::Waiting;
    let delayed = || follow_up.created.saturating_add(delay).unwrap_or(Timestamp::MAX);
    waits.then(|| match follow_up.at_once || follow_up.attempts > 0 {
        true => follow_up.due,
        false => follow_up.due.max(delayed()),
    })
}

fn text(follow_up: &FollowUp, delay: Duration) -> String {
    let data = &follow_up.body["data"];
    let word = |value: &Value| printable(value.as_str().unwrap_or("(erased)"));
    let mut out = format!(
        "{}\n  {:<13} rotate the password of {}, which {} had; {} at {}\n",
        follow_up.id,
        follow_up.state.word(),
        word(&data["grant"]["account"]),
        word(&data["user"]["userName"]),
        data["cause"].as_str().unwrap_or("taken"),
        second(follow_up.created)
    );
    if let Some(at) = next(follow_up, delay) {
        let tried = match (follow_up.attempts, &follow_up.failure) {
            (0, _) => String::new(),
            (times, None) => format!(", tried {times} times"),
            (times, Some(why)) => format!(", tried {times} times: {}", printable(why)),
        };
        out += &format!("  {:<13} {}{tried}\n", "next", second(at));
    }
    if let Some(at) = follow_up.delivered {
        out += &format!("  {:<13} {}\n", "delivered", second(at));
    }
    if let (Some(at), Some(by)) = (follow_up.ended, &follow_up.by) {
        let reason = follow_up.reason.iter().filter(|reason| !reason.is_empty());
        let reason: String = reason.map(|reason| format!(": {}", printable(reason))).collect();
        out += &format!("  {:<13} {} by {}{reason}\n", follow_up.state.word(), second(at), printable(by));
    }
    out
}

fn object(follow_up: &FollowUp, delay: Duration) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": follow_up.id,
        "state": follow_up.state.word(),
        "user": follow_up.user,
        "body": follow_up.body,
        "created": follow_up.created.to_string(),
        "next": time(next(follow_up, delay)),
        "attempts": follow_up.attempts,
        "failure": follow_up.failure,
        "delivered": time(follow_up.delivered),
        "ended": time(follow_up.ended),
        "by": follow_up.by,
        "reason": follow_up.reason,
    })
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
