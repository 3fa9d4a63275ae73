//! A plan as Markdown, for a ticket or a review: a table of counts, the causes, a table a class.

use super::Render;
use super::words;
use super::words::HeldFold;
use crate::model::Finding;
use crate::model::Grade;
use crate::plan::Change;
use crate::plan::Class;
use crate::plan::Header;
use crate::plan::HoldKind;
use crate::plan::Verdict;

#[derive(Default)]
pub struct Markdown {
    header: Option<Header>,
    class: Option<Class>,
    held: HeldFold,
}

impl Render for Markdown {
    fn begin(&mut self, header: &Header) -> String {
        let mut out = format!("# Plan of `{}`\n\n", header.job);
        out += &format!(
            "{} → {}, mode {}. ",
            cell(&header.source),
            cell(&header.target),
            words::mode_word(header.mode)
        );
        out += &format!("{}. Digest `{}`.\n", words::summary(header), header.digest);
        out += &counts(header);
        out += &causes(header);
        if !header.notes.is_empty() {
            out += "\n## Notes\n\n";
        }
        for note in &header.notes {
            out += &format!("- {}\n", cell(note));
        }
        out += &findings(&header.findings);
        self.header = Some(header.clone());
        out
    }

    fn change(&mut self, change: &Change) -> String {
        self.held.note(change);
        self.heading(change.class) + &row(change)
    }

    fn end(&mut self) -> String {
        let Some(header) = self.header.take() else { return String::new() };
        held(&self.held, &header)
            + &exemptions(&header)
            + &undone(&header)
            + &lines("Drift: the target shows otherwise than it accepted", words::drift(&header))
            + &lines("Accounts and teams of the target", words::discovery(&header))
            + &deletions(&header)
            + &observed(&self.held, &header)
    }
}

fn findings(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut out = "\n## Before you go on\n\n".to_owned();
    for finding in findings {
        let word = if finding.grade == Grade::Ok { "" } else { "**warning** " };
        out += &format!("- {word}{}: {}", cell(&finding.subject), cell(&finding.text));
        out += &if finding.cure.is_empty() {
            "\n".to_owned()
        } else {
            format!(" Cure: {}\n", cell(&finding.cure))
        };
    }
    out
}

impl Markdown {
    fn heading(&mut self, class: Class) -> String {
        if self.class.replace(class) == Some(class) {
            return String::new();
        }
        format!(
            "\n## {}\n\n| | name | id | change | cause | verdict |\n|---|---|---|---|---|---|\n",
            class.word()
        )
    }
}

fn counts(header: &Header) -> String {
    let mut out = "\n| class | go | held | waiting | escrow |\n|---|--:|--:|--:|--:|\n".to_owned();
    for (class, kinds) in &header.counts {
        let sum = words::total(kinds);
        let word = class.word();
        out += &format!("| {word} | {} | {} | {} | {} |\n", sum.go, sum.held, sum.waiting, sum.escrow);
    }
    out
}

fn causes(header: &Header) -> String {
    if header.causes.is_empty() {
        return String::new();
    }
    let mut out = "\n## Causes\n\n".to_owned();
    for (cause, tally) in &header.causes {
        let count = words::counted(tally.total(), "change");
        out += &format!(
            "- `{}` {}: {count}{}\n",
            cause.id().0,
            cell(&cause.sentence()),
            words::aside(*tally, header.mode)
        );
    }
    out
}

fn row(change: &Change) -> String {
    let mark = words::mark(&change.act);
    let (id, what) = match words::member(&change.act) {
        Some((person, id)) => (id, cell(person)),
        None => (change.source.0.as_str(), edits(change)),
    };
    let verdict = match &change.verdict {
        Verdict::Go => "go".to_owned(),
        Verdict::Held(hold) if hold.kind == HoldKind::Observe => "held: observe".to_owned(),
        Verdict::Held(hold) => format!("held: {}", cell(&hold.text)),
        Verdict::Waiting(text) => format!("waiting: {}", cell(text)),
        Verdict::Escrow(text) => format!("in escrow: {}", cell(text)),
    };
    format!(
        "| `{mark}` | {} | {} | {what} | `{}` | {verdict} |\n",
        cell(&change.name),
        cell(id),
        change.cause.0
    )
}

fn edits(change: &Change) -> String {
    let edits = words::edits(&change.act).into_iter().map(|edit| {
        let new = cell(&words::value(edit.new.as_ref()));
        match edit.old {
            None => format!("{}: {new}", cell(&edit.path)),
            Some(old) => format!("{}: {} → {new}", cell(&edit.path), cell(&words::value(Some(&old)))),
        }
    });
    let remark = words::remark(&change.act).map(|text| cell(&text));
    remark.into_iter().chain(edits).collect::<Vec<_>>().join("<br>")
}

fn held(fold: &HeldFold, header: &Header) -> String {
    let lines = fold.lines(header);
    if lines.is_empty() {
        return String::new();
    }
    let mut out = "\n## Held\n\n".to_owned();
    for line in lines {
        let count = words::counted(line.count, "change");
        let cause = cell(&words::cause_sentence(header, &line.cause));
        out += &format!("- {}: {count}, {cause}. {}", words::hold_word(line.kind), cell(&line.text));
        out += &line.command.map(|command| format!(" `{command}`")).unwrap_or_default();
        out += "\n";
    }
    out
}

fn lines(title: &str, lines: Vec<String>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "\n## {title}\n\n{}",
        lines.iter().map(|line| format!("- {}\n", cell(line.trim()))).collect::<String>()
    )
}

fn exemptions(header: &Header) -> String {
    if header.exemptions.is_empty() {
        return String::new();
    }
    let lines = header.exemptions.iter().map(|one| format!("- {}\n", cell(&words::exemption(one))));
    format!("\n## Not planned, because somebody rejected it\n\n{}", lines.collect::<String>())
}

fn undone(header: &Header) -> String {
    if header.undone.is_empty() {
        return String::new();
    }
    let lines = header.undone.iter().map(|one| format!("- {}\n", cell(&words::undone(one))));
    format!("\n## Kept as it was, because somebody undid a cycle\n\n{}", lines.collect::<String>())
}

fn deletions(header: &Header) -> String {
    if header.deletions.is_empty() {
        return String::new();
    }
    let mut out = "\n## To be deleted\n\n| day | name | id | event |\n|---|---|---|---|\n".to_owned();
    for deletion in &header.deletions {
        let (name, id) = (cell(&deletion.name), cell(&deletion.source.0));
        out += &format!("| {} | {name} | {id} | {} |\n", words::day(deletion.at_second), deletion.by.told());
    }
    let more = header.deletions_total.saturating_sub(header.deletions.len() as u64);
    if more > 0 {
        out += &format!("\n… and {more} more\n");
    }
    out
}

fn observed(fold: &HeldFold, header: &Header) -> String {
    fold.leaving_observe(header).map_or_else(String::new, |command| {
        format!("\nNothing of this is done: the job only observes. When the plan is as it should be: `{command}`\n")
    })
}

/// A value inside a table: nothing in it may end the cell or become markup.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in words::printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
