//! A dry run writes nothing: not to the source, not to the target, not to the state (P3).

use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::demo_day;

use super::both;
use super::site::Site;
use super::site::acme;
use super::site::login;

/// The state as bytes: with nobody who has it open, all of it is in the one file.
fn bytes(site: &mut Site) -> Vec<(String, Vec<u8>)> {
    site.close();
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(site.state_file().parent().expect("a home"))
        .expect("the home is read")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.file_type().expect("a type").is_file())
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).expect("a file");
            (entry.file_name().into_string().expect("a plain name"), bytes)
        })
        .collect();
    files.sort();
    site.restart();
    files
}

async fn leaves_no_trace(site: &mut Site) -> Vec<String> {
    let (snapshot, listing, state) = (site.world.snapshot(), site.listing().await, bytes(site));
    assert_eq!(state.len(), 1, "one file, nothing beside it");
    site.world.reset_counters();
    let plan = site.plan().await;
    let counters = site.world.counters();
    assert!(counters.total() > 0, "the source was read");
    // The simulators know no request that changes anything; any attempt would count as unknown.
    assert_eq!(counters.of(Route::Unknown), 0);
    assert!(!counters.batched.contains_key(&Route::Unknown));
    assert_eq!(site.world.snapshot(), snapshot);
    assert_eq!(site.listing().await, listing);
    let after = bytes(site);
    assert!(after == state, "the state is the same, byte for byte");
    plan
}

both! {
    async fn a_first_plan_leaves_no_trace(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        let plan = leaves_no_trace(&mut site).await;
        assert_eq!(plan.len(), 5 + 2 + 4, "five people, two teams, four memberships: {plan:#?}");
        assert_eq!(leaves_no_trace(&mut site).await, plan, "and can be made again (P8)");
    }

    async fn a_plan_after_a_day_leaves_no_trace_and_is_what_the_cycle_then_does(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        for (told, change) in demo_day(&site.world) {
            assert!(site.world.change(change).is_ok(), "{told}");
        }
        site.change(Change::Unassign { principal: login("Ed") });
        let plan = leaves_no_trace(&mut site).await;
        assert!(plan.iter().any(|line| line == "ed@acme.example deactivate"), "{plan:#?}");
        let record = site.cycle().await;
        let go = plan.iter().filter(|line| !line.contains("(held: ")).count();
        assert_eq!(record.written(), go as u64);
        assert_eq!(record.failures(), 0);
    }
}
