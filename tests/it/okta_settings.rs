//! The settings of an Okta org: what is understood, and what cannot be, with file, line, key and cure.

use std::fs;

use rosterd::config::Config;
use rosterd::config::Layers;
use rosterd::config::Merged;
use rosterd::config::OktaConfig;
use rosterd::config::OktaSignIn;
use rosterd::config::SourceConfig;
use rosterd::sources::okta::Share;
use tempfile::TempDir;

/// `okta` stands below `[jobs.acme.source.okta]`, from line 6 on.
fn checked(okta: &str) -> Result<Config, String> {
    let folder = TempDir::new().unwrap();
    let text = format!(
        "[jobs.acme]\ntarget = \"local\"\nscope.users.assigned_to = \"0oa1\"\nmapping.preset = \"cerby\"\n\
         [jobs.acme.source.okta]\n{okta}\n[targets.local.workspace]\nname = \"main\"\n"
    );
    fs::write(folder.path().join("rosterd.toml"), text).unwrap();
    let layers = Layers { file: Some(folder.path().join("rosterd.toml")), ..Layers::default() };
    let merged = Merged::read(&layers).unwrap_or_else(|problems| panic!("{problems}"));
    let anonymous = |text: String| text.replace(&folder.path().display().to_string(), "DIR");
    merged.check().map_err(|problems| anonymous(problems.to_string()))
}

fn understood(okta: &str) -> OktaConfig {
    let config = checked(okta).unwrap_or_else(|text| panic!("{text}"));
    match &config.jobs["acme"].source {
        SourceConfig::Okta(okta) => okta.clone(),
        _ => panic!("okta"),
    }
}

#[track_caller]
fn refused(okta: &str, expected: &str) {
    let text = checked(okta).err().unwrap_or_default();
    assert_eq!(text.trim_end(), format!("{expected}\n1 problem in the settings"));
}

const URL: &str = "url = \"https://acme.okta.com\"";

#[test]
fn a_token_or_a_service_application_signs_in() {
    let okta = understood(&format!("{URL}\ntoken = \"env:T\""));
    assert!(matches!(&okta.sign_in, OktaSignIn::Token(place) if place.to_string() == "env:T"));
    assert_eq!((okta.rate_share, okta.repeats_max, okta.also_hosts.len()), (Share::DEFAULT, None, 0));
    let okta = understood(&format!(
        "{URL}\nclient_id = \"0oa9\"\nprivate_key = \"cred:okta.pem\"\nkey_id = \"k1\"\n\
         scopes = [\"okta.apps.read\", \"okta.groups.read\"]\nrate_share = \"80 %\"\nrepeats_max = 10\n\
         also_hosts = \"acme-admin.okta.com\""
    ));
    let OktaSignIn::Service { client_id, private_key, key_id, scopes } = &okta.sign_in else {
        panic!("a service")
    };
    assert_eq!((client_id.as_str(), private_key.to_string().as_str()), ("0oa9", "cred:okta.pem"));
    assert_eq!((key_id.as_deref(), scopes.as_ref().map(Vec::len)), (Some("k1"), Some(2)));
    assert_eq!((okta.rate_share, okta.repeats_max), (Share::percent(80).unwrap(), Some(10)));
    assert_eq!(okta.also_hosts, ["acme-admin.okta.com"]);
}

#[test]
fn there_is_one_way_to_sign_in() {
    refused(
        URL,
        "error: no way to sign in to the org for `jobs.acme.source.okta.token`\n  --> DIR/rosterd.toml:5:19\n  cure: set `client_id` and `private_key` of a service application, or `token`: file:PATH, env:NAME or cred:NAME",
    );
    refused(
        &format!("{URL}\ntoken = \"env:T\"\nclient_id = \"0oa9\"\nprivate_key = \"env:K\""),
        "error: two ways to sign in to the org for `jobs.acme.source.okta.client_id`\n  --> DIR/rosterd.toml:8:1\n  cure: keep `token`, or take it out and keep `client_id` and `private_key` of a service application",
    );
    refused(
        &format!("{URL}\ntoken = \"env:T\"\nscopes = \"okta.apps.read\""),
        "error: two ways to sign in to the org for `jobs.acme.source.okta.scopes`\n  --> DIR/rosterd.toml:8:1\n  cure: keep `token`, or take it out and keep `client_id` and `private_key` of a service application",
    );
}

#[test]
fn a_service_application_is_whole() {
    refused(
        &format!("{URL}\nclient_id = \"0oa9\""),
        "error: missing for `jobs.acme.source.okta.private_key`\n  --> DIR/rosterd.toml:5:19\n  cure: set it to the place of the application's private key, PEM or JWK: file:PATH, env:NAME or cred:NAME",
    );
    refused(
        &format!("{URL}\nprivate_key = \"env:K\""),
        "error: missing for `jobs.acme.source.okta.client_id`\n  --> DIR/rosterd.toml:5:19\n  cure: set it to the client id of the service application (0oa…)",
    );
    refused(
        &format!("{URL}\nclient_id = \"0oa9\"\nprivate_key = \"-----BEGIN PRIVATE KEY-----\""),
        "error: a secret is never written into the settings for `jobs.acme.source.okta.private_key`\n  --> DIR/rosterd.toml:8:1\n  cure: say where it lies: file:PATH, env:NAME or cred:NAME",
    );
    refused(
        &format!("{URL}\nclient_id = \"0oa9\"\nprivate_key = \"env:K\"\nscopes = []"),
        "error: no scope is named for `jobs.acme.source.okta.scopes`\n  --> DIR/rosterd.toml:9:1\n  cure: leave `scopes` out, or name those that the application was granted",
    );
    refused(
        &format!("{URL}\nclient_id = \"0oa9\"\nprivate_key = \"env:K\"\nscopes = [\"openid\"]"),
        "error: `openid` is no scope for `jobs.acme.source.okta.scopes`\n  --> DIR/rosterd.toml:9:1\n  cure: scopes look like okta.users.read",
    );
}

#[test]
fn shares_and_hosts_are_written_plainly() {
    for text in ["50", "0%", "101%", "half"] {
        refused(
            &format!("{URL}\ntoken = \"env:T\"\nrate_share = \"{text}\""),
            &format!(
                "error: `{text}` is no share of Okta's allowances for `jobs.acme.source.okta.rate_share`\n  --> DIR/rosterd.toml:8:1\n  cure: write a percentage from 1 to 100, such as \"50%\""
            ),
        );
    }
    refused(
        &format!("{URL}\ntoken = \"env:T\"\nalso_hosts = [\"https://acme.okta.com\"]"),
        "error: `https://acme.okta.com` is no host that links may lead to for `jobs.acme.source.okta.also_hosts`\n  --> DIR/rosterd.toml:8:1\n  cure: write it without scheme and path: acme.okta.com",
    );
}
