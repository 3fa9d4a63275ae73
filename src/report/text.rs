//! A plan as aligned text for a terminal: header, causes, one line a change under its class, what is held.

use super::Render;
use super::words;
use super::words::HeldFold;
use crate::model::Finding;
use crate::model::Grade;
use crate::plan::Act;
use crate::plan::Change;
use crate::plan::Class;
use crate::plan::Edit;
use crate::plan::Header;
use crate::plan::HoldKind;
use crate::plan::Verdict;

/// Wide enough for most userNames; a longer one moves its own line only, as a stream cannot look ahead.
const NAME_WIDTH: usize = 32;
/// Attributes of one change stand aligned: as wide as the longest of them, within these.
const PATH_WIDTH: std::ops::RangeInclusive<usize> = 24..=48;
/// More causes than this are counted, not listed: the largest come first.
const CAUSES_MAX: usize = 20;
/// The next ones are shown, the rest is counted.
const DELETIONS_MAX: usize = 20;
/// A link or a create carries many attributes; those of one change stand on lines of their own.
const INDENT: &str = "        ";

/// Plain text, without colour.
pub struct Text {
    lines_per_class: Option<u64>,
    header: Option<Header>,
    class: Option<Class>,
    shown: u64,
    hidden: u64,
    held: HeldFold,
}

impl Text {
    /// Every change.
    pub fn whole() -> Text {
        Text {
            lines_per_class: None,
            header: None,
            class: None,
            shown: 0,
            hidden: 0,
            held: HeldFold::default(),
        }
    }

    /// At most so many changes of each class, then "… and 12 more".
    pub fn cut(lines_per_class: u64) -> Text {
        Text { lines_per_class: Some(lines_per_class), ..Text::whole() }
    }

    fn heading(&mut self, class: Class) -> String {
        if self.class == Some(class) {
            return String::new();
        }
        let rest = self.rest();
        (self.class, self.shown, self.hidden) = (Some(class), 0, 0);
        let counts = self.header.as_ref().and_then(|header| header.counts.get(&class));
        let kinds = counts.map(|counts| words::kinds(class, counts)).unwrap_or_default();
        format!("{rest}\n{}  {kinds}\n", class.word())
    }

    fn rest(&mut self) -> String {
        let hidden = std::mem::take(&mut self.hidden);
        if hidden == 0 { String::new() } else { format!("  … and {hidden} more\n") }
    }

    fn is_cut(&self) -> bool {
        self.lines_per_class.is_some_and(|most| self.shown >= most)
    }
}

impl Render for Text {
    fn begin(&mut self, header: &Header) -> String {
        let mode = words::mode_word(header.mode);
        let mut out = format!("{}: {} -> {}, mode {mode}\n", header.job, header.source, header.target);
        out += &format!("{}\n", words::summary(header));
        out += &format!("plan {}\n", header.digest);
        out += &causes(header);
        for note in &header.notes {
            out += &format!("note: {}\n", words::printable(note));
        }
        out += &findings(&header.findings);
        self.header = Some(header.clone());
        out
    }

    fn change(&mut self, change: &Change) -> String {
        self.held.note(change);
        let heading = self.heading(change.class);
        if self.is_cut() {
            self.hidden += 1;
            return heading;
        }
        self.shown += 1;
        heading + &line(change)
    }

    fn end(&mut self) -> String {
        let rest = self.rest();
        let Some(header) = self.header.take() else { return rest };
        rest + &held(&self.held, &header)
            + &exemptions(&header)
            + &undone(&header)
            + &lines("drift: the target shows otherwise than it accepted", words::drift(&header))
            + &lines("accounts and teams of the target", words::discovery(&header))
            + &deletions(&header)
            + &observed(&self.held, &header)
    }
}

fn causes(header: &Header) -> String {
    if header.causes.is_empty() {
        return String::new();
    }
    let mut out = "\ncauses\n".to_owned();
    for (cause, tally) in header.causes.iter().take(CAUSES_MAX) {
        let count = words::counted(tally.total(), "change");
        let sentence = words::printable(&cause.sentence());
        out += &format!("  {}  {sentence}: {count}{}\n", cause.id().0, words::aside(*tally, header.mode));
    }
    let more = header.causes.len().saturating_sub(CAUSES_MAX);
    if more > 0 {
        out += &format!("  … and {more} more\n");
    }
    out
}

fn findings(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut out = "\nbefore you go on\n".to_owned();
    for finding in findings {
        let word = if finding.grade == Grade::Ok { "" } else { "warning" };
        let text = words::printable(&finding.text);
        out += &format!("  {} {}  {text}\n", padded(word, 7), padded(&finding.subject, 12));
        if !finding.cure.is_empty() {
            out += &format!("{INDENT}cure: {}\n", words::printable(&finding.cure));
        }
    }
    out
}

