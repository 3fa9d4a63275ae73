//! The check of a sign-in: which way, what Okta made of it, and which scopes it refuses.

use super::failed;
use super::finding;
use super::ok;
use crate::client::ClientError;
use crate::model::Finding;
use crate::model::Grade;
use crate::sources::okta::OktaSource;
use crate::sources::okta::ServiceApp;
use crate::sources::okta::SignIn;
use crate::sources::okta::advice::GRANT_CURE;
use crate::sources::okta::refusal::Failure;
use crate::sources::okta::sign_in;
use crate::sources::okta::wire::App;

const SUBJECT: &str = "sign-in";

impl OktaSource {
    pub(super) async fn look_at_sign_in(&self) -> Vec<Finding> {
        match self.settings.sign_in() {
            SignIn::Token(_) => vec![self.look_at_token().await],
            SignIn::Service(app) => self.look_at_service(app).await,
        }
    }

    /// A token is accepted or not by any request; the application's says most.
    async fn look_at_token(&self) -> Finding {
        match self.talk.one::<App>(self.below_app(&[], &[])).await {
            Err(Failure::Refused(refusal)) if refusal.status != 401 && !refusal.is_of_host() => {}
            Err(failure) => return failed(Grade::Error, SUBJECT, failure),
            Ok(_) => {}
        }
        ok(
            SUBJECT,
            "an API token (SSWS), accepted; it dies 30 days after its last use, which no schedule comes near, and with \
             the account that made it",
        )
    }

    async fn look_at_service(&self, app: &ServiceApp) -> Vec<Finding> {
        match self.talk.client().sign_in().await {
            Ok(()) => vec![ok(SUBJECT, self.told(app).await)],
            Err(error) => {
                let of_scopes = matches!(&error, ClientError::Denied { cure, .. } if cure == GRANT_CURE);
                let mut findings = vec![failed(Grade::Error, SUBJECT, error.into())];
                if of_scopes {
                    findings.extend(self.look_at_scopes(app).await);
                }
                findings
            }
        }
    }

    async fn told(&self, app: &ServiceApp) -> String {
        let scopes = app.scopes.join(" ");
        let mut text = format!("the service application {}, with the scopes {scopes}", app.client_id);
        if let Some(facts) = self.talk.client().token_facts().await {
            let kind =
                if facts.bound { "bound to a key of this process (DPoP)" } else { "Bearer, without DPoP" };
            let (life, renewed) = (facts.life.as_secs() / 60, facts.renewed_after.as_secs() / 60);
            text += &format!("; its tokens are {kind}, live {life} min and are renewed after {renewed}");
        }
        text
    }

    /// Okta refuses all scopes together and does not say for which; asked one by one, it does.
    async fn look_at_scopes(&self, app: &ServiceApp) -> Vec<Finding> {
        let mut findings = Vec::new();
        for scope in &app.scopes {
            let subject = format!("scope {scope}");
            let one = ServiceApp { scopes: vec![scope.clone()], ..app.clone() };
            let asked = match sign_in::client_as(&self.settings, &one.into()) {
                Ok(client) => client.sign_in().await,
                Err(error) => Err(error),
            };
            findings.push(match asked {
                Ok(()) => ok(&subject, "granted"),
                Err(ClientError::Denied { .. }) => finding(
                    Grade::Error,
                    &subject,
                    "not granted".to_owned(),
                    "grant it to the application (Okta API Scopes, as a super administrator), or take it out of `scopes`",
                ),
                Err(error) => failed(Grade::Error, &subject, error.into()),
            });
        }
        findings
    }
}
