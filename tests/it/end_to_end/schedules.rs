//! Random schedules of faults: while a service misbehaves in whatever ways at whatever moments, nobody is removed who
//! should stay; when it behaves again, the workspace equals the directory.
//!
//! `ROSTERD_TEST_SCHEDULES=500` plays five hundred of them a service, `ROSTERD_TEST_SCHEDULE=17` the seventeenth alone.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::SignedDuration;
use rosterd::model::Reading;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;

use super::both;
use super::site::Pages;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::weeks::Cast;
use super::weeks::Dice;

/// Played where nobody says how many: some seconds each service.
const USUAL: u64 = 40;
/// Cycles under faults.
const DAYS: usize = 6;
/// Cycles in which a service that behaves again has to be caught up with: what was doubted needs a second complete
/// read, and that a watermark that was forgotten.
const RECOVERY: usize = 4;

/// Requests that list something; the others are asked about one thing.
const GRAPH_LISTS: [Route; 4] = [Route::Assignments, Route::UsersDelta, Route::UsersList, Route::GroupsDelta];
const GRAPH_OTHERS: [Route; 8] = [
    Route::Batch,
    Route::App,
    Route::User,
    Route::Group,
    Route::UserAssignments,
    Route::GroupAssignments,
    Route::CheckMemberGroups,
    Route::DeletedItems,
];
const OKTA_LISTS: [Route; 3] = [Route::AppUsers, Route::AppGroups, Route::Members];
const OKTA_OTHERS: [Route; 5] = [Route::App, Route::AppUser, Route::AppGroup, Route::User, Route::Group];

/// How a service may behave and still tell the truth, as `simulate --knob` writes it.
const GRAPH_MANNERS: [&str; 16] = [
    "silent_restore=true",
    "rows_of_deleted=true",
    "page_size=3",
    "empty_pages=true",
    "duplicate_items=true",
    "replay_last_round=true",
    "shuffled_order=true",
    "links_per_page=2",
    "removed_in_first_round=true",
    "removed_members_in_first_round=true",
    "omit_nulls=true",
    "always_minimal=true",
    "delta_token_days=0",
    "deleted_name_prefix=false",
    "throttled_batch_status=424",
    "inner_error=nested",
];
/// Jobs that lag are not among them: who is unassigned and joins a group is without a row for a while, and truly so.
const OKTA_MANNERS: [&str; 11] = [
    "group_scope_wins=true",
    "no_group_link=true",
    "first_priority=1",
    "deletion_moves_membership=true",
    "app_profile_moves_user=true",
    "refuse_high_limit=true",
    "membership_lag_seconds=30",
    "deactivation_seconds=7200",
    "log_latency_seconds=1800",
    "search_lag_seconds=3600",
    "cursor_minutes=5",
];

fn trouble(flavour: Flavour, lists: bool, dice: &mut Dice) -> Trouble {
    let status = |status| Trouble::Status { status, retry_after: None };
    let mut troubles = vec![
        status(500),
        status(503),
        status(504),
        status(403),
        status(401),
        Trouble::Deny,
        Trouble::Drop,
        Trouble::Truncate,
        Trouble::Html { status: 502 },
        Trouble::Html { status: 200 },
        Trouble::CutJson,
        Trouble::UnknownFields,
    ];
    if lists {
        troubles.extend([Trouble::Empty, Trouble::ForeignHost, Trouble::RepeatCursor, Trouble::UnknownEnum]);
    }
    match flavour {
        Flavour::Graph if lists => {
            troubles.extend([400, 410].map(|status| Trouble::ExpireDelta { status }));
        }
        Flavour::Graph => {}
        Flavour::Okta => {
            troubles.extend([
                Trouble::LoseScope,
                Trouble::LoseExpand,
                Trouble::OneLinkHeader,
                Trouble::NoLinkHeader,
                Trouble::ExpireCursor,
                Trouble::ShortPage,
                Trouble::EmptyPage,
                Trouble::SkipRow,
                Trouble::RepeatRow,
            ]);
            troubles.extend(
                ["E0000009", "E0000010", "E0000006"].map(|code| Trouble::Error { code: code.to_owned() }),
            );
        }
    }
    dice.one(&troubles)
}