fn line(change: &Change) -> String {
    let mark = words::mark(&change.act);
    let name = padded(&words::printable(&change.name), NAME_WIDTH);
    let verdict = verdict(change);
    let first = |middle: &str, id: &str| format!("  {mark} {name}  {middle}({id}){verdict}\n");
    if let Some((person, id)) = words::member(&change.act) {
        return first(&format!("{}  ", padded(&words::printable(person), NAME_WIDTH)), id);
    }
    let id = &change.source.0;
    let remark = words::remark(&change.act).map(|text| format!("{INDENT}{text}\n")).unwrap_or_default();
    match words::edits(&change.act).as_slice() {
        [only] if remark.is_empty() => {
            first(&format!("{}  {}  ", only.path, transition(only, &change.act)), id)
        }
        edits => {
            let longest = edits.iter().map(|edit| edit.path.chars().count()).max().unwrap_or_default();
            let width = longest.clamp(*PATH_WIDTH.start(), *PATH_WIDTH.end());
            let lines = edits.iter().map(|edit| {
                let path = padded(&edit.path, width);
                format!("{INDENT}{path}  {}\n", transition(edit, &change.act))
            });
            first("", id) + &remark + &lines.collect::<String>()
        }
    }
}

/// `old -> new`; what is created has no old, so it shows the value alone.
fn transition(edit: &Edit, act: &Act) -> String {
    let new = words::value(edit.new.as_ref());
    match act {
        Act::Create { .. } => new,
        _ => format!("{} -> {new}", words::value(edit.old.as_ref())),
    }
}

fn verdict(change: &Change) -> String {
    match &change.verdict {
        Verdict::Go => String::new(),
        Verdict::Held(hold) if hold.kind == HoldKind::Observe => String::new(),
        Verdict::Held(hold) if words::is_of_one_object(hold.kind) => {
            format!("  held: {}", words::printable(&hold.text))
        }
        Verdict::Held(hold) => format!("  held: {} {}", words::hold_word(hold.kind), change.cause.0),
        Verdict::Waiting(text) => format!("  waiting: {}", words::printable(text)),
        Verdict::Escrow(text) => format!("  in escrow: {}", words::printable(text)),
    }
}

fn held(fold: &HeldFold, header: &Header) -> String {
    let lines = fold.lines(header);
    if lines.is_empty() {
        return String::new();
    }
    let mut out = "\nheld\n".to_owned();
    for line in lines {
        let word = padded(words::hold_word(line.kind), 11);
        let count = words::counted(line.count, "change");
        out += &format!("  {word} {count}: {}\n", words::cause_sentence(header, &line.cause));
        if !words::is_of_one_object(line.kind) {
            out += &format!("{INDENT}{}\n", words::printable(&line.text));
        }
        if let Some(detail) = line.detail {
            out += &format!("{INDENT}{detail}\n");
        }
        if let Some(command) = line.command {
            out += &format!("{INDENT}{command}\n");
        }
    }
    out
}

/// A section of lines, where there are any.
fn lines(title: &str, lines: Vec<String>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("\n{title}\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>())
}

/// What a person has rejected; it comes back as held.
fn exemptions(header: &Header) -> String {
    if header.exemptions.is_empty() {
        return String::new();
    }
    let lines = header.exemptions.iter().map(|one| format!("  {}\n", words::exemption(one)));
    format!("\nnot planned, because somebody rejected it\n{}", lines.collect::<String>())
}

/// What a person undid; what the rules want instead comes back as held.
fn undone(header: &Header) -> String {
    if header.undone.is_empty() {
        return String::new();
    }
    let lines = header.undone.iter().map(|one| format!("  {}\n", words::undone(one)));
    format!("\nkept as it was, because somebody undid a cycle\n{}", lines.collect::<String>())
}

/// Accounts that wait for their deletion.
fn deletions(header: &Header) -> String {
    if header.deletions.is_empty() {
        return String::new();
    }
    let mut out = "\nto be deleted\n".to_owned();
    let mut shown = 0;
    for deletion in header.deletions.iter().take(DELETIONS_MAX) {
        let name = padded(&words::printable(&deletion.name), NAME_WIDTH);
        let day = words::day(deletion.at_second);
        out += &format!("  {day}  {name}  {}  ({})\n", deletion.by.told(), deletion.source);
        shown += 1;
    }
    let more = header.deletions_total.saturating_sub(shown);
    if more > 0 {
        out += &format!("  … and {more} more\n");
    }
    out
}

fn observed(fold: &HeldFold, header: &Header) -> String {
    fold.leaving_observe(header).map_or_else(String::new, |command| {
        format!("\nnothing of this is done: the job only observes; when the plan is as it should be:\n{INDENT}{command}\n")
    })
}

/// Counts characters, which is right for most scripts and off by a little for wide ones.
fn padded(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}
