//! P7: the immutable source id is the key. Names, addresses and their letters' case may change, be swapped, and be given to
//! somebody else; an account stays with the id that it was made for.
//!
//! `end_to_end/links.rs` plays renames, swaps and a recycled address against both services; who comes back under a new id:
//! `tests/scenarios` (`somebody_who_comes_back_…`, `a_relink_by_itself_…`), `tests/cases/matching/newcomers.txt`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rosterd::client::Secret;
use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::server::Settings;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use serde_json::Value;

use crate::end_to_end::site::Site;
use crate::end_to_end::site::acme;
use crate::end_to_end::site::login;
use crate::server::Served;
use crate::support::acts::cycle;
use crate::support::acts::play;
use crate::support::directory::Group;
use crate::support::directory::Person;
use crate::support::story::Stage;

/// Which account and which team each id of the source has.
async fn pairs(stage: &Stage) -> BTreeMap<String, String> {
    let mut resources = stage.resources(Kind::User).await;
    resources.extend(stage.resources(Kind::Group).await);
    let text = |resource: &Value, name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    resources.iter().map(|resource| (text(resource, "externalId"), text(resource, "id"))).collect()
}

async fn three() -> Stage {
    let mut stage = Stage::new();
    play(&mut stage, &["person u1 ann@x.example Ann Lee", "person u2 bo@x.example Bo Ng"]).await;
    play(&mut stage, &["person u3 cy@x.example Cy Ito", "group g1 Sales u1 u2", "group g2 Support u3"]).await;
    play(&mut stage, &["app u1 u2 u3 g:g1 g:g2"]).await;
    assert_eq!(cycle(&mut stage).await, "5 create\n3 add_members\n");
    stage
}

#[tokio::test]
async fn no_change_of_names_moves_an_account_to_another_id() {
    let mut stage = three().await;
    let before = pairs(&stage).await;
    for (lines, done) in [
        (&["person u1 ann.koch@x.example Anna Koch"][..], "1 rename\n"),
        // Only the case changes, of the user name and of the team's name.
        (&["person u1 Ann.Koch@X.example Anna Koch"], "1 update\n"),
        (&["group g1 SALES u1 u2"], "1 update\n"),
        // Two swap everything that they are called, by way of a temporary name; so do three, in a ring; and two teams.
        (&["person u1 bo@x.example Bo Ng", "person u2 Ann.Koch@X.example Anna Koch"], "3 rename\n"),
        (
            &[
                "person u1 cy@x.example Cy Ito",
                "person u2 bo@x.example Bo Ng",
                "person u3 Ann.Koch@X.example Anna Koch",
            ],
            "4 rename\n",
        ),
        (&["group g1 Support u1 u2", "group g2 Sales u3"], "2 update\n"),
        // A name that another has just given up.
        (&["person u3 free@x.example Cy Ito", "person u1 Ann.Koch@X.example Ann Lee"], "2 rename\n"),
    ] {
        play(&mut stage, lines).await;
        assert_eq!(cycle(&mut stage).await, done, "{lines:?}");
        assert_eq!(pairs(&stage).await, before, "{lines:?}");
        assert_eq!(cycle(&mut stage).await, "nothing\n", "{lines:?}");
    }
    assert_eq!(
        stage.workspace().await,
        "Ann.Koch@X.example Ann Lee\n[Sales] free@x.example\n[Support] Ann.Koch@X.example bo@x.example\nbo@x.example Bo Ng\n\
         free@x.example Cy Ito\n"
    );
}

/// A newcomer with the name, the mail and the face of somebody who left; whatever may be adopted.
#[tokio::test]
async fn a_recycled_address_never_opens_the_account_of_who_had_it() {
    for policy in ["never", "external_id", "external_id_or_name", "verified_mail"] {
        for leaves in ["deleted u1", "recycled u1", "drop u1", "person u1 ann@x.example Ann Lee disabled"] {
            for address in ["ann@x.example", "ANN@X.Example"] {
                let mut stage = three().await;
                let before = pairs(&stage).await;
                play(
                    &mut stage,
                    &[&format!("adopt {policy}"), leaves, "group g1 Sales u2", "app u2 u3 g:g1 g:g2"],
                )
                .await;
                cycle(&mut stage).await;
                play(&mut stage, &[&format!("person u9 {address} Ann Lee"), "group g1 Sales u2 u9"]).await;
                play(&mut stage, &["app u2 u3 u9 g:g1 g:g2"]).await;
                let what = format!("{policy}, {leaves}, {address}");
                for _ in 0..2 {
                    let told = cycle(&mut stage).await;
                    assert_eq!(told.lines().next(), Some("u9 create (held: Retire)"), "{what}: {told}");
                }
                assert_eq!(pairs(&stage).await, before, "{what}");
                let there = stage.workspace().await;
                assert!(there.contains("ann@x.example Ann Lee inactive\n"), "{what}: {there}");
                assert!(there.contains("[Sales] bo@x.example\n"), "{what}: {there}");
                // A person says so: the old account makes way, and stays whose it was.
                play(&mut stage, &["approve u9"]).await;
                cycle(&mut stage).await;
                let after = pairs(&stage).await;
                assert_eq!(after.get("u1"), before.get("u1"), "{what}");
                assert!(after["u9"] != after["u1"], "{what}");
            }
        }
    }
}

