//! The golden scenarios of Graph, and every manner of it that loses nothing: from the simulator to the workspace.

use jiff::SignedDuration;
use rosterd::plan::Class;
use rosterd::plan::Limit;
use rosterd::simulators::Flavour;

use super::golden;
use super::golden::End;
use super::golden::Golden;
use super::site::Pages;
use super::site::Site;
use super::site::acme;
use super::weeks::Cast;
use super::weeks::Dice;

/// A day for the verification.
const DAY: SignedDuration = SignedDuration::from_hours(25);

async fn play(golden: Golden) {
    let Golden { name, knobs, world, days, end } = golden;
    for knob in knobs {
        world.turn(knob).unwrap();
    }
    let mut site = Site::start(world).await;
    site.verify = Some(DAY.unsigned_abs());
    if end == End::Held {
        let limit = Limit { count: 5, percent: 10 };
        site.limits.classes.extend([Class::Deactivate, Class::RemoveMembers].map(|class| (class, limit)));
        site.limits.floor = 5;
    }
    site.cycle().await;
    site.equals().await;
    let before = site.accounts().await;
    for day in days {
        site.now += day.after;
        day.changes.into_iter().for_each(|change| site.change(change));
        site.cycle().await;
    }
    match end {
        End::Equal => {
            assert_eq!(site.differences().await, [""; 0], "{name}");
            assert_eq!(site.cycle().await.written(), 0, "{name}");
        }
        End::NameTaken => {
            assert!(site.accounts().await.contains(&"p0@acme.example inactive".to_owned()), "{name}");
            assert!(site.left().await.iter().any(|line| line.contains("(held: Retire")), "{name}");
        }
        End::Held => assert_eq!(site.accounts().await, before, "{name}"),
    }
}

#[tokio::test]
async fn every_golden_scenario_ends_as_it_should() {
    for golden in golden::all() {
        play(golden).await;
    }
}

/// Whatever the service does of this, the workspace equals the directory after each cycle.
const MANNERS: &[&[&str]] = &[
    &["page_size=3"],
    &["page_size=3", "empty_pages=true"],
    &["page_size=3", "duplicate_items=true"],
    &["replay_last_round=true"],
    &["page_size=3", "shuffled_order=true"],
    &["links_per_page=2"],
    &["removed_in_first_round=true"],
    &["removed_members_in_first_round=true"],
    &["omit_nulls=true"],
    &["always_minimal=true"],
    &["page_size=3", "forgotten_on_later_pages=manager,accountEnabled"],
    &["delta_token_days=0"],
    &["b2c=true"],
    &["inner_error=lower_case"],
    &["inner_error=nested", "delta_token_days=0"],
    &["inner_error=absent"],
    &["echo_client_request_id=false"],
    &["deleted_name_prefix=false"],
    &["rows_of_deleted=true"],
    &["premium=false"],
];

#[tokio::test]
async fn the_workspace_follows_the_directory_in_every_manner_of_the_service() {
    for (seed, knobs) in (1..).zip(MANNERS) {
        let world = acme(Flavour::Graph);
        for knob in *knobs {
            world.turn(knob).unwrap();
        }
        let mut site = Site::with_pages(world, Pages::Small).await;
        let (mut dice, mut diary) = (Dice(seed), Vec::new());
        let mut cast = Cast::new(&site);
        site.cycle().await;
        for day in 0..5 {
            for _ in 0..3 {
                diary.push(cast.happens(&site, &mut dice));
            }
            site.cycle().await;
            assert_eq!(site.differences().await, [""; 0], "{knobs:?}, day {day}: {diary:#?}");
        }
    }
}
