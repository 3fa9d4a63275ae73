//! Every way to sign in to the simulated tenant, with the knobs that check it: from the token to the workspace.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use rosterd::client::Algorithm;
use rosterd::client::Assertion;
use rosterd::client::IdentityHost;
use rosterd::client::KeyName;
use rosterd::client::WhichIdentity;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::sources::graph::AssertionForm;
use rosterd::sources::graph::SignIn;
use tempfile::TempDir;

use super::graph_knobs::a_day;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use crate::support::keys;

/// The knobs that are turned here.
pub const TURNED: [&str; 7] = [
    "certificates",
    "federated",
    "jti_once",
    "assertion_clock",
    "clock_skew_seconds",
    "identities",
    "arc_directory",
];

const IDENTITIES: [&str; 2] =
    ["66666666-aaaa-4bbb-8ccc-000000000006", "77777777-aaaa-4bbb-8ccc-000000000007"];

fn pem(name: &str) -> String {
    std::fs::read_to_string(keys::path(name)).expect("a key")
}

async fn begun() -> Site {
    let world = acme(Flavour::Graph);
    let staff =
        rosterd::simulators::Change::CreateGroup { name: "Staff".to_owned(), id: None, assigned: true };
    world.change(staff).expect("a group");
    for given in ["Pia", "Quin", "Rob"] {
        hire(&world, given, &["Staff"], false);
    }
    Site::start(world).await
}

fn signs_in_by(site: &mut Site, sign_in: SignIn) {
    site.graph(|settings| {
        settings.patience = Duration::from_millis(20);
        settings.sign_in = sign_in;
    });
}

/// Two cycles, between which the token ends.
async fn goes_well(site: &mut Site, name: &str) {
    site.cycle().await;
    a_day(site);
    site.now += SignedDuration::from_hours(2);
    site.cycle().await;
    let differences = site.differences().await;
    assert!(differences.is_empty(), "{name}: {differences:#?}");
}

fn certificate(form: AssertionForm) -> SignIn {
    SignIn::Certificate { pair: Box::new(keys::pair("rsa.certificate.pem")), form }
}

fn register(site: &Site) {
    let mut knobs = site.world.knobs();
    knobs.graph.certificates = vec![pem("rsa.certificate.pem")];
    site.world.set_knobs(knobs);
}

/// Each assertion is a new one: a second use of the first would be refused.
#[tokio::test]
async fn a_certificate_signs_in_with_an_assertion_of_its_own_each_time() {
    for form in AssertionForm::ALL {
        let mut site = begun().await;
        site.world.turn("jti_once=true").expect("a knob");
        register(&site);
        signs_in_by(&mut site, certificate(form));
        goes_well(&mut site, form.name()).await;
        assert!(site.world.counters().of(Route::Token) >= 2, "the first token had ended");
    }
}

/// Assertions are judged by the service's clock. Where it is not ours, its answer tells its time, and the next assertion
/// goes by that.
#[tokio::test]
async fn a_clock_that_differs_is_followed() {
    for knob in ["clock_skew_seconds=3600", "clock_skew_seconds=-3600"] {
        let mut site = begun().await;
        register(&site);
        site.world.turn(knob).expect("a knob");
        signs_in_by(&mut site, certificate(AssertionForm::Ps256));
        goes_well(&mut site, knob).await;
    }
    let mut site = begun().await;
    register(&site);
    site.world.turn("assertion_clock=world").expect("a knob");
    signs_in_by(&mut site, certificate(AssertionForm::Ps256));
    site.now = Timestamp::now();
    site.cycle().await;
    site.equals().await;
}

#[tokio::test]
async fn a_federated_token_signs_in_and_one_of_somebody_else_does_not() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("token");
    let write = |issuer: &str| {
        let (key, audience) = (keys::key("rsa.pkcs8.pem"), "api://AzureADTokenExchange");
        let assertion = Assertion::new(key, Algorithm::Rs256, KeyName::Unnamed, issuer, audience);
        let token = assertion.and_then(|assertion| assertion.sign(Timestamp::now(), "1")).expect("a token");
        std::fs::write(&path, token).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    };
    let mut site = begun().await;
    let mut knobs = site.world.knobs();
    knobs.graph.federated.issuer = "https://issuer.example".to_owned();
    knobs.graph.federated.subject = "https://issuer.example".to_owned();
    knobs.graph.federated.keys = vec![pem("rsa.public.pem")];
    site.world.set_knobs(knobs);
    write("https://issuer.example");
    signs_in_by(&mut site, SignIn::Federated { place: format!("file:{}", path.display()) });
    goes_well(&mut site, "federated").await;

    let listing = site.listing().await;
    write("https://other.example");
    site.now += SignedDuration::from_hours(2);
    let error = site.cycle_fails().await;
    assert!(error.contains("compare issuer, subject and audience"), "{error}");
    assert_eq!(site.listing().await, listing);
}

/// With several identities the machine has to be told which.
#[tokio::test]
async fn the_identity_of_a_machine_signs_in_by_its_name() {
    let mut site = begun().await;
    let mut knobs = site.world.knobs();
    knobs.graph.identities = IDENTITIES.map(str::to_owned).to_vec();
    site.world.set_knobs(knobs);
    let endpoint = site.address("/metadata/identity/oauth2/token");
    let by = |which| SignIn::Identity(IdentityHost::machine(which).at(endpoint.clone()));
    signs_in_by(&mut site, by(WhichIdentity::System));
    let error = site.cycle_fails().await;
    assert!(error.contains("identit"), "{error}");
    assert_eq!(site.accounts().await, [] as [&str; 0]);
    signs_in_by(&mut site, by(WhichIdentity::ClientId(IDENTITIES[1].to_owned())));
    goes_well(&mut site, "identity").await;
}

/// The agent proves by a file that only somebody on the machine can read that it is asked from there.
#[tokio::test]
async fn the_agent_of_a_machine_elsewhere_signs_in() {
    let folder = TempDir::new().expect("a folder");
    let mut site = begun().await;
    let mut knobs = site.world.knobs();
    knobs.graph.arc_directory = Some(folder.path().display().to_string());
    site.world.set_knobs(knobs);
    let endpoint = site.address("/metadata/identity/oauth2/token");
    let token_directory = folder.path().to_path_buf();
    signs_in_by(&mut site, SignIn::Identity(IdentityHost::Arc { endpoint, token_directory }));
    goes_well(&mut site, "arc").await;
}
