//! The settings of signing in to Graph: what is understood, and what cannot be, with file, line, key and cure.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use rosterd::client::IdentityHost;
use rosterd::client::WhichIdentity;
use rosterd::config::Config;
use rosterd::config::GraphConfig;
use rosterd::config::Layers;
use rosterd::config::Merged;
use rosterd::config::SignInConfig;
use rosterd::config::SourceConfig;
use rosterd::sources::graph::AssertionForm;
use rosterd::sources::graph::Cloud;
use rosterd::sources::graph::SignIn;
use rosterd::sources::graph::TenantSize;

use crate::support::keys;

struct Settings {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// `graph` stands below `[jobs.acme.source.graph]`, from line 6 on.
fn settings(graph: &str) -> Settings {
    let folder = TempDir::new().unwrap();
    let text = format!(
        "[jobs.acme]\ntarget = \"local\"\nscope.users.all = true\nmapping.preset = \"cerby\"\n\
         [jobs.acme.source.graph]\n{graph}\n[targets.local.workspace]\nname = \"main\"\n"
    );
    fs::write(folder.path().join("rosterd.toml"), text).unwrap();
    Settings { folder, variables: Vec::new() }
}

impl Settings {
    fn merged(&self) -> Merged {
        let file = Some(self.folder.path().join("rosterd.toml"));
        let layers = Layers { file, variables: self.variables.clone(), ..Layers::default() };
        Merged::read(&layers).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn anonymous(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "DIR")
    }

