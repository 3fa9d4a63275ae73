//! Dates and times: everything is UTC, and written as `3/16/2020 7:00:00 AM`.

use jiff::ToSpan;
use jiff::Unit;
use jiff::civil::DateTime;
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;
use super::super::tree::Node;
use super::Refusal;
use super::calendar;

/// Where Windows' FILETIME begins, in steps of 100 ns.
const FILETIME_START: DateTime = date(1601, 1, 1).at(0, 0, 0, 0);

const UNITS: [(&str, Unit); 7] = [
    ("yyyy", Unit::Year),
    ("m", Unit::Month),
    ("ww", Unit::Week),
    ("d", Unit::Day),
    ("h", Unit::Hour),
    ("n", Unit::Minute),
    ("s", Unit::Second),
];

fn unit(text: &str) -> Option<Unit> {
    UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, unit)| *unit)
}

pub(super) fn check_interval(arguments: &[Node]) -> Result<(), Refusal> {
    match arguments.first().and_then(Node::literal).map(unit) {
        Some(None) => Err(Refusal::argument(0, INTERVALS)),
        _ => Ok(()),
    }
}

const INTERVALS: &str = "the interval is yyyy, m (month), ww, d, h, n (minute) or s";

/// The time of the evaluation.
pub(super) fn now(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let now = arguments.environment().now;
    Ok(written(now.to_zoned(TimeZone::UTC).datetime()))
}

pub(super) fn c_date(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(when(arguments, 0)?.map_or(Value::Null, written))
}

/// A day that a month does not have becomes its last.
pub(super) fn date_add(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let unit = interval(arguments)?;
    let (Some(count), Some(start)) = (arguments.integer(1)?, when(arguments, 2)?) else {
        return Ok(Value::Null);
    };
    let span = match unit {
        Unit::Year => 0.years().try_years(count),
        Unit::Month => 0.months().try_months(count),
        Unit::Week => 0.weeks().try_weeks(count),
        Unit::Day => 0.days().try_days(count),
        Unit::Hour => 0.hours().try_hours(count),
        Unit::Minute => 0.minutes().try_minutes(count),
        _ => 0.seconds().try_seconds(count),
    };
    span.and_then(|span| start.checked_add(span)).map(written).map_err(|_| outside(arguments))
}

/// How many borders of the interval lie between the two, as VBA counts; positive where the second is later.
/// Weeks begin on Sunday.
pub(super) fn date_diff(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let unit = interval(arguments)?;
    let (Some(first), Some(second)) = (when(arguments, 1)?, when(arguments, 2)?) else {
        return Ok(Value::Null);
    };
    Ok(Value::One((borders(second, unit) - borders(first, unit)).to_string()))
}

/// How many borders of a unit lie before a time, counted from a fixed Sunday long ago.
fn borders(time: DateTime, unit: Unit) -> i64 {
    let seconds = seconds_since(FILETIME_START, time);
    let days = seconds.div_euclid(86_400);
    match unit {
        Unit::Year => i64::from(time.year()),
        Unit::Month => i64::from(time.year()) * 12 + i64::from(time.month()),
        // 1 January 1601 was a Monday.
        Unit::Week => (days + 1).div_euclid(7),
        Unit::Day => days,
        Unit::Hour => seconds.div_euclid(3_600),
        Unit::Minute => seconds.div_euclid(60),
        _ => seconds,
    }
}

fn seconds_since(start: DateTime, time: DateTime) -> i64 {
    time.duration_since(start).as_secs()
}

pub(super) fn date_from_num(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(number) = arguments.integer(0)? else { return Ok(Value::Null) };
    let span = 0.seconds().try_seconds(number.div_euclid(10_000_000));
    span.and_then(|span| FILETIME_START.checked_add(span)).map(written).map_err(|_| outside(arguments))
}

pub(super) fn num_from_date(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(time) = when(arguments, 0)? else { return Ok(Value::Null) };
    let hundreds = time.duration_since(FILETIME_START).as_nanos() / 100;
    Ok(Value::One(hundreds.to_string()))
}