/// A fault at the n-th request of one kind, once or from then on.
fn fault(flavour: Flavour, dice: &mut Dice) -> Fault {
    let (lists, others) = match flavour {
        Flavour::Graph => (&GRAPH_LISTS[..], &GRAPH_OTHERS[..]),
        Flavour::Okta => (&OKTA_LISTS[..], &OKTA_OTHERS[..]),
    };
    let is_list = dice.below(3) > 0;
    let route = dice.one(if is_list { lists } else { others });
    let trouble = trouble(flavour, is_list, dice);
    let nth = 1 + dice.below(4) as u64;
    let times = if dice.below(2) == 0 { Some(1) } else { None };
    Fault { route: Some(route), nth, times, trouble }
}

/// Who has an account that works, and who is in which team, by ids of the directory.
pub async fn granted(site: &Site) -> BTreeSet<(String, String)> {
    site.grants().await.into_iter().collect()
}

/// What the directory grants now, in the same form.
pub fn meant(site: &Site) -> BTreeSet<(String, String)> {
    let snapshot = site.world.snapshot();
    let people = snapshot.people.keys().map(|id| (String::new(), id.clone()));
    let members = snapshot.teams().flat_map(|(id, group)| {
        let id = id.clone();
        group.members.iter().map(move |member| (id.clone(), member.clone())).collect::<Vec<_>>()
    });
    people.chain(members).collect()
}

async fn schedule(flavour: Flavour, seed: u64) {
    let mut dice = Dice(seed);
    let world = acme(flavour);
    let staff = Change::CreateGroup { name: "Staff".to_owned(), id: None, assigned: true };
    world.change(staff).expect("a group");
    for given in ["Pia", "Quin"] {
        hire(&world, given, &["Staff"], true);
    }
    let manners = match flavour {
        Flavour::Graph => &GRAPH_MANNERS[..],
        Flavour::Okta => &OKTA_MANNERS[..],
    };
    let mut diary = Vec::new();
    for manner in manners {
        if dice.below(3) == 0 {
            world.turn(manner).expect("a knob");
            diary.push((*manner).to_owned());
        }
    }
    let mut site = Site::with_pages(world, Pages::Small).await;
    site.verify = Some(Duration::from_secs(24 * 60 * 60));
    let mut cast = Cast::new(&site);
    site.cycle().await;
    for day in 0..DAYS {
        for _ in 0..dice.below(4) {
            diary.push(format!("day {day}: {}", cast.happens(&site, &mut dice)));
        }
        for _ in 0..=dice.below(4) {
            let fault = fault(flavour, &mut dice);
            diary.push(format!("day {day}: {fault:?}"));
            site.world.fault(fault);
        }
        if dice.below(4) == 0 {
            site.now += SignedDuration::from_hours(24);
            diary.push(format!("day {day}: a day passes"));
        }
        let before = granted(&site).await;
        let reading = if dice.below(5) == 0 { Reading::Full } else { Reading::Incremental };
        let outcome = site.try_cycle(reading).await;
        site.world.clear_faults();
        diary.push(format!("day {day}: {reading:?}: {:?}", outcome.as_ref().map(|record| &record.done)));
        let (after, meant) = (granted(&site).await, meant(&site));
        let wrong: Vec<_> = before.difference(&after).filter(|grant| meant.contains(*grant)).collect();
        assert!(wrong.is_empty(), "seed {seed}: taken away from whom it belongs to: {wrong:?}\n{diary:#?}");
    }
    for _ in 0..RECOVERY {
        site.now += SignedDuration::from_hours(24);
        let outcome = site.try_cycle(Reading::Incremental).await;
        diary.push(format!("calm: {:?}", outcome.as_ref().map(|record| (&record.done, record.repaired))));
        assert!(outcome.is_ok(), "seed {seed}: {diary:#?}");
    }
    let (differences, left) = (site.differences().await, site.left().await);
    assert!(
        differences.is_empty() && left.is_empty(),
        "seed {seed}: {differences:#?}\n{left:#?}\n{diary:#?}"
    );
    assert_eq!(site.cycle().await.written(), 0, "seed {seed}");
    assert_eq!(site.open_entries().await, 0, "seed {seed}");
}

fn seeds() -> RangeInclusive<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("ROSTERD_TEST_SCHEDULE") {
        Some(seed) => seed..=seed,
        None => 1..=number("ROSTERD_TEST_SCHEDULES").unwrap_or(USUAL),
    }
}

both! {
    async fn nobody_is_wrongly_removed_and_everything_is_caught_up_with(flavour) {
        for seed in seeds() {
            schedule(flavour, seed).await;
        }
    }
}
