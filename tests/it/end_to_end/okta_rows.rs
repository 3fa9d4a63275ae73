//! The table of Okta's pitfalls (okta.md section 11): which scenario plays each row, from the simulated org to the
//! workspace; and those scenarios that belong to no other topic.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::Timestamp;
use rosterd::client::Secret;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::model::Reading;
use rosterd::plan::CycleRecord;
use rosterd::plan::Rehire;
use rosterd::simulators::Assigned;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::OKTA_CLIENT_ID;
use rosterd::simulators::OKTA_CLIENT_KEY;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::ServiceApp;
use tokio_util::sync::CancellationToken;

use super::okta_pitfalls::choose;
use super::site::Pages;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;
use super::site::long_ago;

/// Every row, with the tests that play it.
const ROWS: [(&str, &[&str]); 32] = [
    (
        "DEPROVISIONED users in group members",
        &["okta_pitfalls::deactivated_people_stay_in_their_groups_and_leave_the_teams"],
    ),
    (
        "group members not assigned to the app",
        &["okta_pitfalls::members_without_the_application_are_in_no_team"],
    ),
    (
        "deactivated users linger until the job ends; rows of an INACTIVE app stay",
        &[
            "okta_lies::a_row_that_lingers_after_the_deactivation_does_not_keep_anybody",
            "okta_pitfalls::an_application_that_is_switched_off_ends_the_cycle_and_removes_nobody",
        ],
    ),
    ("STAGED users assigned", &["okta_pitfalls::staged_people_who_are_assigned_are_a_matter_of_policy"]),
    (
        "app-user STAGED/ERROR because Okta's own provisioning fails",
        &["okta_lies::what_okta_makes_of_its_own_provisioning_removes_nobody"],
    ),
    (
        "one group shown only; scope switches USER and GROUP",
        &[
            "okta_pitfalls::teams_and_removals_do_not_follow_from_how_somebody_came_by_the_application",
            "okta_lies::how_a_row_names_its_scope_and_group_decides_nothing",
        ],
    ),
    ("empty list on missing role", &["okta_lies::a_role_that_was_lost_removes_nobody"]),
    (
        "next on another host, lost expand, repeating cursor, no Link header",
        &[
            "broken_reads::a_next_link_that_leads_astray_ends_the_read",
            "okta_pitfalls::next_links_with_their_quirks_are_walked_to_the_end",
            "broken_reads::a_list_of_okta_that_turns_in_a_circle_removes_nobody_and_the_rest_goes_on",
            "okta_rows::a_list_that_ends_early_for_want_of_a_link_removes_nobody",
        ],
    ),
    ("stop on short page", &["okta_rows::a_short_or_empty_page_with_a_next_link_is_not_the_last"]),
    (
        "large group or heavy page: 500, 504, time-out",
        &["okta_pitfalls::a_heavy_page_is_asked_for_in_smaller_ones"],
    ),
    ("100k-member group", &["okta_pitfalls::a_large_group_is_read_page_by_page"]),
    (
        "search index lag, E0000100, stale deleted groups",
        &[
            "okta_rows::a_search_that_lags_shows_what_is_gone_and_not_yet_what_is_new",
            "okta_pitfalls::a_search_that_is_away_is_done_over_all_groups",
        ],
    ),
    (
        "lastMembershipUpdated lags and has whole seconds",
        &[
            "okta_lies::a_time_stamp_that_lags_hides_no_change_of_members",
            "okta_pitfalls::a_change_in_the_minutes_around_the_last_read_is_seen_by_the_next",
        ],
    ),
    (
        "created and renamed in one second; equal names from concurrent creates",
        &["okta_rows::groups_made_and_renamed_within_one_second_are_told_apart_by_their_ids"],
    ),
    (
        "APP_GROUP and OKTA_GROUP with equal names",
        &[
            "okta_lies::an_imported_group_of_the_same_name_is_another_team",
            "okta_pitfalls::groups_of_one_name_are_two_teams_by_their_ids",
        ],
    ),
    (
        "names with slash, quotes, commas, markup, spaces, Unicode, 255 letters",
        &[
            "okta_pitfalls::names_of_any_kind_are_teams_and_stand_in_no_address",
            "okta_rows::names_with_commas_percents_and_spaces_are_teams",
        ],
    ),
    ("group rename keeps the id", &["okta_pitfalls::a_renamed_group_is_the_same_team"]),
    (
        "group deleted and made again under its name",
        &["okta_pitfalls::a_group_that_is_deleted_and_made_again_is_another_team"],
    ),
    (
        "user deleted and made again with the same login",
        &["okta_pitfalls::a_person_who_is_deleted_and_made_again_is_another_person"],
    ),
    ("Everyone (BUILT_IN) assigned", &["okta_rows::the_group_of_everybody_is_a_team_and_check_warns_of_it"]),
    (
        "group assigned, users not yet: a background job",
        &["okta_lies::members_whose_rows_are_not_made_yet_are_pending_and_no_error"],
    ),
    (
        "groups do not move when a member's profile does",
        &["okta_pitfalls::a_profile_is_seen_though_no_group_moves"],
    ),
    ("users/{id}/groups truncated at 200", &["okta_pitfalls::the_groups_of_a_user_are_not_asked_for"]),
    (
        "404 or missing right after the creation (terraform)",
        &[
            "okta_rows::who_cannot_be_found_for_a_moment_stays",
            "okta_pitfalls::a_list_that_misses_somebody_once_removes_nobody",
        ],
    ),
    (
        "500 from a deleted app user, once",
        &["okta_pitfalls::a_witness_that_fails_once_removes_nobody_and_is_asked_again"],
    ),
    (
        "log checkpoints by `published` lose events",
        &["okta_lies::a_log_that_is_late_delays_a_removal_and_no_more"],
    ),
    (
        "non-ASCII and case of address and login",
        &[
            "okta_pitfalls::names_and_addresses_keep_their_letters_and_are_matched_without_case",
            "okta_rows::a_login_that_changes_its_case_is_the_same_account",
        ],
    ),
    (
        "clock skew breaks JWT and DPoP",
        &[
            "okta_rows::a_wrong_clock_of_this_host_breaks_no_sign_in_and_no_proof",
            "okta_rows::a_wrong_clock_of_this_host_removes_nobody_and_keeps_nobody",
        ],
    ),
    (
        "token creator deactivated, role changed silently",
        &[
            "okta_lies::a_token_whose_maker_left_removes_nobody",
            "okta_lies::a_role_that_was_narrowed_hides_people_and_removes_nobody",
            "okta_lies::a_role_that_was_narrowed_to_other_groups_empties_no_team",
        ],
    ),
    (
        "null, missing and empty in a profile",
        &["okta_pitfalls::a_value_that_is_null_empty_or_missing_is_none"],
    ),
    ("custom attributes of any type", &["okta_pitfalls::attributes_of_any_type_are_read"]),
    (
        "app assigned before provisioning was enabled (section 10)",
        &["okta_pitfalls::who_was_assigned_before_provisioning_was_enabled_is_read_like_everybody"],
    ),
];

