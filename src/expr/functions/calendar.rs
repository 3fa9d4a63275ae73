//! Reads and writes the date texts of the expression language.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Time;

/// A date in ISO 8601 (`2020-03-16`, with a time, with an offset or `Z`) or as Americans write it
/// (`3/16/2020 7:00:00 AM`), in UTC. Without an offset it is taken to be UTC.
pub(in super::super) fn read(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if text.contains('/') { american(text) } else { iso(text) }
}

/// `M/d/yyyy h:mm:ss tt`, invariant.
pub(super) fn written(time: DateTime) -> String {
    let (hour, half) = (time.hour(), if time.hour() < 12 { "AM" } else { "PM" });
    let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
    format!(
        "{}/{}/{:04} {hour}:{:02}:{:02} {half}",
        time.month(),
        time.day(),
        time.year(),
        time.minute(),
        time.second()
    )
}

fn american(text: &str) -> Option<DateTime> {
    let (day, time) = text.split_once(' ').unwrap_or((text, "0:00"));
    let [month, day, year] = numbers(day, '/')?;
    let day = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let (clock, half) = time.trim().split_once(' ').unwrap_or((time.trim(), ""));
    let time = clock_time(clock)?;
    let hour = match (half.to_ascii_uppercase().as_str(), time.hour()) {
        ("", hour) => hour,
        ("AM" | "PM", 0 | 13..) => return None,
        ("AM", hour) => hour % 12,
        ("PM", hour) => hour % 12 + 12,
        _ => return None,
    };
    Some(day.to_datetime(time.with().hour(hour).build().ok()?))
}

fn iso(text: &str) -> Option<DateTime> {
    let (day, rest) = (text.get(..10)?, text.get(10..)?);
    let [year, month, day] = numbers(day, '-')?;
    let day = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let (clock, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, "Z"),
    };
    let time = match clock.trim_start_matches(['T', 't', ' ']) {
        "" if clock.is_empty() => Time::midnight(),
        clock => clock_time(clock.trim_end())?,
    };
    day.to_datetime(time).checked_sub(minutes(offset)?.minutes()).ok()
}

fn numbers(text: &str, between: char) -> Option<[i16; 3]> {
    let digits =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten();
    let mut parts = text.split(between).map(digits);
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// `H:mm`, with seconds and up to nine digits of them behind a dot.
fn clock_time(text: &str) -> Option<Time> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let padded = format!("{clock}:0");
    let [hour, minute, second] = numbers(if clock.matches(':').count() == 1 { &padded } else { clock }, ':')?;
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    let small = |number: i16| i8::try_from(number).ok();
    Time::new(small(hour)?, small(minute)?, small(second)?, nanoseconds).ok()
}

/// An offset from UTC in minutes: `Z`, `+08:00`, `-0730`, `+02`.
fn minutes(offset: &str) -> Option<i64> {
    let sign = match offset.get(..1)? {
        "Z" | "z" => return (offset.len() == 1).then_some(0),
        "-" => -1,
        _ => 1,
    };
    let digits: String = offset[1..].chars().filter(|letter| *letter != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i64>().ok()?, 0),
        4 => (digits.get(..2)?.parse::<i64>().ok()?, digits.get(2..)?.parse::<i64>().ok()?),
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::read;
    use super::written;

    /// States how a date is read, `-` where it is none.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(read(text).map_or("-".to_owned(), written), expected, "{text}");
    }

    #[test]
    fn dates_are_read_in_both_ways_of_writing() {
        check("2020-03-16", "3/16/2020 12:00:00 AM");
        check("2020-03-16T07:08", "3/16/2020 7:08:00 AM");
        check("2020-03-16 19:08:09.25+02", "3/16/2020 5:08:09 PM");
        check("2020-03-16T07:08:09Z", "3/16/2020 7:08:09 AM");
        check("2020-01-01T00:00:00+05:30", "12/31/2019 6:30:00 PM");
        check("3/6/2020", "3/6/2020 12:00:00 AM");
        check("12/31/2020 12:00:00 AM", "12/31/2020 12:00:00 AM");
        check("12/31/2020 12:00:00 PM", "12/31/2020 12:00:00 PM");
        check("12/31/2020 23:59", "12/31/2020 11:59:00 PM");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "now",
            "2020-13-01",
            "2021-02-29",
            "2020-03-16T",
            "2020-03-16T25:00",
            "2020-03-16+99:00",
            "2020-03-16Zz",
            "31/12/2020",
            "1/2/2020 13:00 PM",
            "1/2/2020 0:10 AM",
            "１/２/2020",
            "2020-é3-16",
        ] {
            check(text, "-");
        }
    }
}
