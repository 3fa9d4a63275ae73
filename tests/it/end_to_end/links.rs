//! Names change, people and teams stay: the immutable id is the key (P7).

use std::collections::BTreeMap;

use rosterd::plan::Class;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use serde_json::Value;

use super::both;
use super::site::Site;
use super::site::acme;
use super::site::login;

/// Which resource each object of the source has.
async fn pairs(site: &Site) -> BTreeMap<String, String> {
    let text = |resource: &Value, name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    let resources = site.resources().await;
    resources.iter().map(|resource| (text(resource, "externalId"), text(resource, "id"))).collect()
}

both! {
    async fn a_rename_keeps_the_link(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let before = pairs(&site).await;
        site.change(Change::Rename {
            who: login("Ann"),
            login: Some("ann.koch@acme.example".to_owned()),
            mail: Some("ann.koch@acme.example".to_owned()),
            given_name: None,
            surname: Some("Koch".to_owned()),
            display_name: Some("Ann Koch".to_owned()),
        });
        site.change(Change::RenameGroup { group: "Sales".to_owned(), name: "Sales (EMEA)".to_owned() });
        let record = site.cycle().await;
        assert_eq!(record.done, BTreeMap::from([(Class::Rename, 1), (Class::Update, 1)]));
        site.equals().await;
        assert_eq!(pairs(&site).await, before);
        assert_eq!(site.team("Sales (EMEA)").await, ["Ann", "Bo"]);
    }

    async fn two_people_swap_their_user_names(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let before = pairs(&site).await;
        site.change(Change::SwapLogins { one: login("Ann"), other: login("Di") });
        let record = site.cycle().await;
        assert_eq!(record.failures(), 0);
        site.equals().await;
        assert_eq!(pairs(&site).await, before);
        assert_eq!(site.left().await, [] as [&str; 0]);
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn a_recycled_address_is_another_person_and_is_held_as_such(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let old = site.id(&login("Di"));
        site.change(Change::Rehire { login: login("Di"), id: None });
        assert_ne!(site.id(&login("Di")), old);
        let record = site.cycle().await;
        assert_eq!(record.done, BTreeMap::from([(Class::Deactivate, 1)]), "the old person is gone");
        let held = format!(
            "di@acme.example create (held: Retire: its userName is held by the account of di@acme.example ({old}), who left; \
             it is not taken over, since a recycled address is a different person: approve it to rename that account \
             out of the way, or link the two by hand)"
        );
        assert_eq!(site.left().await, [held]);
        assert_eq!(site.differences().await, ["di@acme.example has no account"]);
        assert!(site.accounts().await.contains(&"di@acme.example inactive".to_owned()));
        let record = site.cycle().await;
        assert_eq!((record.written(), record.held), (0, 1), "and stays held");
    }
}
