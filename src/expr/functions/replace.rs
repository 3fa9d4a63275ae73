//! Replace, in its five modes: which arguments are supplied selects the mode.

use regex::Captures;
use regex::Regex;
use regex::RegexBuilder;

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;
use super::super::tree::Node;

const OLD: usize = 1;
pub(super) const PATTERN: usize = 2;
const GROUP: usize = 3;
const NEW: usize = 4;
const OTHER: usize = 5;
const TEMPLATE: usize = 6;

/// A compiled pattern may take so much memory; a pattern of 10,000 plain characters needs a tenth.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Compiles a pattern. Matching is linear in the text, at the price of look-around and back-references.
pub(in super::super) fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        error => {
            let told = error.to_string();
            let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("the pattern cannot be used: {reason}")
        }
    })
}

#[derive(Clone, Copy)]
enum Mode {
    /// Every occurrence of a text.
    Text,
    /// The source put into a template, in place of a text.
    Template,
    /// Every match of a pattern.
    Pattern,
    /// One group of every match.
    Group,
    /// The source where it has a value, else a group of another attribute.
    Other,
}

fn mode(supplied: impl Fn(usize) -> bool) -> Result<Mode, String> {
    let set = [OLD, PATTERN, GROUP, NEW, OTHER, TEMPLATE].map(supplied);
    Ok(match set {
        [true, false, false, true, false, false] => Mode::Text,
        [true, false, false, false, false, true] => Mode::Template,
        [false, true, false, true, false, false] => Mode::Pattern,
        [false, true, true, true, false, false] => Mode::Group,
        [false, true, true, false, true, false] => Mode::Other,
        _ => {
            return Err("these arguments do not go together; after the source it takes oldValue and \
                        replacementValue, or oldValue and template, or regexPattern and replacementValue (and a \
                        regexGroupName), or regexPattern, regexGroupName and replacementAttributeName"
                .to_owned());
        }
    })
}

pub(super) fn check(arguments: &[Node]) -> Result<(), String> {
    mode(|place| arguments.get(place).is_some_and(Node::is_supplied))?;
    if arguments.get(OLD).and_then(Node::literal) == Some("") {
        return Err("oldValue is empty".to_owned());
    }
    let literal = |place: usize| arguments.get(place).and_then(Node::literal);
    match (literal(PATTERN), literal(GROUP)) {
        (Some(text), Some(group)) => has_group(&pattern(text)?, group),
        _ => Ok(()),
    }
}

fn has_group(pattern: &Regex, group: &str) -> Result<(), String> {
    let numbered = group.parse::<usize>().is_ok_and(|number| number < pattern.captures_len());
    if numbered || pattern.capture_names().flatten().any(|name| name == group) {
        return Ok(());
    }
    Err(format!("the pattern has no group `{group}`; a group is written (?<{group}>…)"))
}

pub(super) fn replace(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let mode = mode(|place| arguments.is_supplied(place)).map_err(|text| arguments.error(text))?;
    let source = arguments.text(0)?;
    if let Mode::Other = mode {
        return other(arguments, source);
    }
    let Some(source) = source else { return Ok(Value::Null) };
    let text = match mode {
        Mode::Text => plain(arguments, &source, &part(arguments, OLD)?, &part(arguments, NEW)?)?,
        Mode::Template => plain(arguments, &part(arguments, TEMPLATE)?, &part(arguments, OLD)?, &source)?,
        Mode::Pattern => matches(arguments, &source)?,
        Mode::Group | Mode::Other => groups(arguments, &source)?,
    };
    Ok(Value::One(text))
}

fn part(arguments: &Arguments<'_>, place: usize) -> Result<String, EvalError> {
    Ok(arguments.text(place)?.unwrap_or_default())
}

fn plain(arguments: &Arguments<'_>, text: &str, old: &str, new: &str) -> Result<String, EvalError> {
    if old.is_empty() {
        return Err(arguments.error("oldValue is empty"));
    }
    let mut replaced = String::new();
    for (place, piece) in text.split(old).enumerate() {
        if place > 0 {
            arguments.push(&mut replaced, new)?;
        }
        arguments.push(&mut replaced, piece)?;
    }
    Ok(replaced)
}

fn matches(arguments: &Arguments<'_>, source: &str) -> Result<String, EvalError> {
    let new = part(arguments, NEW)?;
    let pattern = arguments.pattern(PATTERN)?;
    let mut replaced = String::new();
    let mut after = 0;
    for found in pattern.captures_iter(source) {
        let whole = found.get_match();
        arguments.push(&mut replaced, &source[after..whole.start()])?;
        arguments.push(&mut replaced, &expanded(&new, &found))?;
        after = whole.end();
    }
    arguments.push(&mut replaced, &source[after..])?;
    Ok(replaced)
}

fn groups(arguments: &Arguments<'_>, source: &str) -> Result<String, EvalError> {
    let (new, group) = (part(arguments, NEW)?, part(arguments, GROUP)?);
    let pattern = arguments.pattern(PATTERN)?;
    let mut replaced = String::new();
    let mut after = 0;
    for found in pattern.captures_iter(source) {
        let Some(inner) = named(&found, &group) else { continue };
        arguments.push(&mut replaced, &source[after..inner.start()])?;
        arguments.push(&mut replaced, &expanded(&new, &found))?;
        after = inner.end();
    }
    arguments.push(&mut replaced, &source[after..])?;
    Ok(replaced)
}

