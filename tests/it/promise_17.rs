//! P17: time can lie. The highest time seen is kept; where the local clock jumps, or departs from what the services show,
//! what time alone removes is held, and everything else goes on.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use rosterd::client::Secret;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::model::Reading;
use rosterd::plan::CycleRecord;
use rosterd::plan::Departure;
use rosterd::plan::OnLeave;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use tokio_util::sync::CancellationToken;

use crate::end_to_end::site::Site;
use crate::end_to_end::site::acme;
use crate::end_to_end::site::hire;
use crate::end_to_end::site::login;
use crate::support::scim_service::ScimService;

const DAY: i64 = 86_400;

/// A company where Di has left and is deleted after ten days; a clock may go on by two days at once.
async fn company(flavour: Flavour) -> Site {
    let mut site = Site::start(acme(flavour)).await;
    site.rules.actions.delete = true;
    site.rules.leavers.set(Departure::Unassigned, OnLeave::DeleteAfter { seconds: 10 * DAY });
    site.limits.clock_jump_seconds = 2 * DAY;
    site.cycle().await;
    site.change(Change::Unassign { principal: login("Di") });
    site
}

fn days(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// A cycle whose host shows one time, and whose directory another.
async fn cycle_at(site: &Site, ours: Timestamp, theirs: Timestamp) -> CycleRecord {
    site.world.set_clock(theirs);
    let stop = CancellationToken::new();
    let clock = move || ours;
    let how = How {
        reading: Reading::Incremental,
        verify: false,
        now: ours,
        clock: &clock,
        watch: &|_| {},
        stop: &stop,
    };
    cycle::run(&site.job(), &site.store, how).await.expect("the cycle goes well")
}

/// A clock that gains a day and a half with each cycle jumps nowhere; only the services' `Date` shows that it lies.
async fn a_clock_that_runs_away_from_the_services_deletes_nobody(flavour: Flavour) {
    let mut site = company(flavour).await;
    let start = site.now;
    assert_eq!(cycle_at(&site, start, start).await.written(), 1, "deactivated");
    for step in 1..=8 {
        let (ours, theirs) = (start + days(36 * step), start + days(step));
        assert_eq!(cycle_at(&site, ours, theirs).await.written(), 0, "step {step}");
    }
    site.now = start + days(36 * 8);
    let left = site.left().await;
    let [held] = left.as_slice() else { panic!("one deletion waits: {left:#?}") };
    assert!(held.contains("delete (held: Clock: the clock shows 2026-03-14"), "{held}");
    assert!(held.contains("and the source shows 2026-03-02"), "{held}");
    assert!(held.contains("more than 2d apart (jobs.acme.limits.clock_jump)"), "{held}");

    // Everything else goes on meanwhile.
    hire(&site.world, "Gil", &["Sales"], false);
    let record = cycle_at(&site, start + days(36 * 8), start + days(9)).await;
    assert_eq!(record.failures(), 0);
    assert!(record.written() >= 1, "{record:?}");

    // Put right, it waits for the day; and then it goes.
    assert_eq!(cycle_at(&site, start + days(24), start + days(24)).await.held, 0);
    let mut written = 0;
    for day in 2..=11 {
        let now = start + days(24 * day);
        written += cycle_at(&site, now, now).await.written();
    }
    assert_eq!(written, 1, "deleted after ten days");
}

#[tokio::test]
async fn a_clock_that_runs_away_from_graph_deletes_nobody() {
    a_clock_that_runs_away_from_the_services_deletes_nobody(Flavour::Graph).await;
}

#[tokio::test]
async fn a_clock_that_runs_away_from_okta_deletes_nobody() {
    a_clock_that_runs_away_from_the_services_deletes_nobody(Flavour::Okta).await;
}

/// The target's answers count as well as the source's.
#[tokio::test]
async fn a_clock_that_departs_from_the_target_deletes_nobody() {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    let service = ScimService::start().await;
    let shows =
        |at: Timestamp| service.shows(&DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap());
    let url = service.root.parse().unwrap();
    site.target =
        Arc::new(RemoteTarget::new(RemoteSettings::new(url, vec![Secret::new("a token")])).unwrap());
    site.rules.actions.delete = true;
    site.rules.actions.teams = false;
    site.rules.leavers.set(Departure::Unassigned, OnLeave::DeleteAfter { seconds: DAY });
    site.limits.clock_jump_seconds = 2 * DAY;
    let start = site.now;
    shows(start);
    cycle_at(&site, start, start).await;
    site.change(Change::Unassign { principal: login("Di") });
    cycle_at(&site, start + days(1), start + days(1)).await;
    // The directory agrees with the host, the target is years behind.
    shows("2019-01-01T00:00:00Z".parse().unwrap());
    hire(&site.world, "Gil", &["Sales"], false);
    cycle_at(&site, start + days(2), start + days(2)).await;
    let record = cycle_at(&site, start + days(30), start + days(30)).await;
    site.now = start + days(30);
    let left = site.left().await;
    assert!(
        left.iter().any(|line| line.contains("held: Clock") && line.contains("the target shows 2019")),
        "{left:#?}"
    );
    assert_eq!(record.failures(), 0);
}
