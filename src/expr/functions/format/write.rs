//! Writes a date by a format.

use super::Moment;
use super::pieces::Piece;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(super) fn written(moment: &Moment, format: &[Piece]) -> String {
    let mut text = String::new();
    for piece in format {
        match piece {
            Piece::Sign(sign) => text.push(*sign),
            Piece::Run('F', count) => {
                let digits = run(moment, 'f', *count);
                text.push_str(digits.trim_end_matches('0'));
                if text.ends_with('.') {
                    text.pop();
                }
            }
            Piece::Run(letter, count) => text.push_str(&run(moment, *letter, *count)),
        }
    }
    text
}

fn run(moment: &Moment, letter: char, count: usize) -> String {
    let at = moment.at;
    let short = |names: &[&str], place: usize| {
        let name = names.get(place).copied().unwrap_or_default();
        if count == 3 { name.get(..3).unwrap_or_default() } else { name }.to_owned()
    };
    let padded = |number: i64, width: usize| format!("{number:0width$}");
    let weekday = at.weekday().to_sunday_zero_offset();
    let month = usize::try_from(at.month()).unwrap_or(1) - 1;
    let hour = i64::from(at.hour());
    match (letter, count) {
        ('d', 1 | 2) => padded(i64::from(at.day()), count),
        ('d', _) => short(&DAYS, usize::try_from(weekday).unwrap_or_default()),
        ('M', 1 | 2) => padded(i64::from(at.month()), count),
        ('M', _) => short(&MONTHS, month),
        ('y', 1 | 2) => padded(i64::from(at.year() % 100), count),
        ('y', _) => padded(i64::from(at.year()), count),
        ('H', _) => padded(hour, count.min(2)),
        ('h', _) => padded(if hour % 12 == 0 { 12 } else { hour % 12 }, count.min(2)),
        ('m', _) => padded(i64::from(at.minute()), count.min(2)),
        ('s', _) => padded(i64::from(at.second()), count.min(2)),
        ('f', _) => format!("{:09}", at.subsec_nanosecond()).get(..count).unwrap_or_default().to_owned(),
        ('t', 1) => if hour < 12 { "A" } else { "P" }.to_owned(),
        ('t', _) => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        ('g', _) => "A.D.".to_owned(),
        ('K', _) => if moment.zoned { "Z" } else { "" }.to_owned(),
        ('z', 1) => "+0".to_owned(),
        ('z', 2) => "+00".to_owned(),
        _ => "+00:00".to_owned(),
    }
}
