//! `log`: every change that was written, by jobs, pushes and commands, with old and new values, its cause and its outcome.
//!
//! As JSON one object a line (`record`), as CSV one row an entry (`csv`).
//!
//! `--verify-chain` walks the chain (`chain`), `--prune` removes what is too old (`prune`).

mod chain;
mod csv;
mod prune;
mod record;

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::args::Global;
use crate::cli::args::Log as Arguments;
use crate::cli::args::LogFormat;
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
    if arguments.prune {
        return prune::run(&config, arguments).await;
    }
    let store = wire::open_to_look(&config)?;
    if arguments.verify_chain {
        return chain::verify(&store, arguments.format).await;
    }
    let mut filter = filter(arguments, Timestamp::now())?;
    if arguments.format == LogFormat::Csv {
        out::print(&csv::heading());
    }
    loop {
        let rows = store.log(filter.clone()).await?;
        let Some(last) = rows.last() else {
            if filter.after == 0 && arguments.format == LogFormat::Text {
                out::print("nothing in the log fits\n");
            }
            return Ok(Exit::Done);
        };
        filter.after = last.entry.0;
        for row in &rows {
            out::print(&match arguments.format {
                LogFormat::Text => text(row),
                LogFormat::Json => format!("{}\n", record::object(row)),
                LogFormat::Csv => csv::row(row),
            });
        }
    }
}

fn filter(arguments: &Arguments, now: Timestamp) -> Result<LogFilter, anyhow::Error> {
    let since = arguments.since.as_deref().map(|text| since(text, now)).transpose()?;
    Ok(LogFilter {
        job: arguments.job.clone(),
        cycle: arguments.cycle,
        workspace: arguments.workspace.clone(),
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

/// Who wrote: `acme_entra #4`, `main push okta 1f3a…`, `main local ann`.
fn writer(row: &LogRow) -> String {
    let mut words: Vec<String> =
        [&row.workspace, &row.job, &row.owner, &row.by].into_iter().flatten().cloned().collect();
    words.extend(row.cycle.map(|cycle| format!("#{}", cycle.0)));
    report::printable(&words.join(" "))
}

fn text(row: &LogRow) -> String {
    let at = Timestamp::from_second(row.at_second).map(|at| at.to_string()).unwrap_or_default();
    let outcome = row.outcome.as_deref().unwrap_or("no outcome known");
    let id = row.id.as_ref().map(|id| format!("({})  ", report::printable(id))).unwrap_or_default();
    let times = match row.outcome.as_deref() {
        Some("conflict" | "refused") if row.count > 1 && row.cycle.is_none() => {
            format!(", {} times", row.count)
        }
        _ => String::new(),
    };
    let mut out = format!(
        "{at}  {}  {:<14} {}  {id}{outcome}{times}\n",
        writer(row),
        row.class,
        report::printable(&row.name),
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
    if let Some(reason) = &row.reason {
        out += &format!("        because: {}\n", report::printable(reason));
    }
    if let Some(evidence) = &row.evidence {
        out += &format!("        witness: {}\n", report::printable(evidence));
    }
    if let Some(detail) = row.detail.as_deref().filter(|detail| !detail.is_empty()) {
        out += &format!("        {}\n", report::printable(detail));
    }
    out
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
