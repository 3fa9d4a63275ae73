//! What a story's workspace holds beside what a job writes there.

use rosterd::scim::Attributes;
use rosterd::scim::Kind;
use rosterd::targets::Lookup;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use serde_json::json;

use super::story::Stage;

impl Stage {
    pub(super) async fn target_team(&self, name: &str, rest: &[&str]) {
        let mut attributes = Attributes::default();
        attributes.set("displayName", json!(name));
        if let Some(external) = rest.iter().find_map(|word| word.strip_prefix("external=")) {
            attributes.set("externalId", json!(external));
        }
        let create = Operation::Create { kind: Kind::Group, attributes };
        let made = self.target.apply(&[create]).await.expect("the target");
        assert!(matches!(made[0], Outcome::Done { .. }), "{made:?}");
    }

    pub(super) async fn target_user(&self, address: &str, rest: &[&str]) {
        let mut attributes = Attributes::default();
        attributes.set("userName", json!(address));
        attributes.set("active", json!(!rest.contains(&"inactive")));
        for word in rest {
            if let Some(external) = word.strip_prefix("external=") {
                attributes.set("externalId", json!(external));
            }
            if let Some(title) = word.strip_prefix("title=") {
                attributes.set("title", json!(title));
            }
            if let Some(mail) = word.strip_prefix("mail=") {
                attributes.set("emails[type eq \"work\"].value", json!(mail));
            }
        }
        let made = self
            .target
            .apply(&[Operation::Create { kind: Kind::User, attributes }])
            .await
            .expect("the target");
        assert!(matches!(made[0], Outcome::Done { .. }), "{made:?}");
    }

    pub(super) async fn target_loses(&self, addresses: &[&str]) {
        for address in addresses {
            let path = "userName".to_owned();
            let lookup = Lookup { kind: Kind::User, path, value: (*address).to_owned() };
            let found = self.target.find(&[lookup]).await.expect("the target");
            let delete = Operation::Delete { kind: Kind::User, id: found[0][0].id.clone() };
            self.target.apply(&[delete]).await.expect("the target");
        }
    }

    pub(super) async fn target_member(&self, team: &str, address: &str) {
        let lookup =
            |kind, path: &str, value: &str| Lookup { kind, path: path.to_owned(), value: value.to_owned() };
        let lookups = [lookup(Kind::Group, "displayName", team), lookup(Kind::User, "userName", address)];
        let found = self.target.find(&lookups).await.expect("the target");
        let (team, user) = (found[0][0].id.clone(), found[1][0].id.clone());
        let add = Operation::Members { team, add: vec![user], remove: Vec::new() };
        self.target.apply(&[add]).await.expect("the target");
    }
}
