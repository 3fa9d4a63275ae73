//! What a workspace holds after a client has sent all its recorded requests in order: what the client meant. Each client
//! of the corpus has a workspace of its own, in the tolerant dialect, and everything goes over HTTP.

use std::collections::BTreeMap;

use rosterd::scim::Dialect;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::WriteAct;
use serde_json::Value;

use crate::corpus_scim::files;
use crate::server::Got;
use crate::server::Served;

/// One client.
struct Sequence {
    /// The first and the last of its files, by their numbers.
    files: (&'static str, &'static str),
    /// What is there before: endpoint, id and body.
    before: &'static [(&'static str, &'static str, &'static str)],
    /// What later requests call that which a file creates, where its recorded answer does not say it.
    called: &'static [(&'static str, &'static str)],
    /// Files that are answered with a refusal; each has its reason in `corpus_scim/cases.rs`.
    refused: &'static [&'static str],
    /// The people, by their names, then the teams.
    after: &'static str,
}

const ENTRA: Sequence = Sequence {
    files: ("001", "009"),
    before: &[
        ("Users", "5d48a0a8e9f04aa38008", r#"{"userName": "read"}"#),
        ("Users", "f648f8d5ea4e4cd38e9c", r#"{"userName": "joins-and-leaves"}"#),
        ("Users", "stays", r#"{"userName": "stays"}"#),
        ("Users", "found", r#"{"userName": "Test_User_dfeef4c5-5681-4387-b016-bdf221e82081"}"#),
        (
            "Users",
            "6764549bef60420686bc",
            r#"{"userName": "old", "name": {"givenName": "givenName", "familyName": "old"},
                "emails": [{"type": "work", "value": "old@x.example"}, {"type": "home", "value": "home@x.example"}]}"#,
        ),
        ("Groups", "40734ae655284ad3abcc", r#"{"displayName": "Read", "members": [{"value": "stays"}]}"#),
        ("Groups", "fa2ce26709934589afc5", r#"{"displayName": "Old", "members": [{"value": "stays"}]}"#),
    ],
    called: &[],
    refused: &[],
    after: "\
joins-and-leaves active
read active
stays active
Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1 active, givenName familyName, user-23e31a21@example.com
Test_User_dfeef4c5-5681-4387-b016-bdf221e82081 active
user-7e233d27@example.com inactive, givenName updatedFamilyName, user-6692a446@example.com, home@x.example
team 1879db59-3bdf-4490-ad68-ab880a269474updatedDisplayName: stays
team displayName:
team Read: stays
",
};

const OKTA: Sequence = Sequence {
    files: ("010", "018"),
    before: &[("Users", "89bb1940-b905-4575-9e7f-6f887cfb368e", r#"{"userName": "other"}"#)],
    called: &[],
    refused: &[],
    after: "\
other active
test.user@okta.local inactive, Another Excited User, test.user@okta.local
team Test SCIMv2: other, test.user@okta.local
",
};

const OKTA_TEST_SUITE: Sequence = Sequence {
    files: ("019", "025"),
    before: &[
        ("Users", "a", r#"{"userName": "a"}"#),
        ("Users", "b", r#"{"userName": "b"}"#),
        ("Users", "c", r#"{"userName": "c"}"#),
    ],
    called: &[("023", "{{idUserOne}}")],
    refused: &["022"],
    after: "\
a active
b active
c active
{{randomUsername}}@okta.example.com inactive, {{randomGivenName}} {{randomFamilyName}}, {{randomEmail}}
",
};

const MICROSOFT: Sequence = Sequence {
    files: ("026", "037"),
    before: &[
        ("Users", "{{id3}}", r#"{"userName": "user3"}"#),
        ("Users", "{{id4}}", r#"{"userName": "user4"}"#),
        ("Users", "old", r#"{"userName": "old"}"#),
        ("Groups", "{{groupid3}}", r#"{"displayName": "Group3", "members": [{"value": "old"}]}"#),
    ],
    called: &[("026", "{{id1}}"), ("027", "{{id2}}"), ("031", "{{groupid}}")],
    refused: &[],
    after: "\
old active
ryan3 active, Ryan Leenay, user-d9401e69@example.com, user-daeafaa1@example.com
user3 active
user4 active
UserNameReplace2 active, NewName, user-3438eda9@example.com, user-daeafaa1@example.com
team Group1DisplayName:
team GroupDisplayName2: user3
team putName: user3, user4
",
};

const MICROSOFT_GARBAGE: Sequence = Sequence {
    files: ("038", "050"),
    before: &[
        ("Users", "string id 1", r#"{"userName": "joins"}"#),
        ("Groups", "{{1stgroupid}}", r#"{"displayName": "First"}"#),
    ],
    called: &[("038", "{{1stuserid}}")],
    refused: &["040", "041", "047", "048"],
    after: "\
emp1 active, Daniel Mcgee, Site engineer, user-a79cd171@example.com, anna33@example.com, 312-320-0500, 312-320-1707, 312-320-0932
enterprise active, Daniel Mcgee, Site engineer, user-a79cd171@example.com, anna33@example.com, 312-320-0500, 312-320-1707, 312-320-0932, department some department
joins active
newusername inactive, Daniel Mcgee, Site engineer, anna33@example.com, user-a79cd171@example.com, 312-320-0500, 312-320-1707, 312-320-0932
team First: joins
",
};

const POLIS: Sequence = Sequence {
    files: ("051", "069"),
    before: &[
        (
            "Users",
            "USERID",
            r#"{"userName": "ann", "title": "Boss", "displayName": "Ann", "name": {"givenName": "Ann", "familyName": "Lee"},
                "phoneNumbers": [{"type": "work", "value": "1"}],
                "addresses": [{"type": "work", "streetAddress": "Road 1", "country": "US"}]}"#,
        ),
        ("Users", "USERID1", r#"{"userName": "one"}"#),
        ("Users", "USERID2", r#"{"userName": "two"}"#),
        ("Groups", "GROUPID", r#"{"displayName": "Old"}"#),
    ],
    called: &[],
    refused: &["053", "056", "065"],
    after: "\
ann inactive, user-624ddbfe@example.com, department VALUE
one active
two active
team Developers: two
",
};

#[tokio::test]
async fn after_all_its_requests_a_workspace_holds_what_entra_meant() {
    play(&ENTRA).await;
}

#[tokio::test]
async fn after_all_its_requests_a_workspace_holds_what_okta_meant() {
    play(&OKTA).await;
    play(&OKTA_TEST_SUITE).await;
}

#[tokio::test]
async fn after_all_its_requests_a_workspace_holds_what_the_collections_of_microsoft_mean() {
    play(&MICROSOFT).await;
    play(&MICROSOFT_GARBAGE).await;
}

#[tokio::test]
async fn after_all_its_requests_a_workspace_holds_what_a_directory_sync_server_expects() {
    play(&POLIS).await;
}

async fn play(sequence: &Sequence) {
    let Some(files) = files() else {
        println!("skipped: no corpus");
        return;
    };
    let served = Served::start(Dialect::Tolerant).await;
    seed(&served, sequence).await;
    let (first, last) = sequence.files;
    let mut ids = BTreeMap::new();
    let played = files.iter().filter(|(file, _)| (first..=last).contains(&&file[..3]));
    let mut count = 0;
    for (file, exchange) in played {
        let got = send(&served, &exchange["request"], &ids).await;
        let refused = sequence.refused.contains(&&file[..3]);
        assert_eq!((400..500).contains(&got.status), refused, "{file}: {got:?}");
        assert!(got.status < 500, "{file}: {got:?}");
        if got.status == 201 {
            let id = got.body["id"].as_str().expect("an id").to_owned();
            let called =
                sequence.called.iter().find(|(number, _)| file.starts_with(number)).map(|(_, name)| *name);
            let recorded = exchange["response"]["body"]["id"].as_str();
            ids.extend(called.or(recorded).map(|name| (name.to_owned(), id)));
        }
        count += 1;
    }
    assert!(count > 5, "{count} files from {first} to {last}");
    assert_eq!(told(&served).await, sequence.after, "{first} to {last}");
}

async fn seed(served: &Served, sequence: &Sequence) {
    let act = |(endpoint, id, body): &(&str, &str, &str)| {
        let kind = if *endpoint == "Users" { ResourceType::User } else { ResourceType::Group };
        let body = serde_json::from_str(body).expect("JSON");
        let incoming = incoming(kind, Dialect::Tolerant, &body).expect("a sound body");
        WriteAct::Create { kind, id: ResourceId((*id).to_owned()), incoming, dialect: Dialect::Strict }.into()
    };
    let now = "2026-11-24T08:00:00Z".parse().expect("a time");
    let writes = sequence.before.iter().map(act).collect();
    let author = Author::push("push", "before", false, now);
    for written in served.store.write_resources("main", author, writes).await.expect("the store writes") {
        written.expect("what was there before is sound");
    }
}

/// A recorded request, with our ids where the recorded service had its own.
async fn send(served: &Served, request: &Value, ids: &BTreeMap<String, String>) -> Got {
    let with_ids =
        |text: &str| ids.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours));
    let url = with_ids(request["url"].as_str().expect("a URL"));
    let path = url.split_once("/scim").expect("a SCIM URL").1.trim_start_matches("/v2");
    let path = path.replace('{', "%7B").replace('}', "%7D").replace(' ', "%20").replace('"', "%22");
    let mut headers = vec![("authorization", format!("Bearer {}", served.token))];
    headers.extend(request["headers"]["Content-Type"].as_str().map(|kind| ("content-type", kind.to_owned())));
    // A body that is not JSON was kept as text.
    let body = match &request["body"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        body => Some(with_ids(&body.to_string())),
    };
    let method = request["method"].as_str().expect("a method");
    served.raw(method, &format!("/scim/v2{path}"), &headers, body).await
}

/// Who is there and who is active, and who is in which team, one line each.
async fn told(served: &Served) -> String {
    let users = served.call("GET", "/Users?count=100", None).await.body;
    let groups = served.call("GET", "/Groups?count=100", None).await.body;
    let list = |body: &Value| body["Resources"].as_array().cloned().expect("a list");
    let names: BTreeMap<String, String> =
        list(&users).iter().map(|user| (text(user, "/id"), text(user, "/userName"))).collect();
    let mut people: Vec<String> = list(&users).iter().map(person).collect();
    let mut teams: Vec<String> = list(&groups).iter().map(|group| team(group, &names)).collect();
    people.sort_by_key(|line| line.to_lowercase());
    teams.sort_by_key(|line| line.to_lowercase());
    people.into_iter().chain(teams).map(|line| line + "\n").collect()
}

fn person(user: &Value) -> String {
    let active = if user["active"] == true { "active" } else { "inactive" };
    let mut parts = vec![format!("{} {active}", text(user, "/userName"))];
    let names = ["/name/givenName", "/name/middleName", "/name/familyName"].map(|at| text(user, at));
    let spelled = names.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let formatted = text(user, "/name/formatted");
    parts.push(if formatted.is_empty() { spelled } else { formatted });
    parts.push(text(user, "/title"));
    for list in ["emails", "phoneNumbers", "ims"] {
        let values = user[list].as_array().into_iter().flatten();
        parts.extend(values.map(|value| text(value, "/value")));
    }
    let department = text(user, "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department");
    parts.extend((!department.is_empty()).then(|| format!("department {department}")));
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

fn team(group: &Value, names: &BTreeMap<String, String>) -> String {
    let members = group["members"].as_array().into_iter().flatten();
    let mut members: Vec<&str> = members.map(|member| names[&text(member, "/value")].as_str()).collect();
    members.sort_unstable();
    format!("team {}: {}", text(group, "/displayName"), members.join(", ")).trim_end().to_owned()
}

fn text(value: &Value, at: &str) -> String {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
}
