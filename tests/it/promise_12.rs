//! P12: one bad object never blocks the others: in the source's data, in mappings, in the target, in teams, in references.
//! What failed is tried again by its schedule, told with a code and a cure, and never silently dropped.

use std::sync::Arc;

use rosterd::plan::ErrorCode;
use rosterd::plan::GIVEN_UP;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::simulators::Flavour;
use rosterd::store::ByHand;
use rosterd::store::FailedChange;
use rosterd::store::Restart;
use rosterd::store::Retry;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::workspace::WorkspaceTarget;

use crate::end_to_end::site::JOB;
use crate::end_to_end::site::Site;
use crate::end_to_end::site::acme;
use crate::support::refusing::Refusing;
use crate::support::story::Stage;
use crate::support::story::workspace;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A stage whose target a test makes refuse.
struct Company {
    stage: Stage,
    target: Arc<Refusing<WorkspaceTarget>>,
}

impl Company {
    async fn new(lines: &[&str]) -> Company {
        let mut stage = Stage::new();
        let target = Arc::new(Refusing::new(workspace(&stage.store)));
        stage.target = target.clone();
        let mut company = Company { stage, target };
        company.says(lines).await;
        company
    }

    async fn says(&mut self, lines: &[&str]) {
        for line in lines {
            self.stage.command(line).await;
        }
    }

    async fn cycle(&mut self) -> String {
        self.stage.cycle(rosterd::model::Reading::Incremental).await
    }

    async fn failed(&self) -> Vec<FailedChange> {
        let job = self.stage.store.job("story").await.unwrap();
        self.stage.store.failed_changes(job.id).await.unwrap()
    }

    async fn retry(&self, what: Retry) -> u64 {
        let job = self.stage.store.job("story").await.unwrap();
        self.stage.store.retry(job.id, what, by_hand()).await.unwrap()
    }

    /// Refuses whatever carries this userName.
    fn refuse_person(&self, address: &'static str, outcome: Outcome) {
        self.target.refuse(move |operation| names(operation, address).then(|| outcome.clone()));
    }
}

fn by_hand() -> ByHand {
    ByHand { who: "ann".to_owned(), reason: "mended".to_owned(), now_second: 0 }
}

fn names(operation: &Operation, address: &str) -> bool {
    let is = |value: &serde_json::Value| value == address;
    match operation {
        Operation::Create { attributes, .. } => attributes.text("userName") == Some(address),
        Operation::Patch { set, .. } => set.iter().any(|(_, value)| is(value)),
        _ => false,
    }
}

fn refused(status: u16, detail: &str) -> Outcome {
    Outcome::Refused { status, detail: detail.to_owned() }
}

const PEOPLE: [&str; 4] = [
    "person u1 ann@x.example Ann Lee",
    "person u2 bo@x.example Bo Ng",
    "person u3 cy@x.example Cy Ito",
    "app u1 u2 u3",
];

#[tokio::test]
async fn one_person_whom_the_target_refuses_blocks_nobody() {
    let mut company = Company::new(&PEOPLE).await;
    company.refuse_person("bo@x.example", refused(400, "title is required"));
    assert_eq!(company.cycle().await, "2 create\n1 create failed\nu2 create (escrow)\n");
    let failed = company.failed().await;
    let [bo] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!((bo.source.0.as_str(), bo.name.as_str()), ("u2", "bo@x.example"));
    assert_eq!(bo.code, ErrorCode::MissingValues);
    assert_eq!(bo.reason, "refused with 400: title is required");
    let first = 1_770_000_000;
    assert_eq!((bo.attempts, bo.first_second, bo.due_second), (1, Some(first), Some(first + 6 * HOUR)));
}

/// Entra provisioning reference, section 10: 6 h, 12 h, 24 h after the first failure, then every 24 h until day 28. Given
/// up is not dropped.
#[tokio::test]
async fn what_fails_is_tried_by_the_schedule_then_given_up_and_never_dropped() {
    let mut company = Company::new(&PEOPLE).await;
    company.refuse_person("bo@x.example", refused(400, "no"));
    company.cycle().await;
    company.target.refused();
    let first = company.failed().await[0].first_second.unwrap();
    let mut tried = Vec::new();
    // A cycle an hour, for 30 days; the stage adds 40 minutes itself.
    while company.stage.second < first + 30 * DAY {
        let now = company.stage.second;
        company.cycle().await;
        if company.target.refused() > 0 {
            tried.push((now - first) / HOUR);
        }
        company.stage.second += 20 * 60;
    }
    let days = (2..=28).map(|day| day * 24);
    let expected: Vec<i64> = [6, 12, 24].into_iter().chain(days).collect();
    assert_eq!(tried, expected);
    let failed = company.failed().await;
    assert_eq!((failed.len(), failed[0].due_second, failed[0].attempts), (1, Some(GIVEN_UP), 31));
    assert!(failed[0].given_up());
    assert_eq!(company.cycle().await, "u2 create (escrow)\n", "it stays in the plan");

    // A person has it tried once more; it is given up again at once, because its time is over.
    assert_eq!(company.retry(Retry::Named("nobody".to_owned())).await, 0);
    assert_eq!(company.retry(Retry::Named("BO@x.example".to_owned())).await, 1);
    company.cycle().await;
    assert_eq!(company.target.refused(), 1);
    assert!(company.failed().await[0].given_up());
    company.target.refuse(|_| None);
    assert_eq!(company.cycle().await, "u2 create (escrow)\n");
    assert_eq!(company.retry(Retry::Named("unprocessableentity".to_owned())).await, 1);
    assert_eq!(company.cycle().await, "1 create\n");
    assert_eq!(company.failed().await, []);
}

