//! Two jobs into one target (design, section 3): the owner writes attributes, a resource is active while any job wants it,
//! memberships are a union kept per job, ownership moves only by command.

use rosterd::plan::TeamNames;
use rosterd::store::ByHand;
use rosterd::store::Store;

use super::support::story::Stage;

/// Two directories and one workspace.
struct Two {
    first: Stage,
    second: Stage,
}

impl Two {
    fn new() -> Two {
        let first = Stage::new();
        let mut second = Stage::new();
        second.name = "second".to_owned();
        second.store = first.store.clone();
        second.target = first.target.clone();
        second.rules.teams.names = TeamNames::Link;
        Two { first, second }
    }

    async fn play(&mut self, job: &str, lines: &[&str]) {
        for line in lines {
            let stage = if job == "first" { &mut self.first } else { &mut self.second };
            let output = stage.command(line).await;
            assert_eq!(output, None, "{line} says nothing");
        }
    }

    /// What a command of a job prints.
    #[track_caller]
    fn check(told: Option<String>, expected: &str) {
        assert_eq!(told.unwrap_or_default().trim_end(), expected);
    }

    /// Ann is in both directories, under two ids, and in one team of the same name.
    async fn shared() -> Two {
        let mut two = Two::new();
        let first = [
            "person a1 ann@x.example Ann Lee",
            "person a3 cy@x.example Cy Ito",
            "group g1 Sales a1 a3",
            "app a1 a3 g:g1",
        ];
        two.play("first", &first).await;
        Two::check(two.first.command("cycle").await, "3 create\n2 add_members");
        two.play(
            "second",
            &[
                "person b1 ann@x.example Anna Leigh",
                "person b2 bo@x.example Bo Ng",
                "group h1 Sales b1 b2",
                "app b1 b2 g:h1",
            ],
        )
        .await;
        Two::check(two.second.command("cycle").await, "3 create\n2 add_members");
        two
    }
}

fn by() -> ByHand {
    ByHand { who: "test".to_owned(), reason: "story".to_owned(), now_second: 1_770_000_000 }
}

async fn id(store: &Store, job: &str) -> (rosterd::store::JobId, String) {
    (store.job(job).await.expect("a job").id, job.to_owned())
}

#[tokio::test]
async fn the_second_job_joins_and_the_owner_writes_the_attributes() {
    let mut two = Two::shared().await;
    let expected = "[Sales] ann@x.example bo@x.example cy@x.example\nann@x.example Ann Lee\nbo@x.example Bo Ng\ncy@x.example Cy Ito";
    Two::check(two.first.command("workspace").await, expected);
    Two::check(two.second.command("cycle").await, "nothing");
    // A change in the second directory writes nothing; one in the first does.
    two.play("second", &["person b1 ann@x.example Anna Koch"]).await;
    Two::check(two.second.command("cycle").await, "nothing");
    two.play("first", &["person a1 ann@x.example Ann Koch"]).await;
    Two::check(two.first.command("cycle").await, "1 update");
    let expected = "[Sales] ann@x.example bo@x.example cy@x.example\nann@x.example Ann Koch\nbo@x.example Bo Ng\ncy@x.example Cy Ito";
    Two::check(two.first.command("workspace").await, expected);
}

#[tokio::test]
async fn it_stays_active_while_any_job_wants_it() {
    let mut two = Two::shared().await;
    two.play("first", &["deleted a1", "group g1 Sales a3", "app a3 g:g1"]).await;
    Two::check(two.first.command("plan").await, "g1 remove a1\na1 let go, second wants it");
    Two::check(two.first.command("cycle").await, "1 remove_members\n1 deactivate");
    let expected = "[Sales] ann@x.example bo@x.example cy@x.example\nann@x.example Ann Lee\nbo@x.example Bo Ng\ncy@x.example Cy Ito";
    Two::check(two.first.command("workspace").await, expected);
    two.play("second", &["deleted b1", "group h1 Sales b2", "app b2 g:h1"]).await;
    Two::check(two.second.command("cycle").await, "1 remove_members\n1 deactivate");
    let expected = "[Sales] bo@x.example cy@x.example\nann@x.example Ann Lee inactive\nbo@x.example Bo Ng\ncy@x.example Cy Ito";
    Two::check(two.first.command("workspace").await, expected);
}

#[tokio::test]
async fn a_membership_goes_when_the_last_job_lets_it_go() {
    let mut two = Two::shared().await;
    two.play("second", &["group h1 Sales b2"]).await;
    Two::check(two.second.command("cycle").await, "1 remove_members");
    let both = "[Sales] ann@x.example bo@x.example cy@x.example\nann@x.example Ann Lee\nbo@x.example Bo Ng\ncy@x.example Cy Ito";
    Two::check(two.first.command("workspace").await, both);
    Two::check(two.second.command("cycle").await, "nothing");
    two.play("first", &["group g1 Sales a3"]).await;
    Two::check(two.first.command("cycle").await, "1 remove_members");
    let one =
        "[Sales] bo@x.example cy@x.example\nann@x.example Ann Lee\nbo@x.example Bo Ng\ncy@x.example Cy Ito";
    Two::check(two.first.command("workspace").await, one);
}

