//! How somebody stood on a day, as text.

use jiff::Timestamp;

use super::explain::section;
use super::words;
use crate::plan::PastStep;
use crate::plan::PastStory;

const NAME_WIDTH: usize = 34;

/// The whole story, for a terminal.
pub fn past(of: &PastStory) -> String {
    let mut out = format!(
        "{}: {} {} ({}), as of {}\n",
        of.job,
        words::kind_word(of.kind),
        words::printable(&of.name),
        of.source,
        moment(of.at_second)
    );
    let state = match of.stood.applied.as_deref() {
        Some(applied) => format!("{applied} in the target"),
        None => "nobody knows any more what it was".to_owned(),
    };
    out += &section("then", &[state]);
    let mut attributes: Vec<String> = of
        .stood
        .attributes
        .iter()
        .map(|(path, value)| format!("{path:<NAME_WIDTH$}  {}", words::value(Some(value))))
        .collect();
    if !of.stood.attributes_whole {
        attributes.push("(there may have been more: not every entry is there with its values)".to_owned());
    }
    out += &section("attributes", &attributes);
    out += &section("teams", &of.stood.teams);
    let decided: Vec<String> = of.decided.iter().map(step).collect();
    out += &section("decided, newest first", &decided);
    out += &section("held", &held(of));
    let settings = of.settings.as_ref().map_or_else(
        || "not known".to_owned(),
        |digest| format!("{digest}; they are shown by: rosterd config show --digest {digest}"),
    );
    out += &section("settings", &[settings]);
    out += &section("not known", &of.unknown);
    let later = match of.later {
        0 => "nothing has happened since".to_owned(),
        1 => "1 entry came later".to_owned(),
        count => format!("{count} entries came later"),
    };
    out + &section("since", &[format!("{later}; today: rosterd explain {} {}", of.job, of.source)])
}

fn held(of: &PastStory) -> Vec<String> {
    let mut lines: Vec<String> = of.held.iter().map(|text| format!("it was, and is: {text}")).collect();
    match (of.cycle, of.held_in_cycle) {
        (Some(cycle), Some(held)) => {
            lines.push(format!("cycle {cycle}, the last one by then, left {held} held in the whole job"));
        }
        (Some(cycle), None) => lines.push(format!("cycle {cycle}, the last one by then, did not end")),
        (None, _) => lines.push("no cycle is known that had begun by then".to_owned()),
    }
    lines
}

fn step(of: &PastStep) -> String {
    let team = of.team.as_ref().map(|team| format!(" ({team})")).unwrap_or_default();
    let outcome = of.outcome.as_deref().unwrap_or("no outcome known");
    let because = of.cause.as_ref().map(|cause| format!(", because: {cause}")).unwrap_or_default();
    let settings = of.settings.as_ref().map(|digest| format!("; settings {digest}")).unwrap_or_default();
    format!("{}  {}{team}  {outcome}{because}{settings}", moment(of.at_second), of.class)
}

fn moment(second: i64) -> String {
    Timestamp::from_second(second).map(|at| at.to_string()).unwrap_or_default()
}
