//! The forms that a text can have to have: times and base64 (RFC 7643 sections 2.3.5, 2.3.6).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The instant that an xsd:dateTime names; one without an offset is UTC. `None` where it is none.
pub fn instant(text: &str) -> Option<Timestamp> {
    // To the seconds at least, and nothing but the offset behind them: jiff would take less, and more.
    let (date, time) = text.split_once('T')?;
    let numeric =
        |part: &str| part.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | ':' | '.' | 'Z'));
    let sound = numeric(date) && numeric(time) && matches!(time.as_bytes(), [_, _, b':', _, _, b':', ..]);
    if !sound {
        return None;
    }
    text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

/// Whether a text is base64 (RFC 4648 section 4).
pub(super) fn is_base64(text: &str) -> bool {
    STANDARD.decode(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_whatever_its_offset() {
        let noon = instant("2008-01-23T12:00:00Z");
        assert!(noon.is_some());
        for same in ["2008-01-23T12:00:00.000Z", "2008-01-23T14:00:00+02:00", "2008-01-23T12:00:00"] {
            assert_eq!(instant(same), noon, "{same}");
        }
        for wrong in [
            "",
            "yesterday",
            "2008-01-23",
            "2008-01-23 12:00:00Z",
            "2008-01-23T12:00Z",
            "2008-13-01T00:00:00Z",
        ] {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn base64_has_its_padding() {
        assert!(is_base64("AQID") && is_base64("AQ=="));
        assert!(!is_base64("AQ") && !is_base64("A Q="));
    }
}
