//! A fault as a word on the command line: `ROUTE[@NTH][+]=TROUBLE`.

use std::str::FromStr;

use serde_json::Value;

use super::faults::Fault;
use super::faults::Trouble;
use super::nearest::nearest;
use super::routes::Route;

/// Says what was expected, and what is nearest to what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultTextError {
    #[error("`{text}` is no fault; write ROUTE[@NTH][+]=TROUBLE, such as users_delta@2=503 or *+=delay/200")]
    Form { text: String },
    #[error("`{name}` in `{text}` is no route; {cure}")]
    Route { text: String, name: String, cure: String },
    #[error("`{name}` in `{text}` is no trouble; {cure}")]
    Trouble { text: String, name: String, cure: String },
}

/// What stands on the right, with a detail where one is needed. For messages; `trouble_of` reads them.
const TROUBLES: &[&str] = &[
    "STATUS",
    "STATUS/retry-after",
    "aadsts/number",
    "claims_challenge",
    "code/status/code",
    "concurrency",
    "cut_json",
    "delay/milliseconds",
    "deny",
    "drop",
    "empty",
    "empty_page",
    "expire_cursor",
    "expire_delta/status",
    "expire_page",
    "foreign_host",
    "html/status",
    "lose_expand",
    "lose_page",
    "lose_scope",
    "no_link_header",
    "one_link_header",
    "repeat_cursor",
    "repeat_row",
    "short_page",
    "sibling_host",
    "skip_row",
    "slow_body/milliseconds",
    "truncate",
    "unknown_enum",
    "unknown_fields",
    "a code of Okta such as E0000009",
];

/// `*` is any route but the token's; `@2` the second such request; `+` from then on until cleared.
impl FromStr for Fault {
    type Err = FaultTextError;

    fn from_str(text: &str) -> Result<Fault, FaultTextError> {
        let form = || FaultTextError::Form { text: text.to_owned() };
        let (target, trouble) = text.split_once('=').ok_or_else(form)?;
        let (target, times) = match target.strip_suffix('+') {
            Some(target) => (target, None),
            None => (target, Some(1)),
        };
        let (route, nth) = match target.split_once('@') {
            Some((route, nth)) => (route, nth.parse().ok().filter(|nth| *nth > 0).ok_or_else(form)?),
            None => (target, 1),
        };
        let route = match route {
            "*" => None,
            name => Some(route_of(name).ok_or_else(|| no_route(text, name))?),
        };
        let trouble = trouble_of(trouble).ok_or_else(|| no_trouble(text, trouble))?;
        Ok(Fault { route, nth, times, trouble })
    }
}

fn route_of(name: &str) -> Option<Route> {
    serde_json::from_value(Value::from(name)).ok()
}

/// serde knows the names of all routes and tells them when it is given a wrong one.
fn no_route(text: &str, name: &str) -> FaultTextError {
    let said = serde_json::from_value::<Route>(Value::from(name)).err().map(|error| error.to_string());
    let names: Vec<&str> = said.as_deref().unwrap_or_default().split('`').skip(3).step_by(2).collect();
    let cure = match nearest(name, names.iter().copied()) {
        Some(near) => format!("the nearest is `{near}`"),
        None => format!("there are {}, and * for any", names.join(", ")),
    };
    FaultTextError::Route { text: text.to_owned(), name: name.to_owned(), cure }
}

fn no_trouble(text: &str, trouble: &str) -> FaultTextError {
    let word = trouble.split('/').next().unwrap_or_default();
    let words = TROUBLES.iter().filter(|known| !known.contains(' '));
    let known = words.map(|known| known.split('/').next().unwrap_or_default());
    let near = nearest(word, known)
        .and_then(|near| TROUBLES.iter().find(|known| known.split('/').next() == Some(near)));
    let cure = match near {
        Some(near) => format!("the nearest is `{near}`"),
        None => format!("there are {}", TROUBLES.join(", ")),
    };
    FaultTextError::Trouble { text: text.to_owned(), name: trouble.to_owned(), cure }
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
        ("aadsts", Some(code)) => Trouble::Aadsts { code: code.parse().ok()? },
        ("code", Some(detail)) => {
            let (status, code) = detail.split_once('/')?;
            Trouble::Code { status: status.parse().ok()?, code: code.to_owned() }
        }
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
    fn troubles_of_graph_have_details_of_their_own() {
        assert_eq!(
            "token@2+=aadsts/7000222".parse(),
            Ok(Fault {
                nth: 2,
                times: None,
                ..Fault::next(Route::Token, Trouble::Aadsts { code: 7_000_222 })
            })
        );
        let code = Trouble::Code { status: 503, code: "Directory_ReplicaUnavailable".to_owned() };
        assert_eq!(
            "group=code/503/Directory_ReplicaUnavailable".parse(),
            Ok(Fault::next(Route::Group, code))
        );
    }

    #[test]
    fn what_is_no_fault_is_told_what_is_nearest() {
        let told = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
        assert_eq!(
            told("members"),
            "`members` is no fault; write ROUTE[@NTH][+]=TROUBLE, such as users_delta@2=503 or *+=delay/200"
        );
        assert_eq!(
            told("user_delta=drop"),
            "`user_delta` in `user_delta=drop` is no route; the nearest is `users_delta`"
        );
        assert_eq!(
            told("members=trunkate"),
            "`trunkate` in `members=trunkate` is no trouble; the nearest is `truncate`"
        );
        assert_eq!(
            told("members=html"),
            "`html` in `members=html` is no trouble; the nearest is `html/status`"
        );
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
