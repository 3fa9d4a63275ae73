//! FormatDateTime: a date read by one .NET format and written by another.
//!
//! Source: .NET documentation, "Custom date and time format strings" and "Standard date and time format strings", with
//! the invariant culture. There is no local time here: what .NET would make local is UTC.

mod pieces;
mod read;
mod write;

use jiff::civil::DateTime;

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;
use super::super::tree::Node;
use super::Refusal;
use pieces::Piece;
use pieces::pieces;

const STYLES: usize = 1;
const IN: usize = 2;
const OUT: usize = 3;

/// A time in UTC. `zoned`: its text said so, with an offset or a `Z`.
struct Moment {
    at: DateTime,
    zoned: bool,
}

/// `FormatDateTime(source, styles, inFormat, outFormat)`; null of null and of an empty text. Styles that are not supplied
/// are RoundtripKind, AllowLeadingWhite and AllowTrailingWhite.
pub(super) fn format_date_time(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(source) = arguments.text(0)?.filter(|text| !text.is_empty()) else { return Ok(Value::Null) };
    let styles = match arguments.text(STYLES)? {
        Some(names) => Styles::of(&names).map_err(|text| arguments.error(text))?,
        None => Styles { leading: true, trailing: true, ..Styles::default() },
    };
    let format = |place: usize| -> Result<Vec<Piece>, EvalError> {
        pieces(&arguments.text(place)?.unwrap_or_default()).map_err(|text| arguments.error(text))
    };
    match read::read(&source, &format(IN)?, styles) {
        Some(moment) => Ok(Value::One(write::written(&moment, &format(OUT)?))),
        None => Err(arguments.error("the source is no date of the input format")),
    }
}

pub(super) fn check(arguments: &[Node]) -> Result<(), Refusal> {
    if ![IN, OUT].iter().all(|place| arguments.get(*place).is_some_and(Node::is_supplied)) {
        let text = "it takes a source, styles (which may be empty), the input format and the output format";
        return Err(Refusal::call(text));
    }
    let literal = |place: usize| arguments.get(place).and_then(Node::literal);
    if let Some(text) = literal(STYLES) {
        Styles::of(text).map_err(|text| Refusal::argument(STYLES, text))?;
    }
    for place in [IN, OUT] {
        let Some(text) = literal(place) else { continue };
        let pieces = pieces(text).map_err(|text| Refusal::argument(place, text))?;
        if place == IN && !pieces.iter().any(|piece| matches!(piece, Piece::Run('y', _))) {
            return Err(Refusal::argument(place, "a date needs a year (yyyy)"));
        }
    }
    Ok(())
}

/// Where white space may stand, and whether a time without an offset is known to be UTC (.NET's DateTimeStyles).
#[derive(Clone, Copy, Default)]
struct Styles {
    leading: bool,
    trailing: bool,
    inner: bool,
    universal: bool,
}