/// In one cycle, while the account still works: it is not handed over in passing.
#[tokio::test]
async fn an_address_that_goes_to_somebody_else_at_once_hands_nothing_over() {
    let mut stage = three().await;
    let before = pairs(&stage).await;
    play(&mut stage, &["deleted u1", "person u9 ann@x.example Ann Lee", "group g1 Sales u2 u9"]).await;
    play(&mut stage, &["app u2 u3 u9 g:g1 g:g2"]).await;
    let told = cycle(&mut stage).await;
    assert!(told.contains("u9 create (held: Retire)"), "{told}");
    assert_eq!(pairs(&stage).await, before);
    // The address of somebody who is still there.
    play(&mut stage, &["person u8 bo@x.example Bob Novak", "app u2 u3 u8 u9 g:g1 g:g2"]).await;
    let told = cycle(&mut stage).await;
    assert!(told.contains("u8 create (held: "), "{told}");
    assert_eq!(pairs(&stage).await, before);
    assert!(stage.workspace().await.contains("bo@x.example Bo Ng\n"));
}

/// A mail is no key: the newcomer has an account of their own, and the leaver's is not touched.
#[tokio::test]
async fn a_recycled_mail_makes_an_account_of_its_own() {
    let mut stage = three().await;
    let before = pairs(&stage).await;
    play(&mut stage, &["adopt verified_mail", "deleted u1", "group g1 Sales u2", "app u2 u3 g:g1 g:g2"])
        .await;
    assert_eq!(cycle(&mut stage).await, "1 remove_members\n1 deactivate\n");
    play(&mut stage, &["person u9 new@x.example Nia New mail=ann@x.example", "app u2 u3 u9 g:g1 g:g2"]).await;
    assert_eq!(cycle(&mut stage).await, "1 create\n");
    let after = pairs(&stage).await;
    assert_eq!(after.get("u1"), before.get("u1"));
    assert!(!before.values().any(|id| *id == after["u9"]), "a new one");
    assert!(stage.workspace().await.contains("ann@x.example Ann Lee inactive\n"));
}

/// The id stands in the target on an account that is called otherwise, on two accounts, or on another person's.
#[tokio::test]
async fn an_id_that_stands_on_other_accounts_is_believed_only_where_it_is_one() {
    let mut stage = Stage::new();
    let external = stage.rules.users.rows.iter_mut().find(|row| row.target == "externalId");
    external.expect("the preset has it").matching = Some(0);
    play(&mut stage, &["target old@y.example external=u1", "target two@y.example external=u2"]).await;
    play(&mut stage, &["target also@y.example external=u2", "target cy@x.example external=u4"]).await;
    for (id, name) in [("u1", "ann"), ("u2", "bo"), ("u3", "cy")] {
        play(&mut stage, &[&format!("person {id} {name}@x.example Pat Doe")]).await;
    }
    play(&mut stage, &["app u1 u2 u3"]).await;
    let told = cycle(&mut stage).await;
    // One account has the id of u1, whatever it is called. Two have that of u2. u3's name is on u4's account.
    assert_eq!(told, "1 create\nu2 create (held: Matching)\nu3 create (held: Matching)\n");
    assert_eq!(
        play(&mut stage, &["reads u2", "reads u3"]).await,
        "`externalId` finds 2 users in the target; remove what is double there, or link one by hand\n\
         `userName` finds the user r4, whose externalId names somebody else; clear it in the target, or link the two by hand\n"
    );
    // The one whose it is comes, and has it.
    play(&mut stage, &["person u4 dee@x.example Dee Roy", "app u1 u2 u3 u4"]).await;
    let told = cycle(&mut stage).await;
    assert!(told.starts_with("1 create\n"), "{told}");
    let there = stage.workspace().await;
    assert!(
        there.contains("ann@x.example Pat Doe\n") && there.contains("dee@x.example Dee Roy\n"),
        "{there}"
    );
    assert!(!there.contains("old@y.example") && there.contains("two@y.example - -\n"), "{there}");
}

/// Ids as sources have them, and as nobody should make them: each is its own key, to the letter.
const IDS: [&str; 14] = [
    "a",
    "A",
    "7",
    "007",
    "a b",
    "a  b",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "a/b?c=d&e#f",
    "100%",
    "a,b:c",
    "žluť",
    "🦀",
];

