//! Which of the recorded and published answers of Microsoft Graph the connector decodes, and why not the others.
//!
//! They lie outside the project, where `ROSTERD_CORPUS` points. Hosts in links are rewritten to the replaying
//! server's.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rosterd::model::Record;
use rosterd::model::SourceObject;
use serde_json::Value;

/// What the connector decodes; each is opened by a test below.
const DECODED: [&str; 51] = [
    "001", "003", "004", "008", "009", "010", "011", "014", "016", "020", "024", "028", "029", "030", "031",
    "034", "038", "042", "043", "045", "046", "047", "048", "049", "050", "053", "054", "057", "058", "059",
    "060", "061", "062", "063", "064", "065", "066", "067", "068", "069", "070", "071", "073", "074", "075",
    "080", "081", "082", "083", "086", "087",
];

/// Also decoded, alone because it makes the test wait as long as Graph says.
pub(crate) const THROTTLED: &str = "088";

/// What it does not decode, and why.
const LEFT_OUT: [(&str, &str); 36] = [
    ("002", WRITES),
    ("005", WRITES),
    ("006", WRITES),
    ("007", WRITES),
    ("012", "getMemberGroups lists every group; we ask checkMemberGroups about one"),
    ("013", WRITES),
    ("015", WRITES),
    ("017", "asks about a service principal, which is neither a person nor a group"),
    ("018", "owners are not read"),
    ("019", WRITES),
    ("021", WRITES),
    ("022", WRITES),
    ("023", WRITES),
    ("025", "getMemberGroups lists every group; we ask checkMemberGroups about one"),
    ("026", GET_BY_IDS),
    ("027", WRITES),
    ("032", WRITES),
    ("033", ALTERNATE_KEY),
    ("035", ALTERNATE_KEY),
    ("036", WRITES),
    ("037", WRITES),
    ("039", WRITES),
    ("040", "applications are not read; the service principal is"),
    ("041", "applications are not read; the service principal is"),
    ("044", GET_BY_IDS),
    ("051", CAST),
    ("052", CAST),
    ("055", "applications are not read; the service principal is"),
    ("056", "directory roles are not read"),
    ("072", "service principals are read by their application id, without a feed"),
    ("076", WRITES),
    ("077", TRANSITIVE),
    ("078", TRANSITIVE),
    ("079", TRANSITIVE),
    ("084", "the recycle bin is listed for users; groups there need Group.Read.All"),
    ("085", GET_BY_IDS),
];

const WRITES: &str = "a write; the connector never writes";
const CAST: &str = "members are read of every type at once, without a cast and a filter";
const GET_BY_IDS: &str = "changed people are read by $batch: getByIds gives a reduced set of properties";
const ALTERNATE_KEY: &str = "the service principal is asked for by its alternate key, not by a filter";
const TRANSITIVE: &str = "nesting is worked out from direct members";

pub(crate) struct Corpus(PathBuf);

impl Corpus {
    pub(crate) fn open() -> Option<Corpus> {
        let Some(place) = std::env::var_os("ROSTERD_CORPUS") else {
            println!("skipped: no corpus");
            return None;
        };
        Some(Corpus(PathBuf::from(place).join("graph")))
    }

    pub(crate) fn names(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub(crate) fn exchange(&self, number: &str) -> Value {
        let name = self.names().into_iter().find(|name| name.starts_with(number)).unwrap();
        serde_json::from_slice(&std::fs::read(self.0.join(name)).unwrap()).unwrap()
    }

    /// The answer's status and body, with links to the replaying server.
    pub(crate) fn answer(&self, number: &str) -> (u16, Value) {
        let exchange = self.exchange(number);
        let status = exchange["response"]["status"].as_u64().unwrap();
        (status.try_into().unwrap(), rewritten(&exchange["response"]["body"]))
    }

    pub(crate) fn body(&self, number: &str) -> Value {
        self.answer(number).1
    }
}

pub(crate) fn rewritten(body: &Value) -> Value {
    let text = body.to_string().replace("https://graph.microsoft.com/v1.0", "{root}");
    serde_json::from_str(&text).unwrap()
}

/// The route that a link of a body leads to.
pub(crate) fn route(link: &Value) -> String {
    format!("GET {}", link.as_str().unwrap().trim_start_matches("{root}"))
}

pub(crate) fn next(body: &Value) -> String {
    route(&body["@odata.nextLink"])
}

pub(crate) fn delta(body: &Value) -> String {
    route(&body["@odata.deltaLink"])
}

pub(crate) fn objects(records: &[Record]) -> Vec<&SourceObject> {
    let mut objects = Vec::new();
    for record in records {
        if let Record::Object(object) = record {
            objects.push(object);
        }
    }
    objects
}

pub(crate) fn text<'a>(object: &'a SourceObject, name: &str) -> &'a str {
    object.attributes.get(name).and_then(Value::as_str).unwrap_or("-")
}

#[test]
fn every_file_is_decoded_or_has_a_reason() {
    let Some(corpus) = Corpus::open() else { return };
    let mut listed: Vec<&str> = DECODED.to_vec();
    listed.push(THROTTLED);
    listed.extend(LEFT_OUT.iter().map(|(number, _)| *number));
    listed.sort_unstable();
    let names = corpus.names();
    let numbers: Vec<&str> = names.iter().map(|name| &name[..3]).collect();
    assert_eq!(listed, numbers);
    let tests = [include_str!("corpus_graph.rs"), include_str!("corpus_graph_lists.rs")].concat();
    for number in DECODED {
        assert!(tests.contains(&format!("\"{number}\"")), "no test opens {number}");
    }
}
