//! WHAT of `approve` and `reject`: all, one name, or the names of a file.

use anyhow::Context;

use super::args::Why;
use super::who::who;
use crate::store::Chosen;
use crate::store::Decided;
use crate::store::Decider;

/// More names of a file than these are counted, not told.
const TOLD: usize = 10;

/// `all`, `@FILE` (the first column of each line), or one name.
pub fn read(what: &str) -> Result<Chosen, anyhow::Error> {
    let Some(path) = what.strip_prefix('@') else {
        return Ok(match what {
            "all" => Chosen::All,
            name => Chosen::Named(name.to_owned()),
        });
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
    let names = listed(&text);
    anyhow::ensure!(!names.is_empty(), "{path} names nobody; write one source id or name a line");
    Ok(Chosen::Listed(names))
}

/// A first line `id`, `source`, `userName` or `name` is a heading.
fn listed(text: &str) -> Vec<String> {
    let first = |line: &str| {
        let column = line.split(',').next().unwrap_or_default().trim();
        column.trim_matches('"').trim().to_owned()
    };
    let mut names: Vec<String> = text.trim_start_matches('\u{feff}').lines().map(first).collect();
    let heading = |name: &String| {
        ["id", "source", "source_id", "username", "name"].contains(&name.to_ascii_lowercase().as_str())
    };
    if names.first().is_some_and(heading) {
        names.remove(0);
    }
    names.retain(|name| !name.is_empty());
    names
}

pub fn decider(why: &Why) -> Decider {
    let now_second = jiff::Timestamp::now().as_second();
    Decider { who: who(), reason: why.reason.clone(), now_second }
}

/// Fails where nothing of it waits, and tells the names of a file that nothing has.
pub fn found_something(job: &str, what: &str, decided: &Decided) -> Result<(), anyhow::Error> {
    anyhow::ensure!(
        decided.changes > 0,
        "job {job}: nothing that waits for a decision is called `{what}`; see `rosterd held {job}`, and give a cause \
         (8 digits), a name, a source id, @FILE, or all"
    );
    for name in decided.unknown.iter().take(TOLD) {
        super::out::print(&format!("nothing that waits is called `{name}`\n"));
    }
    if let Some(more) = decided.unknown.len().checked_sub(TOLD).filter(|more| *more > 0) {
        super::out::print(&format!("nor {more} more of the file\n"));
    }
    Ok(())
}

pub fn changes(decided: &Decided) -> String {
    if decided.changes == 1 { "1 change".to_owned() } else { format!("{} changes", decided.changes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_one_a_line_with_or_without_a_heading() {
        for text in ["u1\nu2\n", "id,name\r\nu1,Ann\r\n\r\n\"u2\",Bo\r\n", "\u{feff}userName\nu1\nu2"] {
            assert_eq!(listed(text), ["u1", "u2"], "{text:?}");
        }
    }
}
