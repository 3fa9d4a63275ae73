//! A crash between a write and its record neither loses nor doubles (P5).

use std::sync::Arc;

use rosterd::model::Reading;
use rosterd::model::Vocabulary;
use rosterd::plan::Adoption;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::Row;
use rosterd::scim::Attributes;
use rosterd::scim::Kind;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::store::Chosen;
use rosterd::store::Decider;
use rosterd::targets::Operation;
use rosterd::targets::ServiceProvider;
use serde_json::Value;
use serde_json::json;

use super::both;
use super::shaky::Meant;
use super::shaky::Mishap;
use super::shaky::Shaky;
use super::site::JOB;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;

fn creates_a_person(operation: &Operation) -> bool {
    matches!(operation, Operation::Create { kind: Kind::User, .. })
}

fn creates_a_team(operation: &Operation) -> bool {
    matches!(operation, Operation::Create { kind: Kind::Group, .. })
}

fn sets(operation: &Operation, wanted: &str, to: impl Fn(&Value) -> bool) -> bool {
    match operation {
        Operation::Patch { set, .. } => set.iter().any(|(path, value)| path == wanted && to(value)),
        _ => false,
    }
}

fn updates(operation: &Operation) -> bool {
    sets(operation, "name.familyName", |_| true)
}

fn renames(operation: &Operation) -> bool {
    sets(operation, "userName", |_| true)
}

fn takes_a_name_in_a_swap(operation: &Operation) -> bool {
    sets(operation, "userName", |value| value.as_str().is_some_and(|name| name.ends_with("acme.example")))
}

fn renames_a_team(operation: &Operation) -> bool {
    sets(operation, "displayName", |_| true)
}

fn deactivates(operation: &Operation) -> bool {
    sets(operation, "active", |value| *value == Value::Bool(false))
}

fn reactivates(operation: &Operation) -> bool {
    sets(operation, "active", |value| *value == Value::Bool(true))
}

fn adds(operation: &Operation) -> bool {
    matches!(operation, Operation::Members { add, .. } if !add.is_empty())
}

fn removes(operation: &Operation) -> bool {
    matches!(operation, Operation::Members { remove, .. } if !remove.is_empty())
}

/// A job that adopts nothing: what it made itself it has to know again without matching.
async fn company(flavour: Flavour) -> Site {
    let mut site = Site::start(acme(flavour)).await;
    site.rules.adoption = Adoption::Never;
    site
}

/// One cycle goes wrong there; then another process does the next.
async fn survives(site: &mut Site, meant: Meant, mishap: Mishap) {
    let shaky = Arc::new(Shaky::new(site.workspace(), meant, mishap));
    site.target = shaky.clone();
    let outcome = site.try_cycle(Reading::Incremental).await;
    assert!(shaky.sprung(), "{mishap:?}: nothing of that kind was sent: {outcome:?}");
    if mishap == Mishap::NoAnswer {
        assert!(outcome.is_ok(), "{mishap:?}: {outcome:?}");
    } else {
        let error = outcome.expect_err("the cycle ends");
        assert!(error.contains("the process was killed"), "{error}");
    }
    assert!(site.open_entries().await > 0, "{mishap:?}: the intent is in the journal");
    drop(shaky);
    site.restart();
    let record = site.cycle().await;
    assert_eq!(record.failures(), 0, "{mishap:?}: {:#?}", site.left().await);
    site.equals().await;
    assert_eq!(site.open_entries().await, 0, "{mishap:?}");
    assert_eq!(site.left().await, [] as [&str; 0], "{mishap:?}");
    let record = site.cycle().await;
    assert_eq!((record.written(), record.held, record.escrow), (0, 0, 0), "{mishap:?}");
}

/// The same from a company that has been synchronised once, after these changes.
async fn survives_after(flavour: Flavour, change: fn(&Site), meant: Meant) {
    for mishap in Mishap::ALL {
        let mut site = company(flavour).await;
        site.cycle().await;
        change(&site);
        survives(&mut site, meant, mishap).await;
    }
}