fn interval(arguments: &Arguments<'_>) -> Result<Unit, EvalError> {
    let text = arguments.text(0)?.unwrap_or_default();
    unit(&text).ok_or_else(|| arguments.error(INTERVALS))
}

fn when(arguments: &Arguments<'_>, place: usize) -> Result<Option<DateTime>, EvalError> {
    let Some(text) = arguments.text(place)?.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    match calendar::read(&text) {
        Some(time) => Ok(Some(time)),
        None => Err(arguments.error(format!(
            "argument {} is no date; a date is written 2020-03-16T07:00:00Z or 3/16/2020 7:00:00 AM",
            place + 1
        ))),
    }
}

fn written(time: DateTime) -> Value {
    Value::One(calendar::written(time))
}

fn outside(arguments: &Arguments<'_>) -> EvalError {
    arguments.error("the result is outside the calendar")
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    #[test]
    fn cdate_reads_a_date_and_turns_it_to_utc() {
        check(r#"CDate("2020-03-16-07:00")"#, &[], "3/16/2020 7:00:00 AM");
        check(r#"CDate("2021-06-30+08:00")"#, &[], "6/29/2021 4:00:00 PM");
        check(r#"CDate("2009-06-15T01:45:30-07:00")"#, &[], "6/15/2009 8:45:30 AM");
        check("CDate([none])", &[], "null");
        check(
            "CDate([a])",
            &[("a", "soon")],
            "error: CDate: argument 1 is no date; a date is written 2020-03-16T07:00:00Z or 3/16/2020 7:00:00 AM",
        );
    }

    #[test]
    fn now_is_the_time_that_is_given() {
        check("Now()", &[], "7/2/2021 3:33:38 PM");
    }

    #[test]
    fn dateadd_adds_units_to_a_date() {
        for (interval, count, expected) in [
            ("d", "7", "3/23/2012 7:00:00 AM"),
            ("d", "-10", "3/6/2012 7:00:00 AM"),
            ("ww", "2", "3/30/2012 7:00:00 AM"),
            ("m", "10", "1/16/2013 7:00:00 AM"),
            ("yyyy", "2", "3/16/2014 7:00:00 AM"),
            ("h", "5", "3/16/2012 12:00:00 PM"),
            ("n", "-1", "3/16/2012 6:59:00 AM"),
            ("s", "61", "3/16/2012 7:01:01 AM"),
            ("yyyy", "99999", "error: DateAdd: the result is outside the calendar"),
        ] {
            check(&format!(r#"DateAdd("{interval}", {count}, "2012-03-16-07:00")"#), &[], expected);
        }
        check(r#"DateAdd("m", 1, "2021-01-31")"#, &[], "2/28/2021 12:00:00 AM");
        let wrong = "parse error at 8: DateAdd: the interval is yyyy, m (month), ww, d, h, n (minute) or s";
        check(r#"DateAdd("days", 1, [a])"#, &[], wrong);
    }

    #[test]
    fn datediff_counts_borders() {
        for (interval, expected) in [("d", "-3449"), ("ww", "-493"), ("m", "-113"), ("yyyy", "-9")] {
            let text = format!(r#"DateDiff("{interval}", "8/25/2021 5:41:18 PM", "2012-03-16-07:00")"#);
            check(&text, &[], expected);
        }
        for (interval, expected) in [("h", "24"), ("n", "1440"), ("s", "86400")] {
            check(&format!(r#"DateDiff("{interval}", "2021-08-24", "2021-08-25")"#), &[], expected);
        }
        check(r#"DateDiff("d", "2021-08-18+08:00", "2021-08-31+08:00")"#, &[], "13");
        check(r#"DateDiff("d", [none], "2021-08-31")"#, &[], "null");
    }

    #[test]
    fn filetime_counts_from_1601() {
        check("DateFromNum(129699324000000000)", &[], "1/1/2012 11:00:00 PM");
        check(r#"NumFromDate("2020-12-31 23:59:59-08:00")"#, &[], "132539615990000000");
        check(r#"NumFromDate("1601-01-01T00:00:00.0000001Z")"#, &[], "1");
    }
}
