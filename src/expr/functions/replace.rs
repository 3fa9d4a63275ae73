//! Replace, in its five modes: which arguments are supplied selects the mode.

use std::borrow::Cow;

use regex::Captures;
use regex::Regex;

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;
use super::super::tree::Node;
use super::Refusal;
use super::pattern;

const OLD: usize = 1;
pub(super) const PATTERN: usize = 2;
const GROUP: usize = 3;
const NEW: usize = 4;
const OTHER: usize = 5;
const TEMPLATE: usize = 6;

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

pub(super) fn check(arguments: &[Node]) -> Result<(), Refusal> {
    mode(|place| arguments.get(place).is_some_and(Node::is_supplied)).map_err(Refusal::call)?;
    let literal = |place: usize| arguments.get(place).and_then(Node::literal);
    if literal(OLD) == Some("") {
        return Err(Refusal::argument(OLD, "oldValue is empty"));
    }
    let (Some(text), Some(group)) = (literal(PATTERN), literal(GROUP)) else { return Ok(()) };
    let pattern = pattern::compiled(text).map_err(|text| Refusal::argument(PATTERN, text))?;
    has_group(&pattern, group).map_err(|text| Refusal::argument(GROUP, text))
}

fn has_group(pattern: &Regex, group: &str) -> Result<(), String> {
    if pattern::group(pattern, group).is_some() {
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

/// The pattern, for a text that is short enough for it.
fn pattern_for<'a>(arguments: &'a Arguments<'_>, source: &str) -> Result<Cow<'a, Regex>, EvalError> {
    if source.len() > pattern::TEXT_BYTES_MAX {
        let most = pattern::TEXT_BYTES_MAX;
        return Err(arguments.error(format!("a pattern is looked for in {most} bytes at most; cut the text")));
    }
    arguments.pattern(PATTERN)
}

fn matches(arguments: &Arguments<'_>, source: &str) -> Result<String, EvalError> {
    let new = part(arguments, NEW)?;
    let pattern = pattern_for(arguments, source)?;
    let mut replaced = String::new();
    let mut after = 0;
    for found in pattern.captures_iter(source) {
        let whole = found.get_match();
        arguments.push(&mut replaced, &source[after..whole.start()])?;
        arguments.push(&mut replaced, &expanded(&new, &pattern, &found))?;
        after = whole.end();
    }
    arguments.push(&mut replaced, &source[after..])?;
    Ok(replaced)
}

fn groups(arguments: &Arguments<'_>, source: &str) -> Result<String, EvalError> {
    let (new, group) = (part(arguments, NEW)?, part(arguments, GROUP)?);
    let pattern = pattern_for(arguments, source)?;
    let Some(group) = pattern::group(&pattern, &group) else { return Ok(source.to_owned()) };
    let mut replaced = String::new();
    let mut after = 0;
    for found in pattern.captures_iter(source) {
        let Some(inner) = found.get(group) else { continue };
        arguments.push(&mut replaced, &source[after..inner.start()])?;
        arguments.push(&mut replaced, &expanded(&new, &pattern, &found))?;
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
    let pattern = pattern_for(arguments, &other)?;
    let found = pattern::group(&pattern, &group)
        .and_then(|group| pattern.captures(&other)?.get(group))
        .map(|part| part.as_str().to_owned());
    Ok(found.map_or(Value::Null, Value::One))
}

/// The replacement with its `${name}`, `${1}`, `$1`, `$&` and `$$` filled in, as .NET does it. What names no
/// group stays as it is written; a group that took no part is empty.
fn expanded(template: &str, pattern: &Regex, found: &Captures<'_>) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (length, part) = substitution(rest, pattern, found);
        match part {
            Some(part) => text.push_str(part),
            None => text.push('$'),
        }
        rest = &rest[length..];
    }
    text + rest
}

/// What stands behind a `$`: how long it is, and what takes its place.
fn substitution<'a>(rest: &str, pattern: &Regex, found: &Captures<'a>) -> (usize, Option<&'a str>) {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (length, name) = match rest.bytes().next() {
        Some(b'$') => return (1, Some("$")),
        Some(b'&') => (1, "0"),
        Some(b'{') => match rest.find('}') {
            Some(end) => (end + 1, &rest[1..end]),
            None => return (0, None),
        },
        _ if digits > 0 => (digits, &rest[..digits]),
        _ => return (0, None),
    };
    match pattern::group(pattern, name) {
        Some(group) => (length, Some(found.get(group).map_or("", |part| part.as_str()))),
        None => (0, None),
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
            "parse error at 15: Replace: the pattern cannot be used: look-around, including look-ahead and look-behind, is not supported",
        );
        check(
            r#"Replace([a], , "(?<b>x)", "c", "", , )"#,
            &[],
            "parse error at 26: Replace: the pattern has no group `c`; a group is written (?<c>…)",
        );
        check(r#"Replace([a], "", , , "b", , )"#, &[], "parse error at 13: Replace: oldValue is empty");
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