both! {
    async fn at_the_creation_of_people(flavour) {
        for mishap in Mishap::ALL {
            let mut site = company(flavour).await;
            survives(&mut site, creates_a_person, mishap).await;
            assert_eq!(site.accounts().await.len(), 5, "everybody exactly once");
        }
    }

    async fn at_the_creation_of_teams(flavour) {
        for mishap in Mishap::ALL {
            let mut site = company(flavour).await;
            survives(&mut site, creates_a_team, mishap).await;
            assert_eq!(site.resources().await.len(), 7, "everything exactly once");
        }
    }

    async fn at_the_first_members(flavour) {
        for mishap in Mishap::ALL {
            let mut site = company(flavour).await;
            survives(&mut site, adds, mishap).await;
        }
    }

    async fn at_an_update(flavour) {
        let marry = |site: &Site| {
            for who in ["Ann", "Bo"] {
                let (who, property, value) = (login(who), "surname".to_owned(), "Holm".into());
                site.change(Change::Set { who, property, value });
            }
        };
        survives_after(flavour, marry, updates).await;
    }

    async fn at_a_rename(flavour) {
        let rename = |site: &Site| {
            site.change(Change::Rename {
                who: login("Ann"),
                login: Some("ann.koch@acme.example".to_owned()),
                mail: Some("ann.koch@acme.example".to_owned()),
                given_name: None,
                surname: None,
                display_name: None,
            });
        };
        survives_after(flavour, rename, renames).await;
    }

    async fn at_the_first_step_of_a_swap(flavour) {
        survives_after(flavour, swap, renames).await;
    }

    async fn at_the_second_step_of_a_swap(flavour) {
        survives_after(flavour, swap, takes_a_name_in_a_swap).await;
    }

    async fn at_a_new_name_of_a_team(flavour) {
        let rename = |site: &Site| {
            site.change(Change::RenameGroup { group: "Sales".to_owned(), name: "Sales (EMEA)".to_owned() });
        };
        survives_after(flavour, rename, renames_a_team).await;
    }

    async fn at_a_deactivation(flavour) {
        let unassign = |site: &Site| {
            for who in ["Di", "Ed"] {
                site.change(Change::Unassign { principal: login(who) });
            }
        };
        survives_after(flavour, unassign, deactivates).await;
    }

    async fn at_a_reactivation(flavour) {
        for mishap in Mishap::ALL {
            let mut site = company(flavour).await;
            site.cycle().await;
            site.change(Change::Disable { who: login("Ann") });
            site.cycle().await;
            site.change(Change::Enable { who: login("Ann") });
            survives(&mut site, reactivates, mishap).await;
        }
    }

    async fn at_members_who_come(flavour) {
        let come = |site: &Site| {
            hire(&site.world, "Zoe", &["Sales", "Support"], false);
            site.change(Change::Join { group: "Sales".to_owned(), member: login("Cy") });
        };
        survives_after(flavour, come, adds).await;
    }

    async fn at_members_who_go(flavour) {
        let go = |site: &Site| {
            site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
            site.change(Change::SoftDelete { who: login("Cy") });
        };
        survives_after(flavour, go, removes).await;
    }

    /// What the source says meanwhile is another matter, and is done after.
    async fn when_somebody_leaves_before_the_next_cycle(flavour) {
        for mishap in Mishap::ALL {
            let mut site = company(flavour).await;
            let shaky = Arc::new(Shaky::new(site.workspace(), creates_a_person, mishap));
            site.target = shaky.clone();
            let _ = site.try_cycle(Reading::Incremental).await;
            drop(shaky);
            site.restart();
            site.change(Change::Unassign { principal: login("Di") });
            let (who, property, value) = (login("Ed"), "surname".to_owned(), "Holm".into());
            site.change(Change::Set { who, property, value });
            site.cycle().await;
            site.cycle().await;
            site.equals().await;
            assert_eq!(site.open_entries().await, 0, "{mishap:?}");
        }
    }
}

fn swap(site: &Site) {
    site.change(Change::SwapLogins { one: login("Ann"), other: login("Di") });
}

fn refers(operation: &Operation) -> bool {
    matches!(operation, Operation::Patch { set, .. } if set.iter().any(|(path, _)| path.ends_with(":manager")))
}

fn makes_way(operation: &Operation) -> bool {
    sets(operation, "userName", |value| value.as_str().is_some_and(|name| name.starts_with("retired-")))
}

