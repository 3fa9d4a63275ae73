//! Functions over one text: cutting, adding, finding. A place is a Unicode character, counted from 1.

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;
use super::super::tree::Node;
use super::Refusal;

pub(super) const BINARY_COMPARE: &str = "vbBinaryCompare";
pub(super) const TEXT_COMPARE: &str = "vbTextCompare";

/// A null source gives null: an address that is a suffix alone would be nobody's.
pub(super) fn append(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(source) = arguments.text(0)? else { return Ok(Value::Null) };
    Ok(Value::One(source + &arguments.text(1)?.unwrap_or_default()))
}

/// `Prepend(prefix, source)`; a null source gives null, as with `Append`.
pub(super) fn prepend(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(source) = arguments.text(1)? else { return Ok(Value::Null) };
    Ok(Value::One(arguments.text(0)?.unwrap_or_default() + &source))
}

pub(super) fn c_str(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(arguments.text(0)?.map_or(Value::Null, Value::One))
}

/// Null gives an empty text, and a negative number the text as it is.
pub(super) fn left(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let text = arguments.text(0)?.unwrap_or_default();
    let length = arguments.integer(1)?.unwrap_or_default();
    Ok(Value::One(match usize::try_from(length) {
        Ok(length) => text.chars().take(length).collect(),
        Err(_) => text,
    }))
}

/// Runs to the end where the text is shorter; null gives an empty text, as with `Left`.
pub(super) fn mid(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let text = arguments.text(0)?.unwrap_or_default();
    let start =
        arguments.integer(1)?.and_then(|start| usize::try_from(start).ok()).filter(|start| *start > 0);
    let length = arguments.integer(2)?.and_then(|length| usize::try_from(length).ok());
    match (start, length) {
        (Some(start), Some(length)) => Ok(Value::One(text.chars().skip(start - 1).take(length).collect())),
        _ => Err(arguments.error("the start counts from 1, and the length is not negative")),
    }
}

/// Removes every U+0020; other white space stays.
pub(super) fn strip_spaces(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(arguments.text(0)?.map_or(Value::Null, |text| Value::One(text.replace(' ', ""))))
}

/// The place of the first hit at or after `start`; 0 where there is none. Case counts unless `vbTextCompare`
/// is given (VBA's rules; the documentation leaves both defaults open).
pub(super) fn in_str(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let folded = arguments.text(3)?.as_deref() == Some(TEXT_COMPARE);
    let letters = |text: Option<String>| {
        let text = text.unwrap_or_default();
        if folded { text.chars().map(fold).collect() } else { text }
    };
    let (text, wanted) = (letters(arguments.text(0)?), letters(arguments.text(1)?));
    let start = arguments.integer(2)?.unwrap_or(1);
    let start = usize::try_from(start).ok().and_then(|start| start.checked_sub(1));
    let Some(before) = start else { return Err(arguments.error("the start counts from 1")) };
    Ok(Value::One(place_of(&text, &wanted, before).unwrap_or(0).to_string()))
}

/// The place, counted from 1, of the first hit behind so many characters.
fn place_of(text: &str, wanted: &str, before: usize) -> Option<usize> {
    let (from, _) = text.char_indices().nth(before)?;
    let rest = text.get(from..)?;
    let found = rest.find(wanted)?;
    Some(before + rest.get(..found)?.chars().count() + 1)
}

