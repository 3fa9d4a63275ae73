//! Rate-limit buckets and their headers (okta.md section 7).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::routes::Route;
use super::OktaKnobs;
use super::OrgKind;

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
    knobs: &OktaKnobs,
    now: Timestamp,
) -> Allowance {
    let bucket = bucket(route);
    let limit = limit(bucket, knobs);
    let (start, used) = buckets.entry(bucket.name).or_insert((now, 0));
    let passed = now.duration_since(*start).as_secs();
    // A clock that was set back begins anew as well.
    if !(0..WINDOW).contains(&passed) {
        (*start, *used) = (now, 0);
    }
    *used = used.saturating_add(1);
    Allowance {
        limit,
        remaining: limit.saturating_sub(*used),
        reset: start.as_second() + WINDOW,
        exceeded: *used > limit,
    }
}

/// The headers describe the token's share, not the bucket of the org. The token endpoint has no share.
fn limit(bucket: &Bucket, knobs: &OktaKnobs) -> u32 {
    let Some(kind) = knobs.org_kind else { return knobs.rate_limit };
    let [integrator, one_app, enterprise, workforce] = bucket.rates;
    let whole = match kind {
        OrgKind::Integrator => integrator,
        OrgKind::OneApp => one_app,
        OrgKind::Enterprise => enterprise,
        OrgKind::Workforce => workforce,
    };
    if bucket.name == TOKEN.name { whole } else { whole * knobs.token_share_percent / 100 }
}

/// Requests a minute of an integrator, one-app, enterprise and workforce org.
struct Bucket {
    name: &'static str,
    rates: [u32; 4],
}

const APPS: Bucket = Bucket { name: "/api/v1/apps", rates: [20, 100, 100, 100] };
const APP: Bucket = Bucket { name: "/api/v1/apps/{id}", rates: [100, 600, 600, 500] };
const GROUPS: Bucket = Bucket { name: "/api/v1/groups", rates: [100, 600, 600, 500] };
const GROUP: Bucket = Bucket { name: "/api/v1/groups/{id}", rates: [100, 600, 600, 1000] };
const USERS: Bucket = Bucket { name: "/api/v1/users", rates: [100, 600, 600, 600] };
const USER: Bucket = Bucket { name: "/api/v1/users/{id}", rates: [100, 1000, 1000, 2000] };
const LOGS: Bucket = Bucket { name: "/api/v1/logs", rates: [20, 50, 50, 120] };
/// Recorded on an integrator org; the others are not known.
const TOKEN: Bucket = Bucket { name: "/oauth2/v1/token", rates: [150; 4] };
const OTHERS: Bucket = Bucket { name: "/api/v1", rates: [100, 600, 600, 1200] };

/// Everything below an application shares one bucket, except the application itself.
fn bucket(route: Route) -> &'static Bucket {
    match route {
        Route::AppsList
        | Route::AppUsers
        | Route::AppUser
        | Route::AppGroups
        | Route::AppGroup
        | Route::PushMappings
        | Route::PushMapping => &APPS,
        Route::App => &APP,
        Route::GroupsList | Route::Members | Route::GroupApps | Route::GroupRules => &GROUPS,
        Route::Group => &GROUP,
        Route::UsersList => &USERS,
        Route::User => &USER,
        Route::Logs => &LOGS,
        Route::Token => &TOKEN,
        _ => &OTHERS,
    }
}
