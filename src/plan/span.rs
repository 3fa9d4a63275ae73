//! Spans of time as the settings write them: `30d`, `12h`, `90m`, `2w`.

/// Letters and what they stand for, in seconds; the longest first.
const UNITS: [(char, i64); 4] = [('w', 7 * 86_400), ('d', 86_400), ('h', 3_600), ('m', 60)];

/// Longer is a mistake: ten years and more.
const SPAN_MAX_SECONDS: i64 = 3_660 * 86_400;

/// Seconds; `None` where it is no span, or one of more than ten years.
pub fn read_span(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let (_, seconds) = UNITS.into_iter().find(|(letter, _)| *letter == unit)?;
    let digits = text.strip_suffix(unit)?.trim_end();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().ok()?.checked_mul(seconds).filter(|seconds| *seconds <= SPAN_MAX_SECONDS)
}

/// In days where it is so many whole days, else in hours or minutes.
pub fn write_span(seconds: i64) -> String {
    let unit = UNITS.into_iter().skip(1).find(|(_, unit)| seconds % unit == 0);
    match unit {
        Some((letter, unit)) => format!("{}{letter}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_its_unit() {
        for (text, seconds) in [
            ("30d", 2_592_000),
            ("12h", 43_200),
            ("90m", 5_400),
            ("2w", 1_209_600),
            (" 1 d ", 86_400),
            ("0d", 0),
        ] {
            assert_eq!(read_span(text), Some(seconds), "{text}");
        }
        for text in
            ["", "d", "30", "-1d", "+1d", "1.5d", "30 days", "3661d", "99999999999999999999d", "1d12h"]
        {
            assert_eq!(read_span(text), None, "{text}");
        }
    }

    #[test]
    fn a_span_is_told_in_its_largest_whole_unit() {
        for (seconds, text) in
            [(2_592_000, "30d"), (1_209_600, "14d"), (43_200, "12h"), (5_400, "90m"), (61, "61s")]
        {
            assert_eq!(write_span(seconds), text);
        }
    }
}
