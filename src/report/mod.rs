//! A plan or the record of a cycle in; text, Markdown or JSON out. Pure: change by change, so that a long plan never sits in memory.
//!
//! | format | for | module |
//! |---|---|---|
//! | text | people at a terminal | `text` |
//! | markdown | tickets and reviews | `markdown` |
//! | json | scripts; documented there, stable | `json` |

mod explain;
mod explain_at;
mod json;
mod markdown;
mod on_demand;
mod record;
mod text;
mod words;

use std::fmt;
use std::str::FromStr;

pub use explain::explanation;
pub use explain_at::past;
pub use json::Json;
pub use markdown::Markdown;
pub use on_demand::on_demand;
pub use record::cycle;
pub use record::outcome;
pub use text::Text;
pub use words::age;
pub use words::counted;
pub use words::edit;
pub use words::hold_word;
pub use words::mark;
pub use words::mode_word;
pub use words::printable;
pub use words::summary;

use crate::plan::Change;
use crate::plan::Header;

/// One way to write a plan down. `begin` once, `change` for each in the plan's order, `end` once; the pieces
/// joined are the report.
pub trait Render {
    fn begin(&mut self, header: &Header) -> String;
    fn change(&mut self, change: &Change) -> String;
    fn end(&mut self) -> String;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Markdown,
    Json,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::Text, Format::Markdown, Format::Json];

    pub fn word(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Markdown => "markdown",
            Format::Json => "json",
        }
    }

    pub fn renderer(self) -> Box<dyn Render + Send> {
        match self {
            Format::Text => Box::new(Text::whole()),
            Format::Markdown => Box::new(Markdown::default()),
            Format::Json => Box::new(Json::default()),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Format, UnknownFormat> {
        Format::ALL.into_iter().find(|format| format.word() == text).ok_or(UnknownFormat)
    }
}

/// The text names no format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a format; one of text, markdown, json")]
pub struct UnknownFormat;
