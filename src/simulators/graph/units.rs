//! What a request costs, and when there have been too many (graph.md section 7).

use jiff::SignedDuration;
use jiff::Timestamp;

use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::CLIENT_ID;
use super::TENANT;
use super::bearer::http_date;
use super::call::Call;
use super::errors;
use super::knobs::GraphKnobs;
use super::knobs::RetryAfter;

/// From this share of the limit on the answers tell it.
const TOLD_FROM: f64 = 0.8;
/// The highest share that is told.
const TOLD_MAX: f64 = 1.8;
/// A small page is cheaper.
const SMALL_PAGE: usize = 20;

/// The window that is running: since when, and what was charged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window(Option<(Timestamp, u32)>);

/// What one request was charged.
pub(super) struct Charge {
    pub(super) units: u32,
    /// Of the limit, with this request.
    share: f64,
    /// Until the window ends.
    left: SignedDuration,
}

impl Window {
    /// Rejected requests count too.
    pub(super) fn charge(&mut self, units: u32, knobs: &GraphKnobs, now: Timestamp) -> Charge {
        let length = SignedDuration::from_secs(i64::from(knobs.window_seconds));
        let running = self.0.filter(|(since, _)| {
            let passed = now.duration_since(*since);
            !passed.is_negative() && passed < length
        });
        let (since, used) = running.unwrap_or((now, 0));
        let used = used.saturating_add(units);
        self.0 = Some((since, used));
        let share = knobs.unit_limit().map_or(0.0, |limit| f64::from(used) / f64::from(limit.max(1)));
        Charge { units, share, left: length - now.duration_since(since) }
    }
}

impl Charge {
    pub(super) fn is_throttled(&self) -> bool {
        self.share > 1.0
    }

    /// Cost, and the share of the limit once it is worth knowing.
    pub(super) fn headers(&self, answer: Answer) -> Answer {
        let answer = answer.with("x-ms-resource-unit", self.units.to_string());
        match self.share {
            share if share >= TOLD_FROM => {
                answer.with("x-ms-throttle-limit-percentage", format!("{:.2}", share.min(TOLD_MAX)))
            }
            _ => answer,
        }
    }

    /// 429, with a word about when to come back.
    pub(super) fn refusal(&self, knobs: &GraphKnobs, now: Timestamp) -> Answer {
        let answer = throttled(now);
        let seconds = self.left.as_secs_f64().max(0.001);
        match knobs.retry_after {
            RetryAfter::Absent => answer,
            RetryAfter::Integer => answer.with("Retry-After", format!("{:.0}", seconds.ceil())),
            RetryAfter::Decimal => answer.with("Retry-After", format!("{seconds:.3}")),
            RetryAfter::Date => {
                // An HTTP date has whole seconds: the next one is late enough.
                let wait = SignedDuration::from_secs(seconds.ceil() as i64);
                answer.with("Retry-After", http_date(now.saturating_add(wait).unwrap_or(now)))
            }
        }
    }
}

/// Body and headers of a throttled request.
pub(super) fn throttled(now: Timestamp) -> Answer {
    errors::too_many_requests(now)
        .with("x-ms-throttle-scope", format!("Tenant_Application/ReadWrite/{CLIENT_ID}/{TENANT}"))
        .with("x-ms-throttle-information", "ResourceUnitLimitExceeded")
}

/// The base cost of the table, less for `$select` and small pages, more for `$expand`, at least one.
pub(super) fn cost(call: Option<&Call>, request: &Request) -> u32 {
    let base: i32 = match call {
        // The parts of a batch are charged, not the batch.
        Some(Call::Token(_) | Call::Imds | Call::Arc | Call::Batch) => return 0,
        Some(Call::Users) => 2,
        Some(Call::Members(related)) if related.reach == super::call::Reach::Direct => 3,
        Some(Call::Members(_)) => 5,
        Some(Call::MemberOf(_)) => 2,
        Some(Call::ByIds) => 3,
        Some(Call::UserAssignments(_) | Call::GroupAssignments(_)) => 2,
        Some(Call::Applications) => 2,
        // graph/008 of the corpus.
        Some(Call::CheckMemberGroups(_)) => 4,
        Some(Call::Count(inner)) => return cost(Some(inner), request),
        _ => 1,
    };
    let small =
        request.query("$top").and_then(|top| top.parse::<usize>().ok()).is_some_and(|top| top < SMALL_PAGE);
    let adjusted = base - i32::from(request.query("$select").is_some()) - i32::from(small)
        + i32::from(request.query("$expand").is_some());
    adjusted.max(1).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::HeaderMap;

    use super::*;

    /// The table of section 7, and what recorded answers say (corpus, `x-ms-resource-unit`).
    #[test]
    fn requests_cost_what_the_table_says() {
        for (method, target, units) in [
            ("GET", "/v1.0/users", 2),
            ("GET", "/v1.0/users?$filter=startswith(displayName,'x')", 2),
            ("GET", "/v1.0/users?$select=id&$top=999", 1),
            ("GET", "/v1.0/users?$select=id&$expand=manager($select=id)&$top=3", 1),
            ("GET", "/v1.0/users/1", 1),
            ("GET", "/v1.0/groups", 1),
            ("GET", "/v1.0/groups/1/members", 3),
            ("GET", "/v1.0/groups/1/members?$select=id", 2),
            ("GET", "/v1.0/groups/1/members/microsoft.graph.user?$select=id&$top=4&$count=true", 1),
            ("GET", "/v1.0/groups/1/transitiveMembers", 5),
            ("GET", "/v1.0/users/1/memberOf?$select=id&$top=999", 1),
            ("GET", "/v1.0/users/1/transitiveMemberOf", 2),
            ("GET", "/v1.0/servicePrincipals/1/appRoleAssignedTo?$top=999", 1),
            ("POST", "/v1.0/directoryObjects/getByIds", 3),
            ("POST", "/v1.0/users/1/checkMemberGroups", 4),
            ("GET", "/v1.0/users/delta?$select=id", 1),
            ("GET", "/v1.0/applications", 2),
        ] {
            let request = Request::new(method, "http://x", target, HeaderMap::new(), Bytes::new());
            assert_eq!(cost(Call::of(&request).as_ref(), &request), units, "{target}");
        }
    }
}
