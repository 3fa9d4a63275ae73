//! What people read: stdout, coloured on a terminal only, and the chain of an error on stderr.

use std::io;
use std::io::Write;
use std::sync::OnceLock;

use jiff::Timestamp;
use owo_colors::OwoColorize;

use super::exit::Exit;
use crate::config::Problems;

/// The first failure of stdout; the command goes on, and ends with it.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes to stdout. A reader that went away (`| head`) is no failure: there is nobody left to tell.
pub fn print(text: &str) {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(LOST.set(error)),
        _ => {}
    }
}

/// To the second: what lies below is jitter.
pub fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `Failed`, and said, where something that was printed did not arrive (a full disk).
pub fn ended() -> Exit {
    match LOST.get() {
        None => Exit::Done,
        Some(error) => failed(&anyhow::anyhow!(
            "what was printed did not all arrive ({error}); look at where stdout goes"
        )),
    }
}

/// A report of a plan, coloured by the marks of its lines.
pub fn print_report(text: &str) {
    let coloured: String = text.split_inclusive('\n').map(coloured).collect();
    print(&coloured);
}

fn coloured(line: &str) -> String {
    if line.contains("  held: ") {
        return line.yellow().to_string();
    }
    match line.as_bytes() {
        [b' ', b' ', b'+' | b'^' | b'>', b' ', ..] => line.green().to_string(),
        [b' ', b' ', b'-' | b'x' | b'<', b' ', ..] => line.red().to_string(),
        [b' ', b' ', b'~' | b'=', b' ', ..] => line.cyan().to_string(),
        _ => line.to_owned(),
    }
}

/// `error: …`, then each cause on its own line. What a room wrote as `what; cure` is told as two.
pub fn print_error(error: &anyhow::Error) {
    let mut err = anstream::stderr().lock();
    let _ = err.write_all(told(error).as_bytes());
}

/// Tells the error of one object among others; the command goes on and ends with this.
pub fn failed(error: &anyhow::Error) -> Exit {
    print_error(error);
    Exit::Failed
}

fn told(error: &anyhow::Error) -> String {
    // Problems of the settings bring their own words, place and cure, each.
    if let Some(problems) = error.downcast_ref::<Problems>() {
        return format!("{problems}\n");
    }
    let mut out = String::new();
    let mut earlier = String::new();
    for (depth, cause) in error.chain().enumerate() {
        let text = cause.to_string();
        // A transparent wrapper says what its source says.
        if text == earlier {
            continue;
        }
        let word = if depth == 0 { "error" } else { "  caused by" };
        out += &match text.split_once("; ") {
            Some((what, cure)) => format!("{word}: {what}\n  cure: {cure}\n"),
            None => format!("{word}: {text}\n"),
        };
        earlier = text;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_its_causes_and_the_cure() {
        let error = anyhow::anyhow!("Graph refused the sign-in; make a new client secret")
            .context("job acme: the source could not be read");
        assert_eq!(
            told(&error),
            "error: job acme: the source could not be read\n  caused by: Graph refused the sign-in\n  cure: make a new client secret\n"
        );
    }
}
