//! The grammar of filters and paths: one parser, bounded in length, depth and number of comparisons.

use serde_json::Value;

use super::Compare;
use super::Filter;
use super::Quotes;
use crate::scim::Path;
use crate::scim::schema::Definition;
use crate::scim::schema::Form;

/// Longer filters come from nobody who means well (8 KiB).
const LENGTH_MAX: usize = 8 * 1024;
/// How much one filter may ask. The settings `scim.filter_depth` and `scim.filter_comparisons` set it for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterBounds {
    /// Counted, because each level is a call: thousands of brackets must not exhaust the stack.
    pub depth: usize,
    /// A filter is evaluated for each candidate.
    pub comparisons: usize,
}

impl Default for FilterBounds {
    fn default() -> FilterBounds {
        FilterBounds { depth: 32, comparisons: 512 }
    }
}

/// What is wrong with a filter or a path, and where (characters, from 1). Quotes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at character {at}")]
pub struct SyntaxError {
    pub what: String,
    pub at: usize,
}

impl SyntaxError {
    pub(in crate::scim) fn new(what: impl Into<String>, at: usize) -> SyntaxError {
        SyntaxError { what: what.into(), at }
    }
}

pub(in crate::scim) struct Parser<'a> {
    text: &'a str,
    /// A byte position, always on a character.
    at: usize,
    depth: usize,
    comparisons: usize,
    /// The attribute whose brackets we are in.
    outer: Option<Path>,
    quotes: Quotes,
    bounds: FilterBounds,
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a str, quotes: Quotes, bounds: FilterBounds) -> Result<Parser<'a>, SyntaxError> {
        if text.len() > LENGTH_MAX {
            return Err(SyntaxError::new("more than 8 KiB: too long", 1));
        }
        Ok(Parser { text, at: 0, depth: 0, comparisons: 0, outer: None, quotes, bounds })
    }

    pub fn whole_filter(mut self) -> Result<Filter, SyntaxError> {
        self.spaces();
        let filter = self.or()?;
        self.spaces();
        self.end()?;
        Ok(filter)
    }

    pub fn whole_path(mut self) -> Result<Path, SyntaxError> {
        let path = self.path()?;
        self.end()?;
        Ok(path)
    }

    fn or(&mut self) -> Result<Filter, SyntaxError> {
        let mut parts = vec![self.and()?];
        while self.joint("or") {
            parts.push(self.and()?);
        }
        Ok(single(parts, Filter::Or))
    }

    fn and(&mut self) -> Result<Filter, SyntaxError> {
        let mut parts = vec![self.unary()?];
        while self.joint("and") {
            parts.push(self.unary()?);
        }
        Ok(single(parts, Filter::And))
    }

    fn unary(&mut self) -> Result<Filter, SyntaxError> {
        if self.take('(') {
            return self.group();
        }
        let start = self.at;
        if self.word().eq_ignore_ascii_case("not") {
            self.spaces();
            if self.take('(') {
                return Ok(Filter::Not(Box::new(self.group()?)));
            }
        }
        self.at = start;
        self.term()
    }

    /// After an opening bracket.
    fn group(&mut self) -> Result<Filter, SyntaxError> {
        self.deeper()?;
        self.spaces();
        let filter = self.or()?;
        self.spaces();
        self.expect(')')?;
        self.depth -= 1;
        Ok(filter)
    }

    fn term(&mut self) -> Result<Filter, SyntaxError> {
        self.comparisons += 1;
        let most = self.bounds.comparisons;
        if self.comparisons > most {
            let what = format!("more than {most} comparisons (setting scim.filter_comparisons)");
            return Err(self.problem(what));
        }
        let path = self.path()?;
        if !self.space() {
            return match path.select.is_some() && path.sub.is_none() {
                true => Ok(Filter::Present(path)),
                false => Err(self.problem("a space and an operator are expected")),
            };
        }
        self.condition(path)
    }

    /// After the path and a space. A value path may also stand alone, followed by `and`, `or` or an end.
    fn condition(&mut self, path: Path) -> Result<Filter, SyntaxError> {
        let start = self.at;
        let word = self.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let Some(op) = Compare::read(word) else {
            self.at = start;
            let alone = path.select.is_some() && path.sub.is_none();
            let ended = ["", "and", "or"].iter().any(|end| word.eq_ignore_ascii_case(end));
            if alone && ended {
                self.step_back();
                return Ok(Filter::Present(path));
            }
            return Err(self.problem("an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr) is expected"));
        };
        if !self.space() {
            return Err(self.problem("a space and a value are expected"));
        }
        let value = self.value(&path)?;
        Ok(Filter::Compare { path, op, value })
    }

    fn path(&mut self) -> Result<Path, SyntaxError> {
        let at = self.character();
        let path = Path::of_word(self.word(), at)?;
        if let Some(outer) = &self.outer {
            return within(outer, path, at);
        }
        if !self.take('[') {
            return Ok(path);
        }
        if path.sub.is_some() || path.is_extension() {
            return Err(self.problem("no value filter is expected here"));
        }
        self.value_path(path)
    }

    /// After `attribute[`.
    fn value_path(&mut self, mut path: Path) -> Result<Path, SyntaxError> {
        self.deeper()?;
        self.outer = Some(path.clone());
        self.spaces();
        let select = self.or()?;
        self.spaces();
        self.expect(']')?;
        self.outer = None;
        self.depth -= 1;
        if self.take('.') {
            let at = self.character();
            let sub = Path::of_word(self.word(), at)?;
            path = within(&path, sub, at)?;
        }
        path.select = Some(Box::new(select));
        Ok(path)
    }

    fn value(&mut self, path: &Path) -> Result<Value, SyntaxError> {
        let rest = &self.text[self.at..];
        let mark = rest.chars().next().filter(|mark| self.is_quote(*mark));
        let length = match mark {
            Some(_) => quoted(rest).ok_or_else(|| self.problem("the closing quote is missing"))?,
            None => rest.find([' ', ')', ']', '\t']).unwrap_or(rest.len()),
        };
        let literal = &rest[..length];
        if self.quotes == Quotes::Optional
            && let Some(text) = bare(literal, path)
        {
            self.at += length;
            return Ok(text.into());
        }
        let scalar = !literal.starts_with(['{', '[']);
        match serde_json::from_str(literal) {
            Ok(value) if scalar => {
                self.at += length;
                Ok(value)
            }
            _ => {
                Err(self
                    .problem("a value is expected: \"text\" in double quotes, a number, true, false or null"))
            }
        }
    }

    fn is_quote(&self, mark: char) -> bool {
        mark == '"' || (mark == '\'' && self.quotes == Quotes::Optional)
    }

    /// `and` or `or` with spaces around it; stays where it is when something else follows.
    fn joint(&mut self, keyword: &str) -> bool {
        let start = self.at;
        if self.space() && self.word().eq_ignore_ascii_case(keyword) && self.space() {
            return true;
        }
        self.at = start;
        false
    }

    fn word(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | ':' | '.' | '%' | '/');
        let length = rest.find(|c| !name(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// One space or more.
    fn space(&mut self) -> bool {
        let start = self.at;
        self.spaces();
        self.at > start
    }

    fn spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    /// Before the spaces that end here, for what comes next and wants one.
    fn step_back(&mut self) {
        self.at = self.text[..self.at].trim_end_matches([' ', '\t']).len();
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.text[self.at..].starts_with(wanted);
        if there {
            self.at += wanted.len_utf8();
        }
        there
    }

    fn expect(&mut self, wanted: char) -> Result<(), SyntaxError> {
        if self.take(wanted) { Ok(()) } else { Err(self.problem(format!("`{wanted}` is missing"))) }
    }

    fn deeper(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        let most = self.bounds.depth;
        if self.depth <= most {
            return Ok(());
        }
        Err(self.problem(format!("nested more than {most} deep (setting scim.filter_depth)")))
    }

    fn end(&self) -> Result<(), SyntaxError> {
        if self.at == self.text.len() { Ok(()) } else { Err(self.problem("nothing more is expected")) }
    }

    fn problem(&self, what: impl Into<String>) -> SyntaxError {
        SyntaxError::new(what, self.character())
    }

    fn character(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }
}

fn single(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

/// A sub-attribute of `outer`: a plain name.
fn within(outer: &Path, inner: Path, at: usize) -> Result<Path, SyntaxError> {
    if inner.urn.is_some() || inner.sub.is_some() || inner.is_extension() {
        return Err(SyntaxError::new("the plain name of a sub-attribute is expected", at));
    }
    let sub = Some(inner.name);
    Ok(Path { urn: outer.urn.clone(), name: outer.name.clone(), select: None, sub }.respelled())
}

/// The text in single quotes, or the word without quotes that is compared with a text.
fn bare<'a>(literal: &'a str, path: &Path) -> Option<&'a str> {
    if let Some(text) = literal.strip_prefix('\'') {
        return text.strip_suffix('\'');
    }
    let form = path.leaf().map(Definition::deciding).map(|leaf| leaf.form);
    let text = matches!(form, None | Some(Form::Text | Form::Reference | Form::DateTime | Form::Binary));
    let word = !literal.is_empty() && literal != "null" && !literal.starts_with(['"', '{', '[']);
    (text && word).then_some(literal)
}