/// One letter for one: the place of a hit is the same in both.
fn fold(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

pub(super) fn check_in_str(arguments: &[Node]) -> Result<(), Refusal> {
    match arguments.get(3) {
        None | Some(Node::Empty) => Ok(()),
        Some(node) if node.literal().is_some_and(|word| [BINARY_COMPARE, TEXT_COMPARE].contains(&word)) => {
            Ok(())
        }
        Some(_) => {
            let text = format!("the fourth argument is {TEXT_COMPARE} or {BINARY_COMPARE}");
            Err(Refusal::argument(3, text))
        }
    }
}

/// The domain that the directory itself calls its default one.
pub(super) fn default_domain(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    match &arguments.environment().default_domain {
        Some(domain) => Ok(Value::One(domain.clone())),
        None => Err(arguments.error("the source has no default domain; write the domain as a text")),
    }
}

/// The n-th word between delimiter characters; an empty text where there is none. Delimiters in a row end one
/// word.
pub(super) fn word(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let text = arguments.text(0)?.unwrap_or_default();
    let place =
        arguments.integer(1)?.and_then(|place| usize::try_from(place).ok()).filter(|place| *place > 0);
    let delimiters = arguments.text(2)?.unwrap_or_default();
    let mut words = text.split(|letter| delimiters.contains(letter)).filter(|word| !word.is_empty());
    let word = place.and_then(|place| words.nth(place - 1));
    Ok(Value::One(word.unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    #[test]
    fn append_and_prepend_add_to_a_value_that_is_there() {
        let doe = &[("userPrincipalName", "John.Doe@contoso.com")];
        check(r#"Append([userPrincipalName], ".test")"#, doe, "John.Doe@contoso.com.test");
        check(r#"Append([userPrincipalName], ".test")"#, &[], "null");
        check(r#"Prepend("x-", [userPrincipalName])"#, doe, "x-John.Doe@contoso.com");
        check(r#"Prepend("x-", [userPrincipalName])"#, &[], "null");
    }

    #[test]
    fn left_takes_the_first_characters() {
        check(r#"Left("John Doe", 3)"#, &[], "Joh");
        check(r#"Left("John Doe", 0)"#, &[], "");
        check(r#"Left("John Doe", -1)"#, &[], "John Doe");
        check(r#"Left("John Doe", 99)"#, &[], "John Doe");
        check(r#"Left([none], 3)"#, &[], "");
        check(r#"Left("Zoë", 3)"#, &[], "Zoë");
    }

    #[test]
    fn mid_counts_from_one_and_runs_to_the_end() {
        check(r#"Mid("Washington",1,4)"#, &[], "Wash");
        check(r#"Mid("Washington",8,99)"#, &[], "ton");
        check(r#"Mid("Washington",99,1)"#, &[], "");
        check(r#"Mid([none],1,4)"#, &[], "");
        check(r#"Mid("x",0,4)"#, &[], "error: Mid: the start counts from 1, and the length is not negative");
        let names = &[("givenName", "John"), ("surname", "Doe")];
        check("Append(Mid([givenName],1,3), Mid([surname],1,5))", names, "JohDoe");
    }

    #[test]
    fn strip_spaces_removes_spaces_only() {
        check("StripSpaces([a])", &[("a", "a b  c\td")], "abc\td");
        check("StripSpaces([none])", &[], "null");
    }

    #[test]
    fn in_str_says_where() {
        check(r#"InStr("The quick brown fox","quick")"#, &[], "5");
        check(r#"InStr("repEated","e",3,vbBinaryCompare)"#, &[], "7");
        check(r#"InStr("repEated","e",3,vbTextCompare)"#, &[], "4");
        check(r#"InStr("repEated","x")"#, &[], "0");
        check(r#"InStr("Zoë and Zoë","Zoë",2)"#, &[], "9");
        check(r#"InStr("ab","b",9)"#, &[], "0");
        check(r#"InStr([none],"x")"#, &[], "0");
        check(
            r#"InStr("a","a",1,"binary")"#,
            &[],
            "parse error at 16: InStr: the fourth argument is vbTextCompare or vbBinaryCompare",
        );
    }

    #[test]
    fn word_finds_the_nth() {
        check(r#"Word("The quick brown fox",3," ")"#, &[], "brown");
        check(r#"Word("This,string!has&many separators",3,",!&#")"#, &[], "has");
        check(r#"Word("The  quick",2," ")"#, &[], "quick");
        check(r#"Word("one",2," ")"#, &[], "");
        check(r#"Word("one",0," ")"#, &[], "");
        check(r#"Word([none],1," ")"#, &[], "");
    }

    #[test]
    fn the_default_domain_is_the_directorys() {
        check(r#"Join("@", "ann", DefaultDomain())"#, &[], "ann@contoso.com");
    }

    #[test]
    fn cstr_is_the_text() {
        check("CStr([dn])", &[("dn", "cn=Joe,dc=contoso,dc=com")], "cn=Joe,dc=contoso,dc=com");
    }
}
