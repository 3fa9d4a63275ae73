//! A throttled request is waited out, whatever it asks for, and the cycle succeeds.

use std::time::Duration;
use std::time::Instant;

use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;

use super::both;
use super::site::Site;
use super::site::acme;
use super::site::login;

/// The shortest wait there is: a second.
fn throttled(route: Route) -> Fault {
    Fault::next(route, Trouble::Status { status: 429, retry_after: Some("0".to_owned()) })
}

both! {
    async fn a_throttled_request_is_waited_out(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        let (first, second): (&[Route], &[Route]) = match flavour {
            Flavour::Graph => (
                &[Route::Token, Route::Assignments, Route::GroupsDelta, Route::UsersDelta, Route::UsersList],
                // A whole batch, and single questions within the ones that follow.
                &[Route::Batch, Route::User, Route::UserAssignments],
            ),
            Flavour::Okta => (
                &[Route::App, Route::AppUsers, Route::AppGroups, Route::Members],
                &[Route::AppUser],
            ),
        };
        first.iter().for_each(|route| site.world.fault(throttled(*route)));
        let start = Instant::now();
        site.cycle().await;
        assert_eq!(site.world.faults(), [], "every kind of request was throttled");
        assert!(start.elapsed() >= Duration::from_secs(first.len() as u64), "and waited out");
        site.equals().await;
        site.change(Change::Unassign { principal: login("Di") });
        let (who, property, value) = (login("Ed"), "surname".to_owned(), "Holm".into());
        site.change(Change::Set { who, property, value });
        second.iter().for_each(|route| site.world.fault(throttled(*route)));
        let record = site.cycle().await;
        assert_eq!(site.world.faults(), []);
        assert_eq!((record.written(), record.held), (2, 0));
        site.equals().await;
    }
}
