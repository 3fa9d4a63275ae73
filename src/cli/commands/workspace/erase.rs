//! `workspace erase`: takes a person's values out of everything that is kept, and says what is left where.
//!
//! As JSON: `{"workspace", "id", "sources", "removed": [{"what", "count"}], "entries", "entry", "log_emptied", "copies"}`.
//! `entries` are those of the log that keep who, when and why without values; `entry` records the erasure; `copies` are
//! files beside the state that may still hold the values.

use std::fs::File;
use std::io::BufRead;
use std::io::IsTerminal;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::Desk;
use crate::cli::args::Erase as Arguments;
use crate::cli::args::Global;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::who::who;
use crate::report::printable;
use crate::store::Erased;
use crate::store::Erasure;

/// How every SQLite file begins (<https://www.sqlite.org/fileformat.html>, section 1.3).
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let desk = Desk::to_write(global, &arguments.place)?;
    if !arguments.yes && std::io::stdin().is_terminal() && !is_meant(&desk.workspace, &arguments.who)? {
        out::print("nothing was erased\n");
        return Ok(Exit::Done);
    }
    let wish = Erasure {
        workspace: desk.workspace.clone(),
        who: arguments.who.clone(),
        by: who(),
        reason: arguments.why.reason.clone(),
        now: Timestamp::now(),
    };
    let erased = desk.store.erase_person(wish).await?;
    let erased = erased.map_err(|why| anyhow::anyhow!("{}: {why}", printable(&arguments.who)))?;
    let copies = copies(desk.store.path());
    out::print(&match arguments.format {
        Output::Text => receipt(&desk.workspace, &erased, &copies),
        Output::Json => format!("{}\n", object(&desk.workspace, &erased, &copies)),
    });
    Ok(Exit::Done)
}

/// Only a person at a terminal is asked: it cannot be taken back.
fn is_meant(workspace: &str, who: &str) -> Result<bool, anyhow::Error> {
    eprintln!(
        "all values of {} go out of workspace {}, for good; write yes to do it:",
        printable(who),
        printable(workspace)
    );
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// Other databases in the folder of the state: what was copied there before still holds the values.
fn copies(state: &Path) -> Vec<PathBuf> {
    let Some(folder) = state.parent() else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name() != state.file_name() && is_database(path))
        .collect();
    found.sort();
    found
}

fn is_database(path: &Path) -> bool {
    let mut begin = [0; SQLITE.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok()
        && begin == *SQLITE
}

fn receipt(workspace: &str, erased: &Erased, copies: &[PathBuf]) -> String {
    let entries = |list: &[i64]| list.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let mut out = format!("erased from workspace {}", printable(workspace));
    out += &match &erased.resource {
        Some(id) => format!(": {}\n", printable(id)),
        None => "\n".to_owned(),
    };
    for id in &erased.sources {
        out += &format!("  known to a source as {}\n", printable(id));
    }
    for (what, count) in &erased.removed {
        out += &format!("  {count:>6}  {what}\n");
    }
    let kept: Vec<i64> = erased.entries.iter().map(|entry| entry.0).collect();
    if !kept.is_empty() {
        out += &format!("the log keeps who, when and why, without values: {}\n", entries(&kept));
    }
    out += &format!("this erasure is entry {} of the log\n", erased.recorded.0);
    if !erased.log_emptied {
        out += "the write-ahead log beside the state may hold the values until rosterd is restarted: somebody reads it now\n";
    }
    out += "copies of the state that were made before now still hold the values";
    match copies {
        [] => out += "; none lies beside the state\n",
        copies => {
            out += ", as may these:\n";
            copies.iter().for_each(|path| out += &format!("  {}\n", path.display()));
        }
    }
    out
}

fn object(workspace: &str, erased: &Erased, copies: &[PathBuf]) -> Value {
    let removed = |(what, count): &(&'static str, u64)| json!({ "what": what, "count": count });
    json!({
        "workspace": workspace,
        "id": erased.resource,
        "sources": erased.sources,
        "removed": erased.removed.iter().map(removed).collect::<Vec<_>>(),
        "entries": erased.entries.iter().map(|entry| entry.0).collect::<Vec<_>>(),
        "entry": erased.recorded.0,
        "log_emptied": erased.log_emptied,
        "copies": copies.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
    })
}