fn other(arguments: &Arguments<'_>, source: Option<String>) -> Result<Value, EvalError> {
    if let Some(source) = source.filter(|source| !source.is_empty()) {
        return Ok(Value::One(source));
    }
    let (other, group) = (part(arguments, OTHER)?, part(arguments, GROUP)?);
    let pattern = arguments.pattern(PATTERN)?;
    let found =
        pattern.captures(&other).and_then(|found| named(&found, &group).map(|part| part.as_str().to_owned()));
    Ok(found.map_or(Value::Null, Value::One))
}

fn named<'a>(found: &Captures<'a>, group: &str) -> Option<regex::Match<'a>> {
    found.name(group).or_else(|| found.get(group.parse().ok()?))
}

/// The replacement with its `${name}`, `${1}`, `$1`, `$&` and `$$` filled in, as .NET does it. What names no
/// group stays as it is written; a group that took no part is empty.
fn expanded(template: &str, found: &Captures<'_>) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (length, part) = substitution(rest, found);
        match part {
            Some(part) => text.push_str(&part),
            None => text.push('$'),
        }
        rest = &rest[length..];
    }
    text + rest
}

/// What stands behind a `$`: how long it is, and what takes its place.
fn substitution(rest: &str, found: &Captures<'_>) -> (usize, Option<String>) {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (length, name) = match rest.bytes().next() {
        Some(b'$') => return (1, Some("$".to_owned())),
        Some(b'&') => (1, "0"),
        Some(b'{') => match rest.find('}') {
            Some(end) => (end + 1, &rest[1..end]),
            None => return (0, None),
        },
        _ if digits > 0 => (digits, &rest[..digits]),
        _ => return (0, None),
    };
    let number = name.parse::<usize>().ok().filter(|number| *number < found.len());
    match (found.name(name), number) {
        (Some(part), _) => (length, Some(part.as_str().to_owned())),
        (None, Some(number)) => {
            (length, Some(found.get(number).map_or(String::new(), |part| part.as_str().to_owned())))
        }
        (None, None) => (0, None),
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    #[test]
    fn a_text_is_replaced_wherever_it_is() {
        check(
            r#"Replace([preferredLanguage], "-", , , "_", , )"#,
            &[("preferredLanguage", "EN-US")],
            "EN_US",
        );
        check(
            r#"Replace([BusinessTitle],"Product Developer", , , "Software Engineer", , )"#,
            &[("BusinessTitle", "Product Developer")],
            "Software Engineer",
        );
        check(
            r#"Replace([mail], "@contoso.com", , ,"", ,)"#,
            &[("mail", "john.doe@contoso.com")],
            "john.doe",
        );
        check(r#"Replace([mail], "a", , , "aa")"#, &[("mail", "banana")], "baanaanaa");
        check(r#"Replace([none], "a", , , "b", , )"#, &[], "null");
    }

    #[test]
    fn a_template_takes_the_source() {
        let template = r#"Replace([UserID],"<username>", , , , , "<username>@contoso.com")"#;
        check(template, &[("UserID", "jsmith")], "jsmith@contoso.com");
        check(template, &[], "null");
    }

    #[test]
    fn a_pattern_is_replaced_by_parts_of_its_match() {
        check(
            r#"Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})", , "${phoneNumber}", , )"#,
            &[("telephoneNumber", "+91 9998887777")],
            "9998887777",
        );
        check(
            r#"Replace([mobile], , "[()\\s-]+", , "", , )"#,
            &[("mobile", "+1 (999) 888-7777")],
            "+19998887777",
        );
        check(
            r#"Replace([mailNickname], , "[a-zA-Z_]*", , "", , )"#,
            &[("mailNickname", "john_doe72")],
            "72",
        );
        check(
            r#"Replace([a], , "(b)(x)?", , "<$1|$2|${2}|$&|$$|$9|${no}|$", , )"#,
            &[("a", "abc")],
            "a<b|||b|$|$9|${no}|$c",
        );
    }

    #[test]
    fn one_group_is_replaced_and_the_rest_of_the_match_stays() {
        check(
            r#"Replace([AddressLineData], ,"(?<streetNumber>^\\d*)","streetNumber", "888", , )"#,
            &[("AddressLineData", "545 Tremont Street")],
            "888 Tremont Street",
        );
        check(
            r#"Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , )"#,
            &[("userPrincipalName", "jsmith@contoso.com")],
            "jsmith",
        );
    }

    #[test]
    fn another_attribute_stands_in_for_an_empty_source() {
        let text = r#"Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})", "phoneNumber", , [mobile], )"#;
        check(text, &[("mobile", "+91 8887779999")], "8887779999");
        check(text, &[("telephoneNumber", ""), ("mobile", "+91 8887779999")], "8887779999");
        check(text, &[("telephoneNumber", "123"), ("mobile", "+91 8887779999")], "123");
        check(text, &[("mobile", "none")], "null");
    }

    #[test]
    fn what_cannot_work_is_refused_before_there_are_values() {
        check(
            r#"Replace([a], , "(?=x)", , "", , )"#,
            &[],
            "parse error at 0: Replace: the pattern cannot be used: look-around, including look-ahead and look-behind, is not supported",
        );
        check(
            r#"Replace([a], , "(?<b>x)", "c", "", , )"#,
            &[],
            "parse error at 0: Replace: the pattern has no group `c`; a group is written (?<c>…)",
        );
        check(r#"Replace([a], "", , , "b", , )"#, &[], "parse error at 0: Replace: oldValue is empty");
        assert!(crate::expr::testing::evaluated(r#"Replace([a], "b")"#, &[]).contains("do not go together"));
    }

    #[test]
    fn a_result_that_grows_without_end_is_stopped() {
        let text = "x".repeat(60_000);
        check(
            r#"Replace([a], "x", , , "yyyyyyyyyy", , )"#,
            &[("a", &text)],
            "error: Replace: the result is longer than 65536 bytes",
        );
    }
}
