//! Whoever is disabled, unassigned or deleted is deactivated, and whoever comes back is let in again (P16).

use std::collections::BTreeMap;

use rosterd::plan::Class;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Status;

use super::both;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;

both! {
    async fn disabled_and_unassigned_and_deleted_and_purged_people_are_deactivated(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        site.change(Change::Disable { who: login("Ann") });
        site.change(Change::SoftDelete { who: login("Bo") });
        site.change(Change::Purge { who: login("Cy") });
        site.change(Change::Unassign { principal: login("Di") });
        let record = site.cycle().await;
        assert_eq!(record.done.get(&Class::Deactivate), Some(&4));
        assert_eq!(record.held, 0);
        site.equals().await;
        let accounts: Vec<String> =
            ["ann", "bo", "cy", "di"].map(|name| format!("{name}@acme.example inactive")).into();
        assert_eq!(site.accounts().await, [accounts, vec![login("Ed")]].concat());
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn a_restored_person_is_reactivated_and_back_in_the_teams(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let ann = site.id(&login("Ann"));
        site.change(Change::SoftDelete { who: ann.clone() });
        site.cycle().await;
        site.equals().await;
        assert_eq!(site.team("Sales").await, ["Bo"]);
        site.change(Change::Restore { who: ann });
        let record = site.cycle().await;
        assert_eq!(record.done, BTreeMap::from([(Class::Reactivate, 1), (Class::AddMembers, 2)]));
        site.equals().await;
        assert_eq!(site.team("Sales").await, ["Ann", "Bo"]);
        assert_eq!(site.team("Support").await, ["Ann", "Cy"]);
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn somebody_disabled_is_enabled_again(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        site.change(Change::Disable { who: login("Ann") });
        site.cycle().await;
        site.change(Change::Enable { who: login("Ann") });
        let record = site.cycle().await;
        assert_eq!(record.done, BTreeMap::from([(Class::Reactivate, 1), (Class::AddMembers, 2)]));
        site.equals().await;
    }

    async fn somebody_unassigned_is_assigned_again(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        site.change(Change::Unassign { principal: login("Di") });
        site.cycle().await;
        site.change(Change::Assign { principal: login("Di"), role: None });
        let record = site.cycle().await;
        assert_eq!(record.done, BTreeMap::from([(Class::Reactivate, 1)]));
        site.equals().await;
    }

    async fn somebody_disabled_is_never_created(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        hire(&site.world, "Zoe", &["Sales"], true);
        site.change(Change::Disable { who: login("Zoe") });
        site.cycle().await;
        assert!(!site.accounts().await.iter().any(|account| account.starts_with("zoe")));
        site.change(Change::Enable { who: login("Zoe") });
        site.cycle().await;
        site.equals().await;
        assert_eq!(site.team("Sales").await, ["Ann", "Bo", "Zoe"]);
    }

    /// A person in the recycle bin while everything is read anew is not shown by any list.
    async fn a_person_who_was_deleted_during_a_full_read_comes_back_whole(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let ann = site.id(&login("Ann"));
        site.change(Change::SoftDelete { who: ann.clone() });
        site.full_cycle().await;
        site.equals().await;
        site.full_cycle().await;
        site.change(Change::Restore { who: ann });
        site.cycle().await;
        site.equals().await;
    }
}

/// Okta reference, section 6.1: deactivation keeps memberships, so the groups still show who has left.
#[tokio::test]
async fn who_was_deactivated_in_okta_goes_though_the_groups_still_show_them() {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    site.cycle().await;
    site.change(Change::SoftDelete { who: login("Bo") });
    site.full_cycle().await;
    site.equals().await;
    assert!(site.accounts().await.contains(&"bo@acme.example inactive".to_owned()));
    assert_eq!(site.team("Sales").await, ["Ann"]);
}

/// Okta reference, section 6.1: who may sign in, or merely has to choose a new password, keeps the account.
#[tokio::test]
async fn every_status_of_okta_means_what_the_reference_says() {
    for (status, active) in [
        (Status::Staged, false),
        (Status::Provisioned, true),
        (Status::Recovery, true),
        (Status::PasswordExpired, true),
        (Status::LockedOut, true),
        (Status::Suspended, false),
    ] {
        let mut site = Site::start(acme(Flavour::Okta)).await;
        site.cycle().await;
        site.change(Change::SetStatus { who: login("Ann"), status });
        site.cycle().await;
        site.equals().await;
        assert_eq!(site.accounts().await.contains(&login("Ann")), active, "{status:?}");
    }
}
