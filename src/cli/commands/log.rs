//! `log`: every change that was sent, with old and new values, its cause and its outcome.
//!
//! As JSON: one object a line, `{"entry", "cycle", "job", "at", "class", "kind", "id", "name", "people", "edits",
//! "cause", "outcome", "detail"}`. `outcome` is null while none is known.

use anyhow::Context;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::cli::args::Global;
use crate::cli::args::Log as Arguments;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::when;
use crate::cli::wire;
use crate::report;
use crate::store::LogFilter;
use crate::store::LogRow;

/// Rows read at once: a log of any length is shown in constant memory.
const CHUNK: usize = 500;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let store = wire::open_to_look(&config)?;
    let mut filter = filter(arguments, Timestamp::now())?;
    loop {
        let rows = store.log(filter.clone()).await?;
        let Some(last) = rows.last() else {
            if filter.after == 0 && arguments.format == Output::Text {
                out::print("nothing in the log fits\n");
            }
            return Ok(Exit::Done);
        };
        filter.after = last.entry.0;
        for row in &rows {
            out::print(&match arguments.format {
                Output::Text => text(row),
                Output::Json => format!("{}\n", object(row)),
            });
        }
    }
}

fn filter(arguments: &Arguments, now: Timestamp) -> Result<LogFilter, anyhow::Error> {
    let since = arguments.since.as_deref().map(|text| since(text, now)).transpose()?;
    Ok(LogFilter {
        job: arguments.job.clone(),
        cycle: arguments.cycle,
        who: arguments.who.clone(),
        since_second: since.map(Timestamp::as_second),
        after: 0,
        limit: CHUNK,
    })
}

/// A time, a date (its midnight UTC), or so long ago.
fn since(text: &str, now: Timestamp) -> Result<Timestamp, anyhow::Error> {
    if let Some(at) = when::moment(text) {
        return Ok(at);
    }
    let ago = when::span(text).with_context(|| {
        format!("`{text}` is no time; write 2026-03-02T10:00:00Z, 2026-03-02, 90m, 2h or 7d")
    })?;
    Ok(now.checked_sub(ago)?)
}

fn text(row: &LogRow) -> String {
    let at = Timestamp::from_second(row.at_second).map(|at| at.to_string()).unwrap_or_default();
    let outcome = row.outcome.as_deref().unwrap_or("no outcome known");
    let mut out = format!(
        "{at}  {} #{}  {:<14} {}  ({})  {outcome}\n",
        row.job,
        row.cycle.0,
        row.class.word(),
        report::printable(&row.name),
        row.source
    );
    for edit in &row.edits {
        out += &format!("        {}\n", report::edit(edit));
    }
    if !row.people.is_empty() {
        out += &format!("        {}\n", report::printable(&row.people.join(", ")));
    }
    if let Some(cause) = &row.cause {
        out += &format!("        because: {}\n", report::printable(&cause.sentence()));
    }
    if let Some(evidence) = &row.evidence {
        out += &format!("        witness: {}\n", report::printable(evidence));
    }
    if let Some(detail) = row.detail.as_deref().filter(|detail| !detail.is_empty()) {
        out += &format!("        {}\n", report::printable(detail));
    }
    out
}

fn object(row: &LogRow) -> Value {
    json!({
        "entry": row.entry.0,
        "cycle": row.cycle.0,
        "job": row.job,
        "at": Timestamp::from_second(row.at_second).map(|at| at.to_string()).ok(),
        "class": row.class,
        "kind": row.kind,
        "id": row.source,
        "name": row.name,
        "people": row.people,
        "edits": row.edits,
        "cause": row.cause.as_ref().map(|cause| json!({ "id": cause.id(), "sentence": cause.sentence() })),
        "outcome": row.outcome,
        "detail": row.detail,
        "evidence": row.evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_a_date_or_so_long_ago() {
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let of = |text: &str| since(text, now).map(|at| at.to_string()).map_err(|error| error.to_string());
        assert_eq!(of("2026-03-01T08:00:00Z"), Ok("2026-03-01T08:00:00Z".to_owned()));
        assert_eq!(of("2026-03-01"), Ok("2026-03-01T00:00:00Z".to_owned()));
        assert_eq!(of("90m"), Ok("2026-03-02T08:30:00Z".to_owned()));
        assert_eq!(of("7d"), Ok("2026-02-23T10:00:00Z".to_owned()));
        assert_eq!(of("7 days"), Ok("2026-02-23T10:00:00Z".to_owned()));
        assert!(of("yesterday").unwrap_err().contains("is no time; write"));
    }
}
