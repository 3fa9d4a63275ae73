//! Reads a date by its format, exactly.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::civil::Time;

use super::Moment;
use super::Styles;
use super::pieces::Piece;
use super::write::DAYS;
use super::write::MONTHS;

/// The last year that two digits can mean (.NET's invariant calendar).
const TWO_DIGIT_YEAR_MAX: i16 = 2049;

/// The date in UTC; `None` where the text does not have the format. What the format does not say is the first of the
/// month, January, midnight.
pub(super) fn read(text: &str, format: &[Piece], styles: Styles) -> Option<Moment> {
    let text = if styles.leading { text.trim_start() } else { text };
    let text = if styles.trailing { text.trim_end() } else { text };
    let mut reader = Reader { rest: text, styles, said: Said::default() };
    let mut pieces = format.iter().peekable();
    while let Some(piece) = pieces.next() {
        if styles.inner {
            reader.rest = reader.rest.trim_start();
        }
        match (piece, pieces.peek()) {
            // A dot before digits that may be missing may be missing with them.
            (Piece::Sign('.'), Some(Piece::Run('F', _))) if !reader.rest.starts_with('.') => {
                pieces.next();
            }
            (Piece::Sign(sign), _) => reader.rest = reader.rest.strip_prefix(*sign)?,
            (Piece::Run(letter, count), _) => reader.run(*letter, *count)?,
        }
    }
    if styles.inner {
        reader.rest = reader.rest.trim_start();
    }
    reader.rest.is_empty().then(|| reader.said.moment(styles))?
}

/// What the text has said so far.
#[derive(Default)]
struct Said {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    weekday: Option<i8>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    afternoon: Option<bool>,
    offset_minutes: Option<i64>,
}

impl Said {
    fn moment(&self, styles: Styles) -> Option<Moment> {
        let date = Date::new(self.year?, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?;
        if self.weekday.is_some_and(|day| day != date.weekday().to_sunday_zero_offset()) {
            return None;
        }
        let hour = match (self.afternoon, self.hour) {
            (None, hour) => hour,
            (Some(_), 0 | 13..) => return None,
            (Some(afternoon), hour) => hour % 12 + if afternoon { 12 } else { 0 },
        };
        let time = Time::new(hour, self.minute, self.second, self.nanosecond).ok()?;
        let offset = self.offset_minutes.unwrap_or_default();
        let at = date.to_datetime(time).checked_sub(offset.minutes()).ok()?;
        Some(Moment { at, zoned: self.offset_minutes.is_some() || styles.universal })
    }
}

struct Reader<'a> {
    rest: &'a str,
    styles: Styles,
    said: Said,
}

impl Reader<'_> {
    fn run(&mut self, letter: char, count: usize) -> Option<()> {
        match (letter, count) {
            ('d', 1 | 2) => self.said.day = Some(self.small(count)?),
            ('d', _) => self.said.weekday = Some(self.name(&DAYS, count == 3)?),
            ('M', 1 | 2) => self.said.month = Some(self.small(count)?),
            ('M', _) => self.said.month = Some(self.name(&MONTHS, count == 3)? + 1),
            ('y', 1 | 2) => self.said.year = Some(century(i16::from(self.small(count)?))),
            ('y', _) => self.said.year = i16::try_from(self.digits(count, count)?).ok(),
            ('H' | 'h', _) => self.said.hour = self.small(count)?,
            ('m', _) => self.said.minute = self.small(count)?,
            ('s', _) => self.said.second = self.small(count)?,
            ('f', _) => self.fraction(count, count)?,
            ('F', _) => self.fraction(0, count)?,
            ('t', _) => self.half(count)?,
            ('g', _) => self.rest = self.rest.strip_prefix("A.D.")?,
            ('K', _) if self.rest.is_empty() => {}
            ('K', _) if self.rest.starts_with(['Z', 'z']) => {
                self.rest = &self.rest[1..];
                self.said.offset_minutes = Some(0);
            }
            ('K', _) => self.offset(3)?,
            ('z', _) => self.offset(count)?,
            _ => return None,
        }
        Some(())
    }

    /// One or two digits where the format has one letter, else exactly two.
    fn small(&mut self, count: usize) -> Option<i8> {
        i8::try_from(self.digits(count.min(2), 2)?).ok()
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        if self.styles.inner {
            self.rest = self.rest.trim_start();
        }
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least.max(1) {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits.parse().ok()
    }

    fn fraction(&mut self, least: usize, most: usize) -> Option<()> {
        let before = self.rest.len();
        let digits = if least == 0 && !self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            0
        } else {
            self.digits(least, most)?
        };
        let count = u32::try_from(before - self.rest.len()).ok()?;
        self.said.nanosecond = i32::try_from(digits * 10_i64.pow(9 - count.min(9))).ok()?;
        Some(())
    }

    fn name(&mut self, names: &[&str], short: bool) -> Option<i8> {
        let written = |name: &str| if short { name.get(..3).map(str::len) } else { Some(name.len()) };
        let (place, length) = names.iter().enumerate().find_map(|(place, name)| {
            let length = written(name)?;
            let matches = self.rest.get(..length)?.eq_ignore_ascii_case(name.get(..length)?);
            matches.then_some((place, length))
        })?;
        self.rest = self.rest.get(length..)?;
        i8::try_from(place).ok()
    }

    fn half(&mut self, count: usize) -> Option<()> {
        let length = count.min(2);
        let written = self.rest.get(..length)?.to_ascii_uppercase();
        self.said.afternoon = match written.as_str() {
            "A" | "AM" => Some(false),
            "P" | "PM" => Some(true),
            _ => return None,
        };
        self.rest = self.rest.get(length..)?;
        Some(())
    }

    /// `+9`, `+09` or `+09:00`.
    fn offset(&mut self, count: usize) -> Option<()> {
        let sign = match self.rest.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let hours = self.digits(count.min(2), 2)?;
        let mut minutes = 0;
        if count >= 3 {
            self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
            minutes = self.digits(2, 2)?;
        }
        self.said.offset_minutes = Some(sign * (hours * 60 + minutes));
        (hours <= 14 && minutes < 60).then_some(())
    }
}

fn century(year: i16) -> i16 {
    let with = TWO_DIGIT_YEAR_MAX / 100 * 100 + year;
    if with > TWO_DIGIT_YEAR_MAX { with - 100 } else { with }
}
