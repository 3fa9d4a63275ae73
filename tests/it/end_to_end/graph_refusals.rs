//! Knobs of the simulated Graph that let it refuse: the cycle fails, or leaves out what it may not read, and names the
//! cure; nobody is removed for it (P1), and once the cure is taken the workspace catches up (P4).

use std::time::Duration;

use jiff::SignedDuration;
use rosterd::model::Reading;
use rosterd::simulators::Flavour;

use super::graph_knobs::a_day;
use super::graph_knobs::every_row_holds;
use super::schedules::granted;
use super::schedules::meant;
use super::site::Site;
use super::site::acme;
use super::site::hire;

struct Refusal {
    knobs: &'static [&'static str],
    /// What the cycle's error says, or one of its notes.
    says: &'static str,
}

const PERMISSION: &str = "add the application permission ";

const REFUSALS: &[Refusal] = &[
    Refusal { knobs: &["permissions=[]"], says: PERMISSION },
    Refusal {
        knobs: &["permissions=Application.Read.All,GroupMember.Read.All"],
        says: "add the application permission User.Read.All",
    },
    Refusal {
        knobs: &["permissions=Application.Read.All,User.Read.All"],
        says: "add the application permission GroupMember.Read.All",
    },
    Refusal {
        knobs: &["permissions=GroupMember.Read.All,User.Read.All"],
        says: "add the application permission Application.Read.All",
    },
    Refusal {
        knobs: &["permissions_of_token=true", "permissions=User.Read.All"],
        says: "add the application permission Application.Read.All",
    },
    Refusal {
        knobs: &["identity_unknown=401"],
        says: "the tenant does not know the application yet; a new one takes some minutes",
    },
    Refusal {
        knobs: &["identity_unknown=403"],
        says: "the tenant does not know the application yet; a new one takes some minutes",
    },
    Refusal {
        knobs: &["identity_disabled=true"],
        says: "the application is disabled; enable it under Enterprise applications, Properties",
    },
    Refusal {
        knobs: &["client_disabled=true"],
        says: "the application is disabled; enable it under Enterprise applications, Properties",
    },
    Refusal {
        knobs: &["secret_expires=2026-03-02T08:30:00Z"],
        says: "the secret has expired; make a new one under Certificates & secrets",
    },
    // Each page is too late for the next: the list begins again, and not for ever.
    Refusal { knobs: &["page_size=2", "page_token_seconds=0"], says: "Graph lost its place in" },
];

const THROTTLED: &[Refusal] = &[
    // The world's clock stands, and so does the window; waiting is refused by the settings.
    Refusal { knobs: &["resource_units=1"], says: "429" },
    Refusal { knobs: &["resource_units=1", "retry_after=integer"], says: "429" },
    Refusal { knobs: &["resource_units=1", "retry_after=absent"], says: "429" },
    Refusal { knobs: &["resource_units=1", "retry_after=date"], says: "429" },
    Refusal { knobs: &["resource_units=1", "window_seconds=600"], says: "429" },
];

/// Every knob that is turned here.
pub fn turned() -> impl Iterator<Item = &'static str> {
    REFUSALS.iter().chain(THROTTLED).flat_map(|refusal| refusal.knobs).copied().chain(["tenant_size=S"])
}

async fn begun() -> Site {
    let world = acme(Flavour::Graph);
    let staff =
        rosterd::simulators::Change::CreateGroup { name: "Staff".to_owned(), id: None, assigned: true };
    world.change(staff).expect("a group");
    for given in ["Pia", "Quin", "Rob"] {
        hire(&world, given, &["Staff"], false);
    }
    let mut site = Site::start(world).await;
    site.verify = Some(Duration::from_secs(24 * 60 * 60));
    site.graph(|settings| {
        settings.wait_max = Duration::from_millis(20);
        settings.patience = Duration::from_millis(20);
    });
    site.cycle().await;
    site.equals().await;
    site
}

#[tokio::test]
async fn a_refusal_names_its_cure_removes_nobody_and_is_caught_up_with() {
    every_row_holds(REFUSALS, refused).await;
}

/// The client waits for the window that it was told of; here, no time passes by it.
#[tokio::test(start_paused = true)]
async fn a_limit_that_never_lifts_removes_nobody_and_is_caught_up_with() {
    every_row_holds(THROTTLED, refused).await;
}

async fn refused(refusal: &Refusal) {
    {
        let name = format!("{:?}", refusal.knobs);
        let mut site = begun().await;
        a_day(&site);
        let usual = site.world.knobs();
        for knob in refusal.knobs {
            site.world.turn(knob).unwrap_or_else(|error| panic!("{knob}: {error}"));
        }
        // The token of the first cycle has ended.
        site.now += SignedDuration::from_hours(2);
        let (before, seen) = (granted(&site).await, site.seen());
        let said = match site.try_cycle(Reading::Incremental).await {
            Err(error) => {
                assert!(site.seen() == seen, "{name}: a cycle that fails leaves no trace");
                error
            }
            Ok(record) => record.notes.join("\n"),
        };
        assert!(said.contains(refusal.says), "{name}: {said}");
        let (after, meant) = (granted(&site).await, meant(&site));
        let wrong: Vec<_> = before.difference(&after).filter(|grant| meant.contains(*grant)).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");

        site.world.set_knobs(usual);
        site.cycle().await;
        site.now += SignedDuration::from_hours(24);
        site.cycle().await;
        let (differences, left) = (site.differences().await, site.left().await);
        assert!(differences.is_empty() && left.is_empty(), "{name}: {differences:#?} {left:#?}");
        assert_eq!(site.cycle().await.written(), 0, "{name}");
    }
}

/// A small company is far below what Graph allows the smallest tenant.
#[tokio::test]
async fn the_limit_of_a_small_tenant_is_not_reached() {
    let mut site = begun().await;
    site.world.turn("tenant_size=S").expect("a knob");
    a_day(&site);
    site.cycle().await;
    site.full_cycle().await;
    site.equals().await;
    assert_eq!(site.cycle().await.written(), 0);
}
