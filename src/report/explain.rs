//! An explanation as text: one section a step, in the order in which the daemon decides.

use jiff::Timestamp;

use super::words;
use crate::plan::AttributeStory;
use crate::plan::DriftKind;
use crate::plan::DriftStory;
use crate::plan::Explanation;
use crate::plan::HistoryStory;

/// Longer names move their own line only.
const NAME_WIDTH: usize = 34;

/// The whole story, for a terminal.
pub fn explanation(of: &Explanation) -> String {
    let mut out =
        format!("{}: {} {} ({})\n", of.job, words::kind_word(of.kind), words::printable(&of.name), of.source);
    out += &section("link", &linked(of));
    out += &section("scope", &of.scope);
    out += &section("matching", &of.matching);
    let attributes: Vec<String> = of.attributes.iter().map(attribute).collect();
    out += &section("attributes", &attributes);
    let teams: Vec<String> = of
        .teams
        .iter()
        .map(|team| format!("{:<NAME_WIDTH$}  {}", words::printable(&team.team), team.verdict))
        .collect();
    out += &section("teams", &teams);
    let planned: Vec<String> = match &of.planned {
        None => vec!["nothing".to_owned()],
        Some(planned) => vec![
            format!("{}, because: {} ({})", planned.class, planned.cause, planned.cause_id),
            planned.verdict.clone(),
        ],
    };
    out += &section("planned", &planned);
    let drift: Vec<String> = of.drift.iter().map(drift).collect();
    out += &section("drift, when the target was last verified", &drift);
    let exemptions: Vec<String> = of.exemptions.iter().map(words::exemption).collect();
    out += &section("not planned, because somebody rejected it", &exemptions);
    let undone: Vec<String> = of.undone.iter().map(words::undone).collect();
    out += &section("kept as it was, because somebody undid a cycle", &undone);
    let history: Vec<String> = of.history.iter().flat_map(entry).collect();
    out += &section("history, newest first", &history);
    out + &section("next", &of.next)
}

fn linked(of: &Explanation) -> Vec<String> {
    let link = &of.link;
    let mut lines = vec![match (link.desired.as_deref(), link.applied.as_str()) {
        (Some("inactive"), "absent") => "not wanted, and not there".to_owned(),
        (None, applied) => format!("not decided yet, {applied} in the target"),
        (Some(desired), applied) => format!("wanted {desired}, {applied} in the target"),
    }];
    if let Some(resource) = &link.resource {
        let origin = link.origin.as_deref().unwrap_or("known");
        lines.push(format!("resource {resource}, {origin} by this job"));
    }
    if !link.shared_with.is_empty() {
        lines.push(format!("shared with {}", link.shared_with.join(", ")));
    }
    match &link.owner {
        Some(owner) => lines.push(format!("job {owner} owns it and writes its attributes")),
        None if link.ownerless => {
            lines
                .push(format!("no job owns it any more, so its attributes are not written; {}", take_on(of)));
        }
        None => {}
    }
    lines
}

fn take_on(of: &Explanation) -> String {
    format!("make this one the owner: rosterd link move {0} {1} {0}", of.job, of.source)
}

fn attribute(of: &AttributeStory) -> String {
    let mut line =
        format!("{:<NAME_WIDTH$}  {}  <- {}", of.target, words::value(of.wanted.as_ref()), of.from);
    if of.sent != of.wanted || of.shown != of.wanted {
        line += &format!("; sent {}", words::value(of.sent.as_ref()));
        if of.shown != of.sent {
            line += &format!(", shown {}", words::value(of.shown.as_ref()));
        }
    }
    format!("{line}; {}", of.verdict)
}

fn drift(of: &DriftStory) -> String {
    let at = Timestamp::from_second(of.at_second).map(|at| at.to_string()).unwrap_or_default();
    let (past, found) = (words::value(of.past.as_ref()), words::value(of.found.as_ref()));
    match of.drift {
        DriftKind::Changed => format!("{}: showed {past}, shows {found}; found at {at}", of.path),
        kind => format!("{}; found at {at}", kind.told()),
    }
}

fn entry(of: &HistoryStory) -> Vec<String> {
    let at = Timestamp::from_second(of.at_second).map(|at| at.to_string()).unwrap_or_default();
    let because = of.cause.as_ref().map(|cause| format!(", because: {cause}")).unwrap_or_default();
    let mut lines = vec![format!("{at}  {}  {}{because}", of.class, of.outcome)];
    lines.extend(of.edits.iter().map(|edit| format!("    {}", words::edit(edit))));
    lines.extend(of.detail.iter().filter(|detail| !detail.is_empty()).map(|detail| format!("    {detail}")));
    lines
}

pub(super) fn section(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("  {}\n", words::printable(line))).collect();
    format!("\n{title}\n{lines}")
}