#[tokio::test]
async fn ids_with_odd_characters_are_keys_like_any_other_through_both_doors() {
    for remote in [false, true] {
        let mut stage = Stage::new();
        let served = Served::over(stage.store.clone(), Dialect::Strict, Settings::default()).await;
        if remote {
            let url = format!("{}/scim/v2", served.root).parse().expect("a URL");
            let settings = RemoteSettings::new(url, vec![Secret::new(served.token.clone())]);
            stage.target = Arc::new(RemoteTarget::new(settings).expect("a client"));
        }
        let person = |n: usize, surname: &str| Person {
            address: format!("p{n}@x.example"),
            given: "Pat".to_owned(),
            surname: surname.to_owned(),
            enabled: true,
            further: BTreeMap::new(),
        };
        play(&mut stage, &["teams all"]).await;
        let members = IDS.iter().map(|id| format!("user:{id}")).collect();
        for (n, id) in IDS.into_iter().enumerate() {
            stage.directory.people.insert(id.to_owned(), person(n, "Doe"));
            stage.directory.app.insert(format!("user:{id}"));
            let group = Group { name: format!("Team {n}"), members: [format!("user:{id}")].into() };
            stage.directory.groups.insert(id.to_owned(), group);
        }
        stage.directory.groups.insert("all".to_owned(), Group { name: "All".to_owned(), members });
        let (people, teams) = (IDS.len(), IDS.len() + 1);
        assert_eq!(
            cycle(&mut stage).await,
            format!("{} create\n{} add_members\n", people + teams, 2 * people)
        );
        assert_eq!(cycle(&mut stage).await, "nothing\n", "remote: {remote}");
        let users = stage.resources(Kind::User).await;
        for (n, id) in IDS.into_iter().enumerate() {
            let theirs: Vec<&Value> = users.iter().filter(|user| user["externalId"] == *id).collect();
            assert_eq!(theirs.len(), 1, "{id}");
            assert_eq!(theirs[0]["userName"], format!("p{n}@x.example"), "{id}");
        }
        // Every second one is renamed, every third one leaves.
        for (n, id) in IDS.into_iter().enumerate() {
            if n % 2 == 0 {
                stage.directory.people.insert(id.to_owned(), person(n, "Other"));
            }
            if n % 3 == 0 {
                stage.directory.app.remove(&format!("user:{id}"));
            }
        }
        let renamed = (0..people).filter(|n| n % 2 == 0 && n % 3 != 0).count();
        let left = (0..people).filter(|n| n % 3 == 0).count();
        let told = cycle(&mut stage).await;
        assert!(told.contains(&format!("{renamed} update\n")), "{told}");
        assert!(told.contains(&format!("{left} deactivate\n")), "{told}");
        let there = stage.workspace().await;
        for n in 0..people {
            let surname = if n % 2 == 0 && n % 3 != 0 { "Other" } else { "Doe" };
            let inactive = if n % 3 == 0 { " inactive" } else { "" };
            assert!(there.contains(&format!("p{n}@x.example Pat {surname}{inactive}\n")), "{n}: {there}");
        }
        assert_eq!(cycle(&mut stage).await, "nothing\n");
    }
}

/// The directory hands a group's name to a new group on the day on which the old one goes.
#[tokio::test]
async fn a_recycled_group_name_is_another_group() {
    let mut stage = three().await;
    let before = pairs(&stage).await;
    play(&mut stage, &["deleted g1", "group g9 Sales u3", "app u1 u2 u3 g:g9 g:g2"]).await;
    for _ in 0..2 {
        let told = cycle(&mut stage).await;
        assert!(told.contains("g9 ") && told.contains("(held: "), "{told}");
        assert_eq!(pairs(&stage).await, before, "{told}");
    }
    assert!(stage.workspace().await.contains("[Sales] ann@x.example bo@x.example\n"));
}

/// Purged and hired again under the same name and address within one cycle: another person, in both services.
#[tokio::test]
async fn a_person_who_is_made_anew_under_the_same_login_is_another_one() {
    for flavour in [Flavour::Graph, Flavour::Okta] {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let accounts = site.resources().await;
        let account =
            |id: &str| accounts.iter().find(|one| one["externalId"] == id).map(|one| one["id"].clone());
        let (old, before) = (site.id(&login("Ann")), account(&site.id(&login("Ann"))));
        site.change(Change::Rehire { login: login("Ann"), id: None });
        let new = site.id(&login("Ann"));
        for _ in 0..3 {
            site.cycle().await;
            let now = site.resources().await;
            let of = |id: &str| now.iter().find(|one| one["externalId"] == id).map(|one| one["id"].clone());
            assert_eq!((of(&old), of(&new)), (before.clone(), None), "{flavour:?}: {:#?}", site.left().await);
        }
    }
}
