//! Filters (RFC 7644 section 3.4.2.2) as values: what can be asked of a resource, or of one element of it.

mod check;
mod matches;
mod parse;

pub(super) use matches::member;
pub(super) use matches::values;
pub use parse::FilterBounds;
pub(super) use parse::Parser;
pub use parse::SyntaxError;

use std::fmt;

use serde_json::Value;

use super::Path;

/// A filter. Within `[…]` the paths keep the attribute that the brackets belong to and name its sub-attributes,
/// so that case rules can be looked up everywhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Two or more, flat.
    And(Vec<Filter>),
    /// Two or more, flat.
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// `pr`; and a value path on its own (`emails[type eq "work"]`): an element is there.
    Present(Path),
    Compare {
        path: Path,
        op: Compare,
        /// A JSON scalar.
        value: Value,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Compare {
    const WORDS: [(&'static str, Compare); 9] = [
        ("eq", Compare::Eq),
        ("ne", Compare::Ne),
        ("co", Compare::Co),
        ("sw", Compare::Sw),
        ("ew", Compare::Ew),
        ("gt", Compare::Gt),
        ("ge", Compare::Ge),
        ("lt", Compare::Lt),
        ("le", Compare::Le),
    ];

    pub fn word(self) -> &'static str {
        Compare::WORDS.iter().find(|(_, op)| *op == self).map_or("", |(word, _)| word)
    }

    fn read(word: &str) -> Option<Compare> {
        Compare::WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, op)| *op)
    }
}

/// Whether texts stand between double quotes, as the grammar wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quotes {
    #[default]
    Needed,
    /// `externalId eq jyoung` and `externalId eq 'jyoung'` are taken too: some documentation prints them.
    Optional,
}

impl Filter {
    /// Reads a filter; see `SyntaxError` for its bounds.
    pub fn parse(text: &str) -> Result<Filter, SyntaxError> {
        Filter::parse_with(text, Quotes::Needed)
    }

    /// Reads a filter whose texts may lack their quotes.
    pub fn parse_with(text: &str, quotes: Quotes) -> Result<Filter, SyntaxError> {
        Filter::parse_within(text, quotes, FilterBounds::default())
    }

    /// The same within bounds that somebody set.
    pub fn parse_within(text: &str, quotes: Quotes, bounds: FilterBounds) -> Result<Filter, SyntaxError> {
        Parser::new(text, quotes, bounds)?.whole_filter()
    }

    /// The filter with `?` for each value: what may be logged of it.
    pub fn shape(&self) -> String {
        Shown { filter: self, inside: false, values: Values::Hidden }.to_string()
    }

    /// The terms that must all hold: of an `and` its parts, else the filter itself.
    pub fn terms(&self) -> &[Filter] {
        match self {
            Filter::And(parts) => parts,
            other => std::slice::from_ref(other),
        }
    }

    /// Calls `visit` with every comparison and presence test, those within brackets included.
    pub fn each_term(&self, visit: &mut dyn FnMut(&Filter)) {
        match self {
            Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| part.each_term(visit)),
            Filter::Not(part) => part.each_term(visit),
            Filter::Present(path) | Filter::Compare { path, .. } => {
                visit(self);
                if let Some(select) = &path.select {
                    select.each_term(visit);
                }
            }
        }
    }

    pub(super) fn inside(&self) -> Shown<'_> {
        Shown { filter: self, inside: true, values: Values::Shown }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Shown { filter: self, inside: false, values: Values::Shown })
    }
}

/// A filter as text; inside brackets a path is its sub-attribute alone.
pub(super) struct Shown<'a> {
    filter: &'a Filter,
    inside: bool,
    values: Values,
}

/// Values are people's attributes and not for logs.
#[derive(Clone, Copy)]
enum Values {
    Shown,
    Hidden,
}

impl Shown<'_> {
    fn part<'b>(&self, filter: &'b Filter) -> Shown<'b> {
        Shown { filter, ..*self }
    }

    fn path(&self, path: &Path) -> String {
        match (&path.sub, self.inside) {
            (Some(sub), true) => sub.clone(),
            _ => match (&path.select, self.values) {
                (Some(select), Values::Hidden) => {
                    let sub = path.sub.as_ref().map(|sub| format!(".{sub}")).unwrap_or_default();
                    let inside = Shown { filter: select, inside: true, values: Values::Hidden };
                    format!("{}[{inside}]{sub}", path.without_brackets())
                }
                _ => path.to_string(),
            },
        }
    }

    fn joined(&self, f: &mut fmt::Formatter<'_>, parts: &[Filter], word: &str) -> fmt::Result {
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                write!(f, " {word} ")?;
            }
            match part {
                Filter::Or(_) | Filter::And(_) => write!(f, "({})", self.part(part))?,
                _ => write!(f, "{}", self.part(part))?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.filter {
            Filter::And(parts) => self.joined(f, parts, "and"),
            Filter::Or(parts) => self.joined(f, parts, "or"),
            Filter::Not(part) => write!(f, "not ({})", self.part(part)),
            Filter::Present(path) if path.select.is_some() && path.sub.is_none() => {
                f.write_str(&self.path(path))
            }
            Filter::Present(path) => write!(f, "{} pr", self.path(path)),
            Filter::Compare { path, op, value } => match self.values {
                Values::Shown => write!(f, "{} {} {value}", self.path(path), op.word()),
                Values::Hidden => write!(f, "{} {} ?", self.path(path), op.word()),
            },
        }
    }
}
