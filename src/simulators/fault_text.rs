//! A fault as a word on the command line: `ROUTE[@NTH][+]=TROUBLE`.

use std::str::FromStr;

use serde_json::Value;

use super::faults::Fault;
use super::faults::Trouble;
use super::routes::Route;

/// Says what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no fault; write ROUTE[@NTH][+]=TROUBLE, such as users_delta@2=503 or *+=delay/200. \
     Troubles: a status, status/retry-after, deny, drop, truncate, html/status, empty, foreign_host, \
     repeat_cursor, lose_expand, one_link_header, expire_delta/status, delay/milliseconds, \
     slow_body/milliseconds, cut_json, unknown_enum, unknown_fields; for Okta also a code such as E0000009, \
     lose_scope, concurrency, sibling_host, no_link_header, expire_cursor, short_page, empty_page, skip_row, \
     repeat_row"
)]
pub struct FaultTextError {
    text: String,
}

/// `*` is any route but the token's; `@2` the second such request; `+` from then on until cleared.
impl FromStr for Fault {
    type Err = FaultTextError;

    fn from_str(text: &str) -> Result<Fault, FaultTextError> {
        parse(text).ok_or_else(|| FaultTextError { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<Fault> {
    let (target, trouble) = text.split_once('=')?;
    let (target, times) = match target.strip_suffix('+') {
        Some(target) => (target, None),
        None => (target, Some(1)),
    };
    let (route, nth) = match target.split_once('@') {
        Some((route, nth)) => (route, nth.parse().ok().filter(|nth| *nth > 0)?),
        None => (target, 1),
    };
    let route = match route {
        "*" => None,
        name => Some(serde_json::from_value::<Route>(Value::from(name)).ok()?),
    };
    Some(Fault { route, nth, times, trouble: trouble_of(trouble)? })
}

fn trouble_of(text: &str) -> Option<Trouble> {
    let (word, detail) = match text.split_once('/') {
        Some((word, detail)) => (word, Some(detail)),
        None => (text, None),
    };
    Some(match (word, detail) {
        ("html", Some(status)) => Trouble::Html { status: status.parse().ok()? },
        ("expire_delta", Some(status)) => Trouble::ExpireDelta { status: status.parse().ok()? },
        ("delay", Some(milliseconds)) => Trouble::Delay { milliseconds: milliseconds.parse().ok()? },
        ("slow_body", Some(milliseconds)) => Trouble::SlowBody { milliseconds: milliseconds.parse().ok()? },
        (code, None) if is_code(code) => Trouble::Error { code: code.to_owned() },
        (status, retry_after) if status.parse::<u16>().is_ok() => {
            Trouble::Status { status: status.parse().ok()?, retry_after: retry_after.map(str::to_owned) }
        }
        // Those without a detail are named as in JSON.
        (_, None) => serde_json::from_value(Value::from(word)).ok()?,
        _ => return None,
    })
}

/// An error code of Okta.
fn is_code(text: &str) -> bool {
    text.strip_prefix('E').is_some_and(|digits| digits.len() == 7 && digits.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_which_request_and_what_happens() {
        let trouble = Trouble::Status { status: 429, retry_after: Some("0.5".to_owned()) };
        assert_eq!("users_delta@2=429/0.5".parse(), Ok(Fault::nth(Route::UsersDelta, 2, trouble)));
        assert_eq!("members+=drop".parse(), Ok(Fault::always(Route::Members, Trouble::Drop)));
        let any =
            Fault { route: None, nth: 1, times: Some(1), trouble: Trouble::Delay { milliseconds: 200 } };
        assert_eq!("*=delay/200".parse(), Ok(any));
        let error = Trouble::Error { code: "E0000009".to_owned() };
        assert_eq!("members=E0000009".parse(), Ok(Fault::next(Route::Members, error)));
        let slow = Trouble::SlowBody { milliseconds: 50 };
        assert_eq!("app_users=slow_body/50".parse(), Ok(Fault::next(Route::AppUsers, slow)));
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in
            ["", "members", "tea=drop", "members@0=drop", "members=html", "members=status", "members=drop/1"]
        {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }
}
