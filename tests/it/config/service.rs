//! Settings of the HTTP service: where it listens, and what it takes on.

use std::time::Duration;

use rosterd::server::GroupPatch;
use rosterd::server::IfMatch;
use rosterd::server::Limits;

use super::GOOD;
use super::Settings;

fn problems(more: &str) -> String {
    Settings::new(&format!("{GOOD}{more}")).problems()
}

#[test]
fn the_service_has_its_limits_without_a_table() {
    let service = Settings::new(GOOD).config().service;
    assert_eq!((service.prefix.as_str(), service.limits), ("/scim/v2", Limits::default()));
    let limits = service.limits;
    assert_eq!((limits.body_bytes, limits.group_body_bytes), (1024 * 1024, 8 * 1024 * 1024));
    assert_eq!((limits.json_depth, limits.list_values, limits.patch_operations), (32, 20_000, 1000));
    assert_eq!((limits.url_bytes, limits.filter_bytes), (16 * 1024, 8 * 1024));
    assert!(limits.rate >= 25, "Entra must be sustained");
}

#[test]
fn every_limit_has_a_setting() {
    let more = r#"
[scim]
prefix = "/directory/v2/"
url = "https://sync.acme.example/"
discovery_without_token = true
connections = 10
head_wait = "5s"
body_wait = "6s"
url_bytes = 2048
body_bytes = 4096
group_body_bytes = 8192
bulk_bytes = 16384
bulk_operations = 7
json_depth = 16
list_values = 200
patch_operations = 9
filter_bytes = 512
filter_depth = 5
filter_comparisons = 6
head_lines = 40
page_max = 50
page_default = 20
cursor_wait = "2h"
concurrent = 3
rate = 30
burst = 60
[scim.tenants.okta]
group_patch = "group"
if_match = "required"
unquoted_filters = true
"#;
    let service = Settings::new(&format!("{GOOD}{more}")).config().service;
    assert_eq!(service.prefix, "/directory/v2");
    assert_eq!(service.public_url.as_deref(), Some("https://sync.acme.example"));
    assert!(service.discovery_without_token);
    let limits = Limits {
        connections: 10,
        head_wait: Duration::from_secs(5),
        body_wait: Duration::from_secs(6),
        url_bytes: 2048,
        body_bytes: 4096,
        group_body_bytes: 8192,
        bulk_bytes: 16384,
        bulk_operations: 7,
        json_depth: 16,
        list_values: 200,
        patch_operations: 9,
        filter_bytes: 512,
        filter_depth: 5,
        filter_comparisons: 6,
        head_lines: 40,
        page_max: 50,
        page_default: 20,
        concurrent: 3,
        rate: 30,
        burst: 60,
        cursor_wait: Duration::from_secs(7200),
    };
    assert_eq!(service.limits, limits);
    let okta = service.tenant("okta");
    assert_eq!((okta.group_patch, okta.if_match), (GroupPatch::Group, IfMatch::Required));
    assert!(okta.unquoted_filters && !service.tenant("push").unquoted_filters);
    assert_eq!(service.tenant("push").if_match, IfMatch::Optional);
}

#[test]
fn limits_out_of_bounds_are_told_with_the_bounds() {
    let text = problems(
        "[scim]\npage_max = 0\nbody_wait = \"soon\"\nrates = 5\nprefix = \"scim\"\nurl = \"sync\"\n",
    );
    for expected in [
        "error: 0 is out of bounds for `scim.page_max`\n  --> DIR/rosterd.toml:15:1\n  cure: choose one from 1 to 10000",
        "error: `soon` is not a time to wait for `scim.body_wait`",
        "error: unknown key for `scim.rates`\n  --> DIR/rosterd.toml:17:1\n  cure: did you mean `rate`?",
        "error: `scim` is not a path that the service can lie at for `scim.prefix`",
        "error: `sync` is not the address of a service for `scim.url`",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    for taken in ["/", "/healthz", "/api/scim", "/a//b", "/a b"] {
        assert!(problems(&format!("[scim]\nprefix = \"{taken}\"\n")).contains("scim.prefix"), "{taken}");
    }
    let warned = Settings::new(&format!("{GOOD}[scim]\nprefix = \"/acme_scim/v2\"\n")).config().warnings;
    assert!(warned.iter().any(|problem| problem.message.contains("Okta")), "{warned:?}");
}

#[test]
fn other_hosts_are_listened_to_only_where_plain_http_is_meant() {
    let text = problems("[daemon]\nlisten = \"0.0.0.0:8480\"\n");
    assert!(text.starts_with("error: other hosts would reach this address by plain HTTP"), "{text}");
    assert!(text.contains("daemon.plain_http = true"), "{text}");
    let meant =
        Settings::new(&format!("{GOOD}[daemon]\nlisten = \"0.0.0.0:8480\"\nplain_http = true\n")).config();
    assert_eq!(meant.daemon.listen.to_string(), "0.0.0.0:8480");
    assert_eq!(problems("[daemon]\nlisten = \"[::1]:8480\"\n"), "");
}
