//! What somebody else does in the target is found by a verification, and reported, put right or left as the policy says.

mod discovery;
mod lists;
mod policies;

use std::sync::Arc;

use rosterd::client::Secret;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::model::Reading;
use rosterd::plan::CycleRecord;
use rosterd::plan::OnDrift;
use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::targets::Lookup;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use serde_json::Value;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::server::Served;
use super::support::acts::cycle;
use super::support::acts::play;
use super::support::story::Stage;

/// A job in step with its target, and somebody else at that target.
struct Scene {
    stage: Stage,
    /// The service behind a remote target.
    _served: Option<Served>,
}

#[derive(Clone, Copy, Debug)]
enum Over {
    Workspace,
    Remote,
}

impl Scene {
    /// Ann and Bob are in the team Sales, Cyd is in none, and Dee has left.
    async fn in_step(over: Over) -> Scene {
        let mut scene = Scene::empty(over).await;
        let stage = &mut scene.stage;
        for line in [
            "row title jobTitle",
            "person u1 ann@x.example Ann Lee jobTitle=Boss",
            "person u2 bob@x.example Bob Ray jobTitle=Clerk",
            "person u3 cyd@x.example Cyd May jobTitle=Clerk",
            "person u4 dee@x.example Dee Fox jobTitle=Clerk",
            "group g1 Sales u1 u2",
            "app u1 u2 u3 u4 g:g1",
        ] {
            stage.command(line).await;
        }
        cycle(stage).await;
        play(stage, &["person u4 dee@x.example Dee Fox jobTitle=Clerk disabled"]).await;
        cycle(stage).await;
        assert_eq!(cycle(stage).await, "nothing\n");
        scene
    }

    async fn empty(over: Over) -> Scene {
        let mut stage = Stage::new();
        let served = match over {
            Over::Workspace => None,
            Over::Remote => {
                let served = Served::start(Dialect::Strict).await;
                let url = format!("{}/scim/v2", served.root).parse().expect("a URL");
                let settings = RemoteSettings::new(url, vec![Secret::new(served.token.clone())]);
                stage.target = Arc::new(RemoteTarget::new(settings).expect("a client"));
                Some(served)
            }
        };
        Scene { stage, _served: served }
    }

    async fn id(&self, kind: Kind, name: &str) -> ResourceId {
        let path = if kind == Kind::User { "userName" } else { "displayName" };
        let lookup = Lookup { kind, path: path.to_owned(), value: name.to_owned() };
        self.stage.target.find(&[lookup]).await.expect("an answer")[0][0].id.clone()
    }

    async fn sets(&self, kind: Kind, name: &str, path: &str, value: Value) {
        let id = self.id(kind, name).await;
        let set = vec![(path.to_owned(), value)];
        self.does(Operation::Patch { kind, id, set, add: Vec::new() }).await;
    }

    async fn deletes(&self, name: &str) {
        let id = self.id(Kind::User, name).await;
        self.does(Operation::Delete { kind: Kind::User, id }).await;
    }

    async fn members(&self, add: &[&str], remove: &[&str]) {
        let team = self.id(Kind::Group, "Sales").await;
        let mut ids = [Vec::new(), Vec::new()];
        for (ids, names) in ids.iter_mut().zip([add, remove]) {
            for name in names {
                ids.push(self.id(Kind::User, name).await);
            }
        }
        let [add, remove] = ids;
        self.does(Operation::Members { team, add, remove }).await;
    }

    /// Somebody else writes.
    async fn does(&self, operation: Operation) {
        let outcome = self.stage.target.apply(&[operation]).await.expect("an answer");
        assert!(matches!(outcome[0], Outcome::Done { .. }), "{outcome:?}");
    }

    /// A local account of the target, which no directory knows.
    async fn local(&self, name: &str) {
        let attributes = [("userName", json!(name)), ("active", json!(true))];
        let attributes = attributes.into_iter().map(|(path, value)| (path.to_owned(), value)).collect();
        self.does(Operation::Create { kind: Kind::User, attributes }).await;
    }

    /// A cycle that verifies the target.
    async fn verify(&mut self) -> CycleRecord {
        self.stage.text.set(self.stage.directory.text());
        let (stop, now) = (CancellationToken::new(), self.stage.now());
        let clock = move || now;
        let reading = Reading::Incremental;
        let how = How { reading, verify: true, now, clock: &clock, watch: &|_| {}, stop: &stop };
        let record = cycle::run(&self.stage.job(), &self.stage.store, how).await.expect("a cycle");
        self.stage.second += 2_400;
        record
    }

    /// What the last verification reports.
    async fn reported(&self) -> String {
        let job = self.stage.store.job(&self.stage.name).await.expect("a job").id;
        let folds = self.stage.store.drift(job, 5).await.expect("the state");
        folds.iter().map(|fold| fold.sentence() + "\n").collect()
    }

    async fn set_all(&mut self, policy: OnDrift) {
        let drift = &mut self.stage.drift;
        (drift.users, drift.teams, drift.members) = (policy, policy, policy);
        (drift.strangers, drift.foreign) = (policy, policy);
    }
}

/// What was written, and how much of what was found is reported and put right.
fn did(record: &CycleRecord) -> String {
    let done: Vec<String> =
        record.done.iter().map(|(class, count)| format!("{count} {}", class.word())).collect();
    assert_eq!(record.failures(), 0);
    format!("{} reported, {} put right: {}", record.drift, record.drift_repaired, done.join(", "))
}