/// The length of the text at the start of `text`, quotes included.
fn quoted(text: &str) -> Option<usize> {
    let mark = text.chars().next()?;
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == mark => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Filter;

    fn check(text: &str, expected: &str) {
        assert_eq!(Filter::parse(text).map(|filter| filter.to_string()), Ok(expected.to_owned()), "{text}");
    }

    fn refused(text: &str, expected: &str) {
        let problem = Filter::parse(text).expect_err(text);
        assert!(problem.to_string().contains(expected), "{text}: {problem}");
    }

    #[test]
    fn operators_and_keywords_are_taken_in_any_case() {
        check("USERNAME EQ \"bob\"", "userName eq \"bob\"");
        check("title PR AND NOT(active Eq true)", "title pr and not (active eq true)");
        check("not (nickName eq \"x\")", "not (nickName eq \"x\")");
    }

    #[test]
    fn and_binds_tighter_than_or_and_chains_are_flat() {
        check("a eq 1 or b eq 2 and c eq 3", "a eq 1 or (b eq 2 and c eq 3)");
        check("(a eq 1 or b eq 2) and c eq 3", "(a eq 1 or b eq 2) and c eq 3");
        let chain = (0..300).map(|n| format!("userName eq \"u{n}\"")).collect::<Vec<_>>().join(" or ");
        let Ok(Filter::Or(parts)) = Filter::parse(&chain) else { panic!("one flat chain") };
        assert_eq!(parts.len(), 300);
    }

    #[test]
    fn value_paths_are_read_with_and_without_a_comparison_behind_them() {
        check("emails[type eq \"work\" and value co \"@x\"]", "emails[type eq \"work\" and value co \"@x\"]");
        check("emails[type eq \"work\"].value eq \"x\"", "emails[type eq \"work\"].value eq \"x\"");
        check("emails[type eq \"work\"] or title pr", "emails[type eq \"work\"] or title pr");
        check("(emails[type eq \"work\"] )", "emails[type eq \"work\"]");
    }

    #[test]
    fn values_are_json() {
        check(r#"userName eq "o\"malley \u00e9""#, r#"userName eq "o\"malley é""#);
        check("a eq null", "a eq null");
        check("a gt -1.5", "a gt -1.5");
    }

    #[test]
    fn what_is_not_of_the_grammar_is_refused() {
        refused("", "an attribute name");
        refused("   ", "an attribute name");
        refused("userName", "an operator");
        refused("userName eq", "a value");
        refused("userName eq ", "a value");
        refused("userName xx \"a\"", "an operator (eq");
        refused("(userName pr", "`)` is missing");
        refused("userName pr)", "nothing more");
        refused("userName pr \"x\"", "nothing more");
        refused("not userName pr", "an operator");
        refused("userName eq 'bob'", "double quotes");
        refused("userName eq bob", "double quotes");
        refused("userName eq True", "double quotes");
        refused("userName eq 01", "double quotes");
        refused("userName eq \"\\x\"", "double quotes");
        refused("userName eq \"x", "closing quote");
        refused("userName eq [1]", "double quotes");
        refused("a.b.c eq 1", "an attribute name");
        refused("a..b eq 1", "an attribute name");
        refused("1a eq 1", "an attribute name");
        refused("emails[] pr", "an attribute name");
        refused("emails[type[value eq 1] eq 2]", "an operator");
        refused("userName eq \"a\" and", "nothing more");
        refused("userName eq \"a\" title pr", "nothing more");
    }

    #[test]
    fn a_hundred_thousand_brackets_are_an_ordinary_mistake() {
        refused(&"(".repeat(100_000), "too long");
        refused(&"(".repeat(8000), "more than 32 deep (setting scim.filter_depth)");
        refused(&"not (".repeat(1000), "more than 32 deep (setting scim.filter_depth)");
        let many = vec!["a pr"; 513].join(" or ");
        refused(&many, "more than 512 comparisons (setting scim.filter_comparisons)");
    }
}
