//! A list that is only added to, through the whole chain: what others put there stays (Entra provisioning reference, section
//! 1: `MultiValueAddOnly`).

use rosterd::plan::Row;
use rosterd::plan::RowFlow;
use rosterd::plan::RowValue;
use rosterd::plan::Target;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::schema;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use serde_json::Value;
use serde_json::json;

use super::support::story::Stage;

const URN: &str = "urn:example:params:scim:schemas:tags:2.0:User";
const TAGS: &str = "urn:example:params:scim:schemas:tags:2.0:User:tags";

fn stage() -> Stage {
    let tags = json!({"name": "tags", "type": "string", "multiValued": true});
    let schema = json!({"id": URN, "name": "Tags", "description": "Words", "attributes": [tags]});
    let schema = schema::read(&schema.to_string()).expect("a schema");
    schema::register(ResourceType::User, schema).expect("no other schema has the URN");
    let mut stage = Stage::new();
    stage.rules.users.rows.push(Row {
        target: Target::new(TAGS),
        value: RowValue::Attribute("tags".to_owned()),
        matching: None,
        flow: RowFlow::AddOnly,
        default: None,
        clears: false,
        required: false,
    });
    stage
}

/// The directory says these of Ann.
fn say(stage: &mut Stage, tags: &[&str]) {
    let ann = stage.directory.people.get_mut("u1").expect("Ann");
    ann.further.insert("tags".to_owned(), json!(tags));
}

async fn others_add(stage: &Stage, resource: &str, tag: &str) {
    let id = ResourceId(resource.to_owned());
    let add = vec![(TAGS.to_owned(), json!([tag]))];
    let added = Operation::Patch { kind: Kind::User, id, set: Vec::new(), add };
    let outcome = stage.target.apply(&[added]).await.expect("the target").remove(0);
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
}

async fn tags(stage: &Stage) -> Vec<String> {
    let users = stage.resources(Kind::User).await;
    let tags = users[0][URN]["tags"].as_array().cloned().unwrap_or_default();
    let mut tags: Vec<String> = tags.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    tags.sort();
    tags
}

#[tokio::test]
async fn what_is_new_is_added_and_nothing_is_taken_away() {
    let mut stage = stage();
    for line in ["person u1 ann@x.example Ann Lee", "app u1"] {
        stage.command(line).await;
    }
    say(&mut stage, &["a"]);
    assert_eq!(stage.command("cycle").await.as_deref(), Some("1 create\n"));
    assert_eq!(tags(&stage).await, ["a"]);
    // Nothing tells the job of it: a request that replaced the list would lose it.
    others_add(&stage, "r1", "theirs").await;
    say(&mut stage, &["b"]);
    assert_eq!(stage.command("cycle").await.as_deref(), Some("1 update\n"));
    assert_eq!(tags(&stage).await, ["a", "b", "theirs"]);
    assert_eq!(stage.command("cycle").await.as_deref(), Some("nothing\n"));
    say(&mut stage, &[]);
    assert_eq!(stage.command("cycle").await.as_deref(), Some("nothing\n"));
    say(&mut stage, &["b", "theirs", "c"]);
    assert_eq!(stage.command("cycle").await.as_deref(), Some("1 update\n"));
    assert_eq!(tags(&stage).await, ["a", "b", "c", "theirs"]);
}

#[tokio::test]
async fn an_account_that_is_taken_over_keeps_what_it_has() {
    let mut stage = stage();
    for line in ["target ann@x.example", "person u1 ann@x.example Ann Lee", "app u1"] {
        stage.command(line).await;
    }
    others_add(&stage, "r1", "theirs").await;
    say(&mut stage, &["a", "theirs"]);
    assert_eq!(stage.command("cycle").await.as_deref(), Some("1 create\n"));
    assert_eq!(tags(&stage).await, ["a", "theirs"]);
    assert_eq!(stage.command("cycle").await.as_deref(), Some("nothing\n"));
}