impl Styles {
    fn of(text: &str) -> Result<Styles, String> {
        let mut styles = Styles::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "AllowLeadingWhite" => styles.leading = true,
                "AllowTrailingWhite" => styles.trailing = true,
                "AllowInnerWhite" => styles.inner = true,
                "AllowWhiteSpaces" => {
                    styles = Styles { leading: true, trailing: true, inner: true, ..styles };
                }
                "AssumeUniversal" => styles.universal = true,
                "None" | "RoundtripKind" | "AdjustToUniversal" | "AssumeLocal" | "NoCurrentDateDefault" => {}
                _ => {
                    return Err("a style is None, RoundtripKind, AllowLeadingWhite, AllowTrailingWhite, \
                                AllowInnerWhite, AllowWhiteSpaces, AssumeUniversal, AssumeLocal, \
                                AdjustToUniversal or NoCurrentDateDefault; several are joined by commas"
                        .to_owned());
                }
            }
        }
        Ok(styles)
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;
    use crate::expr::testing::evaluated;

    /// States what a date of one format is in another.
    #[track_caller]
    fn becomes(source: &str, from: &str, to: &str, expected: &str) {
        check(&format!(r#"FormatDateTime([d], , "{from}", "{to}")"#), &[("d", source)], expected);
    }

    #[test]
    fn a_date_is_written_in_another_format() {
        becomes("20150123105347.1Z", "yyyyMMddHHmmss.fZ", "yyyy-MM-dd", "2015-01-23");
        becomes(" 1/2/15 4:05 PM ", "M/d/yy h:mm tt", "yyyy-MM-dd HH:mm:ss", "2015-01-02 16:05:00");
        becomes("12:30 AM, Jan 9 2015", "h:mm tt, MMM d yyyy", "HHmm ddMM", "0030 0901");
        becomes("Friday, 23 January 2015", "dddd, dd MMMM yyyy", "ddd d MMM", "Fri 23 Jan");
        becomes("2015-01-23T10:53:47.1234567Z", "o", "s", "2015-01-23T10:53:47");
        becomes("2015-01-23T01:53:47+09:00", "yyyy-MM-ddTHH:mm:ssK", "u", "2015-01-22 16:53:47Z");
        becomes("20150123", "yyyyMMdd", "dddd, MMMM dd yyyy", "Friday, January 23 2015");
        becomes("20150123", "yyyyMMdd", "D", "Friday, 23 January 2015");
        becomes("2015-01-23 10:53", "yyyy-MM-dd HH:mm", "hh:mm t", "10:53 A");
        becomes("2015", "yyyy", "yyyy/MM/dd", "2015/01/01");
        becomes("1/2/50", "M/d/yy", "yyyy", "1950");
    }

    #[test]
    fn parts_that_are_there_or_not() {
        becomes("2015-01-23 10:53:47.12", "yyyy-MM-dd HH:mm:ss.FFF", "ss.FFFF", "47.12");
        becomes("2015-01-23 10:53:47", "yyyy-MM-dd HH:mm:ss.FFF", "ss.FFFF", "47");
        becomes("2015-01-23 10:53:47", "yyyy-MM-dd HH:mm:ss", "ss.fff K", "47.000 ");
        becomes("2015-01-23Z", "yyyy-MM-ddK", "yyyyMMddK zzz", "20150123Z +00:00");
        becomes("2015-01-23", "yyyy-MM-dd", r"'at' h\\h %d", "at 12h 23");
    }

    #[test]
    fn what_does_not_fit_is_an_error_without_the_value() {
        let wrong = "error: FormatDateTime: the source is no date of the input format";
        for source in ["2015-13-01", "2015-1-01", "2015-01-01x", "soon", "2015-02-29"] {
            becomes(source, "yyyy-MM-dd", "yyyy", wrong);
        }
        becomes("Monday 23 01 2015", "dddd dd MM yyyy", "yyyy", wrong);
        becomes("2015-01-23 13:00 PM", "yyyy-MM-dd hh:mm tt", "yyyy", wrong);
        check(r#"FormatDateTime([d], "None", "yyyy", "yy")"#, &[("d", " 2015")], wrong);
        check(r#"FormatDateTime([d], "AllowWhiteSpaces", "yyyy-MM", "yy")"#, &[("d", " 2015 - 01 ")], "15");
        check(r#"FormatDateTime([d], "AssumeUniversal", "yyyy", "yyK")"#, &[("d", "2015")], "15Z");
        becomes("", "yyyy", "yy", "null");
    }

    #[test]
    fn formats_are_checked_with_the_settings() {
        check(
            r#"FormatDateTime([d], , "MM-dd", "yyyy")"#,
            &[],
            "parse error at 22: FormatDateTime: a date needs a year (yyyy)",
        );
        check(
            r#"FormatDateTime([d], , "yyyy", "'open")"#,
            &[],
            "parse error at 30: FormatDateTime: a quoted part of the format has no end",
        );
        check(
            r#"FormatDateTime([d], , "yyyy", "Q")"#,
            &[],
            "parse error at 30: FormatDateTime: there is no standard format `Q`; one letter of a custom format is written %Q",
        );
        check(
            r#"FormatDateTime([d], "yyyy", "yy")"#,
            &[],
            "parse error at 0: FormatDateTime: it takes a source, styles (which may be empty), the input format and the output format",
        );
        let styles = evaluated(r#"FormatDateTime([d], "x", "yyyy", "yy")"#, &[]);
        assert!(styles.starts_with("parse error at 20: FormatDateTime: a style is None"), "{styles}");
    }
}
