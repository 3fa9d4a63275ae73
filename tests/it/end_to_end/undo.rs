//! A bad mass update is undone, in the simulated directories, at the workspace and at the remote service (P9).
//! The limits are wide here; `promise_09_undo` looks at them.

use std::sync::Arc;

use jiff::SignedDuration;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Undo;
use rosterd::model::Reading;
use rosterd::plan::CycleRecord;
use rosterd::plan::RowValue;
use rosterd::scim::Dialect;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::store::Chosen;
use rosterd::targets::Operation;
use tokio_util::sync::CancellationToken;

use super::account::differences;
use super::both;
use super::remote::towards;
use super::shaky::Mishap;
use super::shaky::Shaky;
use super::site::Site;
use super::site::acme;
use super::site::login;
use crate::server::Served;

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The surname is mapped from the first name: a slip of somebody who edits the settings.
fn slip(site: &mut Site) {
    let rows = &mut site.rules.users.rows;
    let given = rows.iter().find(|row| row.target == "name.givenName").expect("a row").value.clone();
    let surname = rows.iter_mut().find(|row| row.target == "name.familyName").expect("a row");
    assert!(matches!(given, RowValue::Attribute(_)));
    surname.value = given;
}

async fn undo(site: &mut Site, cycle: i64) -> Result<CycleRecord, String> {
    let (stop, now) = (CancellationToken::new(), site.now);
    let clock = move || now;
    let reading = Reading::Incremental;
    let how = How { reading, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
    let wish = Undo {
        cycle,
        what: Chosen::All,
        until_second: (now + WEEK).as_second(),
        who: "test".to_owned(),
        reason: "a slip".to_owned(),
    };
    let undone = cycle::undo(&site.job(), &site.store, how, &wish).await;
    site.now += SignedDuration::from_mins(40);
    undone.map(|undone| undone.record).map_err(|error| format!("{error:?}"))
}

async fn quiet(site: &mut Site) {
    for _ in 0..2 {
        let record = site.cycle().await;
        assert_eq!((record.written(), record.held, record.failures()), (0, 0, 0), "{:#?}", site.left().await);
    }
}

/// A site that writes to the workspace beside it, or to the same over HTTP.
async fn begun(flavour: Flavour, remote: bool) -> (Site, Option<Served>) {
    let mut site = Site::start(acme(flavour)).await;
    let mut served = None;
    if remote {
        let service = Served::start(Dialect::Strict).await;
        towards(&mut site, &service).await;
        served = Some(service);
    }
    site.cycle().await;
    (site, served)
}

async fn equals(site: &Site, served: Option<&Served>) -> Vec<String> {
    let store = served.map_or(&site.store, |served| &served.store);
    differences(&site.world, store).await
}

both! {
    async fn a_slip_in_the_mapping_is_undone_and_stays_undone_for_a_week(flavour) {
        for remote in [false, true] {
            let (mut site, served) = begun(flavour, remote).await;
            let good = site.rules.users.clone();
            slip(&mut site);
            let slipped = site.cycle().await;
            assert_eq!(slipped.written(), 5, "{slipped:?}");
            assert_eq!(equals(&site, served.as_ref()).await.len(), 5);
            let requests = site.source.requests();
            let undone = undo(&mut site, slipped.cycle).await.expect("it is undone");
            assert_eq!((undone.written(), undone.failures(), undone.held), (5, 0, 0));
            assert_eq!(site.source.requests(), requests, "the source is not asked");
            assert_eq!(equals(&site, served.as_ref()).await, [] as [&str; 0]);
            quiet(&mut site).await;
            assert_eq!(site.plan().await, [] as [&str; 0]);
            // Newcomers and other changes go on meanwhile.
            site.change(Change::Unassign { principal: login("Di") });
            assert_eq!(site.cycle().await.written(), 1);
            site.now += WEEK;
            let record = site.full_cycle().await;
            assert_eq!((record.written(), record.held), (0, 4));
            let left = site.left().await;
            assert!(left.iter().all(|line| line.contains("update (held: Rejected")), "{left:#?}");
            // Where the settings are mended, nothing comes back.
            site.rules.users = good;
            quiet(&mut site).await;
            assert_eq!(equals(&site, served.as_ref()).await, [] as [&str; 0]);
        }
    }

    async fn an_undone_leaving_brings_accounts_and_memberships_back(flavour) {
        for remote in [false, true] {
            let (mut site, served) = begun(flavour, remote).await;
            site.change(Change::Unassign { principal: "Sales".to_owned() });
            let left = site.cycle().await;
            assert!(left.written() > 0);
            undo(&mut site, left.cycle).await.expect("it is undone");
            quiet(&mut site).await;
            site.change(Change::Assign { principal: "Sales".to_owned(), role: None });
            assert_eq!(site.cycle().await.written(), 0, "everything is there already");
            assert_eq!(equals(&site, served.as_ref()).await, [] as [&str; 0]);
        }
    }

    /// P5: a crash in the middle of an undo is settled by asking, and the next cycle goes on with what is left.
    async fn an_undo_that_is_cut_off_is_settled_and_finished_by_the_next_cycle(flavour) {
        for mishap in Mishap::ALL {
            let (mut site, _) = begun(flavour, false).await;
            slip(&mut site);
            let slipped = site.cycle().await;
            let patches = |operation: &Operation| matches!(operation, Operation::Patch { .. });
            let shaky = Arc::new(Shaky::new(site.workspace(), patches, mishap));
            site.target = shaky.clone();
            let outcome = undo(&mut site, slipped.cycle).await;
            assert!(shaky.sprung(), "{mishap:?}");
            assert_eq!(outcome.is_ok(), mishap == Mishap::NoAnswer, "{mishap:?}: {outcome:?}");
            drop(shaky);
            site.restart();
            let record = site.cycle().await;
            assert_eq!((record.failures(), record.held), (0, 0), "{mishap:?}: {:#?}", site.left().await);
            assert_eq!(equals(&site, None).await, [] as [&str; 0], "{mishap:?}");
            quiet(&mut site).await;
        }
    }
}
