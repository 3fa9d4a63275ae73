//! Group push mappings and pages of the System Log, as a cycle and its witness meet them.

use jiff::Timestamp;
use rosterd::model::Collection;
use rosterd::model::Container;
use rosterd::model::Coverage;
use rosterd::model::Reading;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::okta::OktaSource;
use serde_json::json;

use super::super::okta_log;
use super::super::okta_org::Reply;
use super::super::okta_org::pull;
use super::exchange::corpus;
use super::exchange::empty_org;
use super::exchange::exchange;
use super::exchange::id;

/// A list of two mappings, one of them deactivated, and one mapping by itself.
pub const MAPPINGS: [&str; 2] = ["083-group-push-list-200.json", "084-group-push-create-201.json"];

#[tokio::test]
async fn recorded_mappings_are_a_list_of_pushed_groups() {
    let Some(folder) = corpus() else { return };
    let org = empty_org().await;
    org.tell("/api/v1/apps/0oa1/group-push/mappings?limit=1000", exchange(&folder, MAPPINGS[0]).reply());
    let group = json!([{"id": "00g00000000000000000", "type": "OKTA_GROUP", "profile": {"name": "Sales"}}]);
    org.tell("/api/v1/groups?filter=id+eq+%2200g00000000000000000%22&limit=200", Reply::ok(group));
    let mut settings = org.settings("0oa1");
    settings.push_mappings = true;
    let source = OktaSource::new(settings).expect("a source");
    let reads = source.reads(&Watermarks::new(), Reading::Full, Timestamp::UNIX_EPOCH);
    let pulled = pull(&source, reads).await.expect("whole");
    assert_eq!(
        pulled.short(),
        "\
app push:0oa1 > 00g00000000000000000 status=ACTIVE;target=00g00000000000000001;error=
app push:0oa1 > 00g00000000000000002 status=INACTIVE;target=00g00000000000000003;error=
group 00g00000000000000000 (Enabled)"
    );
    assert_eq!(pulled.covered[1], (Collection::Assignments(id("push:0oa1")), Coverage::Full));
}

#[tokio::test]
async fn a_recorded_mapping_is_testimony_that_its_group_is_pushed() {
    let Some(folder) = corpus() else { return };
    let org = empty_org().await;
    let group = "00g00000000000000000";
    let target = format!("/api/v1/apps/0oa1/group-push/mappings?limit=100&sourceGroupId={group}");
    org.tell(&target, Reply::ok(json!([exchange(&folder, MAPPINGS[1]).body()])));
    let question = WitnessQuestion::Held {
        container: Container::App(id("push:0oa1")),
        principal: id(group),
        kind: Kind::Group,
    };
    assert_eq!(org.source("0oa1").witness(&[question]).await.expect("an answer"), [WitnessAnswer::Present]);
}

/// Pages of the log, and the beginning of what the cycle notes of them. Events that concern nobody say nothing.
pub const LOGS: &[(&str, Option<&str>)] = &[
    ("096-logs-listlogs-200.json", None),
    // One event instead of a list: a slip of the specification, and the lists go on without the log.
    ("097-logs-listlogswithadditionalsecuritycontext-200.json", Some("the System Log cannot be read (GET ")),
    ("098-logs-basic-200.json", None),
];

#[tokio::test]
async fn recorded_pages_of_the_log_are_read_and_remove_nobody() {
    let Some(folder) = corpus() else { return };
    for (file, note) in LOGS {
        let org = empty_org().await;
        org.tell(&okta_log::since("2026-03-02T09:45:00Z"), exchange(&folder, file).reply());
        let source = OktaSource::new(okta_log::settings(&org)).expect("a source");
        let now = "2026-03-02T10:00:00Z".parse().expect("a time");
        let reads = source.reads(&Watermarks::new(), Reading::Incremental, now);
        let pulled = pull(&source, reads).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(pulled.records, [], "{file}");
        match note {
            None => assert_eq!(pulled.notes, Vec::<String>::new(), "{file}"),
            Some(begins) => assert!(pulled.notes[0].starts_with(begins), "{file}: {:?}", pulled.notes),
        }
    }
}
