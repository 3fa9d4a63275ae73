//! The log as a table for a spreadsheet: one row an entry, quoted as RFC 4180 says, and nothing that would be run.

use super::record;
use crate::model::By;
use crate::model::Proofs;
use crate::model::SourceEvent;
use crate::model::Testified;
use crate::report;
use crate::store::LogRow;

const COLUMNS: [&str; 28] = [
    "at",
    "entry",
    "job",
    "cycle",
    "workspace",
    "class",
    "action",
    "kind",
    "name",
    "source_system",
    "source_id",
    "target_system",
    "target_id",
    "outcome",
    "error_code",
    "detail",
    "cause",
    "reason",
    "initiated_by",
    "duration_ms",
    "people",
    "edits",
    "evidence",
    "coverage",
    "request_ids",
    "event_id",
    "event_actor",
    "settings",
];

pub fn heading() -> String {
    COLUMNS.join(",") + "\r\n"
}

pub fn row(row: &LogRow) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let none = Proofs::default();
    let proofs = row.proofs.as_ref().unwrap_or(&none);
    let edits: Vec<String> = row.edits.iter().map(report::edit).collect();
    let fields: [String; COLUMNS.len()] = [
        record::at(row).unwrap_or_default(),
        row.entry.0.to_string(),
        text(&row.job),
        row.cycle.map(|cycle| cycle.0.to_string()).unwrap_or_default(),
        text(&row.workspace),
        row.class.clone(),
        record::action(&row.class).to_owned(),
        row.kind.clone(),
        row.name.clone(),
        text(&row.source_system),
        record::source_id(row).cloned().unwrap_or_default(),
        text(&row.target_system),
        text(&row.target_id),
        text(&row.outcome),
        record::error(row).map(|error| error.word().to_owned()).unwrap_or_default(),
        text(&row.detail),
        row.cause.as_ref().map(|cause| cause.sentence()).unwrap_or_default(),
        text(&row.reason),
        record::initiated_by(row),
        row.took_ms.map(|took| took.to_string()).unwrap_or_default(),
        row.people.join("; "),
        edits.join("; "),
        text(&row.evidence),
        proofs
            .coverage
            .iter()
            .map(|shown| format!("{} ({})", shown.collection, by(shown.by)))
            .collect::<Vec<_>>()
            .join("; "),
        each(&proofs.witness, |one| one.request_ids.join("; ")),
        each(&proofs.witness, |one| one.event.as_ref().map(|event| event.id.clone()).unwrap_or_default()),
        each(&proofs.witness, |one| one.event.as_ref().map(actor).unwrap_or_default()),
        text(&row.settings),
    ];
    fields.map(|text| field(&text)).join(",") + "\r\n"
}

fn by(by: By) -> &'static str {
    match by {
        By::Full => "full",
        By::Event => "event",
    }
}

fn actor(event: &SourceEvent) -> String {
    let both = [&event.actor_name, &event.actor_id];
    both.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
}

/// What each of them says, once.
fn each(witness: &[Testified], of: impl Fn(&Testified) -> String) -> String {
    let mut told: Vec<String> = Vec::new();
    for text in witness.iter().map(of).filter(|text| !text.is_empty()) {
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told.join("; ")
}

/// A spreadsheet runs what begins with one of these as a formula, quoted or not: a quote before it makes it text.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

fn field(text: &str) -> String {
    let safe = if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', '\n', '\r']) || safe != text {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_must_be_and_is_never_a_formula() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("she said \"no\"", "\"she said \"\"no\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1+2", "\"'-1+2\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}