    fn config(&self) -> Config {
        self.merged().check().unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn graph(&self) -> GraphConfig {
        match &self.config().jobs["acme"].source {
            SourceConfig::Graph(graph) => graph.clone(),
            _ => panic!("graph"),
        }
    }

    fn problems(&self) -> String {
        let problems = self.merged().check().err().map(|problems| problems.to_string());
        self.anonymous(&problems.unwrap_or_default())
    }

    /// What `config check` says of what lies outside the settings.
    fn secret_problems(&self) -> Vec<String> {
        let problems = self.merged().check_secrets(&self.config());
        problems.iter().map(|problem| self.anonymous(&problem.to_string())).collect()
    }

    /// A file of its own, readable by its owner alone.
    fn file(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

const APPLICATION: &str = "tenant = \"t1\"\nclient_id = \"c1\"\n";

#[test]
fn the_share_of_the_allowance_and_the_size_of_the_tenant_are_understood() {
    let graph = |more: &str| settings(&format!("{APPLICATION}secret = \"env:A\"\n{more}")).graph();
    let usual = graph("");
    assert_eq!((usual.budget_percent, usual.tenant_size), (50, None));
    let set = graph("budget = \"80%\"\ntenant_size = \"large\"");
    assert_eq!((set.budget_percent, set.tenant_size), (80, Some(TenantSize::Large)));
}

#[test]
fn every_way_to_sign_in_is_understood() {
    let sign_in = |more: &str| settings(&format!("{APPLICATION}{more}")).graph().sign_in;
    let SignInConfig::Secrets(places) = sign_in("secret = [\"env:NEW\", \"env:OLD\"]") else {
        panic!("secret")
    };
    assert_eq!(places.iter().map(ToString::to_string).collect::<Vec<_>>(), ["env:NEW", "env:OLD"]);
    let one = sign_in("certificate = \"cred:graph.pem\"");
    assert!(matches!(one, SignInConfig::Certificate { key: None, form: AssertionForm::Ps256, .. }));
    let two =
        sign_in("certificate = \"file:/c.pem\"\ncertificate_key = \"file:/k.pem\"\nassertion = \"RS256\"");
    assert!(matches!(two, SignInConfig::Certificate { key: Some(_), form: AssertionForm::Rs256, .. }));
    let federated = sign_in("federated_token = \"file:/token\"\nsecret_expires = \"2027-01-31\"");
    assert!(matches!(federated, SignInConfig::Federated(place) if place.to_string() == "file:/token"));

    let machine = |more: &str| match settings(&format!("tenant = \"t1\"\n{more}")).graph().sign_in {
        SignInConfig::Identity(host) => host,
        other => panic!("{other:?}"),
    };
    assert_eq!(machine("managed_identity = true"), IdentityHost::machine(WhichIdentity::System));
    assert_eq!(
        machine("managed_identity = { client_id = \"i1\" }"),
        IdentityHost::machine(WhichIdentity::ClientId("i1".to_owned()))
    );
    assert_eq!(
        machine(
            "managed_identity.msi_res_id = \"/subscriptions/s\"\nmanaged_identity.endpoint = \"http://169.254.169.254/x\""
        ),
        IdentityHost::machine(WhichIdentity::ResourceId("/subscriptions/s".to_owned()))
            .at("http://169.254.169.254/x".parse().unwrap())
    );
    assert_eq!(machine("azure_arc = true"), IdentityHost::arc());
    let arc = machine("azure_arc = { token_directory = \"/tokens\" }");
    assert!(matches!(arc, IdentityHost::Arc { token_directory, .. } if token_directory.ends_with("tokens")));
}

#[test]
fn a_variable_reaches_every_way() {
    let mut settings = settings("tenant = \"t1\"");
    let name = |key: &str| format!("ROSTERD_JOBS__ACME__SOURCE__GRAPH__{key}");
    settings.variables = vec![(name("MANAGED_IDENTITY"), "true".to_owned())];
    assert!(matches!(settings.graph().sign_in, SignInConfig::Identity(_)));
    settings.variables = vec![(name("MANAGED_IDENTITY__OBJECT_ID"), "o1".to_owned())];
    assert!(matches!(settings.graph().sign_in, SignInConfig::Identity(IdentityHost::Machine {
        which: WhichIdentity::ObjectId(id), ..
    }) if id == "o1"));
}

#[test]
fn a_cloud_sets_both_addresses_and_each_can_be_set_apart() {
    let graph = settings(&format!("{APPLICATION}secret = \"env:S\"\ncloud = \"usgov-l5\"")).graph();
    assert_eq!(graph.cloud, Cloud::UsgovL5);
    let job = settings(&format!(
        "{APPLICATION}secret = \"env:S\"\ncloud = \"china\"\nroot = \"https://g.example\""
    ));
    let config = job.config();
    let graph = job.graph().settings(&config.jobs["acme"].rules, SignIn::Secrets(Vec::new()));
    assert_eq!(graph.authority.as_str(), "https://login.partner.microsoftonline.cn/");
    assert_eq!(graph.root.as_str(), "https://g.example/");
}

#[test]
fn what_cannot_be_is_told_with_its_cure() {
    for (more, problem) in [
        (
            "",
            "error: no way to sign in is set for `jobs.acme.source.graph.secret`\n  --> DIR/rosterd.toml:5:19\n  \
             cure: set one of secret, certificate, federated_token, managed_identity or azure_arc",
        ),
        (
            "secret = \"env:A\"\ncertificate = \"cred:graph.pem\"",
            "error: 2 ways to sign in are set: secret, certificate for `jobs.acme.source.graph.certificate`\n  \
             --> DIR/rosterd.toml:9:1\n  cure: keep one of them",
        ),
        (
            "secret = \"env:A\"\ncertificate_key = \"file:/k\"\nassertion = \"RS256\"",
            "error: it belongs to a certificate, and none is set for `jobs.acme.source.graph.certificate_key`\n  \
             --> DIR/rosterd.toml:9:1\n  cure: set certificate, or take it out\n\
             error: it belongs to a certificate, and none is set for `jobs.acme.source.graph.assertion`\n  \
             --> DIR/rosterd.toml:10:1\n  cure: set certificate, or take it out",
        ),
        (
            "secret = []",
            "error: missing for `jobs.acme.source.graph.secret`\n  --> DIR/rosterd.toml:8:1\n  \
             cure: set it to the place of the client secret: file:PATH, env:NAME or cred:NAME",
        ),
        (
            "certificate = \"-----BEGIN\"",
            "error: a secret is never written into the settings for `jobs.acme.source.graph.certificate`\n  \
             --> DIR/rosterd.toml:8:1\n  cure: say where it lies: file:PATH, env:NAME or cred:NAME",
        ),
        (
            "certificate = \"file:/c\"\nassertion = \"ES256\"",
            "error: an assertion is not signed with `ES256` for `jobs.acme.source.graph.assertion`\n  \
             --> DIR/rosterd.toml:9:1\n  cure: use \"PS256\", or \"RS256\" for keys in old hardware",
        ),
        (
            "certificate = \"file:/c\"\nsecret_expires = \"2027-01-31\"",
            "error: a certificate says itself when it ends for `jobs.acme.source.graph.secret_expires`\n  \
             --> DIR/rosterd.toml:9:1\n  cure: take it out",
        ),
        (
            "secret = \"env:A\"\nsecret_expires = \"31.1.2027\"",
            "error: `31.1.2027` is no day for `jobs.acme.source.graph.secret_expires`\n  \
             --> DIR/rosterd.toml:9:1\n  cure: write one like 2027-01-31",
        ),
        (
            "federated_token = \"env:TOKEN\"",
            "error: a variable cannot be renewed, and a federated token is read for every token for \
             `jobs.acme.source.graph.federated_token`\n  --> DIR/rosterd.toml:8:1\n  cure: name its file: file:PATH",
        ),
        (
            "managed_identity = true",
            "error: the machine's identity signs in, not an application for `jobs.acme.source.graph.client_id`\n  \
             --> DIR/rosterd.toml:7:1\n  cure: take it out; which identity is meant is said by managed_identity = { \
             client_id = \"…\" }",
        ),
        (
            "secret = \"env:A\"\nmanaged_identity = \"perhaps\"",
            "error: a text where true, false or a table is needed for `jobs.acme.source.graph.managed_identity`\n  \
             --> DIR/rosterd.toml:9:1\n  cure: write true, or say more in { }",
        ),
        (
            "secret = \"env:A\"\nazure_arc = { endpiont = \"x\" }",
            "error: 2 ways to sign in are set: secret, azure_arc for `jobs.acme.source.graph.azure_arc`\n  \
             --> DIR/rosterd.toml:9:1\n  cure: keep one of them\n\
             error: unknown key for `jobs.acme.source.graph.azure_arc.endpiont`\n  \
             --> DIR/rosterd.toml:9:15\n  cure: did you mean `endpoint`?",
        ),
        (
            "secret = \"env:A\"\nbudget = \"0%\"\ntenant_size = \"huge\"",
            "error: `0%` is no share of the tenant's allowance for `jobs.acme.source.graph.budget`\n  \
             --> DIR/rosterd.toml:9:1\n  cure: write a share from \"1%\" to \"100%\"\n\
             error: there is no tenant size `huge` for `jobs.acme.source.graph.tenant_size`\n  \
             --> DIR/rosterd.toml:10:1\n  cure: use small (below 50 users), medium (up to 500) or large; without it \
             the users are counted",
        ),
        (
            "secret = \"env:A\"\ncloud = \"usgov\"",
            "error: there is no cloud `usgov` for `jobs.acme.source.graph.cloud`\n  --> DIR/rosterd.toml:9:1\n  \
             cure: use one of global, usgov-l4, usgov-l5, china",
        ),
    ] {
        let text = settings(&format!("{APPLICATION}{more}")).problems();
        let text = text.strip_suffix(" in the settings").unwrap_or(&text);
        let text = text.rsplit_once('\n').map_or(text, |(all, _)| all);
        assert_eq!(text.trim_end(), problem.trim_end(), "{more}");
    }
}

#[test]
fn an_identity_is_named_in_one_way_and_its_service_is_near() {
    let text =
        settings("tenant = \"t1\"\nmanaged_identity = { client_id = \"a\", object_id = \"b\" }").problems();
    assert!(
        text.contains("one identity is named in several ways for `jobs.acme.source.graph.managed_identity`")
    );
    let text =
        settings("tenant = \"t1\"\nazure_arc = { endpoint = \"http://idm.example/token\" }").problems();
    assert!(
        text.contains(
            "plain http would send credentials in the clear for `jobs.acme.source.graph.azure_arc.endpoint`"
        ),
        "{text}"
    );
}

#[test]
fn what_the_source_does_not_take_is_told_with_its_key() {
    let text = settings("tenant = \"common\"\nclient_id = \"a b\"\nsecret = \"env:S\"").problems();
    assert_eq!(
        text,
        "\
error: `common` is no tenant for `jobs.acme.source.graph.tenant`
  --> DIR/rosterd.toml:6:1
  cure: name the tenant's id or one of its domains
error: the client id is no id for `jobs.acme.source.graph.client_id`
  --> DIR/rosterd.toml:7:1
  cure: copy the Application (client) ID
2 problems in the settings"
    );
}

#[test]
fn keys_and_certificates_are_looked_at_where_they_lie() {
    let read = |name: &str| fs::read_to_string(keys::path(name)).unwrap();
    let certificate = read("rsa.certificate.pem");
    let both = certificate.clone() + &read("rsa.pkcs8.pem");
    for (text, problem) in [
        (both.clone(), ""),
        (
            certificate.clone(),
            "there is no private key in it for `jobs.acme.source.graph.certificate`\n  --> DIR/rosterd.toml:8:1\n  \
             cure: put the key into the same PEM file, or name the file of the key",
        ),
        (
            read("rsa.pkcs8.pem"),
            "there is no certificate in it for `jobs.acme.source.graph.certificate`\n  --> DIR/rosterd.toml:8:1\n  \
             cure: put the certificate (-----BEGIN CERTIFICATE-----) into the same PEM file as its key",
        ),
        (
            certificate + &read("rsa.encrypted.pem"),
            "the private key is encrypted for `jobs.acme.source.graph.certificate`\n  --> DIR/rosterd.toml:8:1\n  \
             cure: take its password off: openssl pkey -in FILE -out KEY.pem",
        ),
    ] {
        let settings = settings(&format!("{APPLICATION}certificate = \"file:PLACE\""));
        let place = settings.folder.path().join("graph.pem").display().to_string();
        let path = settings.folder.path().join("rosterd.toml");
        fs::write(&path, fs::read_to_string(&path).unwrap().replace("PLACE", &place)).unwrap();
        settings.file("graph.pem", &text);
        let problems = settings.secret_problems();
        match problem {
            "" => assert!(problems.is_empty(), "{problems:?}"),
            words => assert!(problems.len() == 1 && problems[0].contains(words), "{problems:?}"),
        }
    }
}

#[test]
fn a_pkcs12_file_is_told_how_to_be_converted() {
    let settings =
        settings(&format!("{APPLICATION}certificate = \"file:{}\"", keys::path("pair.p12").display()));
    let place = settings.folder.path().join("pair.p12");
    fs::copy(keys::path("pair.p12"), &place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
    let path = settings.folder.path().join("rosterd.toml");
    let text = fs::read_to_string(&path).unwrap();
    let was = keys::path("pair.p12").display().to_string();
    fs::write(&path, text.replace(&was, &place.display().to_string())).unwrap();
    let problems = settings.secret_problems();
    assert!(problems[0].contains("file:DIR/pair.p12 holds no text"), "{problems:?}");
    assert!(problems[0].contains("openssl pkcs12 -in FILE.pfx -out FILE.pem -noenc"), "{problems:?}");
}
