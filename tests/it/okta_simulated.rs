//! A simulated Okta org on loopback for the tests of the source itself: its knobs, its clock, and who signs in to it.

use std::time::Duration;

use jiff::Timestamp;
use rosterd::client::Secret;
use rosterd::model::Finding;
use rosterd::model::Grade;
use rosterd::simulators::API_TOKEN;
use rosterd::simulators::Assigned;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::OKTA_CLIENT_ID;
use rosterd::simulators::OKTA_CLIENT_KEY;
use rosterd::simulators::OKTA_CLIENT_KID;
use rosterd::simulators::OktaKnobs;
use rosterd::simulators::Size;
use rosterd::simulators::World;
use rosterd::simulators::serve;
use rosterd::sources::Source;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use rosterd::sources::okta::ServiceApp;
use rosterd::sources::okta::SignIn;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

/// An org that answers until the test ends.
pub struct Simulation {
    pub world: World,
    pub host: String,
    _stop: DropGuard,
}

impl Simulation {
    pub async fn start(users: usize, groups: usize, now: Timestamp) -> Simulation {
        let size = Size { users, groups, memberships_per_user: 2 };
        let world = World::seeded(Flavour::Okta, size, Assigned::Most, 1, now);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let host = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        tokio::spawn(serve(world.clone(), listener, stop.clone()));
        Simulation { world, host, _stop: stop.drop_guard() }
    }

    pub fn knobs(&self, set: impl FnOnce(&mut OktaKnobs)) {
        let mut knobs = self.world.knobs();
        set(&mut knobs.okta);
        self.world.set_knobs(knobs);
    }

    pub fn settings(&self, sign_in: impl Into<SignIn>) -> OktaSettings {
        let mut settings = OktaSettings::new(&self.host, sign_in, OKTA_APP_ID).expect("good settings");
        settings.backoff = Duration::from_millis(1);
        settings
    }

    pub fn source(&self, sign_in: impl Into<SignIn>) -> OktaSource {
        OktaSource::new(self.settings(sign_in)).expect("a source")
    }

    /// The lines of `rosterd check`: grade, subject, text, and the cure below. The host is `HOST`.
    pub async fn check(&self, source: &OktaSource) -> String {
        let findings = source.check().await;
        let lines: Vec<String> = findings.iter().map(line).collect();
        let (host, port) = (self.host.trim_start_matches("http://"), self.host.rsplit(':').next());
        let text = lines.join("\n").replace(host, "HOST");
        text.replace(port.expect("a port"), "PORT")
    }
}

fn line(finding: &Finding) -> String {
    let grade = match finding.grade {
        Grade::Ok => "ok",
        Grade::Warning => "warning",
        Grade::Error => "error",
    };
    let cure = if finding.cure.is_empty() { String::new() } else { format!("\n  cure: {}", finding.cure) };
    format!("{grade} {}: {}{cure}", finding.subject, finding.text)
}

pub fn token() -> Secret {
    Secret::new(API_TOKEN)
}

/// The service application with its registered key.
pub fn service() -> ServiceApp {
    let mut app = ServiceApp::new(OKTA_CLIENT_ID, Secret::new(OKTA_CLIENT_KEY));
    app.key_id = Some(OKTA_CLIENT_KID.to_owned());
    app
}
