//! What can go wrong on purpose: faults that hit chosen requests.

use serde::Deserialize;
use serde::Serialize;

use super::routes::Route;

/// A fault waits for its request, happens, and is used up.
///
/// In JSON: `{"route": "users_delta", "nth": 2, "trouble": {"status": {"status": 503}}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which kind of request; absent is any but the token's.
    #[serde(default)]
    pub route: Option<Route>,
    /// Counted from when the fault was set: 1 is the next such request.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many requests in a row it hits; null is until the faults are cleared.
    #[serde(default = "once")]
    pub times: Option<u64>,
    pub trouble: Trouble,
}

fn one() -> u64 {
    1
}

fn once() -> Option<u64> {
    Some(1)
}

impl Fault {
    /// The next request of that kind, once.
    pub fn next(route: Route, trouble: Trouble) -> Fault {
        Fault { route: Some(route), nth: 1, times: Some(1), trouble }
    }

    /// The nth request of that kind from now on, once.
    pub fn nth(route: Route, nth: u64, trouble: Trouble) -> Fault {
        Fault { nth, ..Fault::next(route, trouble) }
    }

    /// Every request of that kind until the faults are cleared.
    pub fn always(route: Route, trouble: Trouble) -> Fault {
        Fault { times: None, ..Fault::next(route, trouble) }
    }
}

/// What happens to the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trouble {
    /// An error of the service with that status and its usual body. `retry_after` is sent as it stands
    /// (`"2"`, `"0.5"`, an HTTP date). Okta sends no such header: there it is the number of seconds until
    /// `x-rate-limit-reset` of a 429, 1 where absent.
    Status {
        status: u16,
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// The permission is missing: 403 as the service says it.
    Deny,
    /// The connection is closed before an answer.
    Drop,
    /// Half of the answer, then the connection is closed.
    Truncate,
    /// An HTML page of something in between.
    Html { status: u16 },
    /// 200 with no rows and no next page.
    Empty,
    /// The next link leads to another host. Where there is no next link, nothing happens.
    ForeignHost,
    /// The next link leads to the same page again.
    RepeatCursor,
    /// The next link has lost `expand` (Okta; okta/071 of the corpus).
    LoseExpand,
    /// Self and next in one header line (Okta; okta/071 of the corpus).
    OneLinkHeader,
    /// The delta token is refused: 400 or 410 `syncStateNotFound` (graph.md section 6.5). Without a token in the
    /// request, nothing happens.
    ExpireDelta { status: u16 },
    /// The answer comes late.
    Delay { milliseconds: u64 },
    /// The first half of the body comes, the second half late.
    SlowBody { milliseconds: u64 },
    /// Half of the JSON, as if that were all of it.
    CutJson,
    /// Values of enumerations that nobody has heard of.
    UnknownEnum,
    /// Properties that nobody has heard of.
    UnknownFields,
    /// Graph: an error with that status and that code (graph.md section 8).
    Code { status: u16, code: String },
    /// Graph's token endpoint: a refusal with that AADSTS number (graph.md section 2.6).
    Aadsts { code: u32 },
    /// Graph: 401 of continuous access evaluation (graph.md section 2.7).
    ClaimsChallenge,
    /// Graph: the page token is refused: 400 `Directory_ExpiredPageToken`. Without one, nothing happens.
    ExpirePage,
    /// Graph: 404 `UnknownError` where a next link is followed (graph.md section 6.7). Without one, nothing happens.
    LosePage,
    /// Okta's error of that code, as in the table of okta.md section 8.
    Error { code: String },
    /// Okta: the token lacks the scope: 403 without a body.
    LoseScope,
    /// Okta: too many requests at once: 429 with a limit of 0.
    Concurrency,
    /// Okta: the next link leads to the same service under another name.
    SiblingHost,
    /// Okta: no `Link` header at all.
    NoLinkHeader,
    /// Okta: the cursor of the request is refused: E0000029, or E0000031 in a search. Without one, nothing happens.
    ExpireCursor,
    /// Okta: fewer rows than asked for, and a next link all the same.
    ShortPage,
    /// Okta: no rows, and a next link to them.
    EmptyPage,
    /// Okta: the next page begins one row too late, as where a row before it was removed.
    SkipRow,
    /// Okta: the next page begins with the last row of this one, as where a row before it was added.
    RepeatRow,
}

/// The faults that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    /// Counts the request against every fault that could mean it; the first that is due happens.
    pub(super) fn strike(&mut self, route: Route) -> Option<Trouble> {
        let mut struck = None;
        for fault in &mut self.0 {
            let meant = fault.route.map_or(!route.is_sign_in(), |wanted| wanted == route);
            if !meant {
                continue;
            }
            if fault.nth > 1 {
                fault.nth -= 1;
            } else if struck.is_none() {
                struck = Some(fault.trouble.clone());
                fault.times = fault.times.map(|times| times.saturating_sub(1));
            }
        }
        self.0.retain(|fault| fault.times != Some(0));
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_the_nth_request_of_its_kind_and_is_used_up() {
        let mut faults = Faults(vec![Fault::nth(Route::Members, 2, Trouble::Deny)]);
        assert_eq!(faults.strike(Route::Members), None);
        assert_eq!(faults.strike(Route::Group), None);
        assert_eq!(faults.strike(Route::Members), Some(Trouble::Deny));
        assert_eq!(faults.strike(Route::Members), None);
    }

    #[test]
    fn a_fault_without_an_end_stays() {
        let mut faults = Faults(vec![Fault::always(Route::Group, Trouble::Drop)]);
        assert_eq!(faults.strike(Route::Group), Some(Trouble::Drop));
        assert_eq!(faults.strike(Route::Group), Some(Trouble::Drop));
    }
}
