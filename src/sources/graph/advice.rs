//! What to do about a refused sign-in, by Microsoft's AADSTS numbers (graph.md 2.6).

use crate::client::TokenAdvice;
use crate::client::TokenAdvice::Cure;
use crate::client::TokenAdvice::Later;

/// The advice for the first number that is known.
pub(super) fn of(_error: &str, codes: &[u64]) -> Option<TokenAdvice> {
    codes.iter().find_map(|code| of_code(*code))
}

fn of_code(code: u64) -> Option<TokenAdvice> {
    Some(match code {
        7000215 => Cure("the secret is wrong; paste the secret's value, not its id"),
        7000222 => Cure("the secret has expired; make a new one under Certificates & secrets"),
        7000218 => Cure("no secret was sent; name where it lies"),
        700016 | 700011 => Cure("no such application in this tenant; check the client id and the tenant"),
        7000112 | 70001 => {
            Cure("the application is disabled; enable it under Enterprise applications, Properties")
        }
        90002 => Cure("no such tenant; check the tenant, and that authority and root belong to its cloud"),
        90038 | 900382 | 900432 => {
            Cure("the tenant lies in another national cloud; set the authority and root of that cloud")
        }
        700027 | 50012 | 900384 => Cure("the certificate was not accepted; upload its public half"),
        700030 => Cure("the certificate's subject is not authorised for this application"),
        700024 | 500133 => Cure("the assertion is outside its time; set this host's clock right"),
        70011 | 700022 | 700023 | 28002 => {
            Cure("the scope is wrong; it must be the Graph root and /.default")
        }
        500011 | 50001 => Cure("Microsoft Graph has another address in this tenant's cloud; check the root"),
        65001 | 650056 | 90094 => Cure("grant admin consent under API permissions"),
        53003 | 530035 | 530032 => {
            Cure("Conditional Access or the security defaults block this sign-in; exempt the application")
        }
        50196 => Cure("too many requests for tokens; stop for an hour and report this"),
        70021 => Later,
        90006 | 90012 | 90024 | 90033 | 90055 | 90090 => Later,
        50000..=50999 => {
            Cure("the sign-in was taken for a person's; use an application's client id and secret")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row of the table in graph.md 2.6.
    #[test]
    fn every_known_number_has_advice() {
        let fatal = [
            7000215, 7000222, 7000218, 700016, 700011, 7000112, 70001, 90002, 90038, 900382, 900432, 700027,
            50012, 900384, 700030, 700024, 500133, 70011, 700022, 700023, 28002, 500011, 50001, 65001,
            650056, 90094, 53003, 530035, 530032, 50196, 50034,
        ];
        for code in fatal {
            assert!(matches!(of("x", &[code]), Some(Cure(_))), "{code}");
        }
        for code in [70021, 90006, 90012, 90024, 90033, 90055, 90090] {
            assert_eq!(of("x", &[code]), Some(Later), "{code}");
        }
        assert_eq!(of("x", &[1]), None);
        assert_eq!(of("x", &[1, 90002]), of("x", &[90002]));
    }
}