#[tokio::test]
async fn what_passes_by_itself_is_due_in_the_next_cycle() {
    let mut company = Company::new(&PEOPLE).await;
    for (detail, code) in [
        ("POST x/Users: still status 429 after 6 attempts", ErrorCode::TooManyRequests),
        ("status 503: away", ErrorCode::InternalServerError),
        ("no answer in time", ErrorCode::Timeout),
        ("connection reset", ErrorCode::WebExceptionProtocolError),
    ] {
        company.refuse_person("bo@x.example", Outcome::Later { status: None, detail: detail.to_owned() });
        company.cycle().await;
        assert_eq!(company.target.refused(), 1, "{detail}");
        let failed = company.failed().await;
        assert_eq!((failed[0].code, failed[0].due_second), (code, None), "{detail}");
    }
    // What does not pass begins its own schedule, and does not inherit the outage's age.
    company.stage.second += 10 * DAY;
    let now = company.stage.second;
    company.refuse_person("bo@x.example", refused(403, "not yours"));
    company.cycle().await;
    let failed = company.failed().await;
    assert_eq!((failed[0].first_second, failed[0].due_second), (Some(now), Some(now + 6 * HOUR)));
}

#[tokio::test]
async fn a_changed_person_is_due_at_once() {
    let mut company = Company::new(&PEOPLE).await;
    company.refuse_person("bo@x.example", refused(400, "no"));
    company.cycle().await;
    assert_eq!(company.cycle().await, "u2 create (escrow)\n");
    company.target.refuse(|_| None);
    company.says(&["person u2 bo@x.example Bob Ng"]).await;
    assert_eq!(company.cycle().await, "1 create\n");
}

#[tokio::test]
async fn changed_rules_make_it_due_at_once() {
    let mut company = Company::new(&PEOPLE).await;
    company.refuse_person("bo@x.example", refused(400, "no"));
    company.cycle().await;
    company.target.refuse(|_| None);
    company.says(&["row title department"]).await;
    assert_eq!(company.cycle().await, "1 create\n");
}

#[tokio::test]
async fn people_whom_the_source_or_the_mapping_spoils_block_nobody() {
    let mut company = Company::new(&PEOPLE).await;
    // Two want one name, one has no name at all.
    company.says(&["person u4 cy@x.example Cy Two", "app u1 u2 u3 u4"]).await;
    let text = company.stage.directory.text().replace("\"bo@x.example\"", "\"\"");
    assert_eq!(
        company.stage.cycle_of(&text).await,
        "1 create\nu2 create (held: Mapping)\nu3 create (held: Uniqueness)\nu4 create (held: Uniqueness)\n"
    );
}

#[tokio::test]
async fn a_team_that_the_target_refuses_blocks_neither_people_nor_other_teams() {
    let mut company = Company::new(&PEOPLE).await;
    company.says(&["group g1 Sales u1 u2", "group g2 Ops u3", "app u1 u2 u3 g:g1 g:g2"]).await;
    company.target.refuse(|operation| match operation {
        Operation::Create { kind: Kind::Group, attributes } => {
            (attributes.text("displayName") == Some("Sales")).then(|| refused(422, "no"))
        }
        _ => None,
    });
    company.cycle().await;
    assert_eq!(
        company.stage.workspace().await,
        "[Ops] cy@x.example\nann@x.example Ann Lee\nbo@x.example Bo Ng\ncy@x.example Cy Ito\n"
    );
    let failed = company.failed().await;
    assert_eq!((failed.len(), failed[0].source.0.as_str(), failed[0].kind), (1, "g1", Kind::Group));
}

