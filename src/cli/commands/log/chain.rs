//! `log --verify-chain`: whether anybody changed what was recorded, and what retention removed of it.
//!
//! As JSON: `{"links", "number", "last", "older", "checkpoint": null | {"number", "links", "entry", "count", "total",
//! "newest", "before", "at", "keep", "by", "reason"}, "broken": null | {"link", "entry", "what"}}`.

use serde_json::Value;
use serde_json::json;

use super::prune::moment;
use crate::cli::args::LogFormat;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::report::printable;
use crate::store::Break;
use crate::store::Chain;
use crate::store::Checkpoint;
use crate::store::Store;

pub async fn verify(store: &Store, format: LogFormat) -> Result<Exit, anyhow::Error> {
    let chain = store.verify_chain().await?;
    out::print(&match format {
        LogFormat::Json => format!("{}\n", chain_object(&chain)),
        LogFormat::Text | LogFormat::Csv => told(&chain),
    });
    Ok(if chain.broken.is_some() { Exit::Failed } else { Exit::Done })
}

fn told(chain: &Chain) -> String {
    let older = match chain.older {
        0 => String::new(),
        count => format!("; {count} entries are older than the chain"),
    };
    match (&chain.broken, &chain.last) {
        (Some(broken), _) => format!(
            "chain is broken at link {}: entry {} {}\n  keep a copy of the state file, look at the entry in a backup from \
             before (rosterd -c SETTINGS-OF-THE-BACKUP log), and find out who could write the file\n",
            broken.link, broken.entry.0, broken.what
        ),
        (None, Some(last)) => {
            let removed = chain.checkpoint.as_ref().map(removed).unwrap_or_default();
            format!("chain of {} links is whole; last link {last}{older}\n{removed}", chain.links)
        }
        (None, None) => format!("chain is empty: nothing was written yet{older}\n"),
    }
}

fn chain_object(chain: &Chain) -> Value {
    let broken =
        |broken: &Break| json!({ "link": broken.link, "entry": broken.entry.0, "what": broken.what });
    json!({
        "links": chain.links,
        "number": chain.number,
        "last": chain.last,
        "older": chain.older,
        "checkpoint": chain.checkpoint.as_ref().map(checkpoint_object),
        "broken": chain.broken.as_ref().map(broken),
    })
}

/// `1204 entries up to 2024-11-24T09:10:00Z were removed by retention on 2026-11-24 (…)`.
fn removed(checkpoint: &Checkpoint) -> String {
    let count = if checkpoint.total == 1 { "1 entry" } else { &format!("{} entries", checkpoint.total) };
    let until =
        checkpoint.newest_second.map(|second| format!(" up to {}", moment(second))).unwrap_or_default();
    let by = match (&checkpoint.by, &checkpoint.reason) {
        (None, _) => String::new(),
        (Some(by), None) => format!(", by {}", printable(by)),
        (Some(by), Some(reason)) => format!(", by {}: {}", printable(by), printable(reason)),
    };
    format!(
        "{count}{until} were removed by retention on {} (log.keep = \"{}\", checkpoint {}, links up to {}{by})\n",
        moment(checkpoint.at_second),
        printable(&checkpoint.keep),
        checkpoint.number,
        checkpoint.links,
    )
}

fn checkpoint_object(checkpoint: &Checkpoint) -> Value {
    json!({
        "number": checkpoint.number,
        "links": checkpoint.links,
        "entry": checkpoint.entry.0,
        "count": checkpoint.count,
        "total": checkpoint.total,
        "newest": checkpoint.newest_second.map(moment),
        "before": moment(checkpoint.before_second),
        "at": moment(checkpoint.at_second),
        "keep": checkpoint.keep,
        "by": checkpoint.by,
        "reason": checkpoint.reason,
    })
}
