//! What `rosterd check` looks at: the sign-in, each permission by a call that changes nothing, the application, the
//! scope, and which witness a removal will have.
//!
//! A sign-in that is refused, a token without permissions and a service that does not answer are one line each: what
//! would follow from them is not told again for every call.

mod application;
mod facts;
mod permissions;
mod scope;
mod witnesses;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::door::Graph;
use super::expiry::Expiry;
use super::sign_in::SignIn;
use super::trouble;
use super::trouble::Link;
use super::trouble::Trouble;
use crate::model::Finding;
use crate::model::Grade;
use crate::sources::SourceError;

/// Where an administrator gives permissions.
const CONSENT: &str = "under App registrations, API permissions, and grant admin consent";

/// Reads only.
pub(super) async fn findings(graph: &Graph, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let hasty = match graph.hasty() {
        Ok(hasty) => hasty,
        Err(error) => return vec![problem("sign-in", &error)],
    };
    // What is fatal has said so itself; the rest would only repeat it.
    let _ = all(&hasty, now, &mut findings).await;
    findings
}

/// Nothing more can be found out.
struct Over;

async fn all(graph: &Graph, now: Timestamp, findings: &mut Vec<Finding>) -> Result<(), Over> {
    let roles = sign_in(graph, now, findings).await?;
    let known = permissions::findings(graph, now, findings).await?;
    let assigned = application::findings(graph, findings).await?;
    facts::registration(graph, now, findings).await?;
    scope::findings(graph, roles.as_deref(), findings).await?;
    facts::licence(graph, &assigned, findings).await?;
    facts::delta(graph, &known, findings).await?;
    witnesses::findings(graph, &known, findings).await?;
    findings.push(facts::budget(graph));
    findings.push(facts::hosts(graph));
    Ok(())
}

/// The token, what it holds, and when its credential ends. Answers the permissions where the token shows them.
async fn sign_in(
    graph: &Graph,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<Option<Vec<String>>, Over> {
    let expiry = Expiry::of(&graph.settings, now).map(|expiry| expiry.finding());
    let claims = match graph.client.claims().await {
        Ok(claims) => claims,
        Err(error) => {
            findings.push(problem("sign-in", &trouble::unanswered(error, "sign-in")));
            // It may be the reason.
            findings.extend(expiry.filter(|finding| finding.grade == Grade::Error));
            return Err(Over);
        }
    };
    let (tenant, how) = (&graph.settings.tenant, how(&graph.settings.sign_in));
    findings.push(ok("sign-in", format!("tenant {tenant} gave a token ({how})")));
    findings.extend(expiry);
    match claims {
        Some(claims) => permissions::of_token(&claims, &graph.settings.attributes, findings).map(Some),
        None => Ok(None),
    }
}

fn how(sign_in: &SignIn) -> String {
    match sign_in {
        SignIn::Secrets(_) => "client secret".to_owned(),
        SignIn::Certificate { form, .. } => format!("certificate, {}", form.name()),
        SignIn::Federated { .. } => "federated token".to_owned(),
        SignIn::Identity(_) => "the machine's identity".to_owned(),
    }
}

/// One call. `Err(Over)` where the service is away or knows us no more, and then it has been said.
async fn get<T: DeserializeOwned>(
    graph: &Graph,
    subject: &str,
    address: &str,
    permission: &'static str,
    findings: &mut Vec<Finding>,
) -> Result<Result<T, Trouble>, Over> {
    let heard = match graph.own(address) {
        Ok(url) => graph.get(url, Link::Own, permission).await,
        Err(error) => Err(error.into()),
    };
    over(subject, heard, findings)
}

fn over<T>(
    subject: &str,
    heard: Result<T, Trouble>,
    findings: &mut Vec<Finding>,
) -> Result<Result<T, Trouble>, Over> {
    match heard {
        Err(Trouble::Source(error)) if is_over(&error) => {
            findings.push(problem(subject, &error));
            Err(Over)
        }
        heard => Ok(heard),
    }
}

/// Away, or not what it should be: the next call would say the same. A refusal is of one call, unless it is of the
/// application itself.
fn is_over(error: &SourceError) -> bool {
    match error {
        SourceError::Unavailable { .. } | SourceError::Malformed { .. } => true,
        SourceError::Refused { what, .. } => {
            what.contains(" was answered 401") || what.contains("Authorization_IdentityDisabled")
        }
        SourceError::WatermarkExpired { .. } => false,
    }
}

fn refused(subject: &str, permission: &'static str, trouble: &Trouble) -> Finding {
    match trouble {
        Trouble::Source(error) => problem(subject, error),
        _ => Finding {
            grade: Grade::Error,
            subject: subject.to_owned(),
            text: "cannot be read".to_owned(),
            cure: format!("check root and the application permission {permission}"),
        },
    }
}

fn is_refused(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Source(SourceError::Refused { .. }))
}

fn problem(subject: &str, error: &SourceError) -> Finding {
    let told = error.to_string();
    let (text, cure) = match error {
        SourceError::Refused { what, cure } => (what.as_str(), cure.as_str()),
        SourceError::Unavailable { .. } => told.split_once("; ").unwrap_or((&told, "try again later")),
        _ => (told.as_str(), "check authority and root"),
    };
    error_finding(subject, text, cure)
}

fn error_finding(subject: &str, text: impl Into<String>, cure: impl Into<String>) -> Finding {
    Finding { grade: Grade::Error, subject: subject.to_owned(), text: text.into(), cure: cure.into() }
}

fn warning(subject: &str, text: impl Into<String>, cure: impl Into<String>) -> Finding {
    Finding { grade: Grade::Warning, ..error_finding(subject, text, cure) }
}

fn ok(subject: &str, text: impl Into<String>) -> Finding {
    Finding { grade: Grade::Ok, ..error_finding(subject, text, "") }
}

/// `1 user`, `2 users`.
fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The first row's id of a list.
fn first_id(list: &Value) -> Option<String> {
    Some(list.get("value")?.get(0)?.get("id")?.as_str()?.to_owned())
}
