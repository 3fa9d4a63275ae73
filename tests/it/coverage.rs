//! P1 as a table: what follows from something not being shown, by what its read proves.

use rosterd::model::Collection;
use rosterd::model::Container;
use rosterd::model::Coverage;
use rosterd::model::Record;
use rosterd::model::SourceId;
use rosterd::model::SourceObject;
use rosterd::model::Standing;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::store::Promoted;
use rosterd::store::Store;

fn id(text: &str) -> SourceId {
    SourceId(text.to_owned())
}

fn person(name: &str) -> Record {
    Record::Object(SourceObject {
        id: id(name),
        kind: Kind::User,
        standing: Standing::Enabled,
        attributes: Default::default(),
    })
}

fn member(group: &str, name: &str) -> Record {
    let container = Container::Group(id(group));
    Record::Edge { container, principal: id(name), kind: Kind::User, detail: String::new() }
}

fn assigned(name: &str) -> Record {
    let container = Container::App(id("app"));
    Record::Edge { container, principal: id(name), kind: Kind::User, detail: String::new() }
}

/// What a read says that it has covered.
type Claims = Vec<(Collection, Coverage)>;

/// One promotion of these records under this claim.
async fn promote(store: &Store, records: Vec<Record>, covered: &[(Collection, Coverage)]) -> Promoted {
    let job = store.job("table").await.expect("a job").id;
    let cycle = store.start_cycle(job, 0).await.expect("a cycle");
    let staging = store.stage(job).await.expect("a staging area");
    staging.record(records).await.expect("records");
    staging.finish_read("all", covered.to_vec(), None).await.expect("an end");
    staging.promote(cycle, "rules".to_owned()).await.expect("a promotion")
}

/// As `promote`, but as the second reading of its cycle.
async fn promote_again(store: &Store, records: Vec<Record>, covered: &[(Collection, Coverage)]) {
    let job = store.job("table").await.expect("a job").id;
    let cycle = store.start_cycle(job, 0).await.expect("a cycle");
    let staging = store.stage(job).await.expect("a staging area");
    staging.settle_changes().await.expect("what is settled");
    staging.record(records).await.expect("records");
    staging.finish_read("all", covered.to_vec(), None).await.expect("an end");
    staging.promote(cycle, "rules".to_owned()).await.expect("a promotion");
}

/// How often in a row complete reads did not show u2, its membership and its assignment.
async fn absences(store: &Store) -> [u32; 3] {
    let job = store.job("table").await.expect("a job").id;
    let held = |container| WitnessQuestion::Held { container, principal: id("u2"), kind: Kind::User };
    let questions = [
        WitnessQuestion::Exists { id: id("u2"), kind: Kind::User },
        held(Container::Group(id("g"))),
        held(Container::App(id("app"))),
    ];
    let mut counts = [0; 3];
    for (count, question) in counts.iter_mut().zip(questions) {
        *count = store.absent_reads(job, question).await.expect("a count");
    }
    counts
}

/// How many of u2, of its membership and of its assignment are missed when a second read shows u1 alone.
#[tokio::test]
async fn only_a_complete_read_misses_anything() {
    use Coverage::Changes;
    use Coverage::Full;
    use Coverage::Partial;
    let group = || Collection::Members(id("g"));
    let table: [(&str, Claims, u64); 13] = [
        ("users read completely", vec![(Collection::Users, Full)], 1),
        ("users by changes", vec![(Collection::Users, Changes)], 0),
        ("users in part", vec![(Collection::Users, Partial)], 0),
        ("assignments read completely", vec![(Collection::Assignments(id("app")), Full)], 1),
        ("assignments of another application", vec![(Collection::Assignments(id("other")), Full)], 0),
        ("members of the group read completely", vec![(group(), Full)], 1),
        ("members of every group", vec![(Collection::AllMembers, Full)], 1),
        (
            "members of every group, of this one in part",
            vec![(Collection::AllMembers, Full), (group(), Partial)],
            0,
        ),
        ("members by changes", vec![(Collection::AllMembers, Changes)], 0),
        ("groups alone", vec![(Collection::Groups, Full)], 0),
        ("nothing is claimed", vec![], 0),
        (
            "users, of which something was missing",
            vec![(Collection::Users, Full), (Collection::Users, Partial)],
            0,
        ),
        (
            "assignments, of which something was missing",
            vec![(Collection::Assignments(id("app")), Full), (Collection::Assignments(id("app")), Partial)],
            0,
        ),
    ];
    for (row, covered, missing) in table {
        let home = tempfile::tempdir().expect("a directory");
        let store = Store::open(&home.path().join("state.db")).expect("a state");
        let all = ["u1", "u2"].iter().flat_map(|name| [person(name), member("g", name), assigned(name)]);
        promote(&store, all.collect(), &[]).await;
        let one = vec![person("u1"), member("g", "u1"), assigned("u1")];
        assert_eq!(promote(&store, one, &covered).await.missing, missing, "{row}");
    }
}

/// An explicit event removes whatever its read covers, and what it names without being known is no news.
#[tokio::test]
async fn an_event_needs_no_coverage() {
    let home = tempfile::tempdir().expect("a directory");
    let store = Store::open(&home.path().join("state.db")).expect("a state");
    promote(&store, vec![person("u1"), member("g", "u1")], &[]).await;
    let container = || Container::Group(id("g"));
    let events = vec![
        Record::EdgeRemoved { container: container(), principal: id("u1"), kind: Kind::User },
        Record::EdgeRemoved { container: container(), principal: id("unknown"), kind: Kind::User },
        Record::Removed { kind: Kind::User, id: id("u1"), standing: Standing::SoftDeleted },
        Record::Removed { kind: Kind::User, id: id("unknown"), standing: Standing::Gone },
    ];
    let promoted = promote(&store, events, &[]).await;
    assert_eq!((promoted.objects, promoted.edges, promoted.missing), (1, 1, 0));
}

/// "A second complete read in a later cycle" (P2): two reads of one cycle are one, and whoever was shown in between was
/// not absent twice in a row.
#[tokio::test]
async fn absences_are_counted_by_cycles_and_in_a_row() {
    let home = tempfile::tempdir().expect("a directory");
    let store = Store::open(&home.path().join("state.db")).expect("a state");
    let full = [
        (Collection::Users, Coverage::Full),
        (Collection::AllMembers, Coverage::Full),
        (Collection::Assignments(id("app")), Coverage::Full),
    ];
    let of = |names: &[&str]| -> Vec<Record> {
        names.iter().flat_map(|name| [person(name), member("g", name), assigned(name)]).collect()
    };
    let (all, one) = (of(&["u1", "u2"]), of(&["u1"]));
    promote(&store, all.clone(), &full).await;
    assert_eq!(absences(&store).await, [0, 0, 0]);
    promote(&store, one.clone(), &full).await;
    assert_eq!(absences(&store).await, [1, 1, 1]);
    promote_again(&store, one.clone(), &full).await;
    assert_eq!(absences(&store).await, [1, 1, 1], "the same cycle");
    promote(&store, one.clone(), &full).await;
    assert_eq!(absences(&store).await, [2, 2, 2], "a later one");
    promote(&store, all, &full).await;
    assert_eq!(absences(&store).await, [0, 0, 0], "shown again");
    promote(&store, one, &full).await;
    assert_eq!(absences(&store).await, [1, 1, 1], "not twice in a row");
}
