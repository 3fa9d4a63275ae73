//! Rate-limit buckets and their headers (okta.md section 7).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::routes::Route;

/// Seconds of a window; it begins with the first request.
const WINDOW: i64 = 60;

pub(super) struct Allowance {
    limit: u32,
    remaining: u32,
    /// Seconds since 1970.
    reset: i64,
    pub(super) exceeded: bool,
}

impl Allowance {
    pub(super) fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("x-rate-limit-limit", self.limit.to_string()),
            ("x-rate-limit-remaining", self.remaining.to_string()),
            ("x-rate-limit-reset", self.reset.to_string()),
        ]
    }
}

/// Counts a request against its bucket.
pub(super) fn count(
    buckets: &mut BTreeMap<&'static str, (Timestamp, u32)>,
    route: Route,
    limit: u32,
    now: Timestamp,
) -> Allowance {
    let (start, used) = buckets.entry(bucket(route)).or_insert((now, 0));
    if now.duration_since(*start).as_secs() >= WINDOW {
        (*start, *used) = (now, 0);
    }
    *used += 1;
    Allowance {
        limit,
        remaining: limit.saturating_sub(*used),
        reset: start.as_second() + WINDOW,
        exceeded: *used > limit,
    }
}

/// Everything below an application shares one bucket, except the application itself.
fn bucket(route: Route) -> &'static str {
    match route {
        Route::AppUsers | Route::AppUser | Route::AppGroups | Route::AppGroup => "/api/v1/apps",
        Route::App => "/api/v1/apps/{id}",
        Route::GroupsList | Route::Members => "/api/v1/groups",
        Route::Group => "/api/v1/groups/{id}",
        Route::UsersList => "/api/v1/users",
        Route::User => "/api/v1/users/{id}",
        _ => "/api/v1",
    }
}
