//! Where an id is a name, a rename is followed to the id that it makes; elsewhere nothing is asked for it.

use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::scim::profiles::Profile;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use serde_json::json;

use super::row::Patched;
use super::row::Row;
use super::rows;
use super::serve::Service;

fn id(text: &str) -> ResourceId {
    ResourceId(text.to_owned())
}

/// A service with Ann and her team.
async fn staffed(row: Row) -> Service {
    let service = Service::start(row).await;
    {
        let directory = &mut service.state().directory;
        let ann = directory.create(Kind::User, &json!({"userName": "ann@acme.example"})).expect("a user");
        let team = json!({"displayName": "The team", "members": [{"value": ann}]});
        directory.create(Kind::Group, &team).expect("a group");
    }
    service
}

async fn renamed(service: &Service, kind: Kind, of: &str, name: &str, to: &str) -> ResourceId {
    let set = vec![(name.to_owned(), json!(to))];
    let outcomes = service
        .target(Profile::standard())
        .apply(&[Operation::Patch { kind, id: id(of), set, add: Vec::new() }])
        .await
        .expect("it answers");
    match outcomes.into_iter().next() {
        Some(Outcome::Done { id, shown: Some(shown) }) => {
            assert_eq!((&shown["id"], &shown[name]), (&json!(id.0), &json!(to)));
            id
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_rename_is_followed_to_the_id_that_it_makes() {
    for status in [200, 204] {
        let patched = Patched { user: status, group: status };
        let service = staffed(Row { patched, ..rows::SCIMGATEWAY }).await;
        let ann =
            renamed(&service, Kind::User, "ann@acme.example", "userName", "ann.koch@acme.example").await;
        assert_eq!(ann, id("ann.koch@acme.example"));
        let team = renamed(&service, Kind::Group, "The team", "displayName", "Other people").await;
        assert_eq!(team, id("Other people"));
        let leave = Operation::Members { team, add: Vec::new(), remove: vec![ann] };
        let outcomes = service.target(Profile::standard()).apply(&[leave]).await.expect("it answers");
        assert!(matches!(outcomes[..], [Outcome::Done { .. }]), "{outcomes:?}");
        assert!(service.state().directory.members_of("Other people").is_empty());
    }
}

#[tokio::test]
async fn a_rename_that_is_shown_is_believed() {
    let service = staffed(rows::RFC_7644).await;
    let ann = service.state().directory.all(Kind::User).next().expect("Ann").0.clone();
    assert_eq!(renamed(&service, Kind::User, &ann, "userName", "ann.koch@acme.example").await, id(&ann));
    assert_eq!(service.state().asked.get("GET Users"), None);
}