/// Whether `module::name` is a test in the sources: the module is a file of this topic, or one of its neighbours.
pub fn is_a_test(path: &str) -> bool {
    let Some((module, name)) = path.split_once("::") else { return false };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let files = [root.join("end_to_end").join(format!("{module}.rs")), root.join(format!("{module}.rs"))];
    let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let place = lines.iter().position(|line| line.starts_with(&format!("async fn {name}(")));
    // A test of its own, or one of `both!`.
    place.is_some_and(|place| {
        lines[place].contains("(flavour)")
            || lines[..place].last().is_some_and(|line| line.starts_with("#[tokio::test"))
    })
}

#[test]
fn every_row_names_tests_that_there_are() {
    let missing: Vec<_> = ROWS.iter().flat_map(|(_, tests)| *tests).filter(|test| !is_a_test(test)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(ROWS.iter().all(|(_, tests)| !tests.is_empty()));
    assert!(!is_a_test("okta_rows::there_is_no_such_test") && !is_a_test("okta_rows::begun"));
}

async fn begun() -> Site {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    site.cycle().await;
    site.equals().await;
    site
}

/// Thirty people more in Sales: several pages of every list but that of the groups.
async fn crowded() -> Site {
    let world = acme(Flavour::Okta);
    for number in 0..30 {
        hire(&world, &format!("P{number}"), &["Sales"], true);
    }
    Site::with_pages(world, Pages::Small).await
}

#[tokio::test]
async fn the_group_of_everybody_is_a_team_and_check_warns_of_it() {
    let size = Size { users: 14, groups: 3, memberships_per_user: 1 };
    let world = || World::seeded(Flavour::Okta, size, Assigned::Most, 7, long_ago());
    // Not assigned and chosen by its name: those of the application are in the team.
    let mut site = Site::with_pages(world(), Pages::Small).await;
    choose(&mut site, &["Everyone"]);
    site.cycle().await;
    assert_eq!(site.team("Everyone").await.len(), site.world.snapshot().people.len());
    // Assigned: everybody has the application.
    let mut site = Site::with_pages(world(), Pages::Small).await;
    let before = site.world.snapshot().people.len();
    site.change(Change::Assign { principal: "Everyone".to_owned(), role: None });
    assert!(site.world.snapshot().people.len() > before);
    site.cycle().await;
    site.equals().await;
    hire(&site.world, "Zoe", &[], false);
    site.cycle().await;
    site.equals().await;
    assert!(site.accounts().await.contains(&login("Zoe")));
    site.change(Change::SoftDelete { who: login("Zoe") });
    site.cycle().await;
    site.equals().await;
    let found = site.source.check().await;
    let warned = |text: &str| text.contains("the built-in group Everyone is assigned");
    assert!(found.iter().any(|finding| warned(&finding.text)), "{found:?}");
}

/// Half of each page is kept back, and one page of each list is empty.
#[tokio::test]
async fn a_short_or_empty_page_with_a_next_link_is_not_the_last() {
    let mut site = crowded().await;
    for route in [Route::AppUsers, Route::Members] {
        site.world.fault(Fault::next(route, Trouble::EmptyPage));
        site.world.fault(Fault::always(route, Trouble::ShortPage));
    }
    let record = site.cycle().await;
    assert_eq!(record.notes, Vec::<String>::new());
    site.equals().await;
    assert_eq!(site.full_cycle().await.written(), 0);
}

/// The first page seems to be all: who is not on it is asked for, and stays.
#[tokio::test]
async fn a_list_that_ends_early_for_want_of_a_link_removes_nobody() {
    for route in [Route::AppUsers, Route::Members] {
        let mut site = crowded().await;
        site.cycle().await;
        let listing = site.listing().await;
        site.world.fault(Fault::always(route, Trouble::NoLinkHeader));
        for _ in 0..2 {
            site.full_cycle().await;
            assert_eq!(site.listing().await, listing, "{route:?}");
        }
        site.world.clear_faults();
        let record = site.full_cycle().await;
        assert_eq!((record.written(), record.held), (0, 0), "{route:?}: {:#?}", site.left().await);
        site.equals().await;
    }
}

#[tokio::test]
async fn a_search_that_lags_shows_what_is_gone_and_not_yet_what_is_new() {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    site.rules.rehire = Rehire::New;
    let club = |id: Option<&str>| Change::CreateGroup {
        name: "Club".to_owned(),
        id: id.map(str::to_owned),
        assigned: false,
    };
    let join = |who: &str| Change::Join { group: "Club".to_owned(), member: login(who) };
    site.change(club(Some("00gOldClub0000000000")));
    site.change(join("Di"));
    site.change(join("Ed"));
    choose(&mut site, &["Club"]);
    site.cycle().await;
    assert_eq!(site.team("Club").await, ["Di", "Ed"]);
    site.world.turn("search_lag_seconds=3600").expect("a knob");
    site.change(Change::DeleteGroup { group: "Club".to_owned() });
    site.change(club(Some("00gNewClub0000000000")));
    site.change(join("Di"));
    let record = site.cycle().await;
    assert_eq!(record.failures(), 0);
    assert_eq!(site.accounts().await, ["Ann", "Bo", "Cy", "Di", "Ed"].map(login), "nobody goes for it");
    site.now += SignedDuration::from_hours(2);
    site.cycle().await;
    site.cycle().await;
    let teams: BTreeSet<String> =
        site.grants().await.into_iter().map(|(team, _)| team).filter(|team| !team.is_empty()).collect();
    assert_eq!(teams, BTreeSet::from(["00gNewClub0000000000".to_owned()]), "{:#?}", site.left().await);
    assert_eq!(site.cycle().await.written(), 0);
}

/// The clock of the simulated org stands while all this happens.
#[tokio::test]
async fn groups_made_and_renamed_within_one_second_are_told_apart_by_their_ids() {
    let mut site = begun().await;
    let create =
        |id: &str| Change::CreateGroup { name: "Club".to_owned(), id: Some(id.to_owned()), assigned: true };
    let join = |group: &str, who: &str| Change::Join { group: group.to_owned(), member: login(who) };
    let (first, second, third) = ("00gFirst000000000000", "00gSecond00000000000", "00gThird000000000000");
    site.change(create(first));
    site.change(Change::RenameGroup { group: first.to_owned(), name: "Circle".to_owned() });
    site.change(create(second));
    site.change(create(third));
    site.change(join(first, "Di"));
    site.change(join(second, "Ed"));
    site.cycle().await;
    site.equals().await;
    assert_eq!(site.team("Circle").await, ["Di"]);
    // Two exchange their names: which of them bears an ending is a matter of names, who is in which is not.
    site.change(Change::RenameGroup { group: second.to_owned(), name: "Circle".to_owned() });
    site.change(Change::RenameGroup { group: first.to_owned(), name: "Club".to_owned() });
    site.cycle().await;
    site.cycle().await;
    let grants = site.grants().await;
    for (group, who) in [(first, "Di"), (second, "Ed")] {
        let members: Vec<&String> =
            grants.iter().filter(|(team, _)| team == group).map(|(_, member)| member).collect();
        assert_eq!(members, [&site.id(&login(who))], "{group}");
    }
    assert_eq!(site.cycle().await.written(), 0);
}

#[tokio::test]
async fn names_with_commas_percents_and_spaces_are_teams() {
    let names =
        ["Sales, East", "100 % and 50%25", "it's \"one\" 'of' them", " in spaces ", "+plus+ and ;semi"];
    for chosen in [false, true] {
        let mut site = Site::start(acme(Flavour::Okta)).await;
        for name in names {
            site.change(Change::CreateGroup { name: name.to_owned(), id: None, assigned: !chosen });
            site.change(Change::Join { group: name.to_owned(), member: login("Di") });
        }
        if chosen {
            choose(&mut site, &names);
        }
        site.cycle().await;
        let di = site.id(&login("Di"));
        let hers =
            site.grants().await.into_iter().filter(|(team, who)| !team.is_empty() && *who == di).count();
        assert_eq!(hers, names.len(), "chosen: {chosen}: {:#?}", site.listing().await);
        assert_eq!(site.cycle().await.written(), 0);
    }
}

/// Neither the list nor the question by id knows her for a while, and no event says that she left.
#[tokio::test]
async fn who_cannot_be_found_for_a_moment_stays() {
    let mut site = begun().await;
    hire(&site.world, "Zoe", &["Sales"], true);
    site.cycle().await;
    let listing = site.listing().await;
    let straight = site.world.knobs();
    site.world.turn(&format!("hidden={}", login("Zoe"))).expect("a knob");
    site.full_cycle().await;
    assert_eq!(site.listing().await, listing);
    site.world.set_knobs(straight);
    // The group is not read again before something happens in it, or its turn of the day: until then the removal
    // is held, as its witness sees her.
    assert_eq!(site.cycle().await.written(), 0);
    assert_eq!(site.listing().await, listing);
    site.now += SignedDuration::from_hours(24);
    site.cycle().await;
    let record = site.cycle().await;
    assert_eq!((record.written(), record.held), (0, 0), "{:#?}", site.left().await);
    assert_eq!(site.listing().await, listing);
}

#[tokio::test]
async fn a_login_that_changes_its_case_is_the_same_account() {
    let mut site = begun().await;
    let (who, capital) = (login("Di"), Some("DI@Acme.example".to_owned()));
    site.change(Change::Rename {
        who,
        login: capital.clone(),
        mail: capital,
        given_name: None,
        surname: None,
        display_name: None,
    });
    site.cycle().await;
    assert_eq!(site.accounts().await.len(), 5, "{:?}", site.accounts().await);
    site.equals().await;
    assert_eq!(site.cycle().await.written(), 0);
}

/// A service application whose org wants proofs (DPoP); the sign-in is by the clock of the machine, which is hours
/// away from the org's, and the org's clock jumps from cycle to cycle.
#[tokio::test]
async fn a_wrong_clock_of_this_host_breaks_no_sign_in_and_no_proof() {
    for dpop in [false, true] {
        for ahead in [-2, 2] {
            let world = acme(Flavour::Okta);
            world.turn(&format!("dpop={dpop}")).expect("a knob");
            let mut site = Site::start(world).await;
            site.okta(|settings| {
                let app = ServiceApp::new(OKTA_CLIENT_ID, Secret::new(OKTA_CLIENT_KEY));
                let backoff = settings.backoff;
                *settings = OktaSettings::new(settings.host().as_str(), app, OKTA_APP_ID).expect("settings");
                settings.backoff = backoff;
            });
            site.now = Timestamp::now() - SignedDuration::from_hours(ahead);
            for day in 0..4 {
                site.cycle().await;
                site.equals().await;
                hire(&site.world, &format!("New{day}"), &["Sales"], false);
            }
        }
    }
}

/// A cycle of a host whose clock is that much ahead of the org's.
async fn cycle_of_a_host(site: &mut Site, ahead: SignedDuration) -> CycleRecord {
    site.world.set_clock(site.now);
    let now = site.now + ahead;
    let (stop, clock) = (CancellationToken::new(), move || now);
    let reading = Reading::Incremental;
    let how = How { reading, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
    let record = cycle::run(&site.job(), &site.store, how).await.expect("the cycle goes well");
    site.now += SignedDuration::from_mins(40);
    site.world.set_clock(site.now - SignedDuration::from_mins(20));
    record
}

/// Events, memberships and questions to the log bear the org's times.
#[tokio::test]
async fn a_wrong_clock_of_this_host_removes_nobody_and_keeps_nobody() {
    for hours in [-5, -1, 1, 5] {
        let ahead = SignedDuration::from_hours(hours);
        let mut site = Site::start(acme(Flavour::Okta)).await;
        cycle_of_a_host(&mut site, ahead).await;
        site.equals().await;
        site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
        site.change(Change::Join { group: "Support".to_owned(), member: login("Bo") });
        site.change(Change::Unassign { principal: login("Di") });
        for _ in 0..2 {
            cycle_of_a_host(&mut site, ahead).await;
        }
        let (differences, left) = (site.differences().await, site.left().await);
        assert!(differences.is_empty(), "{hours} h ahead: {differences:#?} {left:#?}");
        assert_eq!(cycle_of_a_host(&mut site, ahead).await.written(), 0, "{hours} h ahead");
    }
}
