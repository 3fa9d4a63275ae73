//! `failed`: what could not be done, by error code, with attempts, next try and cure.
//!
//! As JSON: `{"format": 1, "jobs": [{"job", "failed": [{"code", "reason", "cure", "class", "kind", "source", "name", "member",
//! "path", "cause", "attempts", "first", "next", "given_up", "held"}]}]}`. `first` and `next` are times; `next` is null where it
//! is due in the next cycle, or given up; `member` is `{"source", "name"}` or null.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::cli::args::Failed as Arguments;
use crate::cli::args::Global;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::wire;
use crate::plan::ErrorCode;
use crate::report;
use crate::store::FailedChange;

/// Shown of each code as text; JSON has all.
const SHOWN: usize = 20;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let store = wire::open_to_look(&config)?;
    let names: Vec<String> = arguments.job.iter().cloned().collect();
    let (mut jobs, mut exit) = (Vec::new(), Exit::Done);
    for job in wire::chosen(&config, &names)? {
        let failed = match store.find_job(&job.name).await? {
            Some(state) => store.failed_changes(state.id).await?,
            None => Vec::new(),
        };
        exit = exit.and(if failed.is_empty() { Exit::Done } else { Exit::SomeFailed });
        match arguments.format {
            Output::Text => out::print(&text(&job.name, failed)),
            Output::Json => {
                let failed: Vec<Value> = failed.iter().map(one_json).collect();
                jobs.push(json!({ "job": job.name, "failed": failed }));
            }
        }
    }
    if arguments.format == Output::Json {
        out::print(&format!("{}\n", json!({ "format": 1, "jobs": jobs })));
    }
    Ok(exit)
}

fn text(job: &str, failed: Vec<FailedChange>) -> String {
    if failed.is_empty() {
        return format!("{job}: nothing failed\n");
    }
    let total = failed.len();
    let mut by_code: BTreeMap<ErrorCode, Vec<FailedChange>> = BTreeMap::new();
    failed.into_iter().for_each(|change| by_code.entry(change.code).or_default().push(change));
    let mut out = format!("{job}: {} failed\n", changes(total));
    for (code, failed) in &by_code {
        out += &format!("\n{}: {}\n  cure: {}\n", code.word(), changes(failed.len()), code.cure());
        out += &failed.iter().take(SHOWN).map(one_text).collect::<String>();
        if let Some(more) = failed.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            out += &format!("  and {more} more: rosterd failed {job} --format json\n");
        }
    }
    out += &format!("\ntry them in the next cycle: rosterd retry {job} WHO|CAUSE|CODE|all\n");
    out
}

fn changes(count: usize) -> String {
    if count == 1 { "1 change".to_owned() } else { format!("{count} changes") }
}

fn one_text(change: &FailedChange) -> String {
    let name = report::printable(&change.name);
    let what = match (&change.member, &change.path) {
        (Some((_, member)), _) => format!("{} of {name}", report::printable(member)),
        (None, Some(path)) => format!("{} of {name}", report::printable(path)),
        (None, None) => format!("{name} ({})", report::printable(&change.source.0)),
    };
    let times = if change.attempts == 1 { "once".to_owned() } else { format!("{} times", change.attempts) };
    let since = change.first_second.map(|first| format!(" since {}", time(first))).unwrap_or_default();
    let next = match change.due_second {
        _ if change.given_up() => "given up: only retry, or a change of it, tries it again".to_owned(),
        Some(due) => format!("next {}", time(due)),
        None => "next cycle".to_owned(),
    };
    let held = if change.held { ", and held besides" } else { "" };
    format!(
        "  {:<14} {what}\n    {}\n    {times}{since}; {next}{held}\n",
        change.class.word(),
        report::printable(&change.reason)
    )
}

fn one_json(change: &FailedChange) -> Value {
    let due = change.due_second.filter(|_| !change.given_up());
    json!({
        "code": change.code.word(),
        "reason": change.reason,
        "cure": change.code.cure(),
        "class": change.class.word(),
        "kind": change.kind.word(),
        "source": change.source.0,
        "name": change.name,
        "member": change.member.as_ref().map(|(id, name)| json!({ "source": id.0, "name": name })),
        "path": change.path,
        "cause": change.cause.as_ref().map(|cause| &cause.0),
        "attempts": change.attempts,
        "first": change.first_second.map(time),
        "next": due.map(time),
        "given_up": change.given_up(),
        "held": change.held,
    })
}

fn time(second: i64) -> String {
    Timestamp::from_second(second).map(|at| at.to_string()).unwrap_or_default()
}
