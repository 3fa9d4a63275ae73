//! What to do about a refused sign-in, by Microsoft's AADSTS numbers (graph.md 2.6).
//!
//! | class | what the cycle does |
//! |---|---|
//! | `Cure` | ends, refused: a person has to act |
//! | `Later` | waits and asks again, a few times |
//! | `Spreading` | waits and asks again for minutes, then refused |
//! | `Clock` | signs once more by the service's clock, then refused with the difference |
//! | `Rest` | ends, refused, and asks for no token for an hour |

use crate::client::TokenAdvice;
use crate::client::TokenAdvice::Clock;
use crate::client::TokenAdvice::Cure;
use crate::client::TokenAdvice::Later;
use crate::client::TokenAdvice::Rest;
use crate::client::TokenAdvice::Spreading;

/// The advice for the first number that is known; `error` decides where none is.
pub(super) fn of(error: &str, codes: &[u64], _words: &str) -> Option<TokenAdvice> {
    codes.iter().find_map(|code| of_code(*code)).or_else(|| of_error(error))
}

/// Numbers may change (graph.md 2.6); these words are RFC 6749's and Microsoft's.
fn of_error(error: &str) -> Option<TokenAdvice> {
    Some(match error {
        "temporarily_unavailable" | "server_error" => Later,
        "invalid_resource" => Cure(RESOURCE),
        "invalid_scope" => Cure(SCOPE),
        _ => return None,
    })
}

const RESOURCE: &str =
    "Microsoft Graph has another address in this tenant's cloud; check cloud, and root where it is set";
const SCOPE: &str = "Graph's root and /.default are asked for, and were not understood; check root, and report it where \
                     that is right";

fn of_code(code: u64) -> Option<TokenAdvice> {
    Some(match code {
        7000215 => Cure("the secret is wrong; paste the secret's value, not its id"),
        7000222 => Cure("the secret has expired; make a new one under Certificates & secrets"),
        7000218 => Cure("neither a secret nor an assertion arrived; report this"),
        700016 | 700011 => Cure("no such application in this tenant; check client_id and tenant"),
        7000112 | 70001 => {
            Cure("the application is disabled; enable it under Enterprise applications, Properties")
        }
        90002 => Cure(
            "no such tenant in this cloud; check tenant, and whether it lies in another cloud: cloud = \"usgov-l4\", \
             \"usgov-l5\" or \"china\"",
        ),
        90038 | 900382 | 900432 => Cure(
            "the tenant lies in another national cloud; set cloud to \"usgov-l4\", \"usgov-l5\" or \"china\"",
        ),
        700027 | 50012 | 900384 => Cure(
            "the certificate was not accepted; upload it under Certificates & secrets, and put the key of that very \
             certificate down",
        ),
        700030 => Cure(
            "the certificate's subject is not authorised for this application; upload the certificate itself, or have \
             its subject name trusted",
        ),
        700024 | 500133 => Clock("the assertion came outside its time; set this host's clock right"),
        70021 => Spreading(
            "no federated credential of the application matches; compare issuer, subject and audience \
             (api://AzureADTokenExchange) with the token's",
        ),
        70011 | 700022 | 700023 | 28002 => Cure(SCOPE),
        500011 | 50001 => Cure(RESOURCE),
        65001 | 650056 | 90094 => Cure("nobody has consented yet; grant admin consent under API permissions"),
        53003 | 530035 | 530032 => Cure(
            "Conditional Access or the security defaults block this sign-in; except the application (a workload \
             identity) from the policy",
        ),
        50196 => Rest(
            "too many tokens were asked for; nothing is asked for an hour; see that no other program signs in with \
             this application, and report this",
        ),
        90006 | 90012 | 90024 | 90033 | 90055 | 90090 => Later,
        50000..=50999 => Cure(
            "the sign-in was taken for a person's; check that client_id is an application's, and that its secret or \
             certificate is an application's too",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of graph.md 2.6: its numbers, its class, and words of the cure.
    const ROWS: [(&[u64], &str, &str); 18] = [
        (&[7000215], "fatal", "the secret's value, not its id"),
        (&[7000222], "fatal", "has expired; make a new one"),
        (&[7000218], "fatal", "neither a secret nor an assertion arrived; report this"),
        (&[700016, 700011], "fatal", "no such application in this tenant"),
        (&[7000112, 70001], "fatal", "the application is disabled"),
        (&[90002], "fatal", "no such tenant in this cloud"),
        (&[90038, 900382, 900432], "fatal", "another national cloud; set cloud to"),
        (&[700027, 50012, 900384], "fatal", "the certificate was not accepted"),
        (&[700030], "fatal", "subject is not authorised"),
        (&[700024, 500133], "clock", "set this host's clock right"),
        (&[70021], "retry for minutes", "no federated credential of the application matches"),
        (&[70011, 700022, 700023, 28002], "fatal", "/.default are asked for"),
        (&[500011, 50001], "fatal", "Microsoft Graph has another address"),
        (&[65001, 650056, 90094], "fatal", "grant admin consent"),
        (&[53003, 530035, 530032], "fatal", "Conditional Access"),
        (&[50196], "back off an hour", "nothing is asked for an hour"),
        (&[90006, 90012, 90024, 90033, 90055, 90090], "transient", ""),
        (&[50034, 50076, 50126], "fatal", "taken for a person's"),
    ];

    fn told(advice: Option<TokenAdvice>) -> (&'static str, &'static str) {
        match advice {
            Some(Cure(text)) => ("fatal", text),
            Some(Clock(text)) => ("clock", text),
            Some(Spreading(text)) => ("retry for minutes", text),
            Some(Rest(text)) => ("back off an hour", text),
            Some(Later) => ("transient", ""),
            None => ("unknown", ""),
        }
    }

    #[test]
    fn every_row_of_the_reference_has_its_class_and_a_cure_of_its_own() {
        for (codes, class, words) in ROWS {
            for code in codes {
                let (found, text) = told(of("x", &[*code], ""));
                assert_eq!(found, class, "{code}");
                assert!(text.contains(words), "{code}: {text}");
            }
        }
        let mut cures: Vec<&str> = ROWS.iter().map(|(codes, ..)| told(of("x", codes, "")).1).collect();
        cures.sort_unstable();
        cures.dedup();
        assert_eq!(cures.len(), ROWS.len(), "two rows share a cure");
    }

    #[test]
    fn the_first_known_number_speaks_and_without_one_the_word_does() {
        assert_eq!(of("x", &[1], ""), None);
        assert_eq!(of("x", &[1, 90002], ""), of("x", &[90002], ""));
        assert_eq!(of("temporarily_unavailable", &[], ""), Some(Later));
        assert_eq!(of("temporarily_unavailable", &[7000215], ""), of("x", &[7000215], ""));
        assert_eq!(told(of("invalid_resource", &[], "")).0, "fatal");
    }
}