fn gives_an_id(operation: &Operation) -> bool {
    matches!(operation, Operation::Patch { set, .. } if set.iter().any(|(path, _)| path == "externalId"))
}

async fn approve_all(site: &Site) {
    let job = site.store.job(JOB).await.expect("a job");
    let by = Decider { who: "test".to_owned(), reason: String::new(), now_second: 0 };
    site.store.approve(job.id, Chosen::All, &by).await.expect("an approval");
}

/// With the row of Entra's own mapping that writes managers, and takes them back.
fn with_managers(site: &mut Site) {
    let preset = include_str!("../../../config/presets/entra-default.toml");
    let preset: RawPreset = toml_edit::de::from_str(preset).expect("the preset is TOML");
    let mappings = RawMapping::default().check(Some(&preset), Vocabulary::Graph).expect("a sound preset");
    let managers = mappings.users.rows.into_iter().filter(|row| row.target.ends_with(":manager"));
    site.rules.users.rows.extend(managers.map(|row| Row { clears: true, ..row }));
}

#[tokio::test]
async fn at_a_reference_to_a_manager() {
    for mishap in Mishap::ALL {
        let mut site = company(Flavour::Graph).await;
        with_managers(&mut site);
        site.cycle().await;
        for (who, manager) in [("Bo", Some("Ann")), ("Cy", Some("Ann"))] {
            site.change(Change::SetManager { who: login(who), manager: manager.map(login) });
        }
        survives(&mut site, refers, mishap).await;
        let managed = |user: &&Value| user.to_string().contains("manager");
        assert_eq!(site.resources().await.iter().filter(managed).count(), 2, "{mishap:?}");
        site.change(Change::SetManager { who: login("Bo"), manager: None });
        survives(&mut site, refers, mishap).await;
        assert_eq!(site.resources().await.iter().filter(managed).count(), 1, "{mishap:?}");
    }
}

both! {
    /// What was parked under a temporary name goes back to its own, although nothing is left to be done by then.
    async fn when_a_swap_is_undone_before_the_next_cycle(flavour) {
        for meant in [renames, takes_a_name_in_a_swap] {
            for mishap in Mishap::ALL {
                let mut site = company(flavour).await;
                site.cycle().await;
                swap(&site);
                let shaky = Arc::new(Shaky::new(site.workspace(), meant, mishap));
                site.target = shaky.clone();
                let _ = site.try_cycle(Reading::Incremental).await;
                assert!(shaky.sprung());
                drop(shaky);
                site.restart();
                site.change(Change::SwapLogins { one: "di@acme.example".to_owned(), other: login("Ann") });
                site.cycle().await;
                site.equals().await;
                assert_eq!(site.left().await, [] as [&str; 0], "{mishap:?}");
                assert_eq!(site.open_entries().await, 0, "{mishap:?}");
            }
        }
    }

    async fn while_an_account_makes_way(flavour) {
        for mishap in Mishap::ALL {
            let mut site = company(flavour).await;
            site.cycle().await;
            site.change(Change::Rehire { login: login("Di"), id: None });
            site.cycle().await;
            approve_all(&site).await;
            survives(&mut site, makes_way, mishap).await;
            let accounts = site.accounts().await;
            let retired = accounts.iter().filter(|name| name.starts_with("retired-")).count();
            assert_eq!((accounts.len(), retired), (6, 1), "{mishap:?}: {accounts:?}");
        }
    }

    /// An adoption that landed is an adoption: what we did not make is not ours to empty (P6).
    async fn at_an_adoption(flavour) {
        for mishap in Mishap::ALL {
            let mut site = Site::start(acme(flavour)).await;
            let attributes: Attributes = [
                ("userName".to_owned(), json!(login("Di"))),
                ("displayName".to_owned(), json!("somebody")),
                ("active".to_owned(), json!(true)),
            ].into_iter().collect();
            let create = Operation::Create { kind: Kind::User, attributes };
            site.workspace().apply(&[create]).await.expect("the workspace");
            survives(&mut site, gives_an_id, mishap).await;
            assert_eq!(site.accounts().await.len(), 5, "{mishap:?}: everybody exactly once");
            assert_eq!(site.origins(), ["adopted", "created", "created", "created", "created"], "{mishap:?}");
        }
    }
}
