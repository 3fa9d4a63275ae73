//! Whether a source vouches for a mail address, so that an account may be found by it alone.

use serde_json::Value;

use crate::model::SourceAttributes;
use crate::model::Vocabulary;
use crate::scim::fold;

/// | source | it vouches for an address |
/// |---|---|
/// | Graph | in the domain of the person's own userPrincipalName, which the tenant has verified; not of guests, whose address is at home |
/// | Okta | where `user.emailVerified` is true |
/// | file | where `mailVerified` is true |
///
/// In Graph anybody who may edit a user may write any address into `mail`: the domain alone is verified (Graph
/// reference, section 10).
pub fn mail_is_verified(vocabulary: Vocabulary, seen: &SourceAttributes, mail: &str) -> bool {
    match vocabulary {
        Vocabulary::Graph => {
            let login = text(seen, "userPrincipalName").unwrap_or_default();
            let guest = login.to_ascii_uppercase().contains("#EXT#")
                || text(seen, "userType").is_some_and(|kind| kind.eq_ignore_ascii_case("Guest"));
            !guest && domain(mail).is_some() && domain(mail) == domain(login)
        }
        Vocabulary::Okta => is_true(seen, "user.emailVerified"),
        Vocabulary::File => is_true(seen, "mailVerified"),
    }
}

fn domain(address: &str) -> Option<String> {
    let (name, domain) = address.rsplit_once('@')?;
    (!name.is_empty() && !domain.is_empty()).then(|| fold(domain))
}

fn is_true(seen: &SourceAttributes, name: &str) -> bool {
    match seen.get(name) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(word)) => word.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn text<'a>(seen: &'a SourceAttributes, name: &str) -> Option<&'a str> {
    seen.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(vocabulary: Vocabulary, seen: Value, mail: &str, expected: bool) {
        let seen: SourceAttributes = serde_json::from_value(seen).expect("an object");
        assert_eq!(mail_is_verified(vocabulary, &seen, mail), expected, "{mail}");
    }

    #[test]
    fn graph_vouches_for_the_domain_of_a_members_login() {
        let member = || json!({"userPrincipalName": "ann@Acme.example", "userType": "Member"});
        check(Vocabulary::Graph, member(), "ann.lee@acme.EXAMPLE", true);
        check(Vocabulary::Graph, member(), "owner@other.example", false);
        check(Vocabulary::Graph, member(), "ann@evil-acme.example", false);
        check(Vocabulary::Graph, member(), "acme.example", false);
        let guest =
            |kind: &str| json!({"userPrincipalName": "bo_home.example#EXT#@acme.example", "userType": kind});
        check(Vocabulary::Graph, guest("Guest"), "bo@acme.example", false);
        check(Vocabulary::Graph, guest("Member"), "bo@acme.example", false);
        check(Vocabulary::Graph, json!({}), "bo@acme.example", false);
    }

    #[test]
    fn other_sources_say_it_of_each_person() {
        check(Vocabulary::Okta, json!({"user.emailVerified": true}), "ann@x.example", true);
        check(Vocabulary::Okta, json!({"user.login": "ann@x.example"}), "ann@x.example", false);
        check(Vocabulary::File, json!({"mailVerified": "TRUE"}), "ann@x.example", true);
        check(Vocabulary::File, json!({"mailVerified": false}), "ann@x.example", false);
    }
}
