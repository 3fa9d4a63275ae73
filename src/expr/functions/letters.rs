//! Upper and lower case, as .NET changes it: letter by letter, a length never changes.

use unicode_normalization::char::is_combining_mark;

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;

pub(super) fn to_lower(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let letters = Letters::of(arguments)?;
    Ok(arguments
        .text(0)?
        .map_or(Value::Null, |text| Value::One(text.chars().map(|c| letters.lower(c)).collect())))
}

pub(super) fn to_upper(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let letters = Letters::of(arguments)?;
    Ok(arguments
        .text(0)?
        .map_or(Value::Null, |text| Value::One(text.chars().map(|c| letters.upper(c)).collect())))
}

/// The first letter of each word upper, the rest lower. Words end at the given separators; where none are
/// given, at everything that is neither letter, digit nor mark.
pub(super) fn p_case(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Null) };
    let separators = arguments.text(1)?;
    let ends_word = |letter: char| match &separators {
        Some(separators) => separators.contains(letter),
        None => !letter.is_alphanumeric() && !is_combining_mark(letter),
    };
    let mut begins = true;
    let cased = text.chars().map(|letter| {
        let cased = if begins { Letters::Invariant.upper(letter) } else { Letters::Invariant.lower(letter) };
        begins = ends_word(letter);
        cased
    });
    Ok(Value::One(cased.collect()))
}

/// The cultures that differ in how a letter changes its case.
#[derive(Clone, Copy)]
enum Letters {
    Invariant,
    /// Turkish and Azerbaijani: i with and without its dot are two letters.
    Turkic,
}

impl Letters {
    fn of(arguments: &Arguments<'_>) -> Result<Letters, EvalError> {
        let culture = arguments.text(1)?.unwrap_or_default();
        match culture.split('-').next() {
            Some("tr" | "az") => Ok(Letters::Turkic),
            _ if culture.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') => {
                Ok(Letters::Invariant)
            }
            _ => Err(arguments.error("the culture is written as in tr-TR")),
        }
    }

    fn lower(self, letter: char) -> char {
        match (self, letter) {
            (Letters::Turkic, 'I') => 'ı',
            (Letters::Turkic, 'İ') => 'i',
            _ => only(letter.to_lowercase(), letter),
        }
    }

    fn upper(self, letter: char) -> char {
        match (self, letter) {
            (Letters::Turkic, 'i') => 'İ',
            (Letters::Invariant, 'ı') => 'ı',
            _ => only(letter.to_uppercase(), letter),
        }
    }
}

/// A letter whose other case is several letters (ß) stays as it is.
fn only(mut cased: impl Iterator<Item = char>, letter: char) -> char {
    match (cased.next(), cased.next()) {
        (Some(cased), None) => cased,
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    #[test]
    fn case_is_invariant_unless_a_culture_is_given() {
        check(r#"ToLower("JOHN.Smith@x")"#, &[], "john.smith@x");
        check(r#"ToUpper("John ß ÿ ı")"#, &[], "JOHN ß Ÿ ı");
        check(r#"ToLower("TITLE", "tr-TR")"#, &[], "tıtle");
        check(r#"ToUpper("title", "tr-TR")"#, &[], "TİTLE");
        check(r#"ToLower("TITLE", "en-US")"#, &[], "title");
        check("ToLower([none])", &[], "null");
        check(r#"ToLower("A", "tr_TR!")"#, &[], "error: ToLower: the culture is written as in tr-TR");
    }

    #[test]
    fn words_begin_with_a_capital() {
        check(r#"PCase("PABLO GONSALVES (SECOND)")"#, &[], "Pablo Gonsalves (Second)");
        check(r#"PCase("PINTO-DE'SILVA"," '-")"#, &[], "Pinto-De'Silva");
        check(r#"PCase("anne-marie o'neil", " ")"#, &[], "Anne-marie O'neil");
    }
}