#[tokio::test]
async fn a_team_of_another_job_is_held_or_gets_an_ending_by_policy() {
    let mut two = Two::new();
    two.play("first", &["person a1 ann@x.example Ann Lee", "group g1 Sales a1", "app a1 g:g1"]).await;
    Two::check(two.first.command("cycle").await, "2 create\n1 add_members");
    two.play("second", &["group h1 SALES", "app g:h1", "team-names hold"]).await;
    Two::check(two.second.command("cycle").await, "h1 create (held: Matching)");
    Two::check(
        two.second.command("reads h1").await,
        "`displayName` finds the group r2, which is a team of job story; set team_names = \"link\" to share it or \
         \"suffix\" to have one beside it, or link the two by hand",
    );
    two.play("second", &["team-names suffix"]).await;
    Two::check(two.second.command("cycle").await, "1 create");
    let expected = "[SALES (69259e)]\n[Sales] ann@x.example\nann@x.example Ann Lee";
    Two::check(two.second.command("workspace").await.map(|told| told.replace("] \n", "]\n")), expected);
}

/// P6: the policy forbids it, so a person decides.
#[tokio::test]
async fn who_may_not_be_adopted_may_not_be_joined() {
    let mut two = Two::new();
    two.play("first", &["person a1 ann@x.example Ann Lee", "app a1"]).await;
    Two::check(two.first.command("cycle").await, "1 create");
    two.play("second", &["person b1 ann@x.example Ann Lee", "app b1", "adopt external_id"]).await;
    Two::check(two.second.command("cycle").await, "b1 link by userName (held: Adoption)");
    Two::check(two.second.command("approve b1").await, "1 approved");
    Two::check(two.second.command("cycle").await, "1 create");
    Two::check(two.second.command("workspace").await, "ann@x.example Ann Lee");
}

#[tokio::test]
async fn a_move_hands_the_ownership_over_without_a_write() {
    let mut two = Two::shared().await;
    let store = two.first.store.clone();
    let (first, second) = (id(&store, "story").await, id(&store, "second").await);
    let refused = store.move_link(second.clone(), "b1", first.clone(), by()).await.expect("the state");
    assert!(refused.expect_err("only the owner gives away").0.contains("has only joined"));
    let moved = store.move_link(first, "a1", second, by()).await.expect("the state");
    assert_eq!(moved.expect("it is moved").0, "r1");
    Two::check(two.first.command("plan").await, "nothing");
    // From now on the second directory's names are written, and the first one's are not.
    Two::check(
        two.second.command("plan").await,
        "b1 update externalId a1->b1 name.familyName Lee->Leigh name.givenName Ann->Anna",
    );
    Two::check(two.second.command("cycle").await, "1 update");
    two.play("first", &["person a1 ann@x.example Ann Koch"]).await;
    Two::check(two.first.command("cycle").await, "nothing");
    let expected = "[Sales] ann@x.example bo@x.example cy@x.example\nann@x.example Anna Leigh\nbo@x.example Bo Ng\ncy@x.example Cy Ito";
    Two::check(two.first.command("workspace").await, expected);
}

/// P16 lets an owner delete; whoever joined keeps the account, and is made its owner by hand.
#[tokio::test]
async fn what_its_owner_has_let_go_is_given_to_a_job_that_joined_it() {
    let mut two = Two::shared().await;
    let store = two.first.store.clone();
    let (first, second) = (id(&store, "story").await, id(&store, "second").await);
    let refused = store.unlink(first.0, "a1", by()).await.expect("the state").expect_err("it is shared");
    assert!(refused.0.ends_with("hand it over first: rosterd link move JOB a1 second"), "{}", refused.0);
    let refused = store.move_link(second.clone(), "b1", second.clone(), by()).await.expect("the state");
    let told = refused.expect_err("it has an owner").0;
    assert!(
        told.ends_with("has only joined ann@x.example (b1); move it from job story, which owns it"),
        "{told}"
    );

    two.play("first", &["leavers all delete", "action delete on", "person a1 ann@x.example Ann Koch"]).await;
    Two::check(two.first.command("cycle").await, "1 update");
    two.play("first", &["deleted a1", "group g1 Sales a3", "app a3 g:g1"]).await;
    Two::check(two.first.command("cycle").await, "1 remove_members\n1 delete");
    let left = "[Sales] ann@x.example bo@x.example cy@x.example\nann@x.example Ann Koch\nbo@x.example Bo Ng\ncy@x.example Cy Ito";
    Two::check(two.second.command("workspace").await, left);
    // Nobody writes the attributes until a person makes the other job the owner.
    Two::check(two.second.command("cycle").await, "nothing");
    let row = store.links_of(second.0, "b1").await.expect("the state").remove(0);
    assert!(row.is_ownerless(), "{row:?}");
    let moved = store.move_link(second.clone(), "b1", second.clone(), by()).await.expect("the state");
    assert_eq!(moved.expect("it is moved").0, "r1");
    Two::check(two.second.command("cycle").await, "1 update");
    let theirs = "[Sales] ann@x.example bo@x.example cy@x.example\nann@x.example Anna Leigh\nbo@x.example Bo Ng\ncy@x.example Cy Ito";
    Two::check(two.second.command("workspace").await, theirs);
    Two::check(two.second.command("cycle").await, "nothing");
    assert!(!store.links_of(second.0, "b1").await.expect("the state").remove(0).is_ownerless());
}
