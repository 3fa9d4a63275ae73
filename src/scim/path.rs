//! Attribute paths: `userName`, `name.givenName`, `emails[type eq "work"].value`, with a schema's URN in front.

use std::fmt;

use super::ResourceType;
use super::filter::Filter;
use super::filter::FilterBounds;
use super::filter::Parser;
use super::filter::Quotes;
use super::filter::SyntaxError;
use super::schema;
use super::schema::Definition;

/// Names an attribute, some of its elements, or a sub-attribute of these (RFC 7644 section 3.5.2). What the
/// schemas know is kept in their spelling; what they do not know is kept as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The URN of an extension; `None` for core and common attributes, however they were written.
    pub urn: Option<String>,
    /// Empty where the path is a bare URN and means the whole extension.
    pub name: String,
    /// Which elements of a multi-valued attribute.
    pub select: Option<Box<Filter>>,
    pub sub: Option<String>,
}

impl Path {
    /// Reads a path. Names and URNs are taken in any case; a URN is the longest known one, else what stands
    /// before the last colon.
    pub fn parse(text: &str) -> Result<Path, SyntaxError> {
        Parser::new(text, Quotes::Needed, FilterBounds::default())?.whole_path()
    }

    /// What the schemas know of the attribute that the path begins with.
    pub fn top(&self) -> Option<&'static Definition> {
        schema::any_top(self.urn.as_deref(), &self.name)
    }

    /// What the schemas know of the thing that is named: the sub-attribute, where there is one.
    pub fn leaf(&self) -> Option<&'static Definition> {
        let top = self.top()?;
        match &self.sub {
            Some(sub) => schema::sub_of(top, sub),
            None => Some(top),
        }
    }

    /// The path without what stands between brackets, which may be a person's attribute.
    pub fn shape(&self) -> String {
        let sub = self.sub.as_ref().map(|sub| format!(".{sub}")).unwrap_or_default();
        format!("{}{sub}", self.without_brackets())
    }

    /// The attribute that the path begins with.
    pub(super) fn without_brackets(&self) -> String {
        match &self.urn {
            Some(urn) if self.is_extension() => urn.clone(),
            Some(urn) => format!("{urn}:{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether the path is a bare URN.
    pub fn is_extension(&self) -> bool {
        self.name.is_empty()
    }

    /// The path of one word (`urn:…:User:manager.value`), which starts at character `at` of its text.
    pub(super) fn of_word(word: &str, at: usize) -> Result<Path, SyntaxError> {
        let (urn, rest) = match split_urn(word) {
            Split::Bare(urn) => {
                return Ok(Path { urn: Some(urn), name: String::new(), select: None, sub: None });
            }
            Split::Named(urn, rest) => (urn, rest),
        };
        let at = at + word.chars().count() - rest.chars().count();
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        require_name(name, at)?;
        if let Some(sub) = sub {
            require_name(sub, at + name.chars().count() + 1)?;
        }
        Ok(Path { urn, name: name.to_owned(), select: None, sub: sub.map(str::to_owned) }.respelled())
    }

    /// In the spelling of the schemas.
    pub(super) fn respelled(mut self) -> Path {
        if let Some(top) = self.top() {
            self.name = top.name.to_owned();
            if let Some(sub) = &mut self.sub {
                match top.sub(sub) {
                    Some(known) => known.name.clone_into(sub),
                    None if top.is_simple_list() => sub.make_ascii_lowercase(),
                    None => {}
                }
            }
        }
        self
    }
}

/// A path in the spelling of the schema; what cannot be read is given back as it was.
pub fn canonical(path: &str) -> String {
    Path::parse(path).map_or_else(|_| path.to_owned(), |path| path.to_string())
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            f.write_str(urn)?;
            if self.is_extension() {
                return Ok(());
            }
            f.write_str(":")?;
        }
        f.write_str(&self.name)?;
        if let Some(select) = &self.select {
            write!(f, "[{}]", select.inside())?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

enum Split<'a> {
    Bare(String),
    Named(Option<String>, &'a str),
}

/// URNs contain dots and colons: neither the first nor the last of them can be trusted where the URN is known.
fn split_urn(word: &str) -> Split<'_> {
    let known = schema::schemas()
        .filter(|schema| {
            word.get(..schema.urn.len()).is_some_and(|start| start.eq_ignore_ascii_case(schema.urn))
        })
        .filter(|schema| matches!(word.as_bytes().get(schema.urn.len()), None | Some(b':')))
        .max_by_key(|schema| schema.urn.len());
    let Some(schema) = known else {
        return match word.rsplit_once(':').filter(|(urn, _)| !urn.is_empty()) {
            Some((urn, rest)) => Split::Named(Some(urn.to_owned()), rest),
            None => Split::Named(None, word),
        };
    };
    let is_core = ResourceType::ALL.iter().any(|kind| schema::core(*kind).urn == schema.urn);
    match word.get(schema.urn.len() + 1..) {
        None => Split::Bare(schema.urn.to_owned()),
        Some(rest) => Split::Named((!is_core).then(|| schema.urn.to_owned()), rest),
    }
}

/// ATTRNAME of RFC 7643 section 2.1, and the leading `$` that `$ref` needs.
fn require_name(name: &str, at: usize) -> Result<(), SyntaxError> {
    let body = name.strip_prefix('$').unwrap_or(name);
    let sound = body.starts_with(|c: char| c.is_ascii_alphabetic())
        && body.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$'));
    if sound { Ok(()) } else { Err(SyntaxError::new("an attribute name is expected", at)) }
}

#[cfg(test)]
mod tests {
    use super::Path;

    fn check(text: &str, expected: &str) {
        assert_eq!(Path::parse(text).map(|path| path.to_string()), Ok(expected.to_owned()), "{text}");
    }

    fn refused(text: &str, expected: &str) {
        let problem = Path::parse(text).expect_err(text);
        assert_eq!(problem.to_string(), expected, "{text}");
    }

    #[test]
    fn names_are_taken_in_any_case_and_kept_in_the_schemas_spelling() {
        check("USERNAME", "userName");
        check("name.GIVENNAME", "name.givenName");
        check("EMAILS[TYPE eq \"work\"].Value", "emails[type eq \"work\"].value");
        check("members.$REF", "members.$ref");
        check("meta.Created", "meta.created");
        check("favouriteColour", "favouriteColour");
    }

    #[test]
    fn a_core_urn_is_dropped_and_an_extension_kept() {
        check("urn:ietf:params:scim:schemas:core:2.0:User:userName", "userName");
        let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        check(&department.to_uppercase(), department);
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
        check(manager, manager);
        let path = Path::parse(manager).expect("a path");
        assert_eq!((path.name.as_str(), path.sub.as_deref()), ("manager", Some("value")));
        check(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        );
    }

    #[test]
    fn an_unknown_urn_ends_at_its_last_colon() {
        let path = Path::parse("urn:example:2.0:Custom:tag.level").expect("a path");
        assert_eq!(path.urn.as_deref(), Some("urn:example:2.0:Custom"));
        assert_eq!((path.name.as_str(), path.sub.as_deref()), ("tag", Some("level")));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        refused("", "an attribute name is expected at character 1");
        refused("name.", "an attribute name is expected at character 6");
        refused("a.b.c", "an attribute name is expected at character 3");
        refused("9lives", "an attribute name is expected at character 1");
        refused("emails[type eq \"work\"", "`]` is missing at character 22");
        refused("emails[type eq \"work\"].value x", "nothing more is expected at character 29");
        refused(
            "emails[type = \"work\"]",
            "an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr) is expected at character 13",
        );
        refused("emails[]", "an attribute name is expected at character 8");
    }
}