/// Members go to the target in one request a team; one of them may be why it is refused.
#[tokio::test]
async fn one_member_whom_the_target_refuses_leaves_the_rest_of_the_team() {
    let mut company = Company::new(&[]).await;
    let mut lines = Vec::new();
    for n in 1..=20 {
        lines.push(format!("person u{n} p{n}@x.example P{n} Lee"));
    }
    let all: Vec<String> = (1..=20).map(|n| format!("u{n}")).collect();
    lines.push(format!("group g1 Sales {}", all.join(" ")));
    lines.push(format!("app {} g:g1", all.join(" ")));
    company.says(&lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
    company.stage.command("action teams off").await;
    company.cycle().await;
    let person =
        company.stage.resources(Kind::User).await.into_iter().find(|user| user["userName"] == "p7@x.example");
    let bad = ResourceId(person.unwrap()["id"].as_str().unwrap().to_owned());
    company.stage.command("action teams on").await;
    company.target.refuse(move |operation| match operation {
        Operation::Members { add, .. } => add.contains(&bad).then(|| refused(404, "a member is not there")),
        _ => None,
    });
    let told = company.cycle().await;
    assert_eq!(told, "1 create\n19 add_members\n1 add_members failed\ng1 add u7 (escrow)\n");
    // Halved until it was alone: 20, 10, 5, 2 or 3, and 1.
    assert!(company.target.refused() <= 6);
    let failed = company.failed().await;
    assert_eq!(failed[0].member.as_ref().map(|(id, _)| id.0.as_str()), Some("u7"));
    assert_eq!((failed.len(), failed[0].code), (1, ErrorCode::InvalidAnchor));
    assert_eq!(company.retry(Retry::Named("u7".to_owned())).await, 1);
    company.target.refuse(|_| None);
    assert_eq!(company.cycle().await, "1 add_members\n");
}

#[tokio::test]
async fn a_reference_that_fails_holds_up_neither_the_person_nor_others() {
    let mut company = Company::new(&PEOPLE).await;
    company
        .says(&[
            "row manager manager refers",
            "person u1 ann@x.example Ann Lee manager=u3",
            "person u2 bo@x.example Bo Ng manager=u3",
        ])
        .await;
    let ann = "r1";
    company.target.refuse(move |operation| match operation {
        Operation::Patch { id, set, .. } if id.0 == ann => {
            set.iter().any(|(path, _)| path.ends_with("manager")).then(|| refused(400, "no such manager"))
        }
        _ => None,
    });
    let told = company.cycle().await;
    assert!(told.starts_with("3 create\n1 references\n1 references failed\n"), "{told}");
    let failed = company.failed().await;
    assert_eq!((failed.len(), failed[0].path.as_deref().is_some()), (1, true), "{failed:?}");
    assert_eq!(company.retry(Retry::All).await, 1);
    company.target.refuse(|_| None);
    assert_eq!(company.cycle().await, "1 references\n");
}

#[tokio::test]
async fn a_restart_makes_due_what_was_given_up() {
    let mut company = Company::new(&PEOPLE).await;
    company.refuse_person("bo@x.example", refused(400, "no"));
    company.cycle().await;
    company.stage.second += 40 * DAY;
    company.cycle().await;
    assert!(company.failed().await[0].given_up());
    let job = company.stage.store.job("story").await.unwrap();
    let what = Restart { escrow: true, watermark: true, quarantine: true, links: false };
    let restarted = company.stage.store.restart(job.id, what, by_hand()).await.unwrap();
    assert_eq!((restarted.escrow, restarted.links), (1, 0));
    company.target.refuse(|_| None);
    assert_eq!(company.cycle().await, "1 create\n");
}

/// Whoever is wanted is matched anew; nothing is removed, and nobody is doubled.
#[tokio::test]
async fn a_restart_of_the_links_adopts_what_was_ours_and_removes_nothing() {
    let mut company = Company::new(&PEOPLE).await;
    company.says(&["group g1 Sales u1 u2", "app u1 u2 u3 g:g1"]).await;
    company.cycle().await;
    let before = company.stage.workspace().await;
    // Somebody leaves in the same cycle: as nobody is ours for the moment, nothing is taken away.
    let job = company.stage.store.job("story").await.unwrap();
    let what = Restart { links: true, ..Restart::default() };
    let restarted = company.stage.store.restart(job.id, what, by_hand()).await.unwrap();
    assert_eq!((restarted.links, restarted.shared), (4, 0));
    company.says(&["app u1 u2 g:g1"]).await;
    company.cycle().await;
    assert_eq!(company.stage.workspace().await, before);
    assert_eq!(company.cycle().await, "nothing\n");
}

/// What a source remembers of lists that it reads whole is no position among changes, and stays.
#[tokio::test]
async fn a_restart_forgets_how_far_the_changes_have_come() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.cycle().await;
    let job = site.store.job(JOB).await.unwrap();
    let before = site.store.watermarks(job.id).await.unwrap();
    let what = Restart { watermark: true, ..Restart::default() };
    site.store.restart(job.id, what, by_hand()).await.unwrap();
    let after = site.store.watermarks(job.id).await.unwrap();
    assert!(before.len() > after.len(), "{before:?}");
    assert!(after.keys().all(|name| ["assignments", "push", "log"].contains(&name.as_str())), "{after:?}");
    assert_eq!(site.cycle().await.written(), 0, "everything is read anew, and nobody is changed");
}
